package architecture

import "strings"

// module is the path that our own imports begin with.
const module = "github.com/weirmail/weir/"

// rule is what the code of a package, its tests apart, may import.
type rule struct {
	ours      []string // packages of this module
	libraries []string // modules of others
	any       bool     // everything of ours: for those who put the parts together
}

// vocabulary is the words that the rooms share. They do no work, so whoever
// may speak of mail may use all of them.
var vocabulary = []string{"reply", "smtp", "internal/mail"}

// rules is the table. A new package is added here, with as few arrows as it
// can live with.
var rules = map[string]rule{
	// Public: any Go program could import them; they know nothing of the rooms.
	"reply":                  {},
	"reply/catalog":          {ours: []string{"reply", "reply/catalog/classify"}, libraries: []string{"github.com/pelletier/go-toml/v2"}},
	"reply/catalog/classify": {ours: []string{"reply"}},
	"smtp":                   {ours: []string{"reply"}},
	"smtpserver":             {ours: []string{"smtp", "reply"}},
	"smtpclient":             {ours: []string{"smtp", "reply"}, libraries: []string{"github.com/xdg-go/scram"}},
	"smtptest":               {ours: []string{"smtp", "reply"}},

	// The nouns, and what happens to them.
	"internal/mail":          {ours: []string{"smtp", "reply"}, libraries: []string{"github.com/oklog/ulid/v2"}},
	"internal/event":         {ours: vocabulary},
	"internal/event/metrics": {ours: with(vocabulary, "internal/event"), libraries: []string{"github.com/prometheus/client_golang"}},

	// Room 1.
	"internal/inbound":           {ours: with(vocabulary, "smtpserver", "internal/event", "internal/spool", "internal/inbound/admission", "internal/inbound/policy", "internal/inbound/auth")},
	"internal/inbound/admission": {ours: []string{"reply"}},
	"internal/inbound/policy":    {ours: with(vocabulary, "internal/dns"), libraries: []string{"github.com/gaissmai/bart"}},
	"internal/inbound/auth":      {ours: vocabulary, libraries: []string{"github.com/go-ldap/ldap/v3", "github.com/xdg-go/scram", "github.com/xdg-go/stringprep", "golang.org/x/crypto", "golang.org/x/sync"}},

	// Room 2.
	"internal/spool":           {ours: vocabulary},
	"internal/spool/disk":      {ours: with(vocabulary, "internal/spool", "internal/vfs"), libraries: []string{"github.com/cockroachdb/pebble/v2"}},
	"internal/spool/spooltest": {ours: with(vocabulary, "internal/spool"), libraries: []string{"github.com/google/go-cmp"}},

	// Room 3.
	"internal/outbound":         {ours: with(vocabulary, "smtpclient", "internal/event", "internal/spool", "internal/outbound/...")},
	"internal/outbound/route":   {ours: with(vocabulary, "smtpclient", "internal/dns", "internal/outbound/profile", "internal/outbound/mtasts", "internal/outbound/dane")},
	"internal/outbound/profile": {libraries: []string{"github.com/pelletier/go-toml/v2"}},
	"internal/outbound/mtasts":  {ours: []string{"internal/dns"}, libraries: []string{"golang.org/x/sync"}},
	"internal/outbound/tlsrpt":  {ours: []string{"smtp"}},
	"internal/outbound/dane":    {ours: []string{"internal/dns"}},
	"internal/outbound/lane":    {ours: with(vocabulary, "internal/event")},
	"internal/outbound/attempt": {ours: with(vocabulary, "smtpclient", "internal/event", "internal/outbound/verdict", "internal/outbound/peer", "internal/outbound/dane")},
	"internal/outbound/peer":    {ours: with(vocabulary, "internal/spool")},
	"internal/outbound/verdict": {ours: with(vocabulary, "reply/catalog/classify")},
	"internal/outbound/retry":   {ours: vocabulary},
	"internal/outbound/sign":    {ours: with(vocabulary, "internal/dkim", "internal/dns")},
	"internal/outbound/bounce":  {ours: with(vocabulary, "reply/catalog", "reply/catalog/classify", "internal/prose")},

	// The world outside, each behind one door.
	"internal/dns":         {libraries: []string{"github.com/miekg/dns", "github.com/maypok86/otter/v2", "golang.org/x/net", "golang.org/x/sync"}},
	"internal/vfs":         {libraries: []string{"github.com/cockroachdb/pebble/v2", "golang.org/x/sys"}},
	"internal/config":      {ours: []string{"internal/dkim", "internal/smarthost", "reply/catalog"}, libraries: []string{"github.com/pelletier/go-toml/v2"}},
	"internal/dkim":        {},
	"internal/prose":       {libraries: []string{"golang.org/x/text"}},
	"internal/smarthost":   {libraries: []string{"github.com/pelletier/go-toml/v2"}},
	"internal/oauth":       {libraries: []string{"golang.org/x/oauth2", "golang.org/x/crypto"}},
	"internal/resources":   {libraries: []string{"golang.org/x/sys"}},
	"internal/certificate": {libraries: []string{"github.com/fsnotify/fsnotify"}},
	"internal/acme":        {libraries: []string{"github.com/caddyserver/certmagic", "github.com/mholt/acmez/v3", "go.uber.org/zap"}},
	"internal/proxy":       {libraries: []string{"github.com/pires/go-proxyproto"}},
	"internal/sockets":     {libraries: []string{"golang.org/x/sys"}},
	"internal/systemd":     {libraries: []string{"golang.org/x/sys"}},

	// What people look at. It declares the interfaces that it needs, and does
	// not know who is behind them.
	"internal/admin":      {ours: with(vocabulary, "internal/event", "internal/admin/api")},
	"internal/admin/api":  {ours: vocabulary},
	"internal/codes":      {ours: []string{"reply", "reply/catalog", "reply/catalog/classify"}},
	"internal/codes/wasm": {ours: []string{"internal/codes"}},
	"internal/inbox":      {ours: []string{"smtpserver", "smtp", "reply"}, libraries: []string{"github.com/emersion/go-message", "golang.org/x/net", "golang.org/x/text"}},

	// Who puts it together.
	"internal/relay":        {any: true, libraries: []string{"github.com/gaissmai/bart", "golang.org/x/sync"}},
	"internal/architecture": {},
	"cmd/weir":              {any: true, libraries: []string{"github.com/alecthomas/mango-kong", "github.com/muesli/roff", "github.com/willabides/kongplete", "github.com/alecthomas/kong", "golang.org/x/term", "golang.org/x/text"}},
	"bench/...":             {any: true, libraries: []string{"github.com/cockroachdb/pebble/v2", "golang.org/x/sys", "golang.org/x/sync"}},
	"test/...":              {any: true, libraries: []string{"github.com/miekg/dns", "github.com/google/go-cmp", "github.com/rogpeppe/go-internal", "github.com/chromedp/chromedp", "github.com/chromedp/cdproto", "go.uber.org/goleak", "golang.org/x/sync"}},
}

