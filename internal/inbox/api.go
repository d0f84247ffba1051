package inbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// The JSON has the addresses and the names of Mailpit's, so that test suites
// that were written for it work here.

const (
	defaultListed = 50
	maxListed     = 1000
)

// apiMessages is a list of messages.
type apiMessages struct {
	Total    int          `json:"total"`
	Unread   int          `json:"unread"`
	Count    int          `json:"count"`
	Matched  int          `json:"messages_count"`
	Start    int          `json:"start"`
	Messages []apiSummary `json:"messages"`
}

// apiSummary is a message in a list.
type apiSummary struct {
	ID          string
	MessageID   string
	Read        bool
	From        *address
	To          []address
	Cc          []address
	Bcc         []address
	ReplyTo     []address
	Subject     string
	Created     time.Time
	Size        int
	Attachments int
	Snippet     string
}

// apiMessage is one message.
type apiMessage struct {
	ID          string
	MessageID   string
	From        *address
	To          []address
	Cc          []address
	Bcc         []address
	ReplyTo     []address
	ReturnPath  string
	Subject     string
	Date        time.Time
	Text        string
	HTML        string
	Size        int
	Inline      []apiPart
	Attachments []apiPart
	// Envelope is what Mailpit does not tell: how the message was delivered.
	Envelope apiEnvelope
}

// apiPart is a file that came with a message.
type apiPart struct {
	PartID      string
	FileName    string
	ContentType string
	ContentID   string
	Size        int64
}

// apiEnvelope is what was said around a message.
type apiEnvelope struct {
	ReversePath string
	Recipients  []apiRecipient
	Body        string
	SMTPUTF8    bool
	Ret         string `json:",omitempty"`
	EnvID       string `json:",omitempty"`
	HELO        string
	TLS         string `json:",omitempty"`
}

// apiRecipient is one forward-path with its DSN parameters.
type apiRecipient struct {
	ForwardPath string
	Notify      string `json:",omitempty"`
	Original    string `json:",omitempty"`
}

func (in *Inbox) addAPI(mux *http.ServeMux) {
	mux.HandleFunc("GET /api/v1/messages", in.apiList)
	mux.HandleFunc("DELETE /api/v1/messages", in.apiDelete)
	mux.HandleFunc("GET /api/v1/search", in.apiList)
	mux.HandleFunc("DELETE /api/v1/search", in.apiDeleteFound)
	mux.HandleFunc("GET /api/v1/message/{id}", in.apiGet)
	mux.HandleFunc("GET /api/v1/message/{id}/raw", in.apiRaw)
	mux.HandleFunc("GET /api/v1/message/{id}/headers", in.apiHeaders)
	mux.HandleFunc("GET /api/v1/message/{id}/part/{part}", in.servePart)
}

func (in *Inbox) apiList(w http.ResponseWriter, r *http.Request) {
	start, err1 := number(r, "start", 0)
	limit, err2 := number(r, "limit", defaultListed)
	if err := errors.Join(err1, err2); err != nil {
		apiError(w, http.StatusBadRequest, err)
		return
	}
	l := in.list(parseQuery(r.FormValue("query")), start, min(limit, maxListed))
	answer := apiMessages{Total: l.total, Unread: l.unseen, Count: len(l.messages), Matched: l.matched, Start: start, Messages: []apiSummary{}}
	for _, m := range l.messages {
		answer.Messages = append(answer.Messages, summaryOf(m))
	}
	apiWrite(w, answer)
}

// number reads a number of the query.
func number(r *http.Request, key string, otherwise int) (int, error) {
	value := r.FormValue(key)
	if value == "" {
		return otherwise, nil
	}
	n, err := strconv.Atoi(value)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("%s is %q, but has to be a number", key, value)
	}
	return n, nil
}

func summaryOf(m entry) apiSummary {
	s := &m.summary
	return apiSummary{
		ID: m.id, MessageID: s.messageID, Read: m.seen, From: first(s.from),
		To: notNil(s.to), Cc: notNil(s.cc), Bcc: notNil(s.bcc), ReplyTo: notNil(s.replyTo),
		Subject: s.subject, Created: m.arrived.UTC(), Size: len(m.raw), Attachments: s.attachments, Snippet: s.snippet,
	}
}

// first returns the first address, or nil.
func first(list []address) *address {
	if len(list) == 0 {
		return nil
	}
	return &list[0]
}

