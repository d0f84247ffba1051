package admin

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/weirmail/weir/internal/admin/api"
)

// maxRequest bounds the body of a request. A filter is far smaller.
const maxRequest = 64 << 10

// serve is a handler that returns what went wrong, before it has written
// anything.
type serve func(w http.ResponseWriter, r *http.Request) error

// ServeHTTP answers, with a problem where there was an error.
func (s serve) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxRequest)
	err := s(w, r)
	if err == nil || r.Context().Err() != nil {
		return
	}
	p := (*api.Problem)(nil)
	if !errors.As(err, &p) {
		p = internal(err)
	}
	writeProblem(w, p)
}

// methods chooses the handler by the method. HEAD is as GET.
type methods map[string]serve

// ServeHTTP answers, and refuses a method that the page does not know.
func (m methods) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	if s := m[method]; s != nil {
		s.ServeHTTP(w, r)
		return
	}
	allowed := strings.Join(slices.Sorted(maps.Keys(m)), ", ")
	w.Header().Set("Allow", allowed)
	writeProblem(w, problem(http.StatusMethodNotAllowed, api.ProblemMethod, "The page does not know this method", "%s is not possible at %s, only %s", r.Method, r.URL.Path, allowed))
}

// unhurried takes off the time limit of the server, which is there for
// clients that do not end their request. Behind it this one may take as long
// as a queue of a million messages does; if the client leaves, its context
// ends all the same.
func unhurried(w http.ResponseWriter) {
	control := http.NewResponseController(w)
	// Where there is no limit that can be taken off there is nothing to do.
	_ = control.SetReadDeadline(time.Time{})
	_ = control.SetWriteDeadline(time.Time{})
}

func write(w http.ResponseWriter, v any) error {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	// Where this fails the client is gone: there is nobody left to tell.
	_ = json.NewEncoder(w).Encode(v)
	return nil
}

func writeProblem(w http.ResponseWriter, p *api.Problem) {
	w.Header().Set("Content-Type", api.ProblemType)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p)
}

// readBody decodes the body of a request, and takes nothing that it does not
// understand. Asking for the media type also keeps forms of foreign pages out,
// should the handler ever stand where a browser reaches it.
func readBody(r *http.Request, v any) error {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" {
		return problem(http.StatusUnsupportedMediaType, api.ProblemMediaType, "The request is not JSON", "the Content-Type is %q, but has to be application/json", r.Header.Get("Content-Type"))
	}
	decoder := json.NewDecoder(r.Body)
	decoder.DisallowUnknownFields()
	err = decoder.Decode(v)
	if err == nil {
		if _, more := decoder.Token(); more != io.EOF {
			err = errors.New("there is more behind the first value")
		}
	}
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return problem(http.StatusRequestEntityTooLarge, api.ProblemTooLarge, "The request is too large", "the request is longer than %d bytes", tooLarge.Limit)
	}
	if err != nil {
		return badRequest("the request cannot be read: %v", err)
	}
	return nil
}

func problem(status int, kind, title, format string, args ...any) *api.Problem {
	return &api.Problem{Type: kind, Title: title, Status: status, Detail: fmt.Sprintf(format, args...)}
}

func badRequest(format string, args ...any) *api.Problem {
	return problem(http.StatusBadRequest, api.ProblemBadRequest, "The request is not right", format, args...)
}

func internal(err error) *api.Problem {
	return problem(http.StatusInternalServerError, api.ProblemInternal, "The relay could not do it", "%v", err)
}
