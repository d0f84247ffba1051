package classify

import "github.com/weirmail/weir/reply"

// byCodes returns the reason that the codes tell where no text does.
func byCodes(in *Input) (Reason, Layer) {
	s := in.Enhanced.Status()
	if !s.IsZero() {
		if r := statusReason(in, s); r != ReasonNone {
			return r, LayerEnhanced
		}
	}
	if r := codeReason(in, s); r != ReasonNone {
		return r, LayerCode
	}
	return ReasonOther, LayerClass
}

type statusKey struct{ subject, detail uint16 }

// statusReasons is what the registry of enhanced status codes tells (RFC 3463
// and those that add to it). Those that name no cause, such as X.0.0 and X.3.0,
// are not in it.
var statusReasons = map[statusKey]Reason{
	{1, 1}: ReasonMailboxUnknown, {1, 2}: ReasonDomainNotFound, {1, 3}: ReasonAddressSyntax, {1, 4}: ReasonMailboxUnknown,
	{1, 6}: ReasonMailboxMoved, {1, 7}: ReasonAddressSyntax, {1, 8}: ReasonSenderRejected, {1, 10}: ReasonDomainNoMail,
	{2, 1}: ReasonMailboxDisabled, {2, 2}: ReasonMailboxFull, {2, 3}: ReasonMessageTooLarge, {2, 4}: ReasonLocalError,
	{3, 1}: ReasonStorage, {3, 2}: ReasonUnavailable, {3, 3}: ReasonUnsupportedParameter, {3, 4}: ReasonMessageTooLarge, {3, 5}: ReasonLocalError,
	{4, 1}: ReasonNetwork, {4, 2}: ReasonUnavailable, {4, 3}: ReasonDNSProblem, {4, 4}: ReasonDNSProblem, {4, 5}: ReasonOverload,
	{4, 6}: ReasonRoutingLoop, {4, 7}: ReasonExpired,
	{5, 1}: ReasonUnsupportedCommand, {5, 2}: ReasonSyntax, {5, 3}: ReasonTooManyRecipients, {5, 4}: ReasonUnsupportedParameter,
	{5, 5}: ReasonUnsupportedCommand, {5, 6}: ReasonSyntax,
	{6, 0}: ReasonContentMalformed, {6, 1}: ReasonContentMalformed, {6, 2}: ReasonContentMalformed, {6, 3}: ReasonContentMalformed,
	{6, 5}: ReasonContentMalformed, {6, 6}: ReasonContentMalformed,
	{6, 7}: ReasonUnsupportedParameter, {6, 8}: ReasonUnsupportedParameter, {6, 9}: ReasonUnsupportedParameter, {6, 10}: ReasonUnsupportedParameter,
	{7, 0}: ReasonPolicy, {7, 1}: ReasonPolicy, {7, 2}: ReasonPolicy, {7, 3}: ReasonPolicy, {7, 4}: ReasonAuthMechanism,
	{7, 5}: ReasonTLSFailed, {7, 6}: ReasonTLSFailed, {7, 7}: ReasonTLSFailed,
	{7, 8}: ReasonAuthFailed, {7, 9}: ReasonAuthMechanism, {7, 10}: ReasonTLSRequired, {7, 11}: ReasonTLSRequired, {7, 12}: ReasonAuthFailed,
	{7, 13}: ReasonAuthFailed, {7, 14}: ReasonAuthFailed, {7, 15}: ReasonPolicy, {7, 16}: ReasonMessageTooLarge,
	{7, 17}: ReasonMailboxMoved, {7, 18}: ReasonMailboxMoved, {7, 19}: ReasonUnsupportedParameter,
	{7, 20}: ReasonPolicyDKIM, {7, 21}: ReasonPolicyDKIM, {7, 22}: ReasonPolicyDKIM, {7, 23}: ReasonPolicySPF, {7, 24}: ReasonPolicySPF,
	{7, 25}: ReasonReverseDNS, {7, 26}: ReasonPolicySenderAuth, {7, 27}: ReasonSenderRejected, {7, 28}: ReasonRateLimit,
	{7, 29}: ReasonPolicySenderAuth, {7, 30}: ReasonTLSRequired,
}

