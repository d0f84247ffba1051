package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"sync"
	"time"
)

// loadMode connects again and again.
const loadMode = "load"

// patience is how long a client waits for anything.
const patience = 10 * time.Second

// tally is what the load counted.
type tally struct {
	Heard   int     // connections that heard the whole reply
	Unheard int     // connections that did not
	Seconds float64 // the time it took
}

// load runs clients against an address, and prints the tally. The arguments are
// the address, the number of clients, the time and whether they speak first.
func load(ctx context.Context, args []string) error {
	if len(args) != 4 {
		return fmt.Errorf("mode %s needs four arguments", loadMode)
	}
	clients, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	lasts, err := time.ParseDuration(args[2])
	if err != nil {
		return err
	}
	early := args[3] == "true"
	ctx, cancel := context.WithTimeout(ctx, lasts)
	defer cancel()
	began := time.Now()
	counts := make([]tally, clients)
	var group sync.WaitGroup
	for i := range counts {
		group.Go(func() { knock(ctx, args[0], i, early, &counts[i]) })
	}
	group.Wait()
	sum := tally{Seconds: time.Since(began).Seconds()}
	for _, one := range counts {
		sum.Heard += one.Heard
		sum.Unheard += one.Unheard
	}
	return json.NewEncoder(os.Stdout).Encode(sum)
}

// knock is one client: each has an address of its own, so that ports do not run
// out.
func knock(ctx context.Context, address string, number int, early bool, count *tally) {
	dialer := net.Dialer{
		Timeout:   patience,
		LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, byte(1+number/250), byte(1+number%250))},
	}
	room := make([]byte, 512)
	for ctx.Err() == nil {
		if hears(&dialer, address, early, room) {
			count.Heard++
		} else {
			count.Unheard++
		}
	}
}

// hears connects and reports whether it could read the reply to its end.
func hears(dialer *net.Dialer, address string, early bool, room []byte) bool {
	nc, err := dialer.Dial("tcp", address)
	if err != nil {
		return false
	}
	defer nc.Close()
	if early {
		// It may be refused already, and reads that then.
		_, _ = io.WriteString(nc, "EHLO client.example.org\r\n")
	}
	_ = nc.SetReadDeadline(time.Now().Add(patience))
	got := 0
	for {
		n, err := nc.Read(room[got:])
		got += n
		if err != nil {
			return err == io.EOF && string(room[:got]) == refusal
		}
	}
}
