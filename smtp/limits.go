package smtp

// Sizes of RFC 5321 section 4.5.3.1 and of the extensions that Weir speaks, in
// octets unless said otherwise. What is longer is refused by the parsers of this
// package, or by the server where the limit belongs to a stream.
const (
	// MaxLocalPart is the longest local part as written, quotes included
	// (RFC 5321 section 4.5.3.1.1).
	MaxLocalPart = 64
	// MaxDomain is the longest domain or address literal (section 4.5.3.1.2).
	MaxDomain = 255
	// MaxLabel is the longest label of a domain (RFC 1035 section 2.3.4). A label
	// with non-ASCII characters is measured by MaxDomain only, because its length
	// in the DNS is that of its A-label.
	MaxLabel = 63
	// MaxPath is the longest reverse-path or forward-path, with the angle brackets
	// and the source route if there is one (RFC 5321 section 4.5.3.1.3).
	MaxPath = 256
	// MaxCommandLine is the longest command line with its CRLF, before extensions
	// add to it (section 4.5.3.1.4).
	MaxCommandLine = 512
	// MaxReplyLine is the longest reply line with its code and CRLF
	// (section 4.5.3.1.5).
	MaxReplyLine = 512
	// MaxTextLine is the longest line of a message with its CRLF, not counting a
	// dot that transparency added (section 4.5.3.1.6).
	MaxTextLine = 1000
	// MaxAuthLine is the longest line of an AUTH exchange with its CRLF
	// (RFC 4954 section 4).
	MaxAuthLine = 12288
	// MinRecipients is the number of recipients that a server must be able to take
	// in a transaction (RFC 5321 section 4.5.3.1.8).
	MinRecipients = 100
	// MaxParams is the number of parameters that [ParseMail] and [ParseRcpt] take.
	// No RFC sets it; all registered parameters together stay below it.
	MaxParams = 32
	// MaxCapabilities is the number of EHLO keywords that [ParseCapabilities]
	// keeps. No RFC sets it.
	MaxCapabilities = 128
	// MaxEnvID is the longest envelope identifier after decoding
	// (RFC 3461 section 4.4).
	MaxEnvID = 100
	// MaxORCPT is the longest value of ORCPT as written (RFC 3461 section 4.2).
	MaxORCPT = 500
)

// What the extensions add to [MaxCommandLine] of MAIL and RCPT. A server adds up
// those that it offers.
const (
	// ExtraMailSize is what SIZE adds to MAIL (RFC 1870 section 3).
	ExtraMailSize = 26
	// ExtraMailBody is what BODY adds to MAIL (RFC 6152 section 2; RFC 3030
	// section 3 has one octet less).
	ExtraMailBody = 17
	// ExtraMailUTF8 is what SMTPUTF8 adds to MAIL (RFC 6531 section 3.1).
	ExtraMailUTF8 = 10
	// ExtraMailAuth is what the AUTH parameter adds to MAIL (RFC 4954 section 3).
	ExtraMailAuth = 500
	// ExtraMailDSN is what RET and ENVID can add to MAIL. RFC 3461 names no number:
	// this is " RET=FULL" and " ENVID=" with each of 100 characters encoded.
	ExtraMailDSN = len(" RET=FULL") + len(" ENVID=") + 3*MaxEnvID
	// ExtraMailRequireTLS is what REQUIRETLS adds to MAIL (RFC 8689 section 2).
	ExtraMailRequireTLS = len(" REQUIRETLS")
	// ExtraMailDeliverBy is what DELIVERBY adds to MAIL (RFC 2852 section 3).
	ExtraMailDeliverBy = len(" BY=-999999999;RT")
	// ExtraMailHold is what FUTURERELEASE can add to MAIL (RFC 4865): the longer
	// of its two parameters, with fractions of a second and an offset.
	ExtraMailHold = len(" HOLDUNTIL=") + maxDateTime
	// ExtraMailPriority is what MT-PRIORITY adds to MAIL (RFC 6710 section 3).
	ExtraMailPriority = len(" MT-PRIORITY=-9")
	// ExtraRcptDSN is what NOTIFY and ORCPT can add to RCPT, counted likewise.
	ExtraRcptDSN = len(" NOTIFY=SUCCESS,FAILURE,DELAY") + len(" ORCPT=") + MaxORCPT
)
