package process

import (
	"context"
	"errors"
	"flag"
	"io"
	"os"
)

// Planned is [Main] for a benchmark whose arguments make a plan: parse reads them and
// writes what it says of them to its writer, and run carries the plan out, with the
// figures on out and its progress on progress. Asking for help is no error.
func Planned[P any](modes Modes, parse func(args []string, usage io.Writer) (P, error), run func(ctx context.Context, plan P, out, progress io.Writer) error) int {
	return Main(modes, func(ctx context.Context) error {
		plan, err := parse(os.Args[1:], os.Stderr)
		if errors.Is(err, flag.ErrHelp) {
			return nil
		}
		if err != nil {
			return err
		}
		return run(ctx, plan, os.Stdout, os.Stderr)
	})
}
