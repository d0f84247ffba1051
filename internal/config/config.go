package config

import (
	"log/slog"
	"net/netip"
	"time"
)

// The comments of the fields below are the manual: they are printed by
// "weir config reference". The tags are read by the decoder:
//
//	toml     the key
//	unit     what a number counts, where its type does not say it
//	example  a value for the manual where the default is empty

// Config is everything that can be set. The zero value is not useful; start
// from [Default], [Dev] or [Load]. A Config is not changed once it is loaded,
// and may be read by many goroutines.
type Config struct {
	// The name of this relay, a fully qualified domain name. It is said in the
	// greeting and in EHLO, and written into Received lines and bounces. Other
	// servers compare it with the DNS. Without it, the name of the machine is
	// used.
	Hostname string `toml:"hostname" example:"mail.example.org"`

	// The folder of everything that Weir has to keep, first of all the queue.
	// Losing it is losing mail: in a container, put it on a volume. Without it,
	// systemd's STATE_DIRECTORY is used, and /var/lib/weir where there is none.
	StateDir string `toml:"state_dir"`

	Server

	// Servers that are tried when all of next_hop or smarthost cannot be reached,
	// or send the relay away before they have been given a message: one after the
	// other, with the user name and password of their own. A message is never
	// given to two servers because of that. A fallback without a login may be
	// written as its server alone: fallback = "smtp://backup.example.net". With
	// deliver = "direct", they are for domains whose own servers cannot be reached.
	Fallback []Fallback `toml:"fallback"`

	// What happens to mail that neither next_hop, smarthost nor a [[route]] covers.
	// Empty: it is kept in the queue, and weir says so. "direct": it is
	// delivered to the hosts that the DNS names for its domain.
	Deliver Deliver `toml:"deliver"`

	// The domains for which mail is taken from anyone, such as the domains of
	// the servers behind this one. ".example.org" means all names below
	// example.org. From the networks of [clients], mail to any domain is taken.
	AcceptFor []string `toml:"accept_for" example:"example.org"`

	// Who may send to anywhere, and how much one client may ask for. A client is
	// an IPv4 address, or the /64 of an IPv6 one, since that is what one site has.
	Clients Clients `toml:"clients"`

	// Where Weir listens for mail. One table for each address.
	Listeners []Listener `toml:"listener"`

	// Where the mail for some domains, or from some senders, goes. One table for
	// each. The most specific domain wins, whatever the order: example.org before
	// .example.org before .org before "*". Among the routes for the same domain the
	// most specific sender wins: news@example.org before example.org before
	// .example.org before a route for all senders. "weir config check --routes"
	// prints the order.
	Routes []Route `toml:"route"`

	// The keys by which mail is signed (DKIM). One table for each key. Mail is
	// signed by all keys whose domain is that of its From, where whoever sent it may
	// send as anybody: an account, or a client of [clients] allow. An account whose
	// senders are limited is signed for where From is of the domain of its
	// reverse-path. Mail of others is passed on as it is. "weir dkim generate"
	// makes a key, and "weir dkim check" looks whether the DNS has its record.
	DKIM []DKIM `toml:"dkim"`

	// How tokens are got that the relay signs in to servers with. One table for
	// each application that was registered at a provider.
	OAuthApps []OAuthApp `toml:"oauth_app"`

	// The TLS that the hosts of some domains must speak, where the DNS names the
	// hosts. One table for each group of domains; the most specific domain wins.
	TLSPolicies []TLSRule `toml:"tls_policy"`

	// Reports about TLS to the domains that want to hear of it (TLSRPT, RFC 8460).
	TLSReport TLSReport `toml:"tls_report"`

	// The certificates that listeners show.
	TLS TLS `toml:"tls"`

	// Who may sign in, and so send to anywhere from anywhere. Listeners offer it by
	// their key auth. docs/auth.md shows how it is set up.
	Auth Auth `toml:"auth"`

	// What is said and taken on the listeners.
	SMTP SMTP `toml:"smtp"`

	// When a delivery that failed for now is tried again.
	Retry Retry `toml:"retry"`

	// The notices that tell senders what became of their mail: that it came back, is
	// late, or was delivered.
	Notices Notices `toml:"notices"`

	// How mail is handed to other servers.
	Delivery Delivery `toml:"delivery"`

	// How much work is taken on at once. Without any of these, Weir finds it
	// out: it measures delay and what is left of memory, disk and descriptors,
	// and sends away, with 421 and a time to come back, what it could not do.
	// How much of the disk stays free is said by [spool] reserve_disk.
	Admission Admission `toml:"admission"`

	// Whether clients that were never seen before are put off once (RFC 6647).
	Greylist Greylist `toml:"greylist"`

	// What some destinations bear, where Weir is not to find it out by itself. One
	// table for each.
	Lanes []Lane `toml:"lane"`

	// Where names are looked up.
	DNS DNS `toml:"dns"`

	// The queue on disk. The defaults fit a machine with 256 MiB and more.
	Spool Spool `toml:"spool"`

	// How the running relay is watched and steered.
	Admin Admin `toml:"admin"`

	// How the relay starts and stops.
	Lifecycle Lifecycle `toml:"lifecycle"`

	// What is written about the work.
	Log Log `toml:"log"`

	// Dev is set by [Dev] alone and has no key: the relay delivers into its
	// built-in inbox, and says on its page that it is not for production.
	Dev bool `toml:"-"`
}

