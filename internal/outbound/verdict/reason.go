package verdict

import (
	"time"

	"github.com/weirmail/weir/reply"
	"github.com/weirmail/weir/reply/catalog/classify"
	"github.com/weirmail/weir/smtp"
)

// reasonOf returns the primary cause that a reply states, one word of the list of
// package classify. What the reply does not say is "other".
func reasonOf(told classify.Result) string {
	if told.Reason == classify.ReasonNone {
		return classify.ReasonOther.String() // 3yz where nothing of the kind was asked
	}
	return told.Reason.String()
}

// The bounds of a wait that a reply names.
const (
	minWait = 15 * time.Second
	maxWait = 24 * time.Hour
)

// waitOf returns the wait that a reply names, within bounds; 0 where it names none.
func waitOf(told classify.Result) time.Duration {
	if told.Hint <= 0 {
		return 0
	}
	return min(max(told.Hint, minWait), maxWait)
}

// resultOf reads what a reply says.
func resultOf(stage smtp.Stage, r reply.Reply) classify.Result {
	return classify.Default().Classify(classify.FromReply(stageOf(stage), "", r))
}

// stageOf returns the stage by the name that package classify has for it.
func stageOf(stage smtp.Stage) classify.Stage {
	switch stage {
	case smtp.StageConnect:
		return classify.StageConnect
	case smtp.StageEHLO:
		return classify.StageEHLO
	case smtp.StageSTARTTLS:
		return classify.StageSTARTTLS
	case smtp.StageAUTH:
		return classify.StageAUTH
	case smtp.StageMAIL:
		return classify.StageMAIL
	case smtp.StageRCPT:
		return classify.StageRCPT
	case smtp.StageDATA:
		return classify.StageDATA
	case smtp.StageContent:
		return classify.StageContent
	}
	return classify.StageIdle
}
