package sockets

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestTheEnvironmentSaysWhatIsGiven(t *testing.T) {
	for _, test := range []struct {
		name    string
		environ []string
		trusted bool
		want    []string
	}{
		{"nothing", []string{"HOME=/"}, true, nil},
		{"as systemd does", []string{"LISTEN_PID=7", "LISTEN_FDS=2", "LISTEN_FDNAMES=public:weir.socket"}, false, []string{"public", "weir.socket"}},
		{"without names", []string{"LISTEN_PID=7", "LISTEN_FDS=2"}, false, []string{"", ""}},
		{"with few names", []string{"LISTEN_PID=7", "LISTEN_FDS=2", "LISTEN_FDNAMES=public"}, false, []string{"public", ""}},
		{"with too many", []string{"LISTEN_PID=7", "LISTEN_FDS=1", "LISTEN_FDNAMES=a:b"}, false, []string{"a"}},
		{"for another process", []string{"LISTEN_PID=8", "LISTEN_FDS=1"}, true, nil},
		{"for whoever", []string{"LISTEN_FDS=1"}, false, nil},
		{"by a relay", []string{"LISTEN_FDS=1", "LISTEN_FDNAMES=127.0.0.1%3A25"}, true, []string{"127.0.0.1:25"}},
	} {
		given, err := described(test.environ, 7, test.trusted)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
		}
		var got []string
		for _, g := range given {
			got = append(got, g.Name)
			if g.Kept == test.trusted {
				t.Errorf("%s: %q is kept: %v", test.name, g.Name, g.Kept)
			}
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s: %s", test.name, diff)
		}
	}
	for _, bad := range []string{"x", "-1", "1025", "1 "} {
		if _, err := described([]string{"LISTEN_PID=7", "LISTEN_FDS=" + bad}, 7, false); err == nil {
			t.Errorf("LISTEN_FDS=%q was believed", bad)
		}
	}
}

func TestTheChildHearsTheNames(t *testing.T) {
	want := []Given{{Name: "127.0.0.1:25"}, {Name: "[::1]:25", Kept: true}, {Name: "unix:/run/100%25:x"}, {Kept: true}}
	environ := Environment([]string{"LISTEN_PID=1", "LISTEN_FDS=9", "LISTEN_FDNAMES=old", "LISTEN_KEPT=0", "HOME=/"}, want)
	got, err := described(environ, 7, true)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(Given{}, "File")); diff != "" {
		t.Error(diff)
	}
	if len(environ) != 4 {
		t.Errorf("the old variables are there still: %q", environ)
	}
}