// Clients says which clients are trusted to send to anywhere, and how much one
// client may ask for.
type Clients struct {
	// The networks whose clients may send to any domain. A network is written
	// with its length (192.0.2.0/24), a single address without. Behind a load
	// balancer or in a cluster the address of the world may look like a
	// private one, so private networks are not trusted unless they stand here.
	Allow []netip.Prefix `toml:"allow"`

	// Says that networks as wide as the Internet in allow are meant. Whoever
	// reaches a listener may then send to anyone, in the name of this server.
	OpenRelay bool `toml:"open_relay"`

	// The networks whose clients are known, such as one's own other servers:
	// when there is more work than can be done, they are sent away after those
	// that are not. Those of allow are known as well; to be known alone does not
	// let a client send to anywhere.
	Known []netip.Prefix `toml:"known" example:"198.51.100.0/24"`

	// The networks whose clients none of the limits below hold for. To be in
	// allow or in known does not lift them.
	Exempt []netip.Prefix `toml:"exempt" example:"198.51.100.9"`

	Limits

	// The same limits for a network as a whole, which many clients share: the
	// /24 of an IPv4 address, the /48 of an IPv6 one.
	Network Limits `toml:"network"`

	// How much one account may send, wherever it signs in from. These hold for
	// the networks of exempt, too.
	Account AccountLimits `toml:"account"`
}

