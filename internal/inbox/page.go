package inbox

import (
	"bytes"
	"html/template"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// templates are the pages. They escape whatever is put into them.
var templates = template.Must(template.New("").ParseFS(assets, "assets/*.html"))

// pageRows is how many messages a list shows.
const pageRows = 200

// page is what the page shows.
type page struct {
	list
	Try     []string
	Message *messageView // nil where none is chosen
}

// list is the list of messages, which is also served by itself when something
// has changed.
type list struct {
	Query   string
	Rows    []row
	Older   string // the address of the rest of the list; empty where this is all
	Newer   string // the address of the beginning of the list
	Matched int
	Total   int
	Unseen  int
	Dropped int64
	Kept    int
	Version int64
}

// row is one message in the list.
type row struct {
	URL      string
	Subject  string
	From, To string
	Time     string
	ISO      string
	Size     string
	Files    int
	Unseen   bool
	Selected bool
}

// servePage serves the page, with a message where one is named.
func (in *Inbox) servePage(w http.ResponseWriter, r *http.Request) {
	id, query := r.PathValue("id"), r.FormValue("q")
	p := page{Try: lines(in.options.Try)}
	status := http.StatusOK
	if id != "" {
		m := in.open(id)
		if m == nil {
			status = http.StatusNotFound
			p.Message = &messageView{Missing: true, Back: messageURL("", query, "")}
		} else {
			id = m.id
			p.Message = in.viewMessage(m, r.FormValue("view"), query)
		}
	}
	p.list = in.viewList(query, id, r.FormValue("from"))
	render(w, status, "page.html", p)
}

// serveList serves the list by itself.
func (in *Inbox) serveList(w http.ResponseWriter, r *http.Request) {
	render(w, http.StatusOK, "list.html", in.viewList(r.FormValue("q"), r.FormValue("selected"), r.FormValue("from")))
}

// render writes a page whole or not at all.
func render(w http.ResponseWriter, status int, name string, data any) {
	var b bytes.Buffer
	if err := templates.ExecuteTemplate(&b, name, data); err != nil {
		http.Error(w, "The page could not be made: "+err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes())
}

// viewList makes the list from the message whose number in it is from.
func (in *Inbox) viewList(query, selected, from string) list {
	skip, err := strconv.Atoi(from)
	if err != nil || skip < 0 {
		skip = 0
	}
	l := in.list(parseQuery(query), skip, pageRows)
	v := list{
		Query: query, Matched: l.matched, Total: l.total, Unseen: l.unseen,
		Dropped: l.dropped, Kept: in.options.Messages, Version: l.version,
	}
	for _, m := range l.messages {
		v.Rows = append(v.Rows, in.viewRow(m, query, selected))
	}
	if end := skip + len(l.messages); end < l.matched {
		v.Older = messageURL("", query, "") + separator(query) + "from=" + strconv.Itoa(end)
	}
	if skip > 0 {
		v.Newer = messageURL("", query, "")
	}
	return v
}

func separator(query string) string {
	if query == "" {
		return "?"
	}
	return "&"
}

func (in *Inbox) viewRow(m entry, query, selected string) row {
	s := &m.summary
	return row{
		URL:      messageURL(m.id, query, ""),
		Subject:  s.subject,
		From:     senderOf(m.message),
		To:       recipientsOf(m.message),
		Time:     in.shortTime(m.arrived),
		ISO:      m.arrived.UTC().Format(time.RFC3339),
		Size:     sizeText(int64(len(m.raw))),
		Files:    s.attachments,
		Unseen:   !m.seen,
		Selected: m.id == selected,
	}
}

// senderOf names the author, or the reverse-path where there is none.
func senderOf(m *message) string {
	switch {
	case len(m.summary.from) > 0:
		return m.summary.from[0].short()
	case m.envelope.mail.Path.IsNull():
		return "<>"
	}
	return m.envelope.mail.Path.Address()
}

// recipientsOf names the first recipient and counts the others.
func recipientsOf(m *message) string {
	var all []address
	all = append(append(append(all, m.summary.to...), m.summary.cc...), m.summary.bcc...)
	switch len(all) {
	case 0:
		return "nobody"
	case 1:
		return all[0].short()
	}
	return all[0].short() + " +" + strconv.Itoa(len(all)-1)
}

// shortTime is the time for a list: of today the hour, else the day.
func (in *Inbox) shortTime(t time.Time) string {
	now := in.options.Now()
	t = t.In(now.Location())
	switch {
	case t.YearDay() == now.YearDay() && t.Year() == now.Year():
		return t.Format("15:04")
	case t.Year() == now.Year():
		return t.Format("2 Jan")
	}
	return t.Format("2 Jan 2006")
}

func (in *Inbox) longTime(t time.Time) string {
	return t.In(in.options.Now().Location()).Format("Mon, 2 Jan 2006, 15:04:05 -0700")
}

// sizeText writes a size with two digits, or as many as it has bytes.
func sizeText(n int64) string {
	const unit = 1024
	if n < unit {
		return strconv.FormatInt(n, 10) + " B"
	}
	value, names := float64(n)/unit, []string{"KiB", "MiB", "GiB"}
	for value >= unit && len(names) > 1 {
		value, names = value/unit, names[1:]
	}
	digits := 0
	if value < 10 {
		digits = 1
	}
	return strconv.FormatFloat(value, 'f', digits, 64) + " " + names[0]
}

// lines returns the lines of a text that are not empty.
func lines(s string) []string {
	var list []string
	for line := range strings.Lines(s) {
		if line = strings.TrimSpace(line); line != "" {
			list = append(list, line)
		}
	}
	return list
}
