package config

// Deliver says what happens to mail that no next hop covers.
type Deliver string

// What can be done with mail that no next hop covers.
const (
	DeliverHold   Deliver = ""       // kept in the queue
	DeliverDirect Deliver = "direct" // to the hosts that the DNS names
)

func (Deliver) choices() []string { return []string{"", "direct"} }

// Protocol is what a listener speaks.
type Protocol string

// The protocols of a listener.
const (
	ProtocolSMTP        Protocol = "smtp"        // RFC 5321
	ProtocolSubmission  Protocol = "submission"  // RFC 6409, with STARTTLS
	ProtocolSubmissions Protocol = "submissions" // RFC 8314, with TLS from the first byte
	ProtocolLMTP        Protocol = "lmtp"        // RFC 2033
)

func (Protocol) choices() []string { return []string{"smtp", "submission", "submissions", "lmtp"} }

// ListenerTLS says how a listener comes to TLS.
type ListenerTLS string

// How a listener comes to TLS.
const (
	ListenerTLSAuto     ListenerTLS = "auto"     // STARTTLS (RFC 3207) where there is a certificate
	ListenerTLSOff      ListenerTLS = "off"      // never
	ListenerTLSImplicit ListenerTLS = "implicit" // from the first byte (RFC 8314)
)

func (ListenerTLS) choices() []string { return []string{"auto", "off", "implicit"} }

// ClientCertificate says whether clients are asked for a certificate.
type ClientCertificate string

// Whether clients are asked for a certificate.
const (
	ClientCertificateOff     ClientCertificate = ""
	ClientCertificateRequest ClientCertificate = "request" // they may have one
	ClientCertificateRequire ClientCertificate = "require" // they must have one
)

func (ClientCertificate) choices() []string { return []string{"request", "require"} }

// TLSVersion is a version of TLS.
type TLSVersion string

// The versions of TLS that are not broken.
const (
	TLSVersion12 TLSVersion = "1.2"
	TLSVersion13 TLSVersion = "1.3"
)

func (TLSVersion) choices() []string { return []string{"1.2", "1.3"} }

// TLSPolicy says what TLS a next hop must speak.
type TLSPolicy string

// What TLS a next hop must speak. The empty policy of a [Route] stands for the
// one of [Delivery].
const (
	TLSOff           TLSPolicy = "off"           // none
	TLSOpportunistic TLSPolicy = "opportunistic" // where it is offered
	TLSEncrypted     TLSPolicy = "encrypted"     // always, whatever the certificate
	TLSVerified      TLSPolicy = "verified"      // always, with a valid certificate for the host
	TLSDANE          TLSPolicy = "dane"          // always, with TLSA records for the host (RFC 7672)
	TLSAuto          TLSPolicy = "auto"          // where it is offered, and what the domain publishes
)

func (TLSPolicy) choices() []string {
	return []string{"auto", "off", "opportunistic", "encrypted", "verified", "dane"}
}

// Validating says whether resolvers are trusted to check signatures.
type Validating string

// Whether resolvers are trusted to check signatures.
const (
	ValidatingAuto Validating = "auto" // where all are on this machine
	ValidatingYes  Validating = "yes"
	ValidatingNo   Validating = "no"
)

func (Validating) choices() []string { return []string{"auto", "yes", "no"} }

// EightBit says what happens to 8-bit messages where the next hop does not take
// them.
type EightBit string

// What happens to 8-bit messages where the next hop does not take them.
const (
	EightBitReturn EightBit = "return" // they go back (RFC 6152 section 3)
	EightBitSend   EightBit = "send"   // they are sent as they are
)

func (EightBit) choices() []string { return []string{"return", "send"} }

// BareNewline says what is done with a line that CR or LF alone ends.
type BareNewline string

// What is done with a line that CR or LF alone ends.
const (
	BareNewlineReject    BareNewline = "reject"    // refused
	BareNewlineNormalize BareNewline = "normalize" // taken as CRLF
)

func (BareNewline) choices() []string { return []string{"reject", "normalize"} }

// ListenerClass says what the clients of a listener are to admission.
type ListenerClass string

// What the clients of a listener are.
const (
	ListenerClassNone       ListenerClass = ""           // it is found out of each
	ListenerClassSubmission ListenerClass = "submission" // people and programs that send mail of their own
	ListenerClassKnown      ListenerClass = "known"      // servers that are expected
	ListenerClassControl    ListenerClass = "control"    // the relay's own, never refused for load
)

func (ListenerClass) choices() []string { return []string{"", "submission", "known", "control"} }

// AdmissionMode says whether admission refuses.
type AdmissionMode string

// Whether admission refuses.
const (
	AdmissionEnforce AdmissionMode = "enforce"
	AdmissionObserve AdmissionMode = "observe" // it counts only
)

func (AdmissionMode) choices() []string { return []string{"enforce", "observe"} }

// LogFormat is the form of the log.
type LogFormat string

// The forms of the log.
const (
	LogText LogFormat = "text" // key=value, for people
	LogJSON LogFormat = "json" // one object a line
)

func (LogFormat) choices() []string { return []string{"text", "json"} }

// ListenerAuth says whether clients of a listener may sign in.
type ListenerAuth string

// Whether clients of a listener may sign in.
const (
	ListenerAuthOff      ListenerAuth = "off"
	ListenerAuthOffered  ListenerAuth = "offered"
	ListenerAuthRequired ListenerAuth = "required" // before anything else
)

func (ListenerAuth) choices() []string { return []string{"off", "offered", "required"} }

// AuthMechanism is the name of a SASL mechanism.
type AuthMechanism string

func (AuthMechanism) choices() []string {
	return []string{"SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "EXTERNAL", "OAUTHBEARER", "XOAUTH2", "PLAIN", "LOGIN"}
}

// PlainTextMechanism is the name of a SASL mechanism that may be offered without TLS.
type PlainTextMechanism string

func (PlainTextMechanism) choices() []string { return []string{"SCRAM-SHA-256"} }

// CertificateName is the part of a client certificate that names the account.
type CertificateName string

// The parts of a client certificate that can name the account.
const (
	CertificateNameNone   CertificateName = ""
	CertificateNameEmail  CertificateName = "email"
	CertificateNameDNS    CertificateName = "dns"
	CertificateNameCommon CertificateName = "common"
)

func (CertificateName) choices() []string { return []string{"", "email", "dns", "common"} }
