// Command throttle measures how a sender finds out what a receiver takes: so many
// connections and so many messages a second, with 421 beyond, raised and lowered while
// it runs. Weir has a full queue, and Debian's Postfix with its default settings has
// the same in the same run.
//
//	go run ./bench/throttle                          some twelve minutes
//	go run ./bench/throttle -quick                   whether it works
//	go run ./bench/throttle -phases 10:20:3m,10:40:3m -servers weir
//
// docs/benchmarks.md says what the figures mean.
package main

import (
	"os"

	"github.com/weirmail/weir/bench/process"
	"github.com/weirmail/weir/bench/traffic"
)

func main() {
	os.Exit(process.Planned(traffic.Modes(), parsePlan, run))
}
