package event

import (
	"context"
	"log/slog"

	"github.com/weirmail/weir/internal/mail"
)

// LogOptions are what is left out of the log.
type LogOptions struct {
	// NoAccounts writes "***" in the place of the names of accounts.
	NoAccounts bool
}

// account is the name of an account as it is written.
func (o LogOptions) account(name string) string {
	if o.NoAccounts && name != "" {
		return "***"
	}
	return name
}

// Log returns a listener that writes a line for each event: one for a message
// that was accepted, one for each outcome of a recipient. What goes well is at
// the level Info, what waits or is refused too; faults are errors.
func Log(logger *slog.Logger, o LogOptions) *Listener {
	ctx := context.Background()
	return &Listener{
		Accepted: func(e Accepted) {
			if !logger.Enabled(ctx, slog.LevelInfo) {
				return
			}
			logger.LogAttrs(ctx, slog.LevelInfo, "accepted",
				slog.String("id", e.Envelope.ID.String()),
				slog.String("session", e.Envelope.Origin.Session),
				slog.String("client", e.Envelope.Origin.Client.String()),
				slog.String("sender", e.Envelope.ReversePath.Address()),
				slog.Int("recipients", len(e.Envelope.Recipients)),
				slog.Int64("size", e.Envelope.Size),
				slog.String("protocol", e.Envelope.Origin.Protocol),
				slog.Duration("took", e.Took))
		},
		Refused: func(e Refused) {
			if !logger.Enabled(ctx, slog.LevelInfo) {
				return
			}
			logger.LogAttrs(ctx, slog.LevelInfo, "refused",
				slog.String("session", e.Session),
				slog.String("client", e.Client.String()),
				slog.String("stage", e.Stage.String()),
				slog.String("reason", e.Reason),
				slog.String("response", e.Reply.String()))
		},
		Authenticated: func(e Authenticated) { logAuthenticated(ctx, logger, &e, o) },
		Attempted:     func(e Attempted) { logAttempt(ctx, logger, &e) },
		Noticed: func(e Noticed) {
			logger.LogAttrs(ctx, slog.LevelInfo, "notice",
				slog.String("id", e.ID.String()),
				slog.String("original", e.Original.String()),
				slog.String("kind", e.Kind),
				slog.String("recipient", e.To.Address()))
		},
		Renewed: func(e Renewed) {
			logger.LogAttrs(ctx, slog.LevelInfo, "certificate renewed", certificateAttrs(Certificate(e))...)
		},
		Expiring: func(e Expiring) {
			logger.LogAttrs(ctx, slog.LevelWarn, "certificate ends", certificateAttrs(Certificate(e))...)
		},
		Fault: func(e Fault) {
			logger.LogAttrs(ctx, slog.LevelError, "fault", slog.String("where", e.Where), slog.Any("error", e.Err))
		},
	}
}

func certificateAttrs(c Certificate) []slog.Attr {
	return []slog.Attr{slog.Any("names", c.Names), slog.Time("expires", c.Expires), slog.String("file", c.File)}
}

// logAuthenticated writes who has signed in, or why that failed: a warning where the
// relay itself is at fault.
func logAuthenticated(ctx context.Context, logger *slog.Logger, e *Authenticated, o LogOptions) {
	attrs := []slog.Attr{
		slog.String("session", e.Session),
		slog.String("client", e.Client.String()),
		slog.String("mechanism", e.Mechanism),
		slog.String("account", o.account(e.Account)),
	}
	if !e.Failed {
		logger.LogAttrs(ctx, slog.LevelInfo, "authenticated", attrs...)
		return
	}
	level := slog.LevelInfo
	attrs = append(attrs, slog.String("problem", e.Problem))
	if e.Err != nil {
		level = slog.LevelWarn
		attrs = append(attrs, slog.Any("error", e.Err))
	}
	logger.LogAttrs(ctx, level, "not authenticated", attrs...)
}

func logAttempt(ctx context.Context, logger *slog.Logger, e *Attempted) {
	if !logger.Enabled(ctx, slog.LevelInfo) {
		return
	}
	last := &e.Progress.Last
	attrs := make([]slog.Attr, 0, 12)
	attrs = append(attrs,
		slog.String("id", e.ID.String()),
		slog.String("recipient", e.ForwardPath.Address()),
		slog.String("status", statusOf(e.Progress.State)),
		slog.String("host", last.Host),
		slog.String("peer_address", last.Address),
		slog.String("stage", last.Stage.String()),
		slog.Int("num_attempts", e.Progress.Attempts),
		slog.Duration("delay", e.Delay))
	if !last.Reply.IsZero() {
		attrs = append(attrs, slog.String("response", last.Reply.String()))
	}
	if last.Problem != "" {
		attrs = append(attrs, slog.String("problem", last.Problem))
	}
	if last.Reason != "" {
		attrs = append(attrs, slog.String("reason", last.Reason))
	}
	if e.Progress.State == mail.Waiting {
		attrs = append(attrs, slog.Time("due", e.Progress.Due))
	}
	logger.LogAttrs(ctx, slog.LevelInfo, "attempt", attrs...)
}

// statusOf uses the words that readers of mail logs look for.
func statusOf(s mail.State) string {
	switch s {
	case mail.Waiting:
		return "deferred"
	case mail.Relayed, mail.Delivered:
		return "sent"
	case mail.Failed:
		return "bounced"
	}
	return s.String()
}
