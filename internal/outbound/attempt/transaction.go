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
}

// Send runs one transaction. It returns an answer for each recipient that got
// one. Where the session broke, failure says how, and recipients without an
// answer are open; the connection is of no use then.
func (c *Connection) Send(ctx context.Context, m *Message) (answers []Answer, failure *Failure) {
	plan, answers := c.plan(m)
	if len(plan.recipients) == 0 {
		return answers, nil
	}
	c.Transactions++
	result, err := c.client.Send(ctx, &plan.transaction)
	c.last = c.now()
	if result != nil {
		answers = plan.collect(answers, result)
	}
	if err == nil {
		return answers, nil
	}
	var notOffered *smtpclient.NotOfferedError
	if errors.As(err, &notOffered) || errors.Is(err, smtpclient.ErrAddress) || errors.Is(err, smtpclient.ErrParam) {
		return plan.impossible(answers, err), nil
	}
	return answers, failureOf(smtp.StageMAIL, err)
}

// plan is a transaction that is fit for this peer.
type plan struct {
	transaction smtpclient.Transaction
	recipients  []int // parallel to the transaction's
	dsn, timed  bool
}

// plan chooses the parameters, and answers for those recipients for whom
// there is no way.
func (c *Connection) plan(m *Message) (*plan, []Answer) {
	e := m.Envelope
	caps := c.client.Capabilities()
	var answers []Answer
	if missing, status := c.missingFor(m, caps); missing != "" {
		for _, i := range m.Recipients {
			answers = append(answers, refusal(i, missing, status))
		}
		return &plan{}, answers
	}
	p := &plan{dsn: caps.Has("DSN"), timed: c.timed(e, caps), recipients: m.Recipients}
	t := &p.transaction
	t.ReversePath = e.ReversePath
	t.MailParams = c.wishParams(mailParams(e, caps, p.dsn), e, caps)
	t.Content = smtpclient.Content{Bytes: m.Content.Bytes(), Size: m.Content.Size(), Binary: e.Body == smtp.BodyBinaryMIME}
	if t.Content.Bytes == nil {
		t.Content.Reader = m.Content
	}
	if m.Final {
		t.Content.Header = returnPath(e.ReversePath)
	}
	t.Recipients = make([]smtpclient.Recipient, len(m.Recipients))
	for n, i := range m.Recipients {
		t.Recipients[n] = smtpclient.Recipient{Path: e.Recipients[i].Path, Params: rcptParams(&e.Recipients[i], p.dsn)}
	}
	return p, answers
}

// refusal is the answer for a recipient for whom this peer is of no use.
func refusal(recipient int, problem string, status reply.Status) Answer {
	r := reply.New(reply.TransactionFailed, status, problem)
	return Answer{Recipient: recipient, Stage: smtp.StageMAIL, Problem: problem, Verdict: verdict.Judge(smtp.StageMAIL, r), Reply: r}
}

func mailParams(e *mail.Envelope, caps smtp.Capabilities, dsn bool) []smtp.Param {
	var params []smtp.Param
	switch {
	case e.Body == smtp.BodyBinaryMIME:
		params = append(params, smtp.Param{Keyword: "BODY", Value: "BINARYMIME", HasValue: true})
	case (e.Body == smtp.Body8BitMIME || e.EightBit) && caps.Has("8BITMIME"):
		params = append(params, smtp.Param{Keyword: "BODY", Value: "8BITMIME", HasValue: true})
	}
	if e.SMTPUTF8 && caps.Has("SMTPUTF8") {
		params = append(params, smtp.Param{Keyword: "SMTPUTF8"})
	}
	if !dsn {
		return params
	}
	if e.Ret != smtp.RetUnset {
		params = append(params, smtp.Param{Keyword: "RET", Value: e.Ret.String(), HasValue: true})
	}
	if e.EnvID != "" {
		params = append(params, smtp.Param{Keyword: "ENVID", Value: string(smtp.AppendXtext(nil, e.EnvID)), HasValue: true})
	}
	return params
}

func rcptParams(r *mail.Recipient, dsn bool) []smtp.Param {
	if !dsn || r.Notify == 0 && r.Original.Type == "" {
		return nil
	}
	var params []smtp.Param
	if r.Notify != 0 {
		params = append(params, smtp.Param{Keyword: "NOTIFY", Value: r.Notify.String(), HasValue: true})
	}
	if r.Original.Type != "" {
		params = append(params, smtp.Param{Keyword: "ORCPT", Value: r.Original.String(), HasValue: true})
	}
	return params
}

func returnPath(p smtp.Path) []byte {
	return append(p.Append([]byte("Return-Path: ")), "\r\n"...)
}

// collect turns the client's result into answers.
func (p *plan) collect(answers []Answer, result *smtpclient.Result) []Answer {
	accepted := 0
	for n := range result.Recipients {
		if result.Recipients[n].RCPT.Code.Completed() {
			accepted++
		}
	}
	for n, i := range p.recipients {
		stage, r := result.Recipients[n].Stage, result.Recipients[n].Reply
		if r.IsZero() {
			continue // the session broke before
		}
		v := verdict.Judge(stage, r)
		if v.Split && accepted == 0 {
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