// Listener is one address on which mail is taken.
type Listener struct {
	// What the listener is called in the log and in metrics. Without it, its
	// address is its name.
	Name string `toml:"name" example:"public"`

	// The address and port, "127.0.0.1:2525", ":25" for all addresses, or
	// "unix:/path/of/socket". Ports below 1024 need a permission that the
	// packages and the image set up.
	Address string `toml:"address"`

	// "smtp": mail of other servers, as on port 25. "submission": mail of people
	// and programs of one's own, with STARTTLS, as on port 587; "submissions": the
	// same with TLS from the first byte, as on port 465. What such mail lacks, a
	// Date or a Message-ID, is added; to other mail nothing is. "lmtp": another
	// mail server hands mail to this one and wants an answer for each recipient.
	Protocol Protocol `toml:"protocol"`

	// "auto" offers STARTTLS when there is a certificate, "off" never does,
	// "implicit" speaks TLS from the first byte, as "submissions" always does.
	TLS ListenerTLS `toml:"tls"`

	// Who may open a Unix socket: the permissions, as chmod writes them. Without
	// it, those that the system gives (umask).
	Mode FileMode `toml:"mode" example:"0660"`

	// Whom a Unix socket belongs to: "user", "user:group" or ":group". Only root
	// may give it to another user, and its owner to a group of its own.
	Owner string `toml:"owner" example:":postfix"`

	// The networks of proxies that may say, by XCLIENT, on whose behalf they
	// speak. Whoever they name is believed: its address decides what it may do,
	// and its login counts as one that Weir has checked itself.
	XCLIENT []netip.Prefix `toml:"xclient" example:"192.0.2.10"`

	// The files of the certificates that this listener shows in place of those of
	// [tls].
	Certificate []string `toml:"certificate" example:"/etc/weir/tls/fullchain.pem"`

	// The files of their keys, in the same order.
	Key []string `toml:"key" example:"/etc/weir/tls/privkey.pem"`

	// Whether clients are asked for a certificate; without it, no. "request": they may
	// show one of an authority of client_ca, and one of another ends the
	// handshake. "require": without one there is no session. On a listener of
	// port 25 other servers would be shut out by it.
	ClientCertificate ClientCertificate `toml:"client_certificate" example:"request"`

	// The file of the authorities that clients' certificates must be from, in PEM.
	ClientCA string `toml:"client_ca" example:"/etc/weir/tls/clients.pem"`

	// Whether clients may sign in, as [auth] says. "off": AUTH is not there.
	// "offered": who signs in may send to anywhere, and others may send to the
	// domains that mail is taken for. "required": nobody sends anything before, as
	// mail clients expect it; without this key, that holds for "submission" and
	// "submissions".
	Auth ListenerAuth `toml:"auth"`

	// What clients of this listener are when there is more work than can be
	// done. Empty: it is found out of each, and a Unix socket is "control".
	// "submission": people and programs that send mail of their own, refused
	// late. "known": servers that are expected, such as one's own, refused
	// before those. "control": never refused for load, for health checks and
	// the machine's own mail.
	Class ListenerClass `toml:"class"`

	// The networks of the load balancers or proxies in front of this listener
	// that send the PROXY protocol, version 1 or 2. Each of their connections
	// must begin with its header, and the client is who the header says: they
	// are believed whatever they say. From elsewhere nothing of the kind is
	// taken.
	ProxyProtocol []netip.Prefix `toml:"proxy_protocol" example:"10.0.0.0/28"`
}

// Route is where the mail for some domains, or from some senders, goes.
type Route struct {
	// The domains of the recipients: "example.org" is that domain alone,
	// ".example.org" are all names below it, "*" is every domain that no other
	// route names. Without it, "*".
	To []string `toml:"to" example:"example.org"`

	// The senders (reverse-paths): "news@example.org" is that address,
	// "example.org" all of the domain, ".example.org" all of the domains below it,
	// "<>" the empty sender of notices. Without it, all.
	From []string `toml:"from" example:"news@example.org"`

	Server

	// Servers that are tried when all of next_hop or smarthost cannot be reached,
	// as at the top of the file.
	Fallback []Fallback `toml:"fallback"`

	// The TLS that these servers must speak, as in [delivery] tls; without it,
	// that one holds.
	TLS TLSPolicy `toml:"tls" example:"verified"`

	HopTLS
}

// HopTLS is what is shown to other servers, and who vouches for them. That of a
// route goes before that of all mail.
type HopTLS struct {
	// The file of the authorities that certificates of other servers have to be
	// from, in PEM, in place of those that the system trusts.
	TLSCA string `toml:"tls_ca" example:"/etc/weir/tls/partners-ca.pem"`

	// The file of the certificate that is shown to other servers which ask for one,
	// with those between it and the authority, in PEM. It is read again when it
	// changes.
	ClientCertificate string `toml:"client_certificate" example:"/etc/weir/client/fullchain.pem"`

	// The file of the key that belongs to it. Only Weir should be able to read it.
	ClientKey string `toml:"client_key" example:"/etc/weir/client/privkey.pem"`
}

// DKIM is a key by which mail is signed.
type DKIM struct {
	// The domain that answers for the mail: that of the address in From. Names below
	// it are other domains, with keys of their own.
	Domain string `toml:"domain" example:"example.org"`

	// The name of the key. Its record is in the DNS at
	// SELECTOR._domainkey.DOMAIN. Each key of a domain has another one, so that a new
	// key can be published before the old one is taken away.
	Selector string `toml:"selector" example:"s2026"`

	// The file of the private key: RSA of at least 2048 bits, or Ed25519, in PEM. It
	// is read again when it changes. Only Weir should be able to read it. Mail that
	// cannot be signed waits; it is never sent unsigned.
	KeyFile string `toml:"key_file" example:"/etc/weir/dkim/example.org.s2026.pem"`

	// The names of the header fields to sign in place of the usual ones: From, To,
	// Cc, Subject, Reply-To, Date, Message-ID and the like, and those of MIME and of
	// lists. From is always signed. Of those that stand here, nobody can add one more
	// without breaking the signature.
	Headers []string `toml:"headers" example:"From"`

	// How long a signature holds. It should be longer than [retry] expire.
	// 0 is for ever, as is usual.
	Expire time.Duration `toml:"expire"`
}

