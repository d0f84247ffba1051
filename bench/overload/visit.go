package main

import (
	"bytes"
	"errors"
	"syscall"
	"time"
)

// visit is one connection and its client: greeting, EHLO, MAIL, RCPT, DATA,
// content, QUIT, each after the reply to the one before.
type visit struct {
	engine *engine
	fd     int
	number int // of its record
	stage  stage
	over   bool
	rest   []byte // of what is being written
	line   []byte // the beginning of a reply that has not ended
}

// expected is the code that lets the client go on.
var expected = [...]int{stageGreeting: 220, stageHello: 250, stageMail: 250, stageRcpt: 250, stageData: 354, stageContent: 250}

// commands are what the client says when a reply was as expected.
var commands = [...]string{
	stageGreeting: "EHLO client.bench.example\r\n",
	stageHello:    "MAIL FROM:<sender@bench.example>\r\n",
	stageMail:     "RCPT TO:<recipient@bench.example>\r\n",
	stageRcpt:     "DATA\r\n",
	stageContent:  quit,
}

const quit = "QUIT\r\n"

func (v *visit) record() *record { return &v.engine.records[v.number] }

// settle notes the outcome; the first one stays.
func (v *visit) settle(o outcome, code int) {
	r := v.record()
	if r.Outcome != pending {
		return
	}
	r.Outcome, r.Stage, r.Code, r.End = o, v.stage, uint16(code), v.engine.now()
}

// read takes what has come.
func (v *visit) read(buffer []byte) {
	for !v.over {
		n, err := syscall.Read(v.fd, buffer)
		switch {
		case errors.Is(err, syscall.EAGAIN):
			return
		case errors.Is(err, syscall.EINTR):
			continue
		case err != nil || n == 0:
			v.ended(err)
			return
		}
		v.take(buffer[:n])
		if n < len(buffer) {
			return // there was no more; if there is now, epoll says so
		}
	}
}

// ended is the end of the connection by the server, or by the network.
func (v *visit) ended(err error) {
	o := unheard
	if v.record().Heard == 0 && (errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.ETIMEDOUT)) {
		o = unconnected
	}
	v.settle(o, 0)
	v.engine.leave(v)
}

// take splits what has come into lines.
func (v *visit) take(data []byte) {
	for len(data) > 0 && !v.over {
		end := bytes.IndexByte(data, '\n')
		if end < 0 {
			v.line = append(v.line, data...)
			return
		}
		line := data[:end+1]
		if len(v.line) > 0 {
			v.line = append(v.line, line...)
			line = v.line
		}
		data = data[end+1:]
		if len(line) < 4 || line[3] != '-' { // the last line of a reply
			v.reply(codeOf(line))
		}
		v.line = v.line[:0]
	}
}

func codeOf(line []byte) int {
	code := 0
	for _, digit := range line[:min(3, len(line))] {
		if digit < '0' || digit > '9' {
			return 0
		}
		code = 10*code + int(digit-'0')
	}
	return code
}

// reply goes on after a reply, or gives up.
func (v *visit) reply(code int) {
	if r := v.record(); r.Heard == 0 {
		r.Heard = max(v.engine.now(), 1)
	}
	switch {
	case v.stage == stageQuit:
		v.engine.leave(v)
	case code == 421:
		v.settle(refused421, code)
		v.engine.leave(v)
	case code == expected[v.stage]:
		v.goOn()
	default:
		o := rejected
		if code/100 == 4 {
			o = refused4xx
		}
		v.settle(o, code)
		v.stage = stageQuit
		v.write([]byte(quit))
	}
}

// goOn says what comes next.
func (v *visit) goOn() {
	at := v.stage
	if at == stageContent {
		v.settle(accepted, expected[at])
	}
	v.stage++
	if at == stageData {
		v.write(v.engine.content(v.number))
		return
	}
	v.write([]byte(commands[at]))
}

// write sends, and keeps what does not fit.
func (v *visit) write(data []byte) {
	if len(v.rest) > 0 {
		v.rest = append(v.rest, data...)
		return
	}
	for len(data) > 0 {
		n, err := syscall.Write(v.fd, data)
		if n > 0 {
			data = data[n:]
		}
		switch {
		case err == nil, errors.Is(err, syscall.EINTR):
		case errors.Is(err, syscall.EAGAIN):
			v.rest = append(v.rest[:0], data...)
			v.engine.watch(v, true)
			return
		default:
			return // the reason is read, or the end
		}
	}
}

// flush sends on.
func (v *visit) flush() {
	data := v.rest
	v.rest = nil
	v.write(data)
	if len(v.rest) == 0 && !v.over {
		v.engine.watch(v, false)
	}
}

// due is when the visit runs out of patience.
func (v *visit) due() time.Duration { return v.record().Due + v.engine.load.Patience }
