package servers

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
)

// The account that the servers with AUTH know.
const (
	user     = "alice"
	password = "wonderland"
)

// accounts checks passwords for Postfix, which does not do that itself: it asks a
// server by the protocol of Dovecot. This one knows one account, by PLAIN and LOGIN.
type accounts struct {
	listener net.Listener
	tasks    sync.WaitGroup

	mu   sync.Mutex
	open map[net.Conn]bool
}

// serveAccounts listens on a Unix socket until it is closed.
func serveAccounts(path string) (*accounts, error) {
	listener, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("listening for questions about accounts: %w", err)
	}
	if err := os.Chmod(path, 0o666); err != nil { // Postfix asks as a user of its own
		listener.Close()
		return nil, err
	}
	a := &accounts{listener: listener, open: map[net.Conn]bool{}}
	a.tasks.Go(a.accept)
	return a, nil
}

// close ends the connections, and waits for them.
func (a *accounts) close() {
	a.listener.Close()
	a.mu.Lock()
	for nc := range a.open {
		nc.Close()
	}
	a.open = nil
	a.mu.Unlock()
	a.tasks.Wait()
}

func (a *accounts) accept() {
	for {
		nc, err := a.listener.Accept()
		if err != nil {
			return
		}
		a.mu.Lock()
		if a.open == nil {
			nc.Close()
		} else {
			a.open[nc] = true
			a.tasks.Go(func() { a.serve(nc) })
		}
		a.mu.Unlock()
	}
}

const accountsHello = "VERSION\t1\t2\nMECH\tPLAIN\tplaintext\nMECH\tLOGIN\tplaintext\nSPID\t1\nCUID\t1\nCOOKIE\t0123456789abcdef0123456789abcdef\nDONE\n"

// serve answers the questions of one process of Postfix.
func (a *accounts) serve(nc net.Conn) {
	defer func() {
		nc.Close()
		a.mu.Lock()
		delete(a.open, nc)
		a.mu.Unlock()
	}()
	if _, err := nc.Write([]byte(accountsHello)); err != nil {
		return
	}
	exchanges := map[string]*question{}
	in := bufio.NewReaderSize(nc, 64<<10)
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		answer := ask(exchanges, strings.Split(strings.TrimSuffix(line, "\n"), "\t"))
		if _, err := nc.Write([]byte(answer)); err != nil {
			return
		}
	}
}

// question is an exchange that goes on.
type question struct {
	mechanism string
	name      string // of LOGIN, once it is known
}

// ask reads one line and returns the answer to it; "" where it wants none.
func ask(exchanges map[string]*question, words []string) string {
	if len(words) < 3 {
		return ""
	}
	id := words[1]
	switch words[0] {
	case "AUTH":
		q := &question{mechanism: words[2]}
		exchanges[id] = q
		for _, word := range words[3:] {
			if response, found := strings.CutPrefix(word, "resp="); found {
				return q.next(id, response)
			}
		}
		return q.challenge(id)
	case "CONT":
		if q := exchanges[id]; q != nil {
			return q.next(id, words[2])
		}
	}
	return ""
}

func (q *question) challenge(id string) string {
	text := ""
	switch {
	case q.mechanism == "LOGIN" && q.name == "":
		text = "Username:"
	case q.mechanism == "LOGIN":
		text = "Password:"
	}
	return "CONT\t" + id + "\t" + base64.StdEncoding.EncodeToString([]byte(text)) + "\n"
}

func (q *question) next(id, response string) string {
	decoded, err := base64.StdEncoding.DecodeString(response)
	if err != nil {
		return "FAIL\t" + id + "\treason=Invalid base64 data\n"
	}
	if q.mechanism == "LOGIN" && q.name == "" && len(decoded) > 0 {
		q.name = string(decoded)
		return q.challenge(id)
	}
	words := strings.Split(string(decoded), "\x00")
	if q.mechanism == "LOGIN" {
		words = []string{"", q.name, string(decoded)}
	}
	if len(words) == 3 && (words[0] == "" || words[0] == user) && words[1] == user && words[2] == password {
		return "OK\t" + id + "\tuser=" + user + "\n"
	}
	return "FAIL\t" + id + "\n"
}