// TLSRule is the TLS that the hosts of some domains must speak.
type TLSRule struct {
	// The domains: "example.org" is that domain alone, ".example.org" are all
	// names below it.
	To []string `toml:"to" example:"example.org"`

	// The TLS, as in [delivery] tls. "opportunistic" delivers to a domain whose own
	// DANE records or MTA-STS policy are broken.
	TLS TLSPolicy `toml:"tls" example:"verified"`
}

// TLSReport is the reports about TLS to the domains that want to hear of it.
type TLSReport struct {
	// The address that reports come from. Without it none are sent: a report needs
	// somebody who answers for it, and its domain should be one that mail is signed
	// for ([[dkim]]), since reports that are not signed are not believed.
	From string `toml:"from" example:"tls-reports@example.org"`

	// How whoever runs this relay is reached, as reports say: an address, mostly.
	// Without it, from.
	Contact string `toml:"contact" example:"postmaster@example.org"`

	// The name of who runs this relay, as reports say. Without it, hostname.
	Organization string `toml:"organization" example:"Example Ltd."`
}

// TLS is the certificates that listeners show.
type TLS struct {
	// The files of the certificates, each with those between it and the authority,
	// in PEM, the server's own first. A client is shown the first that is for the
	// name that it asks for and that it can use, or else the first of all. The
	// files are followed: a new certificate is shown without a restart. Without
	// any, TLS is not offered.
	Certificate []string `toml:"certificate" example:"/etc/weir/tls/fullchain.pem"`

	// The files of the private keys that belong to them, in PEM, in the same
	// order. Only Weir should be able to read them.
	Key []string `toml:"key" example:"/etc/weir/tls/privkey.pem"`

	// The oldest version of TLS that clients may use: "1.2" or "1.3". Mail servers
	// that know no newer one than 1.2 are many, and would send in the clear.
	MinVersion TLSVersion `toml:"min_version"`

	// Certificates that Weir gets and renews by itself, from an authority that
	// speaks ACME (RFC 8555), such as Let's Encrypt.
	ACME ACME `toml:"acme"`
}

// ACME is certificates that are got and renewed by ACME.
type ACME struct {
	// The names that certificates are got for. Without any, ACME is not used.
	// They must lead to this machine in the DNS, since the authority looks there.
	Names []string `toml:"names" example:"mail.example.org"`

	// Says that the terms of the authority have been read and are accepted. It has
	// to be true where names are set.
	AcceptTerms bool `toml:"accept_terms" example:"true"`

	// The address by which the authority can reach whoever runs this relay.
	Email string `toml:"email" example:"postmaster@example.org"`

	// The directory of the authority.
	Directory string `toml:"directory"`

	// The file of the authority that vouches for the directory itself, in PEM,
	// where it is one of one's own. Without it, those that the system trusts.
	CA string `toml:"ca" example:"/etc/weir/tls/acme-ca.pem"`

	// The address that answers the authority (HTTP-01) while a certificate is got,
	// and is closed otherwise. From outside it has to be reached on port 80.
	HTTP01 string `toml:"http01"`

	// The key of an account with the authority, where it wants one (external
	// account binding): its id, and the key itself as the authority writes it.
	KeyID string `toml:"key_id" example:"kid-1"`

	// The key that belongs to key_id, in base64url.
	KeyMAC Secret `toml:"key_mac" example:"zWNDZM6eQGHWpSRT"`
}