// notNil makes a list that is written as [] where it is empty.
func notNil[E any](list []E) []E {
	if list == nil {
		return []E{}
	}
	return list
}

func (in *Inbox) apiGet(w http.ResponseWriter, r *http.Request) {
	m := in.open(r.PathValue("id"))
	if m == nil {
		apiNotFound(w)
		return
	}
	d := parse(m.raw)
	s := &m.summary
	answer := apiMessage{
		ID: m.id, MessageID: s.messageID, From: first(s.from),
		To: notNil(s.to), Cc: notNil(s.cc), Bcc: notNil(s.bcc), ReplyTo: notNil(s.replyTo),
		ReturnPath: m.envelope.mail.Path.Address(), Subject: s.subject, Date: s.date.UTC(),
		Text: d.plain(maxText), Size: len(m.raw), Inline: []apiPart{}, Attachments: []apiPart{},
		Envelope: envelopeOf(&m.envelope),
	}
	if p := d.html(); p != nil {
		answer.HTML, _ = p.text(maxText)
	}
	answer.addFiles(d)
	apiWrite(w, answer)
}

// addFiles lists what is no text to be read: inline where the HTML can name
// it, else attached.
func (a *apiMessage) addFiles(d *document) {
	for i, p := range d.parts {
		if p.isBody() {
			continue
		}
		file := apiPart{PartID: strconv.Itoa(i + 1), FileName: p.name(i + 1), ContentType: p.mediaType, ContentID: p.contentID, Size: p.size()}
		if p.contentID != "" && !p.attached {
			a.Inline = append(a.Inline, file)
		} else {
			a.Attachments = append(a.Attachments, file)
		}
	}
}

func envelopeOf(e *envelope) apiEnvelope {
	shown := apiEnvelope{
		ReversePath: e.mail.Path.Address(), Body: e.mail.Body.String(), SMTPUTF8: e.mail.SMTPUTF8,
		Ret: e.mail.Ret.String(), EnvID: e.mail.EnvID, HELO: e.helo, TLS: e.tls,
	}
	for _, r := range e.recipients {
		shown.Recipients = append(shown.Recipients, apiRecipient{ForwardPath: r.Path.Address(), Notify: r.Notify.String(), Original: r.Original.String()})
	}
	return shown
}

func (in *Inbox) apiRaw(w http.ResponseWriter, r *http.Request) {
	m := in.get(r.PathValue("id"))
	if m == nil {
		apiNotFound(w)
		return
	}
	w.Header().Set("Content-Security-Policy", filePolicy)
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write(m.raw)
}

func (in *Inbox) apiHeaders(w http.ResponseWriter, r *http.Request) {
	m := in.get(r.PathValue("id"))
	if m == nil {
		apiNotFound(w)
		return
	}
	fields := map[string][]string{}
	for _, f := range parse(m.raw).header {
		fields[f.name] = append(fields[f.name], f.text())
	}
	apiWrite(w, fields)
}

// apiDelete takes messages out: those that the body names, or all where it
// names none.
func (in *Inbox) apiDelete(w http.ResponseWriter, r *http.Request) {
	var request struct{ IDs []string }
	decoder := json.NewDecoder(r.Body)
	// A name that is misspelt must not delete everything.
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&request); err != nil && err != io.EOF {
		apiError(w, http.StatusBadRequest, fmt.Errorf("reading the ids: %w", err))
		return
	}
	in.remove(func(m *message) bool { return len(request.IDs) == 0 || slices.Contains(request.IDs, m.id) })
	apiOK(w)
}

// apiDeleteFound takes out what a search finds.
func (in *Inbox) apiDeleteFound(w http.ResponseWriter, r *http.Request) {
	terms := parseQuery(r.FormValue("query"))
	if len(terms) == 0 {
		apiError(w, http.StatusBadRequest, errors.New("query is empty; DELETE /api/v1/messages deletes everything"))
		return
	}
	in.remove(func(m *message) bool { return m.fits(terms) })
	apiOK(w)
}

func apiWrite(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	// Where this fails there is nobody left to tell.
	_ = json.NewEncoder(w).Encode(v)
}

func apiOK(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/plain")
	_, _ = io.WriteString(w, "ok")
}

func apiError(w http.ResponseWriter, status int, err error) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(struct{ Error string }{err.Error()})
}

func apiNotFound(w http.ResponseWriter) {
	apiError(w, http.StatusNotFound, errors.New("there is no such message"))
}
