package config

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// check looks at all values together: limits, contradictions, and what would
// make an open relay.
func check(d *decoder, src Source) {
	c := d.config
	completeListeners(d, c)
	checkIdentity(d, c)
	checkDestinations(d, c)
	checkLanes(d, c)
	checkServers(d, c, src)
	checkClients(d, c)
	checkListeners(d, c)
	checkTLS(d, c, src)
	checkDKIM(d, c, src)
	checkAuth(d, c, src)
	checkSMTP(d, c.SMTP)
	checkRetry(d, c.Retry)
	checkNotices(d, c.Notices)
	checkDelivery(d, c.Delivery)
	checkSpool(d, c.Spool)
	checkAdmin(d, c)
	checkAdmission(d, c.Admission, c.Spool)
	checkGreylist(d, c.Greylist)
	checkLifecycle(d, c, src.Now)
}

// wrong records a value that cannot be taken. What follows from a fault that
// is known already is left out.
func (d *decoder) wrong(key, problem, suggestion string) {
	if !d.faulty(key) {
		d.faults = append(d.faults, d.placed(key, problem, suggestion))
	}
}

// faulty says whether a key, a part of it or what it is a part of is known to
// be wrong.
func (d *decoder) faulty(key string) bool {
	for _, f := range d.faults {
		if f.Key != "" && (within(key, f.Key) || within(f.Key, key)) {
			return true
		}
	}
	return false
}

// lacks records that something is not set that has to be. With syntax errors
// nothing can be said of what is missing.
func (d *decoder) lacks(key, problem, suggestion string) {
	if !d.broken {
		d.wrong(key, problem, suggestion)
	}
}

// doubt records what can be taken but is probably not meant.
func (d *decoder) doubt(key, problem, suggestion string) {
	if !d.faulty(key) {
		d.warnings = append(d.warnings, d.placed(key, problem, suggestion))
	}
}

// within says whether a key is another one or a part of it.
func within(key, whole string) bool {
	rest, ok := strings.CutPrefix(key, whole)
	return ok && (rest == "" || rest[0] == '.' || rest[0] == '[')
}

// placed makes a fault of a key, at the place where it was set. A key that was
// not set is shown at the section that it would stand in.
func (d *decoder) placed(key, problem, suggestion string) Fault {
	for at := key; at != ""; at = parent(at) {
		f, set := d.places[at]
		if !set {
			continue
		}
		f.Key, f.Problem, f.Suggestion = key, problem, suggestion
		switch {
		case f.File == "environment":
			f.Problem = EnvName(at) + ": " + problem
		case f.Line == 0:
			f.Problem = key + ": " + problem
		}
		return f
	}
	return Fault{File: d.path, Key: key, Problem: key + ": " + problem, Suggestion: suggestion}
}

// setOf is the first of some keys that is set, to show in its place what is
// wrong between them; without any, the first.
func (d *decoder) setOf(keys ...string) string {
	for _, key := range keys {
		if _, set := d.places[key]; set {
			return key
		}
	}
	return keys[0]
}

// parent is the key that a key is a part of: "listener[0]" of
// "listener[0].address", and "listener" of that; "" at the top.
func parent(key string) string {
	return key[:max(strings.LastIndexAny(key, ".["), 0)]
}

// checkIdentity holds the name and the folder of the relay.
func checkIdentity(d *decoder, c *Config) {
	switch err := checkDomain(c.Hostname); {
	case c.Hostname == "":
		d.lacks("hostname", "the machine has no name, so the relay needs one", `write hostname = "mail.example.org"`)
	case err != nil:
		d.wrong("hostname", err.Error(), "")
	case !strings.Contains(c.Hostname, ".") && !c.Dev:
		d.doubt("hostname", fmt.Sprintf("%q has no domain: other servers refuse such a name", c.Hostname),
			fmt.Sprintf("write the full name, such as %s.example.org", c.Hostname))
	}
	if !filepath.IsAbs(c.StateDir) {
		d.wrong("state_dir", fmt.Sprintf("%q does not begin with /", c.StateDir), "")
	}
}

// checkSMTP holds the limits of the listeners to RFC 5321 section 4.5.3.
func checkSMTP(d *decoder, s SMTP) {
	if s.MaxMessageSize < 64<<10 {
		d.wrong("smtp.max_message_size", "every server has to take messages of 64KiB (RFC 5321 section 4.5.3.1.7)", "")
	}
	d.atLeast("smtp.max_recipients", s.MaxRecipients, 1)
	if s.MaxRecipients >= 1 && s.MaxRecipients < 100 {
		d.doubt("smtp.max_recipients", "every server has to take 100 recipients (RFC 5321 section 4.5.3.1.8)", "")
	}
	d.atLeast("smtp.max_received", s.MaxReceived, 1)
	d.atLeast("smtp.max_errors", s.MaxErrors, 0)
	d.atLeast("smtp.max_transactions", s.MaxTransactions, 0)
	checkTimes(d, s)
	d.atLeastTime("smtp.command_timeout", s.CommandTimeout, time.Second)
	d.atLeastTime("smtp.data_timeout", s.DataTimeout, time.Second)
	if s.CommandTimeout >= time.Second && s.CommandTimeout < 5*time.Minute {
		d.doubt("smtp.command_timeout", "clients may count on 5m (RFC 5321 section 4.5.3.2.7)", "")
	}
}

