package verdict

import (
	"strings"

	"github.com/weirmail/weir/reply"
	"github.com/weirmail/weir/reply/catalog/classify"
	"github.com/weirmail/weir/smtp"
)

// RefusedParameter tells whether a reply to MAIL or RCPT is about one of the
// parameters that went with the command, and which of them it names: of "NOTIFY=NEVER"
// either word may be in its text. None named means that the reply does not say.
//
// RFC 5321 section 4.1.1.11 has 555 and 455 for that. Servers answer 504, 501, 500 and
// 503 as well, mostly with 5.5.4; those count where the status or the text says so.
func RefusedParameter(stage smtp.Stage, r reply.Reply, sent []smtp.Param) (named []string, refused bool) {
	if stage != smtp.StageMAIL && stage != smtp.StageRCPT || len(sent) == 0 {
		return nil, false
	}
	switch r.Code {
	case reply.ParametersUnrecognized, reply.ParametersNotNow, reply.ParameterNotImplemented:
		named = namedIn(r, sent)
		return named, named != nil || !aboutAddress(r)
	case reply.CommandUnrecognized, reply.SyntaxInArguments, reply.CommandNotImplemented, reply.BadSequence:
		named = namedIn(r, sent)
		return named, named != nil || r.Status == reply.NewStatus(5, 4) || resultOf(stage, r).Reason == classify.ReasonUnsupportedParameter
	}
	return nil, false
}

// aboutAddress tells a 504 that is about the form of an address, as Postfix says it of
// names that are not fully qualified.
func aboutAddress(r reply.Reply) bool {
	return r.Code == reply.ParameterNotImplemented && (r.Status == reply.NewStatus(5, 2) || r.Status.Subject() == 1)
}

// namedIn returns the keywords that a text names. A text that repeats parameters as
// they were sent may mean any of those; another means the first that it has.
func namedIn(r reply.Reply, sent []smtp.Param) (named []string) {
	text := strings.Join(r.Lines, " ")
	first, at := "", len(text)
	for _, p := range sent {
		if p.HasValue && hasFold(text, p.Keyword+"=") >= 0 {
			named = append(named, p.Keyword)
			continue
		}
		i := wordIn(text, p.Keyword)
		if p.Keyword == "BODY" && i < 0 {
			i = wordIn(text, p.Value)
		}
		if i >= 0 && i < at {
			first, at = p.Keyword, i
		}
	}
	if named == nil && first != "" {
		named = []string{first}
	}
	return named
}

// wordIn returns where a word stands in a text, -1 where it does not. Those that are
// words of English as well, such as SIZE, have to be in upper case; BY is too short for
// any of that.
func wordIn(text, word string) int {
	english := false
	switch word {
	case "", "BY":
		return -1
	case "SIZE", "BODY", "NOTIFY", "RET", "AUTH":
		english = true
	}
	for from := 0; ; {
		i := strings.Index(text[from:], word)
		if !english {
			i = hasFold(text[from:], word)
		}
		if i < 0 {
			return -1
		}
		i += from
		if end := i + len(word); !isWord(text, i-1) && !isWord(text, end) {
			return i
		}
		from = i + 1
	}
}

// isWord tells whether a word goes on at i.
func isWord(s string, i int) bool {
	if i < 0 || i >= len(s) {
		return false
	}
	c := s[i]
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-'
}

// hasFold is strings.Index without regard to case, for ASCII.
func hasFold(s, sub string) int {
	for i := 0; i+len(sub) <= len(s); i++ {
		if strings.EqualFold(s[i:i+len(sub)], sub) {
			return i
		}
	}
	return -1
}
