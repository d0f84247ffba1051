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
	Reset   int     // connections that heard it, and were reset then: elsewhere they might not have heard it
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
		sum.Reset += one.Reset
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
		said, err := hear(&dialer, address, early, room)
		if string(said) != refusal {
			count.Unheard++
			continue
		}
		count.Heard++
		if err != io.EOF {
			count.Reset++
		}
	}
}

// hear connects and returns what it could read, and what ended that.
func hear(dialer *net.Dialer, address string, early bool, room []byte) ([]byte, error) {
	nc, err := dialer.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	defer nc.Close()
	if early {
		// It may be refused already, and reads that then.
		_, _ = io.WriteString(nc, "EHLO client.example.org\r\n")
	}
	_ = nc.SetReadDeadline(time.Now().Add(patience))
	for got := 0; ; {
		n, err := nc.Read(room[got:])
		got += n
		if err != nil || got == len(room) {
			return room[:got], err
		}
	}
}
