package admin

import (
	"errors"
	"net/http"
)

// ErrNoAddress is what Options.Route wraps where what was asked for is neither an
// address nor a domain.
var ErrNoAddress = errors.New("neither an address nor a domain")

// route answers with what would be done with mail for the parameter to, from the
// parameter from.
func (h *handler) route(w http.ResponseWriter, r *http.Request) error {
	query := r.URL.Query()
	_, from := query["from"]
	if len(query["to"]) != 1 || len(query["from"]) > 1 || len(query) == 2 && !from || len(query) > 2 {
		return badRequest("the parameters are to, an address or a domain, and from, where a sender is meant")
	}
	found, err := h.Route(r.Context(), query.Get("from"), query.Get("to"))
	switch {
	case errors.Is(err, ErrNoAddress):
		return badRequest("%v", err)
	case err != nil:
		return internal(err)
	}
	return write(w, found)
}
