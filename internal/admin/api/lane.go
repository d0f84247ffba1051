package api

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// Lane is one destination as its operator sees it: what it bears, and why mail to
// it waits.
type Lane struct {
	// Name names it.
	Name string `json:"name"`
	// State is "idle", "working", "paced" (mail waits for its turn), "full" (mail
	// waits for a connection), "suspended", "probing" (one message tries) or "held"
	// (by the operator).
	State string `json:"state"`
	// Since is when a suspension began, Until when it ends or the next probe is made.
	Since time.Time `json:"since,omitzero"`
	Until time.Time `json:"until,omitzero"`
	// Text is what the operator says about a suspension of his.
	Text string `json:"text,omitempty"`
	// Open is how many connections there are, Busy how many messages are on their
	// way, and Pending how many wait in memory; the others are in the queue alone.
	Open    int `json:"open"`
	Busy    int `json:"busy"`
	Pending int `json:"pending"`
	// Window is how many connections there may be now, Connections how many at most,
	// and Ceiling beyond how many the receiver refused; absent where it did not.
	Window      int `json:"window"`
	Connections int `json:"connections"`
	Ceiling     int `json:"ceiling,omitempty"`
	// Pace is how many messages a second there may be now, PaceLimit how many at
	// most, and PaceCeiling the rate that the receiver refused; absent where there is
	// no limit. Measured is how many there were in the last seconds.
	Pace        float64 `json:"pace,omitempty"`
	PaceLimit   float64 `json:"pace_limit,omitempty"`
	PaceCeiling float64 `json:"pace_ceiling,omitempty"`
	Measured    float64 `json:"measured"`
	// PerConnection is how many messages go over one connection; absent where that
	// is not limited.
	PerConnection int `json:"messages_per_connection,omitempty"`
	// Ordered is set where the operator has set limits; they end at OrderedUntil.
	Ordered      bool      `json:"ordered,omitempty"`
	OrderedUntil time.Time `json:"ordered_until,omitzero"`
	// Done counts the messages that the receiver dealt with, Pushed how often it asked
	// for less, since the lane has work.
	Done   int64 `json:"done"`
	Pushed int64 `json:"pushed"`
	// Asked is of what the receiver wanted less the last time: "connections", "rate",
	// "busy" or "unreachable"; and Last how it said so.
	Asked string   `json:"asked,omitempty"`
	Last  *Attempt `json:"last,omitempty"`
	// History is how it went lately, the oldest first; lists leave it out.
	History []LaneSample `json:"history,omitempty"`
}

// LaneSample is how a lane was at a moment.
type LaneSample struct {
	At     time.Time `json:"at"`
	Window int       `json:"window"`
	// Pace is absent where there was no limit.
	Pace float64 `json:"pace,omitempty"`
	// Done and Pushed are as in [Lane], up to then.
	Done   int64 `json:"done"`
	Pushed int64 `json:"pushed"`
}

// Lanes is a list of lanes.
type Lanes struct {
	Lanes []Lane `json:"lanes"`
}

// LaneRequest asks for something to be done with a lane.
type LaneRequest struct {
	// Name names the lane.
	Name string `json:"name"`
	// For is how long it is to hold; 0 for ever.
	For Duration `json:"for,omitzero"`
	// Text is what to say about a suspension, at most 200 characters in one line.
	Text string `json:"text,omitempty"`
	// Connections and Pace (messages a second) are limits to be set; 0 leaves what
	// the configuration says.
	Connections int     `json:"connections,omitempty"`
	Pace        float64 `json:"pace,omitempty"`
}

// Lanes returns how all lanes are, by their names.
func (c *Client) Lanes(ctx context.Context) ([]Lane, error) {
	var l Lanes
	err := c.call(ctx, http.MethodGet, "/v1/lanes", nil, &l)
	return l.Lanes, err
}

// Lane returns how a lane is.
func (c *Client) Lane(ctx context.Context, name string) (Lane, error) {
	var l Lane
	err := c.call(ctx, http.MethodGet, "/v1/lane?name="+url.QueryEscape(name), nil, &l)
	return l, err
}

// SuspendLane suspends a lane, and returns how it is.
func (c *Client) SuspendLane(ctx context.Context, r LaneRequest) (Lane, error) {
	var l Lane
	err := c.call(ctx, http.MethodPost, "/v1/lane/suspend", r, &l)
	return l, err
}

// ResumeLane ends the suspensions of a lane. It reports whether there was any.
func (c *Client) ResumeLane(ctx context.Context, name string) (ended bool, err error) {
	var r Resumed
	err = c.call(ctx, http.MethodPost, "/v1/lane/resume", LaneRequest{Name: name}, &r)
	return r.Ended, err
}

// LimitLane sets limits of a lane, and returns how it is.
func (c *Client) LimitLane(ctx context.Context, r LaneRequest) (Lane, error) {
	var l Lane
	err := c.call(ctx, http.MethodPost, "/v1/lane/set", r, &l)
	return l, err
}
