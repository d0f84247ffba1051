package smtptest

import (
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

func TestPipeBuffersAsTCP(t *testing.T) {
	a, b := Pipe()
	big := make([]byte, pipeBuffer)
	for _, c := range []*Conn{a, b} {
		if n, err := c.Write(big); n != len(big) || err != nil {
			t.Fatalf("write without a reader: %d, %v", n, err)
		}
	}
	go func() {
		_, _ = b.Write(big)
		_ = b.Close()
	}()
	got, err := io.ReadAll(a)
	if len(got) != 2*len(big) || err != nil {
		t.Errorf("read %d octets, %v; want %d", len(got), err, 2*len(big))
	}
	if _, err := a.Write(big); !errors.Is(err, syscall.EPIPE) {
		t.Errorf("write after the other end closed: %v", err)
	}
	if _, err := b.Read(big); !errors.Is(err, net.ErrClosed) {
		t.Errorf("read of a closed end: %v", err)
	}
}

func TestPipeDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := Pipe()
		defer a.Close()
		defer b.Close()
		begun := time.Now()
		_ = a.SetDeadline(begun.Add(time.Minute))
		if _, err := a.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("read: %v", err)
		}
		if n, err := a.Write(make([]byte, pipeBuffer+1)); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("write after the deadline: %d, %v", n, err)
		}
		_ = a.SetWriteDeadline(begun.Add(2 * time.Minute))
		if n, err := a.Write(make([]byte, pipeBuffer+1)); n != pipeBuffer || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("write to a full buffer: %d, %v", n, err)
		}
		if d := time.Since(begun); d != 2*time.Minute {
			t.Errorf("woken after %v", d)
		}
		_ = a.SetDeadline(time.Time{})
		go func() { _, _ = b.Write([]byte("x")) }()
		if n, err := a.Read(make([]byte, 1)); n != 1 || err != nil {
			t.Errorf("read without a deadline: %d, %v", n, err)
		}
	})
}
