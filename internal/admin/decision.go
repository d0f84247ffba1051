package admin

import (
	"net/http"

	"github.com/weirmail/weir/internal/admin/api"
)

// decisions answers with those that the query chooses. None is an answer too.
func (h *handler) decisions(w http.ResponseWriter, r *http.Request) error {
	q, err := parseDecisionQuery(r)
	if err != nil {
		return err
	}
	return h.writeDecisions(w, r, q)
}

// decision answers with those that have one id: several clients, where they
// were sent away together.
func (h *handler) decision(w http.ResponseWriter, r *http.Request) error {
	q, err := parseDecisionQuery(r)
	if err != nil {
		return err
	}
	if _, err := q.Set("id", r.PathValue("id")); err != nil {
		return badRequest("%v", err)
	}
	return h.writeDecisions(w, r, q)
}

func (h *handler) writeDecisions(w http.ResponseWriter, r *http.Request, q api.DecisionQuery) error {
	found, err := h.Admission.Decisions(r.Context(), q)
	if err != nil {
		return internal(err)
	}
	if len(found) == 0 && q.ID != "" {
		return problem(http.StatusNotFound, api.ProblemNotFound, "There is no such decision",
			"no decision with the id %s is known: the relay keeps the last ones only, and none across a restart", q.ID)
	}
	return write(w, api.Decisions{Decisions: append([]api.Decision{}, found...)})
}

func parseDecisionQuery(r *http.Request) (api.DecisionQuery, error) {
	q := api.DecisionQuery{Last: api.DefaultDecisions}
	for key, values := range r.URL.Query() {
		if len(values) != 1 {
			return q, badRequest("%s stands there more than once", key)
		}
		known, err := q.Set(key, values[0])
		if !known {
			return q, badRequest("%s is none of the parameters id, address and last", key)
		}
		if err != nil {
			return q, badRequest("%v", err)
		}
	}
	return q, nil
}