// apart are packages that never import each other, not even in their tests:
// the rooms meet at the spool alone.
var apart = [][2]string{
	{"internal/inbound", "internal/outbound"},
}

// relayReaders are the only ones who may import internal/relay, which knows
// everyone.
var relayReaders = []string{"cmd/weir", "test/..."}

// forbidden are packages of the standard library that the daemon does without,
// and why.
var forbidden = map[string]string{
	"C":             "the binary is static",
	"unsafe":        "memory stays safe",
	"os/exec":       "nothing that a peer sends can reach a shell",
	"net/textproto": "what a peer sends is parsed by package smtp, which is strict and has limits",
	"net/mail":      "what a peer sends is not parsed by a package without limits",
	"net/smtp":      "package smtpclient speaks SMTP",
}

// tools are not the daemon; they may start programs.
var tools = []string{"bench/...", "test/...", "internal/architecture"}

// with appends to a list without touching it.
func with(list []string, more ...string) []string {
	return append(append([]string{}, list...), more...)
}

// ruleFor finds the rule of a package: its own, or that of its folder.
func ruleFor(path string) (rule, bool) {
	if r, ok := rules[path]; ok {
		return r, true
	}
	for pattern, r := range rules {
		if strings.HasSuffix(pattern, "/...") && matches(path, pattern) {
			return r, true
		}
	}
	return rule{}, false
}

// matches says whether a path is a pattern, or below it where that ends in
// "/...".
func matches(path, pattern string) bool {
	folder, tree := strings.CutSuffix(pattern, "/...")
	return path == folder || tree && strings.HasPrefix(path, folder+"/")
}

// matchesAny says whether a path matches one of the patterns.
func matchesAny(path string, patterns []string) bool {
	for _, p := range patterns {
		if matches(path, p) {
			return true
		}
	}
	return false
}
