package traffic

import (
	"bytes"
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/weirmail/weir/bench/process"
)

// SmtpSource sends so many messages with Postfix's load generator, which
// costs little itself, and returns when the server has acknowledged all of
// them. Where the server refuses a single one it fails.
func SmtpSource(ctx context.Context, g *process.Group, address string, s Shape, messages int) error {
	command := []string{
		"smtp-source", "-4", "-f", reversePath, "-t", forwardPath, "-M", "client." + domain,
		"-s", strconv.Itoa(s.Clients), "-l", strconv.Itoa(s.Size), "-m", strconv.Itoa(messages),
	}
	if s.Many {
		command = append(command, "-d")
	}
	var said bytes.Buffer
	p, err := process.Start(g, process.Spec{Command: append(command, address), Stderr: &said})
	if err != nil {
		return err
	}
	select {
	case <-p.Done():
	case <-ctx.Done():
		_ = p.Stop(time.Second)
		return ctx.Err()
	}
	if err := p.Wait(); err != nil {
		return fmt.Errorf("%w: %s", err, strings.TrimSpace(said.String()))
	}
	return nil
}
