package attempt

import (
	"context"
	"errors"
	"io"

	"github.com/weirmail/weir/internal/mail"
	"github.com/weirmail/weir/internal/outbound/verdict"
	"github.com/weirmail/weir/reply"
	"github.com/weirmail/weir/smtp"
	"github.com/weirmail/weir/smtpclient"
)

// Content is the content of a message, as the spool opens it.
type Content interface {
	io.Reader
	Bytes() []byte
	Size() int64
}

// Message is what a transaction hands over.
type Message struct {
	Envelope *mail.Envelope
	// Recipients are indexes into the envelope.
	Recipients []int
	Content    Content
	// Header is sent before the content: signatures, with their CRLF.
	Header []byte
	// Final is set where the peer is the last stop: the Return-Path field is
	// added (RFC 5321 section 4.4).
	Final bool
	// Local is set where the peer is a part of this machine, so that nothing of
	// the message travels.
	Local bool
}

// Answer is what came of the transaction for one recipient.
type Answer struct {
	// Recipient is the index in the envelope.
	Recipient int
	// Stage is where it was decided.
	Stage smtp.Stage
	// Reply is what decided; zero where the peer was not asked.
	Reply reply.Reply
	// Problem says what is wrong where there is no reply.
	Problem string
	// DSN tells whether the peer took over the duty to report (RFC 3461), Timed
	// whether it took over the time that the sender set (RFC 2852).
	DSN   bool
	Timed bool
	// Verdict is what it means.
	Verdict verdict.Verdict
	// From is who was asked, where that is not who was asked last.
	From *Target
}

// Send runs one transaction, and where the peer refuses a parameter that the message
// can do without, another one without it. It returns an answer for each recipient that
// got one. Where the session broke, failure says how, and recipients without an
// answer are open; the connection is of no use then.
func (c *Connection) Send(ctx context.Context, m *Message) (answers []Answer, failure *Failure) {
	c.split = false
	defer c.settle()
	if c.Transactions++; c.Transactions > 1 && c.said != nil {
		c.said.Reset()
	}
	recipients := m.Recipients
	for {
		p, missing := c.plan(m, recipients)
		if len(p.recipients) == 0 {
			return append(answers, missing...), nil
		}
		result, err := c.client.Send(ctx, &p.transaction)
		c.last = c.now()
		c.believe(result)
		again := err == nil && c.concede(p, result)
		if !again {
			c.remember(ctx, result, err)
		}
		answers = p.collect(answers, result)
		c.unchunked(ctx, answers, result)
		switch {
		case err != nil:
			return p.failed(answers, err)
		case !again:
			return answers, nil
		}
		recipients = p.again()
	}
}

// failed is for a session that broke, and for what could not be sent at all.
func (p *plan) failed(answers []Answer, err error) ([]Answer, *Failure) {
	var notOffered *smtpclient.NotOfferedError
	if errors.As(err, &notOffered) || errors.Is(err, smtpclient.ErrAddress) || errors.Is(err, smtpclient.ErrParam) {
		return p.impossible(answers, err), nil
	}
	return answers, failureOf(smtp.StageMAIL, err)
}

// plan is a transaction that is fit for this peer.
type plan struct {
	transaction smtpclient.Transaction
	recipients  []int // parallel to the transaction's
	dsn, timed  bool
	size        int64
	required    parameters // that the message cannot go without
	skip        parameters // that are left out
	fates       []fate     // parallel to recipients, nil where no parameter was refused
}

// plan chooses the parameters, and answers for those recipients for whom
// there is no way.
func (c *Connection) plan(m *Message, recipients []int) (*plan, []Answer) {
	e := m.Envelope
	if missing, status := c.missingFor(m, c.client.Capabilities()); missing != "" {
		var answers []Answer
		for _, i := range recipients {
			answers = append(answers, refusal(i, missing, status))
		}
		return &plan{}, answers
	}
	p := &plan{recipients: recipients, required: c.required(m), skip: c.skip, size: m.Content.Size()}
	p.dsn = c.wanted(p, paramNotify, "DSN")
	p.timed = !e.DeliverBy.IsZero() && c.wanted(p, paramBy, "DELIVERBY")
	t := &p.transaction
	t.ReversePath = e.ReversePath
	t.MailParams = c.mailParams(p, e)
	t.OmitSize = c.skip&paramSize != 0
	t.Content = smtpclient.Content{Bytes: m.Content.Bytes(), Size: m.Content.Size(), Binary: e.Body == smtp.BodyBinaryMIME}
	if t.Content.Bytes == nil {
		t.Content.Reader = m.Content
	}
	t.Content.Header = m.Header
	if m.Final {
		t.Content.Header = append(returnPath(e.ReversePath), m.Header...)
	}
	t.Recipients = make([]smtpclient.Recipient, len(recipients))
	for n, i := range recipients {
		t.Recipients[n] = smtpclient.Recipient{Path: e.Recipients[i].Path, Params: c.rcptParams(p, &e.Recipients[i])}
	}
	return p, nil
}

// refusal is the answer for a recipient for whom this peer is of no use.
func refusal(recipient int, problem string, status reply.Status) Answer {
	r := reply.New(reply.TransactionFailed, status, problem)
	return Answer{Recipient: recipient, Stage: smtp.StageMAIL, Problem: problem, Verdict: verdict.Refuse(smtp.StageMAIL, r), Reply: r}
}

func returnPath(p smtp.Path) []byte {
	return append(p.Append([]byte("Return-Path: ")), "\r\n"...)
}

// collect turns the client's result into answers. Those who go into another
// transaction now have none yet.
func (p *plan) collect(answers []Answer, result *smtpclient.Result) []Answer {
	accepted := 0
	for n := range result.Recipients {
		if result.Recipients[n].RCPT.Code.Completed() {
			accepted++
		}
	}
	for n, i := range p.recipients {
		stage, r := result.Recipients[n].Stage, result.Recipients[n].Reply
		var f fate
		if p.fates != nil {
			f = p.fates[n]
		}
		switch {
		case r.IsZero(): // the session broke before
			continue
		case f.again && accepted == 0:
			continue
		case f.lacking != 0:
			problem, status := lackingText(f.lacking, r)
			answers = append(answers, refusal(i, problem, status))
			continue
		}
		v := verdict.Judge(stage, r)
		switch {
		case f.again:
			v.Action, v.Split = verdict.Retry, true
		case v.Split && accepted == 0:
			v.Split = false // nobody was taken: trying again at once would loop
		}
		answers = append(answers, Answer{Recipient: i, Stage: stage, Reply: r, DSN: p.dsn, Timed: p.timed, Verdict: v})
	}
	return answers
}

// impossible answers for recipients whose addresses cannot be written on the
// wire: a fault that no retry cures.
func (p *plan) impossible(answers []Answer, err error) []Answer {
	answered := make(map[int]bool, len(answers))
	for _, a := range answers {
		answered[a.Recipient] = true
	}
	for _, i := range p.recipients {
		if !answered[i] {
			answers = append(answers, refusal(i, err.Error(), reply.NewStatus(5, 4)))
		}
	}
	return answers
}
