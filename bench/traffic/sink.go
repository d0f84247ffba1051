package traffic

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/weirmail/weir/bench/process"
)

// Sink is the server that all mail ends at, in its own process: it takes
// everything, keeps nothing and counts. Its methods are not safe for
// concurrent use.
type Sink struct {
	process  *process.Process
	commands *os.File // the sink ends when this is closed
	ask      *json.Encoder
	answers  *json.Decoder
	address  string
}

// Count is what has arrived at a sink since its last reset.
type Count struct {
	// Messages counts all, Unique those that are not repetitions.
	Messages int64 `json:"messages"`
	Unique   int64 `json:"unique"`
	// Bytes is the length of all contents, before dot-stuffing is undone.
	Bytes int64 `json:"bytes"`
	// First and Last are when the first and the last one arrived.
	First time.Time `json:"first"`
	Last  time.Time `json:"last"`
	// Missing counts those that were asked for and have not arrived.
	Missing int64 `json:"missing"`
}

// question is what the sink's process is asked.
type question struct {
	Reset  bool          `json:"reset,omitempty"`
	Unique int64         `json:"unique"` // how many to wait for
	Within time.Duration `json:"within"`
	Asked  []uint64      `json:"asked,omitempty"` // hashes of Message-IDs
}

// StartSink starts a sink in a group.
func StartSink(g *process.Group) (*Sink, error) {
	command, err := process.Mode(sinkMode)
	if err != nil {
		return nil, err
	}
	theirsIn, commands, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("making a pipe to the sink: %w", err)
	}
	defer theirsIn.Close()
	answers, theirsOut, err := os.Pipe()
	if err != nil {
		commands.Close()
		return nil, fmt.Errorf("making a pipe from the sink: %w", err)
	}
	defer theirsOut.Close()
	p, err := process.Start(g, process.Spec{Command: command, Stdin: theirsIn, Stdout: theirsOut, Stderr: os.Stderr})
	if err != nil {
		commands.Close()
		answers.Close()
		return nil, err
	}
	s := &Sink{process: p, commands: commands, ask: json.NewEncoder(commands), answers: json.NewDecoder(answers)}
	if err := s.answers.Decode(&s.address); err != nil {
		s.Stop()
		return nil, fmt.Errorf("waiting for the sink: %w", err)
	}
	return s, nil
}

// Address is where the sink listens.
func (s *Sink) Address() string { return s.address }

// Reset makes the sink forget what it has counted.
func (s *Sink) Reset() error {
	_, err := s.question(question{Reset: true})
	return err
}

// Wait waits until so many different messages have arrived, but no longer than
// the given time, and returns what has.
func (s *Sink) Wait(unique int64, within time.Duration) (Count, error) {
	return s.question(question{Unique: unique, Within: within})
}

// Missing counts those of the messages, by their Message-IDs with the angle
// brackets, that have not arrived since the last reset.
func (s *Sink) Missing(messageIDs []string) (int64, error) {
	asked := make([]uint64, len(messageIDs))
	for i, id := range messageIDs {
		asked[i] = hashOf([]byte(id))
	}
	c, err := s.question(question{Asked: asked})
	return c.Missing, err
}

func (s *Sink) question(q question) (c Count, err error) {
	if err := s.ask.Encode(q); err != nil {
		return c, fmt.Errorf("asking the sink: %w", err)
	}
	if err := s.answers.Decode(&c); err != nil {
		return c, fmt.Errorf("reading the sink's answer: %w", err)
	}
	return c, nil
}

// Stop ends the sink.
func (s *Sink) Stop() {
	s.commands.Close()
	_ = s.process.Stop(time.Second)
}

// answer is the sink's side: it answers questions until there are no more.
func answer(t *tally, questions io.Reader, answers io.Writer) error {
	ask, tell := json.NewDecoder(questions), json.NewEncoder(answers)
	for {
		var q question
		switch err := ask.Decode(&q); {
		case err == io.EOF:
			return nil
		case err != nil:
			return fmt.Errorf("reading a question to the sink: %w", err)
		}
		if q.Reset {
			t.reset()
		}
		count := t.wait(q.Unique, q.Within)
		count.Missing = t.missing(q.Asked)
		if err := tell.Encode(count); err != nil {
			return fmt.Errorf("answering: %w", err)
		}
	}
}