// SMTP is what is said and taken on the listeners.
type SMTP struct {
	// The largest message that is taken. It is advertised in EHLO. A larger one
	// is refused with 552 5.3.4.
	MaxMessageSize Size `toml:"max_message_size"`

	// How many recipients one message may have. Those beyond are refused with
	// 452 4.5.3, so that the client sends them in a second message. RFC 5321
	// asks for at least 100.
	MaxRecipients int `toml:"max_recipients" unit:"recipients"`

	// How many Received lines a message may carry. One with more has gone in a
	// circle, and is refused with 554 5.4.6. RFC 5321 asks for at least 100.
	MaxReceived int `toml:"max_received" unit:"lines"`

	// How many mistakes a client may make before its connection is closed with
	// 421. 0 is no limit.
	MaxErrors int `toml:"max_errors" unit:"errors a connection"`

	// How many messages a client may send over one connection before it is
	// closed with 421. The answer to EHLO says so (LIMITS MAILMAX, RFC 9422).
	// 0 is no limit.
	MaxTransactions int `toml:"max_transactions" unit:"messages a connection"`

	// What is done with a line that ends in LF or CR alone, which is never legal
	// and lets messages be smuggled past other servers. "reject" refuses it,
	// "normalize" takes it as the end of a line, but in content that comes by
	// BDAT, whose octets are counted. docs/smtp.md has the whole of it.
	BareNewline BareNewline `toml:"bare_newline"`

	// What answers a parameter of MAIL or RCPT that is not offered: 504, which
	// says what is, or 555, the code that RFC 5321 section 4.1.1.11 has for it.
	// The text is the same.
	UnrecognizedParameter ParameterCode `toml:"unrecognized_parameter"`

	// How long clients that may send to anywhere can have a message held before
	// it is sent (FUTURERELEASE, RFC 4865). It is advertised in EHLO. 0 does not
	// offer it.
	FutureRelease time.Duration `toml:"future_release"`

	// The least time in which a client can ask for a message to be delivered or
	// else returned (DELIVERBY, RFC 2852). A shorter one is refused with 501.
	// 0 names none.
	DeliverByMin time.Duration `toml:"deliver_by_min"`

	// How long a client may take to send its next command. RFC 5321 asks for at
	// least 5 minutes.
	CommandTimeout time.Duration `toml:"command_timeout"`

	// How long a client may pause while it sends a message. RFC 5321 lets clients
	// wait 3 minutes for a part of theirs to get through.
	DataTimeout time.Duration `toml:"data_timeout"`
}

// Retry is the timetable of deliveries that failed for now.
type Retry struct {
	// The wait after the first failure. It grows with each further one. Every
	// wait is varied at random, so that mail held back together does not come
	// back together.
	First time.Duration `toml:"first"`

	// The longest wait between two attempts.
	Max time.Duration `toml:"max"`

	// How long a message is tried before it goes back to its sender.
	Expire time.Duration `toml:"expire"`

	// When the sender is told that the message is late but still being tried.
	// 0 keeps silent.
	DelayNotice time.Duration `toml:"delay_notice"`
}

// Notices are what senders are told about their mail.
type Notices struct {
	// The languages that notices are written in, as the tags of the catalogue have
	// them: "en", "ja", "zh-Hans". A notice in several has its text in each of them,
	// in that order. Programs read the same in every one.
	Language []string `toml:"language"`

	// Languages for the senders of some domains. One table for each group of
	// domains; the most specific domain wins.
	Domains []NoticeDomain `toml:"domain"`
}

// NoticeDomain is the languages for the senders of some domains.
type NoticeDomain struct {
	// The domains of the reverse-path, which the notice goes to: "example.org" is
	// that domain alone, ".example.org" are all names below it.
	Of []string `toml:"of" example:"example.org"`

	// The languages for them, as above.
	Language []string `toml:"language" example:"ja"`
}

