package admin

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/weirmail/weir/internal/admin/api"
)

// Lanes is what the package needs of the lanes. All methods are called by many
// requests at once.
type Lanes interface {
	// Lanes returns how all lanes are, by their names, without their histories.
	Lanes(ctx context.Context) ([]api.Lane, error)
	// Lane returns how a lane is. Its error, and those of the others, is [ErrNoLane],
	// wrapped, where there is none of the name.
	Lane(ctx context.Context, name string) (api.Lane, error)
	// Suspend suspends a lane until the given time, zero for ever, and across
	// restarts.
	Suspend(ctx context.Context, name string, until time.Time, text string) error
	// Resume ends the suspensions of a lane, and reports whether there was any.
	Resume(ctx context.Context, name string) (ended bool, err error)
	// Limit sets limits of a lane, likewise. 0 leaves what the configuration says.
	Limit(ctx context.Context, name string, connections int, pace float64, until time.Time) error
}

// ErrNoLane is the error of [Lanes] where there is no lane of a name.
var ErrNoLane = errors.New("there is no such lane")

func (h *handler) lanes(w http.ResponseWriter, r *http.Request) error {
	lanes, err := h.Lanes.Lanes(r.Context())
	if err != nil {
		return internal(err)
	}
	if lanes == nil {
		lanes = []api.Lane{}
	}
	return write(w, api.Lanes{Lanes: lanes})
}

func (h *handler) lane(w http.ResponseWriter, r *http.Request) error {
	return h.writeLane(w, r, r.URL.Query().Get("name"))
}

func (h *handler) writeLane(w http.ResponseWriter, r *http.Request, name string) error {
	l, err := h.Lanes.Lane(r.Context(), name)
	if err != nil {
		return laneProblem(name, err)
	}
	return write(w, l)
}

func (h *handler) suspendLane(w http.ResponseWriter, r *http.Request) error {
	request, until, err := h.laneRequest(r)
	if err != nil {
		return err
	}
	if err := h.Lanes.Suspend(r.Context(), request.Name, until, request.Text); err != nil {
		return laneProblem(request.Name, err)
	}
	return h.writeLane(w, r, request.Name)
}

func (h *handler) resumeLane(w http.ResponseWriter, r *http.Request) error {
	request, _, err := h.laneRequest(r)
	if err != nil {
		return err
	}
	ended, err := h.Lanes.Resume(r.Context(), request.Name)
	if err != nil {
		return laneProblem(request.Name, err)
	}
	return write(w, api.Resumed{Ended: ended})
}

// The bounds on what can be set.
const (
	maxLaneConnections = 1000
	maxLanePace        = 100_000
)

func (h *handler) setLane(w http.ResponseWriter, r *http.Request) error {
	request, until, err := h.laneRequest(r)
	switch {
	case err != nil:
		return err
	case request.Connections < 0 || request.Connections > maxLaneConnections:
		return badRequest("connections is %d, but has to be a number from 1 to %d, or 0 for what the configuration says", request.Connections, maxLaneConnections)
	case !(request.Pace >= 0 && request.Pace <= maxLanePace):
		return badRequest("pace is %g messages a second, but has to be up to %d, or 0 for what the configuration says", request.Pace, maxLanePace)
	}
	if err := h.Lanes.Limit(r.Context(), request.Name, request.Connections, request.Pace, until); err != nil {
		return laneProblem(request.Name, err)
	}
	return h.writeLane(w, r, request.Name)
}

// laneRequest reads a request, and until when it is to hold.
func (h *handler) laneRequest(r *http.Request) (request api.LaneRequest, until time.Time, err error) {
	if err := readBody(r, &request); err != nil {
		return request, until, err
	}
	if request.For < 0 {
		return request, until, badRequest("for is %s, but cannot be less than nothing", request.For)
	}
	if request.For > 0 {
		until = h.Now().UTC().Add(time.Duration(request.For))
	}
	if err := checkText(request.Text); err != nil {
		return request, until, badRequest("%v", err)
	}
	return request, until, nil
}

// laneProblem explains an error of the lanes.
func laneProblem(name string, err error) *api.Problem {
	if errors.Is(err, ErrNoLane) {
		return problem(http.StatusNotFound, api.ProblemNotFound, "There is no such lane",
			"there is no lane %q: a lane is there while it has mail, and for some minutes after that; \"weir lane list\" names those that are", name)
	}
	return internal(err)
}
