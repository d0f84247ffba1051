package smtp

// Body is the value of the BODY parameter of MAIL (RFC 6152, RFC 3030).
type Body uint8

// The body types. The zero value is what holds if nothing was said.
const (
	Body7Bit Body = iota
	Body8BitMIME
	BodyBinaryMIME
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

// ParseBody reads the value of BODY, without regard to case.
func ParseBody(s string) (Body, error) { return 0, syntaxError(PartValue, 0, "not implemented") }

// Ret is the value of the RET parameter of MAIL (RFC 3461 section 4.3): how much
// of the message a failure notice carries back.
type Ret uint8

// The values of RET. RetUnset leaves the choice to who writes the notice.
const (
	RetUnset Ret = iota
	RetFull
	RetHeaders
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

// ParseRet reads the value of RET, without regard to case.
func ParseRet(s string) (Ret, error) { return 0, syntaxError(PartValue, 0, "not implemented") }

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

// String returns the value as on the wire in the order SUCCESS, FAILURE, DELAY, or
// NEVER; "" for zero.
func (n Notify) String() string { return "" }

// ParseNotify reads the value of NOTIFY, without regard to case. NEVER with
// another word, an empty word and a word said twice are errors.
func ParseNotify(s string) (Notify, error) { return 0, syntaxError(PartValue, 0, "not implemented") }

// ParseSize reads the value of SIZE in octets: 1 to 20 digits (RFC 1870
// section 3). A number beyond int64 becomes the largest int64.
func ParseSize(s string) (int64, error) { return 0, syntaxError(PartValue, 0, "not implemented") }

// ParseEnvID reads the value of ENVID and returns it decoded: at most [MaxEnvID]
// printable ASCII characters (RFC 3461 section 4.4).
func ParseEnvID(s string) (string, error) { return "", syntaxError(PartValue, 0, "not implemented") }

// OriginalRecipient is the value of the ORCPT parameter of RCPT (RFC 3461
// section 4.2): the recipient as the sender wrote it.
type OriginalRecipient struct {
	Type    string // the address type in lower case, such as "rfc822" or "utf-8"
	Address string // decoded
}

// String returns the value as on the wire: type, ";" and xtext, or for "utf-8" the
// all-ASCII form of RFC 6533 section 3; "" for the zero value.
func (o OriginalRecipient) String() string { return "" }

// ParseORCPT reads the value of ORCPT, at most [MaxORCPT] octets. With utf8, that
// is in a transaction with SMTPUTF8, the address of type "utf-8" may be raw UTF-8
// (RFC 6533 section 3).
func ParseORCPT(s string, utf8 bool) (OriginalRecipient, error) {
	return OriginalRecipient{}, syntaxError(PartValue, 0, "not implemented")
}

// ParseMailAuth reads the value of the AUTH parameter of MAIL (RFC 4954
// section 5): a mailbox in xtext, or "<>", which is the null path.
func ParseMailAuth(s string) (Path, error) {
	return Path{}, syntaxError(PartValue, 0, "not implemented")
}

// ParseBDAT reads the arguments of BDAT: the size of the chunk in octets and
// whether it is the last (RFC 3030 section 2). A size beyond int64 is an error,
// because the session could not stay in step.
func ParseBDAT(args []byte) (size int64, last bool, err error) {
	return 0, false, syntaxError(PartArgument, 0, "not implemented")
}
