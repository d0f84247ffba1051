package config

import (
	"fmt"
	"net/netip"
	"time"
)

// ReplyCode is the code of a reply.
type ReplyCode int

// parseGreylistReply reads one of the two codes of greylisting.
func parseGreylistReply(s string) (ReplyCode, error) {
	switch s {
	case "451":
		return 451, nil
	case "421":
		return 421, nil
	}
	return 0, fmt.Errorf("%s is not 451, which puts off a recipient, or 421, which sends the client away", s)
}

// The wait before a greeting. Clients of RFC 5321 wait 5 minutes for it, but
// each one that waits is a connection; and without any wait, the smallest burst
// would send clients away.
const (
	minWait = 10 * time.Millisecond
	maxWait = 30 * time.Second
)

// maxRetry is how far ahead it is planned who comes back when.
const maxRetry = time.Hour

// checkAdmission holds the limits of admission to what can work.
func checkAdmission(d *decoder, a Admission, s Spool) {
	d.atLeast("admission.max_connections", a.MaxConnections, 0)
	d.atLeast("admission.queue_limit", a.QueueLimit, 0)
	d.atLeast("admission.slots", a.Slots, 0)
	switch {
	case a.Memory > 0 && a.Memory < 32<<20:
		d.wrong("admission.memory", fmt.Sprintf("%s is less than the relay needs to run: at least 32MiB, 64MiB is better", a.Memory), "")
	case a.Memory > 0 && a.Memory < 4*s.Memtable:
		d.doubt("admission.memory", fmt.Sprintf("the queue alone takes %s of it", 2*s.Memtable), "lower memtable under [spool], or allow more")
	}
	if a.MaxConnections > 0 && a.Slots > a.MaxConnections {
		d.wrong("admission.slots", fmt.Sprintf("%d clients cannot be worked for where %d may be connected", a.Slots, a.MaxConnections), "")
	}
	d.atLeastTime("admission.wait", a.Wait, minWait)
	if a.Wait > maxWait {
		d.wrong("admission.wait", fmt.Sprintf("%s is too long: at most %s", FormatDuration(a.Wait), FormatDuration(maxWait)), "")
	}
	if a.RefusalCPU < 1 || a.RefusalCPU > 100 {
		d.wrong("admission.refusal_cpu", fmt.Sprintf("%d is not a part: 1 to 100 percent", a.RefusalCPU), "")
	}
	d.atLeastTime("admission.retry_min", a.RetryMin, time.Second)
	if a.RetryMax < a.RetryMin {
		d.wrong(d.setOf("admission.retry_max", "admission.retry_min"), fmt.Sprintf("the longest time to come back, %s, is shorter than the least, %s",
			FormatDuration(a.RetryMax), FormatDuration(a.RetryMin)), "")
	}
	if a.RetryMax > maxRetry {
		d.wrong("admission.retry_max", fmt.Sprintf("%s is too long: at most %s", FormatDuration(a.RetryMax), FormatDuration(maxRetry)), "")
	}
}

// checkLimits holds the limits of clients together.
func checkLimits(d *decoder, c Clients) {
	d.atLeast("clients.connections", c.Connections, 0)
	d.atLeast("clients.network.connections", c.Network.Connections, 0)
	if c.Network.Connections > 0 && c.Connections > c.Network.Connections {
		d.doubt("clients.network.connections", fmt.Sprintf("one client may have %d connections, its whole network %d",
			c.Connections, c.Network.Connections), "")
	}
	for _, list := range []struct {
		key      string
		networks []netip.Prefix
	}{{"clients.known", c.Known}, {"clients.exempt", c.Exempt}} {
		for i, p := range list.networks {
			if p.IsValid() && isWorld(p) {
				d.doubt(at(list.key, i), fmt.Sprintf("%s is so wide that it means everyone", p), "")
			}
		}
	}
}

// checkGreylist holds the times of greylisting together.
func checkGreylist(d *decoder, g Greylist) {
	d.atLeastTime("greylist.delay", g.Delay, time.Second)
	if g.Delay > time.Hour {
		d.doubt("greylist.delay", fmt.Sprintf("all mail of new senders is late by %s", FormatDuration(g.Delay)), "")
	}
	if g.Window <= g.Delay {
		d.wrong(d.setOf("greylist.window", "greylist.delay"), fmt.Sprintf("a client has to come again within %s, but not before %s have passed",
			FormatDuration(g.Window), FormatDuration(g.Delay)), "")
	}
	d.atLeastTime("greylist.keep", g.Keep, Day)
	for i, p := range g.Exempt {
		if p.IsValid() && isWorld(p) {
			d.doubt(at("greylist.exempt", i), fmt.Sprintf("%s is so wide that it means everyone", p), "write enabled = false")
		}
	}
}
