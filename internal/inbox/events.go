package inbox

import (
	"fmt"
	"net/http"
	"time"
)

const (
	// keepalive is how often a line is sent to a page where nothing happens,
	// so that one that is gone is noticed.
	keepalive = 20 * time.Second
	// eventPatience is how long a page may take to read an event.
	eventPatience = 10 * time.Second
)

// serveEvents tells a page of each change by a server-sent event. The event is
// the number of the change; the page then asks for what it shows. The first
// one comes at once, so that a page that was away learns what it missed.
func (in *Inbox) serveEvents(w http.ResponseWriter, r *http.Request) {
	changes, stop := in.watch()
	defer stop()
	stream := eventStream{w: w, control: http.NewResponseController(w)}
	// The stream outlives what is good for other requests.
	_ = stream.control.SetReadDeadline(time.Time{})
	w.Header().Set("Content-Type", "text/event-stream")
	ticker := time.NewTicker(keepalive)
	defer ticker.Stop()
	for text := in.changeEvent(); stream.send(text); {
		select {
		case <-changes:
			text = in.changeEvent()
		case <-ticker.C:
			text = ":\n\n"
		case <-in.closed:
			return
		case <-r.Context().Done():
			return
		}
	}
}

func (in *Inbox) changeEvent() string {
	return fmt.Sprintf("event: change\ndata: %d\n\n", in.currentVersion())
}

// eventStream writes to one page.
type eventStream struct {
	w       http.ResponseWriter
	control *http.ResponseController
}

// send writes and reports whether the page is still there.
func (s *eventStream) send(text string) bool {
	// Where a deadline cannot be set the keepalive finds out in its time.
	_ = s.control.SetWriteDeadline(time.Now().Add(eventPatience))
	if _, err := s.w.Write([]byte(text)); err != nil {
		return false
	}
	return s.control.Flush() == nil
}
