package traffic

import (
	"fmt"

	"github.com/weirmail/weir/bench/process"
)

// Shape is how mail comes in.
type Shape struct {
	// Clients is how many send at once.
	Clients int `json:"clients"`
	// Size is the length of the text of a message in bytes; the header comes
	// on top.
	Size int `json:"size"`
	// Many tells that a client sends message after message over its
	// connection; else it makes a new one for each.
	Many bool `json:"many"`
}

// String describes the shape in a few words.
func (s Shape) String() string {
	how := "one a connection"
	if s.Many {
		how = "many a connection"
	}
	clients := "clients"
	if s.Clients == 1 {
		clients = "client"
	}
	return fmt.Sprintf("%d %s, %s, %s", s.Clients, clients, sizeText(s.Size), how)
}

func sizeText(bytes int) string {
	if bytes%1024 == 0 {
		return fmt.Sprintf("%d KiB", bytes/1024)
	}
	return fmt.Sprintf("%d bytes", bytes)
}

// The addresses of every message. The domain is one that is never asked for
// in the DNS.
const (
	domain      = "bench.example"
	reversePath = "sender@" + domain
	forwardPath = "recipient@" + domain
)

// The modes in which the parts of this package run.
const (
	sinkMode   = "sink"
	clientMode = "client"
)

// Modes are the parts of this package that run in processes of their own.
func Modes() process.Modes {
	return process.Modes{sinkMode: serveSink, clientMode: runClients}
}
