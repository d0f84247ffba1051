package classify

import (
	"strings"

	"github.com/weirmail/weir/reply"
)

// maxParse is how much of a text is looked at.
const maxParse = 4 << 20

// Parse finds the replies in anything that a person may have at hand: a bare
// code, a reply of one or several lines, lines of a log, the text of an
// exception, a delivery status notification, or many of these one behind the
// other. What was put around a reply is taken off; where one reply was carried
// in another, it is the one of the remote server. A text without any code comes
// back as one Input that has the text alone.
func Parse(s string) []Input {
	if found := Find(s); len(found) > 0 {
		return found
	}
	text := strings.TrimSpace(s)
	if text == "" {
		return nil
	}
	if len(text) > MaxText {
		text = text[:MaxText]
	}
	in := Input{Text: unwrapped(text), Local: true}
	in.addHints(text)
	return []Input{in}
}

// Find is Parse for a text that may have no reply at all, such as the lines of
// a log: it returns nothing where no code stands.
func Find(s string) []Input {
	if len(s) > maxParse {
		s = s[:maxParse]
	}
	if strings.IndexByte(s, '\\') >= 0 {
		s = unescape(s)
	}
	if found := findInDSN(s); len(found) > 0 {
		return found
	}
	var found []Input
	for _, record := range records(s) {
		if in, ok := findOne(record); ok {
			found = append(found, in)
			if more := found[len(found)-1]; more.Wrapper == "smtplib" {
				found = append(found, otherRefused(record, more)...)
			}
		}
	}
	return found
}

// unescape resolves the escapes of line ends and quotes that JSON, logs and
// exceptions leave in a text.
func unescape(s string) string {
	return strings.NewReplacer(`\r\n`, "\n", `\n`, "\n", `\r`, "\n", `\"`, `"`, `\'`, `'`, `\t`, " ", `\u003c`, "<", `\u003e`, ">").Replace(s)
}

// records cuts a text into pieces that hold no more than one reply each: the
// lines of a reply of several are joined, and so is what is indented behind a
// line.
func records(s string) []string {
	var all []string
	var current strings.Builder
	code, indented := "", false
	flush := func() {
		if current.Len() > 0 {
			all = append(all, current.String())
		}
		current.Reset()
		code, indented = "", false
	}
	for line := range strings.Lines(s) {
		line = strings.TrimRight(line, "\r\n\t ")
		bare := strings.TrimLeft(line, " \t")
		isIndented := len(bare) < len(line)
		bare = withoutPrompt(bare)
		begins := leadingCode(bare)
		switch {
		case bare == "":
			flush()
			continue
		case code != "" && strings.HasPrefix(bare, code): // the next line of the same reply
		case isIndented && current.Len() > 0 && (begins == "" || indented):
		default:
			flush()
		}
		if current.Len() > 0 {
			current.WriteByte(' ')
		}
		current.WriteString(bare)
		indented = isIndented
		switch {
		case begins != "" && len(bare) > 3 && bare[3] == '-':
			code = begins
		case begins != "":
			code = ""
		}
	}
	flush()
	return all
}

// prompts are what transcripts put before what a server says.
var prompts = []string{"<<< ", "<~  ", "<-  ", "<** ", "<-- ", "<- ", "<~* ", "S: ", "< ", "> ", "SERVER -> CLIENT: ", "CLIENT <- SERVER: ", "SMTP<< ", "└──", "S<< "}

func withoutPrompt(s string) string {
	for _, p := range prompts {
		if rest, ok := strings.CutPrefix(s, p); ok {
			return strings.TrimLeft(rest, " ")
		}
	}
	return s
}

// leadingCode returns the three digits that a line of a reply begins with, or
// "".
func leadingCode(s string) string {
	if len(s) < 3 || !isCode(s[:3]) || len(s) > 3 && s[3] != ' ' && s[3] != '-' {
		return ""
	}
	return s[:3]
}