// ParameterCode is the code that answers a parameter that is not offered.
type ParameterCode int

func parseParameterCode(s string) (ParameterCode, error) {
	switch s {
	case "504":
		return 504, nil
	case "555":
		return 555, nil
	}
	return 0, fmt.Errorf("%s is not 504, which says what is offered, or 555, which RFC 5321 has", s)
}

// mostTime is the longest time that a client can name, in seconds: nine digits
// (RFC 4865 section 4, RFC 2852 section 3).
const mostTime = 999_999_999 * time.Second

// checkTimes holds the times that EHLO names to what it can say.
func checkTimes(d *decoder, s SMTP) {
	for _, t := range []struct {
		key  string
		time time.Duration
	}{{"smtp.future_release", s.FutureRelease}, {"smtp.deliver_by_min", s.DeliverByMin}} {
		switch {
		case t.time > mostTime:
			d.wrong(t.key, fmt.Sprintf("%s is too long: at most %s", FormatDuration(t.time), FormatDuration(mostTime)), "")
		case t.time%time.Second != 0:
			d.wrong(t.key, fmt.Sprintf("%s is not in whole seconds", FormatDuration(t.time)), "")
		}
	}
}

// checkRetry holds the timetable together.
func checkRetry(d *decoder, r Retry) {
	d.atLeastTime("retry.first", r.First, time.Second)
	if r.Max < r.First {
		d.wrong("retry.max", fmt.Sprintf("the longest wait, %s, is shorter than the first, %s",
			FormatDuration(r.Max), FormatDuration(r.First)), "")
	}
	if r.Expire <= r.First {
		d.wrong("retry.expire", fmt.Sprintf("mail would go back after %s, before it is tried a second time",
			FormatDuration(r.Expire)), `write a time of days, such as "5d"`)
	}
	if r.DelayNotice >= r.Expire && r.DelayNotice > 0 {
		d.doubt("retry.delay_notice", fmt.Sprintf("no delay notice is ever sent, because mail goes back after %s",
			FormatDuration(r.Expire)), "write 0 if none is wanted")
	}
}

// checkDelivery holds the limits of outgoing connections.
func checkDelivery(d *decoder, v Delivery) {
	d.atLeast("delivery.connections", v.Connections, 1)
	d.atLeast("delivery.transactions_per_connection", v.TransactionsPerConnection, 0)
	for i, addr := range v.SourceAddress {
		if slices.Contains(v.SourceAddress[:i], addr) {
			d.wrong(at("delivery.source_address", i), fmt.Sprintf("%s is there twice", addr), "remove one of them")
		}
	}
	if v.EHLO == "" {
		return
	}
	if err := checkDomain(v.EHLO); err != nil {
		d.wrong("delivery.ehlo", err.Error(), "")
	}
}

// checkSpool holds the settings of the store to what it can work with.
func checkSpool(d *decoder, s Spool) {
	if s.Memtable < 1<<20 || s.Memtable > 1<<30 {
		d.wrong("spool.memtable", fmt.Sprintf("%s is not between 1MiB and 1GiB", s.Memtable), "")
	}
	if s.MinSyncInterval > 100*time.Millisecond {
		d.wrong("spool.min_sync_interval", fmt.Sprintf("%s is too long: each client waits for it", FormatDuration(s.MinSyncInterval)), "at most 100ms")
	}
	if s.LargeBody < 4<<10 || s.LargeBody > s.Memtable/4 {
		d.wrong("spool.large_body", fmt.Sprintf("%s is not between 4KiB and a quarter of memtable, %s", s.LargeBody, s.Memtable/4), "")
	}
}

// atLeast holds a number to its least value.
func (d *decoder) atLeast(key string, n, least int) {
	if n < least {
		d.wrong(key, fmt.Sprintf("%d is too small: at least %d", n, least), "")
	}
}

// atLeastTime holds a duration to its least value.
func (d *decoder) atLeastTime(key string, t, least time.Duration) {
	if t < least {
		d.wrong(key, fmt.Sprintf("%s is too short: at least %s", FormatDuration(t), FormatDuration(least)), "")
	}
}