// Delivery is how mail is handed to other servers.
type Delivery struct {
	// The TLS that other servers must speak. "auto": TLS where it is offered, and
	// what the domain of the recipient asks for beyond that, by DANE or MTA-STS,
	// where the DNS names the hosts. "off": none. "opportunistic": TLS where it is
	// offered, whatever the domain asks for. "encrypted": never without TLS,
	// whoever shows what certificate. "verified": never without TLS and a valid
	// certificate for the name of the host. "dane": never without TLS and TLSA
	// records for the host, which [dns] validating has to allow. A [[route]] or a
	// [[tls_policy]] may say otherwise. docs/tls.md explains it.
	TLS TLSPolicy `toml:"tls"`

	HopTLS

	// What happens to a message with letters beyond ASCII that are not encoded,
	// where the other server does not offer 8BITMIME and so may break them.
	// "return": it goes back to its sender with 5.6.3. "send": it is sent all the
	// same, as many servers do, and RFC 6152 forbids. Weir changes no message.
	EightBit EightBit `toml:"eight_bit"`

	// How many connections may be open to one destination at once.
	Connections int `toml:"connections" unit:"connections"`

	// How many messages go over one connection before a new one is made.
	// 0 is no limit.
	TransactionsPerConnection int `toml:"transactions_per_connection" unit:"messages"`

	// How old a connection may become before a new one is made. 0 is no limit.
	ConnectionAge time.Duration `toml:"connection_age"`

	// How long a connection is kept open with nothing to send.
	Idle time.Duration `toml:"idle"`

	// The addresses of this machine that connections are made from. Of several of
	// a kind, IPv4 or IPv6, each destination has one, always the same, so that
	// what one of them has earned there stays with it. Without one, the system
	// chooses.
	SourceAddress []netip.Addr `toml:"source_address" example:"192.0.2.25"`

	// The name said in EHLO. Without it, hostname.
	EHLO string `toml:"ehlo" example:"out.example.org"`
}

// DNS is where names are looked up.
type DNS struct {
	// The resolvers to ask, in their order, each an address with or without a
	// port (53). Without one, those of /etc/resolv.conf.
	Servers []netip.AddrPort `toml:"servers" example:"127.0.0.1"`

	// Whether these resolvers check signatures (DNSSEC), and can be believed when
	// they say so. "yes": they are believed. "no": they are not, and DANE has no
	// say. "auto": they are where all of them are on this machine, such as an
	// unbound of one's own: nobody on the way can change what they say.
	Validating Validating `toml:"validating"`
}

// Spool is the queue on disk.
type Spool struct {
	// How much is kept in memory before it is written out in order. Mail that
	// is delivered sooner is written only once. Twice this is taken. Raise it
	// to 64MiB where much mail waits.
	Memtable Size `toml:"memtable"`

	// The least time between two flushes of the disk. Messages that arrive in
	// between share the next one. Each 250 still waits for its own data.
	MinSyncInterval time.Duration `toml:"min_sync_interval"`

	// Messages from this size on get a file of their own.
	LargeBody Size `toml:"large_body"`

	// How much of the disk must stay free. With less, mail is refused with
	// 452 4.3.1 while delivery goes on. 0 keeps nothing free.
	ReserveDisk Size `toml:"reserve_disk"`
}

// Admin is how the running relay is watched and steered.
type Admin struct {
	// The Unix socket on which "weir queue" and the other commands reach the
	// relay. Whoever may open it may steer the relay.
	Socket string `toml:"socket"`

	// The address of the page and of the health checks. It has no sign-in, so
	// it has to be a loopback address. Empty: no page.
	HTTP string `toml:"http"`
}

// Lifecycle is how the relay starts and stops.
type Lifecycle struct {
	// How long transactions may go on after the relay has been told to stop.
	// Idle clients hear 421 at once. The service manager has to wait longer
	// than this before it kills.
	Grace time.Duration `toml:"grace"`

	// How long mail is still taken after the relay has been told to stop, while
	// it says that it is not ready. It gives load balancers the time to notice.
	LameDuck time.Duration `toml:"lame_duck"`

	// When the relay is in maintenance: new work is sent away with 421 and the
	// time to come back, what is in progress ends, and delivery goes on. "weir
	// drain" does the same at once. One table for each window.
	Windows []Window `toml:"window"`
}

// Log is what is written about the work, to the standard error output.
type Log struct {
	// "text" for people, "json" for machines.
	Format LogFormat `toml:"format"`

	// The least important lines that are written: debug, info, warn or error.
	Level slog.Level `toml:"level"`

	// Whether the log names the accounts that sign in. With false it has *** in
	// their place.
	Accounts bool `toml:"accounts"`
}
