package api

// Action is something that can be done to a message in the queue.
type Action string

// The actions.
const (
	// ActionHold keeps a message from being delivered.
	ActionHold Action = "hold"
	// ActionRelease lets a held message go again.
	ActionRelease Action = "release"
	// ActionRetry makes all waiting recipients due now.
	ActionRetry Action = "retry"
	// ActionRemove takes a message out, without a notice to its sender.
	ActionRemove Action = "remove"
)

// Actions lists them all.
func Actions() []Action { return []Action{ActionHold, ActionRelease, ActionRetry, ActionRemove} }

// Bulk asks for an action on all messages that a filter chooses.
type Bulk struct {
	// Filter chooses the messages.
	Filter Filter `json:"filter"`
	// All has to be set where the filter is empty, so that the whole queue is
	// never meant by mistake.
	All bool `json:"all,omitempty"`
	// DryRun asks what would be done, and does nothing.
	DryRun bool `json:"dry_run,omitempty"`
}

// BulkResult is what an action on many messages did, or would do.
type BulkResult struct {
	Action Action `json:"action"`
	DryRun bool   `json:"dry_run"`
	// Matched counts the messages that the filter chose, Bytes their size.
	Matched int64 `json:"matched"`
	Bytes   int64 `json:"bytes"`
	// Changed counts those that the action changed, or would change: a held
	// message cannot be held again.
	Changed int64 `json:"changed"`
	// Failed counts those where the action failed; after 100 the relay gives
	// up. Problem is the first reason. Messages that left the queue meanwhile
	// are no failures.
	Failed  int64  `json:"failed"`
	Problem string `json:"problem,omitempty"`
	// Sample are the first of the messages that would be changed. Only a dry
	// run has them.
	Sample []Message `json:"sample,omitempty"`
}
