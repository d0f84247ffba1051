package admin

import (
	"io"
	"net/http"

	"github.com/weirmail/weir/internal/admin/api"
)

// addHealth adds the pages that orchestrators look at: /livez says that the
// process answers, /readyz that it takes mail.
func addHealth(mux *http.ServeMux, ready func() error) {
	mux.Handle("/livez", methods{http.MethodGet: alive})
	mux.Handle("/readyz", methods{http.MethodGet: func(w http.ResponseWriter, r *http.Request) error {
		if ready == nil {
			return alive(w, r)
		}
		if err := ready(); err != nil {
			return problem(http.StatusServiceUnavailable, api.ProblemNotReady, "The relay is not ready", "%v", err)
		}
		return alive(w, r)
	}})
}

func alive(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = io.WriteString(w, "ok\n")
	return nil
}
