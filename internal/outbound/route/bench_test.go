package route

import (
	"testing"

	"github.com/weirmail/weir/smtp"
)

// hot are the tables and paths of the way that every message takes.
func hot(tb testing.TB) map[string]func() bool {
	fixed := New(Options{
		Resolver: world(), Default: smarthost(),
		Rules: []Rule{{To: []string{"example.org", ".example.net"}, NextHops: hop("a")}},
	})
	asked := New(direct(world()))
	if _, err := asked.Lookup(tb.Context(), smtp.Path{}, to("example.org")); err != nil {
		tb.Fatal(err)
	}
	cached := func(table *Table, p smtp.Path) func() bool {
		return func() bool { _, ok := table.Cached(smtp.Path{}, p); return ok }
	}
	return map[string]func() bool{
		"rule":       cached(fixed, to("example.org")),
		"below":      cached(fixed, to("a.b.c.example.net")),
		"default":    cached(fixed, to("elsewhere.example")),
		"postmaster": cached(fixed, smtp.Path{Local: "postmaster"}),
		"direct":     cached(asked, to("example.org")),
	}
}

func TestCachedAllocatesNothing(t *testing.T) {
	for name, cached := range hot(t) {
		if !cached() {
			t.Errorf("%s: the route is not known", name)
		}
		if n := testing.AllocsPerRun(100, func() { cached() }); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func BenchmarkCached(b *testing.B) {
	for name, cached := range hot(b) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				cached()
			}
		})
	}
}
