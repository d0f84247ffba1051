package main

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"
)

// patience bounds a dialogue.
const patience = time.Minute

// perAddress is how many sessions come from one address: there are not ports
// for many more.
const perAddress = 20_000

// greet opens a session and says EHLO in it.
func greet(address string, n int) (net.Conn, error) {
	d := net.Dialer{
		Timeout:   patience,
		KeepAlive: -1,
		LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 1, byte(1+n/perAddress))},
	}
	nc, err := d.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	if err := hello(nc); err != nil {
		nc.Close()
		return nil, err
	}
	return nc, nil
}

func hello(nc net.Conn) error {
	nc.SetDeadline(time.Now().Add(patience))
	r := bufio.NewReaderSize(nc, 512)
	if err := hear(r, "220"); err != nil {
		return err
	}
	if _, err := nc.Write([]byte("EHLO idle.bench.example\r\n")); err != nil {
		return err
	}
	return hear(r, "250")
}

// hear reads a reply to its last line.
func hear(r *bufio.Reader, code string) error {
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return err
		}
		if !strings.HasPrefix(line, code) {
			return fmt.Errorf("heard %q, want %s", line, code)
		}
		if len(line) > 3 && line[3] == ' ' {
			return nil
		}
	}
}

// openers is how many sessions are opened at a time.
const openers = 32

// open opens sessions. What it opened it returns in any case.
func open(ctx context.Context, address string, n int) ([]net.Conn, error) {
	var mu sync.Mutex
	var sessions []net.Conn
	var failure error
	next := 0
	take := func() (int, bool) {
		mu.Lock()
		defer mu.Unlock()
		next++
		return next - 1, next <= n && failure == nil && ctx.Err() == nil
	}
	var group sync.WaitGroup
	for range openers {
		group.Go(func() {
			for {
				i, more := take()
				if !more {
					return
				}
				nc, err := greet(address, i)
				mu.Lock()
				if err != nil {
					failure = fmt.Errorf("session %d: %w", i+1, err)
				} else {
					sessions = append(sessions, nc)
				}
				mu.Unlock()
			}
		})
	}
	group.Wait()
	if failure == nil {
		failure = ctx.Err()
	}
	return sessions, failure
}

func closeAll(sessions []net.Conn) {
	for _, nc := range sessions {
		nc.Close()
	}
}
