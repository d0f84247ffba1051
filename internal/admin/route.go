package admin

import (
	"errors"
	"net/http"
)

// ErrNoAddress is what Options.Route wraps where what was asked for is neither an
// address nor a domain.
var ErrNoAddress = errors.New("neither an address nor a domain")

// route answers with what would be done with mail for the parameter to.
func (h *handler) route(w http.ResponseWriter, r *http.Request) error {
	query := r.URL.Query()
	if len(query) != 1 || len(query["to"]) != 1 {
		return badRequest("the one parameter is to, an address or a domain")
	}
	found, err := h.Route(r.Context(), query.Get("to"))
	switch {
	case errors.Is(err, ErrNoAddress):
		return badRequest("%v", err)
	case err != nil:
		return internal(err)
	}
	return write(w, found)
}