func isCode(s string) bool {
	return s[0] >= '2' && s[0] <= '5' && isDigit(s[1]) && isDigit(s[2])
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// findOne reads the reply of a record.
func findOne(record string) (in Input, ok bool) {
	if in, ok = fromJSON(record); ok {
		return in, true
	}
	body := innermost(record)
	in.addHints(record)
	if in.phpmailer(record) || in.dotNet(record) || in.keyed(body) {
		return in, true
	}
	at, n := findCode(body)
	if at < 0 {
		return in.enhancedAlone(body)
	}
	in.setCode(body[at : at+3])
	text := body[at+n:]
	if at > 0 && body[at-1] == '"' {
		text, _, _ = strings.Cut(text, "\"") // what a log or an exception quotes
	}
	in.setText(text)
	return in, true
}

func (in *Input) setCode(digits string) {
	in.Code = reply.Code(digits[0]-'0')*100 + reply.Code(digits[1]-'0')*10 + reply.Code(digits[2]-'0')
}

// openings are the words that the reply of the remote server stands behind, in
// logs and in the letters of mail servers.
var openings = []string{
	" said: ", " refused to talk to me: ", "smtp error from remote mail server after ", "smtp error from remote mailer after ",
	"remote server returned '", "remote server returned ", "remote server said: ", "lmtp error from ", "last error: ", "led=", "stat=\"", "stat=deferred: ", "stat=", "response was: ",
	"giving this reason: ", "gave this error: ", "reply was: ", "remote host said: ", "last response: ", "response: ", "response:\"", "status=sent (",
}

// innermost cuts off what stands before the reply of the remote server. The
// first opening counts that a code follows: what a server quotes from another
// is a part of its own text.
func innermost(record string) string {
	if leadingCode(record) != "" {
		return record
	}
	lower := strings.ToLower(record)
	if len(lower) != len(record) {
		lower = record
	}
	best := -1
	for _, o := range openings {
		at := strings.Index(lower, o)
		if at < 0 || best >= 0 && at >= best {
			continue
		}
		if rest := record[at+len(o):]; startsWithReply(rest) || strings.HasPrefix(o, "smtp error") && strings.Contains(rest, ": ") {
			best = at + len(o)
		}
	}
	if best < 0 {
		return record
	}
	return record[best:]
}

func startsWithReply(s string) bool {
	s = strings.TrimLeft(s, "'\"(< #")
	if len(s) >= 3 && isCode(s[:3]) && (len(s) == 3 || !isWord(s[3]|0x20)) {
		return true
	}
	_, _, ok := leadingEnhanced(s)
	return ok
}

// findCode finds the basic code of a reply, and how many octets it takes with
// what belongs to it. A code at the beginning is one; one that stands further
// behind has to look like it.
func findCode(s string) (at, n int) {
	best, bare := -1, -1
	for i := 0; i+3 <= len(s); i++ {
		if !isDigit(s[i]) || !isCode(s[i:i+3]) || !delimited(s, i) {
			continue
		}
		rest := s[i+3:]
		_, _, enhanced := leadingEnhanced(strings.TrimLeft(rest, " -,'\"b()#:_"))
		switch {
		case i == 0, enhanced:
			return i, 3
		case i > 0 && s[i-1] == '"' && rest != "" && rest[0] == '"':
			// "421" alone in quotes: what was said may come behind it.
			if bare < 0 {
				bare = i
			}
		case best < 0 && plausible(s[:i], s[i:i+3], rest):
			best = i
		}
	}
	if best < 0 {
		return bare, 3
	}
	return best, 3
}

// delimited tells whether the three digits at i stand alone, behind something
// that may come before a reply.
func delimited(s string, i int) bool {
	if i+3 < len(s) && strings.IndexByte(" -,):;'\"_\t]<", s[i+3]) < 0 {
		return false
	}
	if i+4 < len(s) && s[i+3] == '-' && isDigit(s[i+4]) && !(i+5 < len(s) && s[i+5] == '.') {
		return false // a date or a number
	}
	if i == 0 {
		return true
	}
	return strings.IndexByte(" \t'\"([:=;<>#", s[i-1]) >= 0
}

func plausible(before, code, rest string) bool {
	c := reply.Code(code[0]-'0')*100 + reply.Code(code[1]-'0')*10 + reply.Code(code[2]-'0')
	if c < 400 || !standardCode(c) && strayReasons[c] == ReasonNone {
		return (c == 250 || c == 220 || c == 235 || c == 354) && strings.HasSuffix(before, "(")
	}
	before = strings.TrimRight(before, " ")
	if before == "" {
		return true
	}
	switch before[len(before)-1] {
	case ':', '\'', '"', '(', ';', '<', '>', '#':
		return true
	case '[':
		return rest == "" || rest[0] != ']'
	case '=':
		return endsInAny(before[:len(before)-1], "code", "status", "stat", "led", "reply", "response")
	}
	return endsInAny(before, "error", "code", "reply", "response", "smtp", "returned", "status", "with", "failed", "failure", "raised", "got", "responded")
}

// endsInAny tells whether s ends in one of the words, whatever their case.
func endsInAny(s string, words ...string) bool {
	for _, w := range words {
		if len(s) >= len(w) && strings.EqualFold(s[len(s)-len(w):], w) {
			return true
		}
	}
	return false
}

// leadingEnhanced reads an enhanced status code that need not be followed by a
// space, as in "5.7.1:", "(5.7.1)" or "#5.1.0".
func leadingEnhanced(s string) (e reply.Enhanced, n int, ok bool) {
	if len(s) < 5 || s[1] != '.' {
		return e, 0, false
	}
	n = 2
	for n < len(s) && (isDigit(s[n]) || s[n] == '.') {
		n++
	}
	for n > 0 && s[n-1] == '.' {
		n--
	}
	if n < len(s) && isWord(s[n]|0x20) || n < 5 {
		return e, 0, false
	}
	e, rest, ok := reply.ParseEnhanced(s[:n])
	return e, n, ok && rest == ""
}

// enhancedAlone reads a reply whose basic code is missing.
func (in Input) enhancedAlone(s string) (Input, bool) {
	for i := 0; i+5 <= len(s); i++ {
		if s[i+1] != '.' || i > 0 && (isWord(s[i-1]|0x20) || s[i-1] == '.' || s[i-1] == '-') {
			continue
		}
		e, n, ok := leadingEnhanced(s[i:])
		if !ok || i+n < len(s) && (s[i+n] == '.' && i+n+1 < len(s) && isDigit(s[i+n+1]) || s[i+n] == '/' || s[i+n] == '-') {
			continue
		}
		if !looksLikeStatus(e) {
			continue
		}
		in.Enhanced = e
		text := s[i+n:]
		if strings.Trim(text, " .)>]'\"") == "" {
			text = s[:i]
		} else if before := strings.Trim(s[:i], " #(<[:-"); len(before) > 3 && !strings.HasSuffix(before, "=") && len(text) < 4 {
			text = before
		}
		in.Text = unwrapped(text)
		return in, true
	}
	return in, false
}

// looksLikeStatus keeps numbers of versions from being taken for codes.
func looksLikeStatus(e reply.Enhanced) bool {
	s := e.Status()
	return s.Subject() <= 7 && (s.Detail() <= 40 || s.Subject() == 7 && s.Detail() >= 100 || s.Subject() == 2 && s.Detail() > 100 || s.Subject() == 4 && s.Detail() >= 300 || s.Subject() == 3 && s.Detail() == 190)
}

// setText takes the enhanced status code off the text, and what was put behind
// it or repeated in it.
func (in *Input) setText(s string) {
	s = strings.TrimLeft(s, " -,():;_\t")
	if len(s) > 1 && s[0] == 'b' && (s[1] == '\'' || s[1] == '"') {
		s = s[1:] // Python's mark of octets
	}
	s = strings.TrimPrefix(strings.TrimLeft(s, " '\":-"), "#")
	if e, n, ok := leadingEnhanced(s); ok {
		in.Enhanced, s = e, strings.TrimLeft(s[n:], " :)-_")
	} else if e, ok := trailingEnhanced(s); ok {
		in.Enhanced = e
	}
	in.Text = unwrapped(withoutRepeats(s, in.Code, in.Enhanced))
}

// trailingEnhanced finds an enhanced status code within the text: "(#5.1.1)",
// "#5.7.1 smtp;...".
func trailingEnhanced(s string) (reply.Enhanced, bool) {
	for rest, at := s, 0; ; {
		at = strings.IndexAny(rest, "#([")
		if at < 0 {
			return reply.Enhanced{}, false
		}
		rest = rest[at+1:]
		if e, _, ok := leadingEnhanced(strings.TrimLeft(rest, "#")); ok && looksLikeStatus(e) {
			return e, true
		}
	}
}

// withoutRepeats drops the codes that begin each line of a reply, where the
// lines were joined.
func withoutRepeats(s string, code reply.Code, e reply.Enhanced) string {
	digits := code.String()
	if len(digits) != 3 || !strings.Contains(s, digits) {
		return s
	}
	for _, sep := range []string{"-", " "} {
		if !e.IsZero() {
			s = strings.ReplaceAll(s, " "+digits+sep+e.String()+" ", " ")
			s = strings.ReplaceAll(s, "."+digits+sep+e.String()+" ", ". ")
		}
	}
	return strings.ReplaceAll(s, " "+digits+"-", " ")
}

// closings begin what a log puts behind a reply.
var closings = []string{" (in reply to", "; from=<", "' (delivery attempts", " (while talking to", "\", response_code", "', response"}

// unwrapped takes off quotes, brackets and what a log put behind the text.
func unwrapped(s string) string {
	if len(s) > MaxText {
		s = s[:MaxText]
	}
	for _, c := range closings {
		if at := strings.LastIndex(s, c); at >= 0 {
			s = s[:at]
		}
	}
	s, _, _ = strings.Cut(s, "};{") // Exchange's list of an attempt's fields
	s = strings.TrimSpace(s)
	for _, pair := range []string{"()", "[]", "{}", "<>"} {
		for strings.HasSuffix(s, pair[1:]) && strings.Count(s, pair[:1]) < strings.Count(s, pair[1:]) {
			s = strings.TrimSpace(s[:len(s)-1])
		}
	}
	if n := len(s); n > 0 && (s[n-1] == '"' || s[n-1] == '\'') && strings.Count(s, s[n-1:])%2 == 1 {
		s = s[:n-1]
	}
	return strings.TrimSpace(s)
}
