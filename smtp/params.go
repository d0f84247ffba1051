package smtp

import "strings"

// Body is the value of the BODY parameter of MAIL (RFC 6152, RFC 3030).
type Body uint8

// The body types. The zero value is what holds if nothing was said.
const (
	Body7Bit       Body = iota // lines of ASCII
	Body8BitMIME               // lines of any octets (RFC 6152)
	BodyBinaryMIME             // any octets at all, by BDAT only (RFC 3030)
)

// String returns the value as on the wire: "7BIT", "8BITMIME", "BINARYMIME".
func (b Body) String() string {
	switch b {
	case Body8BitMIME:
		return "8BITMIME"
	case BodyBinaryMIME:
		return "BINARYMIME"
	default:
		return "7BIT"
	}
}

// ParseBody reads the value of BODY, without regard to case. Errors are of type
// *[SyntaxError].
func ParseBody(s string) (Body, error) {
	for b := Body7Bit; b <= BodyBinaryMIME; b++ {
		if equalFold(s, b.String()) {
			return b, nil
		}
	}
	return Body7Bit, syntaxError(PartValue, 0, "BODY is 7BIT, 8BITMIME or BINARYMIME")
}

// Ret is the value of the RET parameter of MAIL (RFC 3461 section 4.3): how much
// of the message a failure notice carries back.
type Ret uint8

// The values of RET. RetUnset leaves the choice to who writes the notice.
const (
	RetUnset   Ret = iota // not given
	RetFull               // the whole message
	RetHeaders            // its header section
)

// String returns the value as on the wire, "FULL" or "HDRS"; "" for RetUnset.
func (r Ret) String() string {
	switch r {
	case RetFull:
		return "FULL"
	case RetHeaders:
		return "HDRS"
	default:
		return ""
	}
}

// ParseRet reads the value of RET, without regard to case. Errors are of type
// *[SyntaxError].
func ParseRet(s string) (Ret, error) {
	switch {
	case equalFold(s, "FULL"):
		return RetFull, nil
	case equalFold(s, "HDRS"):
		return RetHeaders, nil
	}
	return RetUnset, syntaxError(PartValue, 0, "RET is FULL or HDRS")
}

// Notify is the value of the NOTIFY parameter of RCPT (RFC 3461 section 4.1), a set
// of bits. The zero value means that it was not given.
type Notify uint8

// The bits of Notify. NotifyNever excludes the others.
const (
	NotifyNever Notify = 1 << iota
	NotifySuccess
	NotifyFailure
	NotifyDelay
)

// notifyWords are the words in the order in which String writes them.
var notifyWords = [...]struct {
	bit  Notify
	word string
}{
	{NotifyNever, "NEVER"},
	{NotifySuccess, "SUCCESS"},
	{NotifyFailure, "FAILURE"},
	{NotifyDelay, "DELAY"},
}

// String returns the value as on the wire in the order SUCCESS, FAILURE, DELAY, or
// NEVER; "" for zero.
func (n Notify) String() string {
	var words []string
	for _, w := range notifyWords {
		if n&w.bit != 0 {
			words = append(words, w.word)
		}
	}
	return strings.Join(words, ",")
}

// ParseNotify reads the value of NOTIFY, without regard to case. NEVER with
// another word, an empty word and a word said twice are errors, of type
// *[SyntaxError].
func ParseNotify(s string) (Notify, error) {
	var n Notify
	for at := 0; ; {
		word, _, more := strings.Cut(s[at:], ",")
		bit := notifyBit(word)
		switch {
		case bit == 0:
			return 0, syntaxError(PartValue, at, "NOTIFY is NEVER, or some of SUCCESS, FAILURE and DELAY")
		case n&bit != 0:
			return 0, syntaxError(PartValue, at, "the same word twice in NOTIFY")
		}
		n |= bit
		if n&NotifyNever != 0 && n != NotifyNever {
			return 0, syntaxError(PartValue, at, "NEVER stands alone in NOTIFY")
		}
		if !more {
			return n, nil
		}
		at += len(word) + 1
	}
}

func notifyBit(word string) Notify {
	for _, w := range notifyWords {
		if equalFold(word, w.word) {
			return w.bit
		}
	}
	return 0
}

// ParseEnvID reads the value of ENVID and returns it decoded: 1 to [MaxEnvID]
// printable ASCII characters (RFC 3461 section 4.4). Errors are of type
// *[SyntaxError].
func ParseEnvID(s string) (string, error) {
	if s == "" {
		return "", syntaxError(PartValue, 0, "ENVID is empty")
	}
	id, err := decodePrintable(s)
	if err != nil {
		return "", err
	}
	if len(id) > MaxEnvID {
		return "", syntaxError(PartValue, 0, "ENVID is longer than 100 characters")
	}
	return id, nil
}

// ParseMailAuth reads the value of the AUTH parameter of MAIL (RFC 4954
// section 5): a mailbox in xtext, or "<>", which is the null path. Errors are of
// type *[SyntaxError], with offsets in the decoded value.
func ParseMailAuth(s string) (Path, error) {
	address, err := DecodeXtext(s)
	if err != nil {
		return Path{}, err
	}
	if strings.HasPrefix(address, "<") && address != "<>" {
		return Path{}, syntaxError(PartValue, 0, "AUTH takes the address without angle brackets")
	}
	return ParseAddress(address)
}