func statusReason(in *Input, s reply.Status) Reason {
	switch {
	case s == reply.NewStatus(7, 0) && authCode(in.Code), s == reply.NewStatus(7, 1) && in.Code == reply.AuthRequired:
		return codeReasons[in.Code]
	case s == reply.NewStatus(5, 4) && in.Code == reply.ParameterNotImplemented && in.Stage == StageAUTH:
		return ReasonAuthMechanism
	case s == reply.NewStatus(5, 1) && in.Code == reply.BadSequence:
		return ReasonBadSequence
	case s == reply.NewStatus(5, 1) && in.Code == reply.AuthRequired:
		return ReasonAuthRequired
	case s == reply.NewStatus(5, 4) && (in.Code == reply.SyntaxInArguments || in.Code == reply.CommandUnrecognized):
		return ReasonSyntax
	case s == reply.NewStatus(5, 4) && in.Code == reply.CommandNotImplemented:
		return ReasonUnsupportedCommand
	}
	if r, ok := statusReasons[statusKey{s.Subject(), s.Detail()}]; ok {
		return r
	}
	if s.Subject() == 7 {
		return ReasonPolicy
	}
	return ReasonNone
}

func authCode(c reply.Code) bool {
	switch c {
	case 530, 534, 535, 538, 454, 432, 523, 524, 525:
		return true
	}
	return false
}

// codeReasons is what a basic code tells by itself. 550 and 554 tell
// nothing.
var codeReasons = map[reply.Code]Reason{
	421: ReasonUnavailable, 432: ReasonAuthFailed, 451: ReasonLocalError, 452: ReasonStorage, 454: ReasonTLSFailed, 455: ReasonUnsupportedParameter,
	500: ReasonUnsupportedCommand, 501: ReasonSyntax, 502: ReasonUnsupportedCommand, 503: ReasonBadSequence, 504: ReasonUnsupportedParameter,
	521: ReasonDomainNoMail, 523: ReasonTLSRequired, 524: ReasonTLSRequired, 525: ReasonAuthFailed,
	530: ReasonAuthRequired, 534: ReasonAuthMechanism, 535: ReasonAuthFailed, 538: ReasonTLSRequired,
	551: ReasonMailboxMoved, 552: ReasonMessageTooLarge, 553: ReasonAddressSyntax, 555: ReasonUnsupportedParameter, 556: ReasonDomainNoMail,
}

// strayReasons is what codes tell that no standard defines and that are seen
// all the same.
var strayReasons = map[reply.Code]Reason{
	422: ReasonMailboxFull, 431: ReasonStorage, 441: ReasonNetwork, 442: ReasonNetwork, 446: ReasonRoutingLoop, 447: ReasonExpired,
	498: ReasonDomainNotFound, 510: ReasonAddressSyntax, 511: ReasonMailboxUnknown, 512: ReasonDomainNotFound, 513: ReasonAddressSyntax,
	517: ReasonSenderRejected, 522: ReasonMailboxFull, 533: ReasonPolicy, 540: ReasonDomainNotFound, 541: ReasonContentSpam,
	543: ReasonDNSProblem, 544: ReasonDNSProblem, 546: ReasonRoutingLoop, 570: ReasonPolicy, 571: ReasonPolicy, 572: ReasonPolicy, 577: ReasonPolicy, 578: ReasonPolicy, 585: ReasonPolicy,
}

func codeReason(in *Input, s reply.Status) Reason {
	at := func(stages ...Stage) bool {
		for _, stage := range stages {
			if in.Stage == stage {
				return true
			}
		}
		return false
	}
	switch c := in.Code; {
	case !s.IsZero() && s.Subject() != 0 && s != reply.NewStatus(3, 0) && c != 421 && c/10 != 50 && c != 555 && c != 556 && c != 530 && c != 535:
		// X.2.0 and the like: the code says no more than they do.
		return ReasonNone
	case c == 550 && at(StageRCPT) && s.IsZero():
		return ReasonMailboxUnknown
	case c == 452 && at(StageRCPT):
		return ReasonTooManyRecipients
	case c == 454 && at(StageAUTH):
		return ReasonLocalError
	case c == 504 && at(StageAUTH):
		return ReasonAuthMechanism
	case c == 503 && at(StageAUTH):
		return ReasonBadSequence
	case c == 421 && at(StageIdle):
		return ReasonTimeout
	}
	if r, ok := codeReasons[in.Code]; ok {
		return r
	}
	return strayReasons[in.Code]
}

// standardCode tells whether an RFC defines the code, or the registry names
// it.
func standardCode(c reply.Code) bool {
	switch c {
	case 211, 214, 220, 221, 235, 250, 251, 252, 253, 334, 354, 422, 430, 450, 453, 458, 459, 533, 550, 554:
		return true
	}
	return codeReasons[c] != ReasonNone
}
