package verdict

import (
	"github.com/weirmail/weir/reply"
	"github.com/weirmail/weir/reply/catalog/classify"
	"github.com/weirmail/weir/smtp"
)

// reasonOf returns the primary cause that a reply states, one word of the list
// of package classify. What the reply does not say is "other".
func reasonOf(stage smtp.Stage, r reply.Reply) string {
	if r.Code.Completed() {
		return ""
	}
	if reason := resultOf(stage, r).Reason; reason != classify.ReasonNone {
		return reason.String()
	}
	return classify.ReasonOther.String() // 3yz where nothing of the kind was asked
}

// textReason returns the cause that the text of a reply states, whatever its
// codes say, and [classify.ReasonNone] where it states none.
func textReason(stage smtp.Stage, r reply.Reply) classify.Reason {
	result := resultOf(stage, r)
	if result.Evidence.Rule == nil {
		return classify.ReasonNone
	}
	return result.Reason
}

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
