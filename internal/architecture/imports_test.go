package architecture

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/fstest"
)

func TestPackagesImportOnlyWhatTheTableAllows(t *testing.T) {
	for _, problem := range importProblems(scan(t, os.DirFS("../.."))) {
		t.Error(problem)
	}
}

// importProblems lists the imports that break a rule.
func importProblems(sources []source) []string {
	var problems []string
	unknown := map[string]bool{}
	for _, s := range sources {
		r, known := ruleFor(s.folder)
		if !known && !unknown[s.folder] {
			unknown[s.folder] = true
			problems = append(problems, fmt.Sprintf("%s stands in no table: say in rules, in internal/architecture/rules_test.go, what it may import", s.folder))
		}
		for _, path := range s.imports() {
			if why := refuse(s, r, known, path); why != "" {
				problems = append(problems, fmt.Sprintf("%s/%s imports %s: %s", s.folder, s.name, path, why))
			}
		}
	}
	return problems
}

// refuse says why a file may not import a package, or nothing.
func refuse(s source, r rule, known bool, path string) string {
	if ours, ok := strings.CutPrefix(path, module); ok {
		return refuseOurs(s, r, known, ours)
	}
	switch reason, bad := forbidden[path]; {
	case s.test:
		return ""
	case bad && !matchesAny(s.folder, tools):
		return reason
	case known && isLibrary(path) && !usesLibrary(r, path):
		return "rules does not name this library for the package"
	}
	return ""
}

// refuseOurs says why a file may not import a package of this module.
func refuseOurs(s source, r rule, known bool, ours string) string {
	for _, pair := range apart {
		if matches(s.folder, pair[0]+"/...") && matches(ours, pair[1]+"/...") ||
			matches(s.folder, pair[1]+"/...") && matches(ours, pair[0]+"/...") {
			return "the rooms meet at the spool alone"
		}
	}
	switch {
	case ours == "internal/relay" && s.folder != ours && !matchesAny(s.folder, relayReaders):
		return "it knows everyone, so nobody may know it but the program and its tests"
	case s.test || !known || r.any || ours == s.folder:
		return ""
	case !matchesAny(ours, r.ours):
		return "rules draws no such arrow"
	}
	return ""
}

// isLibrary says whether an import is neither ours nor of the standard library.
func isLibrary(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return strings.Contains(first, ".")
}

// usesLibrary says whether a rule names the module of an import.
func usesLibrary(r rule, path string) bool {
	for _, m := range r.libraries {
		if path == m || strings.HasPrefix(path, m+"/") {
			return true
		}
	}
	return false
}

// The test can fail: each of these is found.
func TestForbiddenImportsAreFound(t *testing.T) {
	for _, test := range []struct{ file, path, want string }{
		{"reply/a.go", module + "smtp", "no such arrow"},
		{"smtp/a.go", module + "internal/mail", "no such arrow"},
		{"smtpserver/a.go", module + "smtpclient", "no such arrow"},
		{"internal/inbound/a.go", module + "internal/outbound", "the rooms meet at the spool"},
		{"internal/inbound/policy/a_test.go", module + "internal/outbound/retry", "the rooms meet at the spool"},
		{"internal/outbound/lane/a.go", module + "internal/inbound/policy", "the rooms meet at the spool"},
		{"internal/outbound/retry/a.go", module + "internal/dns", "no such arrow"},
		{"internal/admin/a.go", module + "internal/spool", "no such arrow"},
		{"internal/spool/disk/a.go", module + "internal/config", "no such arrow"},
		{"internal/inbox/a.go", module + "internal/relay", "knows everyone"},
		{"internal/mail/a_test.go", module + "internal/relay", "knows everyone"},
		{"bench/relay/main.go", module + "internal/relay", "knows everyone"},
		{"internal/spool/a.go", "github.com/cockroachdb/pebble/v2", "does not name this library"},
		{"internal/spool/disk/a.go", "github.com/cockroachdb/pebble", "does not name this library"},
		{"internal/relay/a.go", "github.com/nats-io/nats.go", "does not name this library"},
		{"internal/relay/a.go", "os/exec", "shell"},
		{"cmd/weir/a.go", "unsafe", "safe"},
		{"internal/inbox/a.go", "net/mail", "limits"},
		{"smtpclient/a.go", "net/textproto", "strict"},
		{"smtpclient/a.go", "C", "static"},
		{"internal/newcomer/a.go", "fmt", "stands in no table"},
		{"cmd/other/main.go", "fmt", "stands in no table"},
	} {
		problems := importProblems(scan(t, oneFile(test.file, test.path)))
		if len(problems) != 1 || !strings.Contains(problems[0], test.want) {
			t.Errorf("%s importing %s: got %q, want one problem: %s", test.file, test.path, problems, test.want)
		}
	}
}

// And it does not find what is right.
func TestAllowedImportsAreSilent(t *testing.T) {
	for _, test := range []struct{ file, path string }{
		{"smtp/a.go", module + "reply"},
		{"smtp/a_test.go", module + "internal/mail"},
		{"internal/inbound/a.go", module + "internal/spool"},
		{"internal/outbound/a.go", module + "internal/outbound/lane"},
		{"internal/spool/disk/a.go", "github.com/cockroachdb/pebble/v2/vfs"},
		{"internal/spool/a_test.go", "github.com/google/go-cmp/cmp"},
		{"internal/relay/a.go", module + "internal/inbound"},
		{"cmd/weir/a.go", module + "internal/relay"},
		{"test/restart/a_test.go", module + "internal/relay"},
		{"test/restart/a.go", "os/exec"},
		{"smtp/a_test.go", "os/exec"},
		{"bench/relay/main.go", "unsafe"},
		{"internal/testdata/x/a.go", "C"},
		{".hidden/a.go", "C"},
	} {
		if problems := importProblems(scan(t, oneFile(test.file, test.path))); len(problems) > 0 {
			t.Errorf("%s importing %s: %q", test.file, test.path, problems)
		}
	}
}

// oneFile is a module of one file with one import.
func oneFile(name, path string) fstest.MapFS {
	return fstest.MapFS{name: {Data: []byte("package x\n\nimport _ \"" + path + "\"\n")}}
}
