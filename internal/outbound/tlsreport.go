package outbound

import (
	"errors"
	"net/netip"

	"github.com/weirmail/weir/internal/outbound/attempt"
	"github.com/weirmail/weir/internal/outbound/mtasts"
	"github.com/weirmail/weir/internal/outbound/route"
	"github.com/weirmail/weir/internal/outbound/tlsrpt"
	"github.com/weirmail/weir/smtp"
	"github.com/weirmail/weir/smtpclient"
)

// counts tells whether sessions of a route are counted: those with hosts that a
// domain's records name. What is sent in spite of a domain's policy says nothing of
// it, and reports are sent so (RFC 8460 section 3).
func (w *worker) counts(r *route.Route) bool {
	return w.out.options.Sessions != nil && r.Asked != nil && !w.uncounted
}

// count counts a session that was opened, or that failed for its TLS. Who was not
// reached, or refused for another reason, counts for nothing.
func (w *worker) count(r *route.Route, a route.Address, conn *attempt.Connection, failure *attempt.Failure) {
	if !w.counts(r) || failure != nil && failure.Stage != smtp.StageSTARTTLS {
		return
	}
	s := tlsrpt.Session{Policy: policyOf(r.Asked, a), Host: a.Host}
	if addr, err := netip.ParseAddrPort(a.Addr); err == nil {
		s.IP = addr.Addr().String()
		if source := r.Source.For(addr.Addr()); source.IsValid() {
			s.Source = source.String()
		}
	}
	if failure != nil {
		s.Result, s.Reason = resultOf(failure)
	} else {
		s.Result, s.Reason = w.resultOfSession(r, a, conn)
	}
	w.out.options.Sessions.Count(s)
	countProblem(w.out.options.Sessions, r.Asked)
}

// policyOf is what a host was held to.
func policyOf(asked *route.Asked, a route.Address) tlsrpt.Policy {
	p := tlsrpt.Policy{Type: tlsrpt.TypeNone, Domain: asked.Domain}
	switch sts := policyIn(asked); {
	case a.DANE != nil:
		p.Type = tlsrpt.TypeDANE
		for _, record := range a.DANE.Records {
			p.Text = append(p.Text, record.String())
		}
	case sts != nil:
		p.Type, p.Text, p.Pattern = tlsrpt.TypeSTS, sts.Lines(), sts.MX
	}
	return p
}

// policyIn is the MTA-STS policy of a domain; nil where none is in force.
func policyIn(asked *route.Asked) *mtasts.Policy {
	if asked.STS == nil || asked.STS.Policy == nil || asked.STS.Policy.Mode == mtasts.None {
		return nil
	}
	return asked.STS.Policy
}

// resultOf names what kept a session from being encrypted as it has to be.
func resultOf(f *attempt.Failure) (result tlsrpt.Result, reason string) {
	var e *attempt.TLSError
	if !errors.As(f.Err, &e) {
		return tlsrpt.NotSupported, f.Reply.String()
	}
	return resultOfFault(e.Fault), e.Error()
}

func resultOfFault(f attempt.Fault) tlsrpt.Result {
	switch f {
	case attempt.FaultNotOffered:
		return tlsrpt.NotSupported
	case attempt.FaultExpired:
		return tlsrpt.Expired
	case attempt.FaultName:
		return tlsrpt.HostMismatch
	case attempt.FaultUntrusted:
		return tlsrpt.NotTrusted
	}
	return tlsrpt.ValidationFailed
}

// resultOfSession tells how a session is encrypted that was opened. A policy that is
// only tested is held against it now.
func (w *worker) resultOfSession(r *route.Route, a route.Address, conn *attempt.Connection) (result tlsrpt.Result, reason string) {
	state, encrypted := conn.TLSState()
	sts := policyIn(r.Asked)
	switch {
	case !encrypted && conn.Target.TLS == smtpclient.TLSNone:
		return tlsrpt.ValidationFailed, "the TLS handshake failed"
	case !encrypted:
		return tlsrpt.NotSupported, ""
	case a.DANE != nil || sts == nil || sts.Mode != mtasts.Testing:
		return tlsrpt.Success, ""
	case !sts.Matches(a.Host):
		return tlsrpt.ValidationFailed, "the policy does not name the host"
	}
	fault, err := attempt.CheckCertificate(state, a.Host, w.out.options.Attempt.TLS, w.out.now())
	if err != nil {
		return resultOfFault(fault), err.Error()
	}
	return tlsrpt.Success, ""
}

// countProblem counts that a policy could not be had, or not be read.
func countProblem(sessions Sessions, asked *route.Asked) {
	if asked.STS == nil || asked.STS.Problem == nil {
		return
	}
	result := tlsrpt.STSFetchError
	var invalid *mtasts.InvalidError
	switch {
	case errors.As(asked.STS.Problem, &invalid):
		result = tlsrpt.STSInvalid
	case mtasts.IsCertificateError(asked.STS.Problem):
		result = tlsrpt.STSWebPKI
	}
	sessions.Count(tlsrpt.Session{
		Policy: tlsrpt.Policy{Type: tlsrpt.TypeSTS, Domain: asked.Domain}, Result: result, Reason: asked.STS.Problem.Error(),
	})
}

// countLost counts that the TLSA records of a host could not be had.
func (w *worker) countLost(r *route.Route, host route.Host, err error) {
	if !w.counts(r) || !host.DANE {
		return
	}
	w.out.options.Sessions.Count(tlsrpt.Session{
		Policy: tlsrpt.Policy{Type: tlsrpt.TypeDANE, Domain: r.Asked.Domain}, Result: tlsrpt.DNSSECInvalid, Host: host.Name, Reason: err.Error(),
	})
}

// countExcluded counts that no host of a domain may have its mail.
func (out *Outbound) countExcluded(asked *route.Asked) {
	if out.options.Sessions == nil || asked == nil {
		return
	}
	for _, x := range asked.Excluded {
		out.options.Sessions.Count(tlsrpt.Session{
			Policy: policyOf(asked, route.Address{}), Result: tlsrpt.ValidationFailed, Host: x.Host.Name, Reason: x.Why,
		})
	}
}
