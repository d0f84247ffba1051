package admin

import (
	"net/http"
	"strings"

	"github.com/weirmail/weir/internal/admin/api"
)

// peers answers with a part of the list of next hops.
func (h *handler) peers(w http.ResponseWriter, r *http.Request) error {
	query := r.URL.Query()
	from := query.Get("from")
	if query.Del("from"); len(query) > 0 {
		return badRequest("the one parameter is from, the name of a next hop")
	}
	page := api.PeerPage{Peers: []api.Peer{}}
	err := h.Peers.Each(r.Context(), strings.ToLower(from), func(p api.Peer) bool {
		if len(page.Peers) == defaultPage {
			page.Next = p.Name
			return false
		}
		page.Peers = append(page.Peers, p)
		return r.Context().Err() == nil
	})
	if err != nil {
		return internal(err)
	}
	return write(w, page)
}

// peer answers with one next hop.
func (h *handler) peer(w http.ResponseWriter, r *http.Request) error {
	p, known, err := h.Peers.Get(r.Context(), r.PathValue("name"))
	switch {
	case err != nil:
		return internal(err)
	case !known:
		return noPeer(r)
	}
	return write(w, p)
}

// forgetPeer forgets one.
func (h *handler) forgetPeer(w http.ResponseWriter, r *http.Request) error {
	known, err := h.Peers.Forget(r.Context(), r.PathValue("name"))
	switch {
	case err != nil:
		return internal(err)
	case !known:
		return noPeer(r)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func noPeer(r *http.Request) error {
	return problem(http.StatusNotFound, api.ProblemNotFound, "There is no such next hop",
		"nothing is known of %s; next hops are named as the list of peers has them, with the port where that is not 25", r.PathValue("name"))
}
