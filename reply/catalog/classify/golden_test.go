package classify

import (
	"bufio"
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/weirmail/weir/reply"
)

// goldenReply is a reply from a public source with what a person says it means.
type goldenReply struct {
	class        reply.Class
	reason       Reason
	hint         time.Duration
	source, text string
}

// half tells which half of the set a reply is in: rules were written from half
// A, and half B is what they are measured with.
func (g *goldenReply) half() string {
	h := fnv.New32a()
	h.Write([]byte(g.text))
	return []string{"A", "B"}[h.Sum32()>>7&1]
}

func readGolden(t *testing.T) (all []goldenReply) {
	t.Helper()
	names, err := filepath.Glob("testdata/golden/*.tsv")
	if err != nil || len(names) == 0 {
		t.Fatalf("no golden files: %v", err)
	}
	for _, name := range names {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		lines := bufio.NewScanner(f)
		for n := 1; lines.Scan(); n++ {
			if strings.HasPrefix(lines.Text(), "#") {
				continue
			}
			g, err := parseGolden(lines.Text())
			if err != nil {
				t.Fatalf("%s:%d: %v", name, n, err)
			}
			all = append(all, g)
		}
	}
	return all
}

func parseGolden(line string) (g goldenReply, err error) {
	fields := strings.Split(line, "\t")
	if len(fields) != 5 || len(fields[0]) != 1 || !strings.HasPrefix(fields[3], "http") {
		return g, fmt.Errorf("not class, reason, hint, source and text: %q", line)
	}
	g = goldenReply{class: reply.Class(fields[0][0] - '0'), source: fields[3], text: fields[4]}
	if g.reason, err = ParseReason(fields[1]); err != nil {
		return g, err
	}
	if fields[2] != "-" {
		seconds, err := strconv.Atoi(fields[2])
		if err != nil {
			return g, err
		}
		g.hint = time.Duration(seconds) * time.Second
	}
	return g, nil
}

// figure is how many of a set were told as a person told them.
type figure struct{ right, all int }

func (f *figure) count(right bool) {
	f.all++
	if right {
		f.right++
	}
}

func (f figure) percent() float64 { return 100 * float64(f.right) / float64(max(f.all, 1)) }

func (f figure) String() string {
	return fmt.Sprintf("%d of %d (%.1f %%)", f.right, f.all, f.percent())
}

func TestGoldenReplies(t *testing.T) {
	type figures struct{ class, reason, reason421, reason504, hint figure }
	halves := map[string]*figures{"A": {}, "B": {}}
	show := os.Getenv("GOLDEN_SHOW") // a half, whose mistakes are printed
	all := readGolden(t)
	for i := range all {
		g := &all[i]
		in := Parse(g.text)[0]
		r := Default().Classify(in)
		f := halves[g.half()]
		f.class.count(r.Class == g.class)
		f.reason.count(r.Reason == g.reason)
		f.hint.count(r.Hint == g.hint)
		switch in.Code {
		case 421:
			f.reason421.count(r.Reason == g.reason)
		case 504, 555:
			f.reason504.count(r.Reason == g.reason)
		}
		if r.Retry && r.Class != reply.ClassTransient || in.Code.Permanent() && noRetry(g.reason) && r.Action.Retries() {
			t.Errorf("%q is to be repeated: %s, %s", g.text, r.Reason, r.Action)
		}
		if show == g.half() && (r.Class != g.class || r.Reason != g.reason || r.Hint != g.hint) {
			id := ""
			if r.Evidence.Rule != nil {
				id = r.Evidence.Rule.ID
			}
			t.Logf("%d %s %v, want %d %s %v: %s (%s %s)", r.Class, r.Reason, r.Hint, g.class, g.reason, g.hint, g.text, r.Evidence.Layer, id)
		}
	}
	for _, half := range []string{"A", "B"} {
		f := halves[half]
		t.Logf("half %s: class %v, reason %v, of 421 %v, of 504 and 555 %v, hint %v", half, f.class, f.reason, f.reason421, f.reason504, f.hint)
	}
	b := halves["B"]
	if b.class.percent() < 99 || b.reason.percent() < 80 || b.reason421.percent() < 85 || b.hint.right != b.hint.all {
		t.Error("half B is below the bounds: class 99 %, reason 80 %, 421 85 %, hints exact")
	}
}

func noRetry(r Reason) bool {
	f := r.Family()
	return f == FamilyProtocol || f == FamilyAccess || r == ReasonMessageTooLarge
}

func TestGoldenSetIsWide(t *testing.T) {
	all := readGolden(t)
	codes, reasons := map[reply.Code]int{}, map[Reason]int{}
	seen := map[string]bool{}
	for i := range all {
		codes[Parse(all[i].text)[0].Code]++
		reasons[all[i].reason]++
		if seen[all[i].text] {
			t.Errorf("twice: %s", all[i].text)
		}
		seen[all[i].text] = true
	}
	if len(all) < 400 || codes[421] < 80 || codes[504]+codes[555] < 25 {
		t.Errorf("%d replies, %d of 421, %d of 504 and 555", len(all), codes[421], codes[504]+codes[555])
	}
	if len(reasons) < 40 {
		t.Errorf("%d of 51 reasons", len(reasons))
	}
}
