package relay

import (
	"bytes"
	"context"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/weirmail/weir/internal/dns"
	"github.com/weirmail/weir/internal/event"
	"github.com/weirmail/weir/internal/mail"
	"github.com/weirmail/weir/internal/outbound"
	"github.com/weirmail/weir/internal/outbound/mtasts"
	"github.com/weirmail/weir/internal/outbound/tlsrpt"
	"github.com/weirmail/weir/internal/spool"
	"github.com/weirmail/weir/smtp"
)

// openReports prepares reports about TLS, where they are wanted, and returns who
// counts for them; nil where nobody does.
func (r *Relay) openReports(ctx context.Context, ids *mail.IDSource) (outbound.Sessions, error) {
	c := &r.config.TLSReport
	if c.From == "" {
		return nil, nil
	}
	from := tlsrpt.From{Organization: c.Organization, Contact: c.Contact, Address: c.From, Hostname: r.config.Hostname}
	if from.Organization == "" {
		from.Organization = r.config.Hostname
	}
	if from.Contact == "" {
		from.Contact = c.From
	}
	fault := func(err error) { r.events.Fault(event.Fault{Where: "tls-report", Err: err}) }
	ledger, err := tlsrpt.NewLedger(ctx, keptPolicies{memory{r.store, spool.NoteTLSReport}}, time.Now, fault)
	if err != nil {
		return nil, err
	}
	r.reporter = tlsrpt.NewReporter(tlsrpt.Options{
		From: from, Ledger: ledger, Now: time.Now, Random: rand.Float64,
		LookupTXT: r.resolver.LookupTXT, Passes: dns.Passes,
		Dial: mtasts.Dialer(r.resolver.LookupAddr),
		Send: func(ctx context.Context, report *tlsrpt.Report, to smtp.Path) error {
			return r.sendReport(ctx, ids, report, to)
		},
		Told: func(domain, to string, err error) {
			if err != nil {
				r.options.Logger.Warn("a report about TLS could not be handed over", "domain", domain, "to", to, "error", err)
				return
			}
			r.options.Logger.Info("a report about TLS is on its way", "domain", domain, "to", to)
		},
	})
	return ledger, nil
}

// sendReport puts a report into the queue. Nobody is told where it cannot be
// delivered: it is about the very server that would not take it.
func (r *Relay) sendReport(ctx context.Context, ids *mail.IDSource, report *tlsrpt.Report, to smtp.Path) error {
	now := time.Now()
	id, err := ids.Next(now)
	if err != nil {
		return err
	}
	from, err := smtp.ParseAddress(r.config.TLSReport.From)
	if err != nil {
		return err
	}
	e := &mail.Envelope{
		ID: id, Arrived: now, ReversePath: from, SMTPUTF8: !to.IsASCII() || !from.IsASCII(),
		TLSOptional: true, Origin: mail.Origin{Standing: mail.Trusted},
		Recipients: []mail.Recipient{{Path: to, Notify: smtp.NotifyNever, Progress: mail.Progress{Due: now}}},
	}
	return r.store.Put(ctx, e, bytes.NewReader(report.Mail(to.Address(), strings.ToLower(id.String()), now)))
}
