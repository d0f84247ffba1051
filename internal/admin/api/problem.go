package api

// ProblemType is the media type of a [Problem].
const ProblemType = "application/problem+json"

// The types of problems. A program decides by them; the text is for people.
const (
	ProblemBadRequest  = "urn:weir:bad-request"
	ProblemNotFound    = "urn:weir:not-found"
	ProblemMethod      = "urn:weir:method-not-allowed"
	ProblemTooLarge    = "urn:weir:request-too-large"
	ProblemMediaType   = "urn:weir:media-type"
	ProblemNotReady    = "urn:weir:not-ready"
	ProblemInternal    = "urn:weir:internal"
	ProblemUnspecified = "about:blank"
)

// Problem is an answer that says what went wrong (RFC 9457). The client
// returns it as an error.
type Problem struct {
	// Type is one of the types above.
	Type string `json:"type"`
	// Title says what kind of problem it is, in a few words.
	Title string `json:"title"`
	// Status is the status code of HTTP.
	Status int `json:"status"`
	// Detail says what is wrong this time, and what would be right.
	Detail string `json:"detail,omitempty"`
}

// Error returns the detail, or the title where there is none.
func (p *Problem) Error() string {
	if p.Detail != "" {
		return p.Detail
	}
	return p.Title
}
