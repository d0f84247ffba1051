// Command overload offers servers more mail than they can take, and watches
// what they do: Weir, held to a share of a processor, and Debian's Postfix
// beside it in the same run.
//
//	go run ./bench/overload                       all of it: some ten minutes
//	go run ./bench/overload -quick                whether it works
//	go run ./bench/overload -experiments 8x,spike -servers weir
//
// The load is open: connections start on a fixed clock, whatever happens to
// the earlier ones, and each has to be through in five seconds from the moment
// that it was due. docs/benchmarks.md says what the figures mean.
//
// Control groups, the full disk and the slow disk need root; what cannot be
// done is left out, and said so.
package main

import (
	"maps"
	"os"

	"github.com/weirmail/weir/bench/process"
	"github.com/weirmail/weir/bench/traffic"
)

func main() {
	os.Exit(process.Planned(modes(), parsePlan, run))
}

// modes are the parts that run in processes of their own.
func modes() process.Modes {
	all := process.Modes{generateMode: generate, hogMode: hog}
	maps.Copy(all, traffic.Modes())
	return all
}
