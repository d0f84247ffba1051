package test

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/google/go-cmp/cmp"

	"github.com/weirmail/weir/internal/codes"
	"github.com/weirmail/weir/reply/catalog"
)

// reference serves the web reference, and returns where.
func reference(t *testing.T) string {
	t.Helper()
	s := httptest.NewServer(codes.Handler())
	t.Cleanup(s.Close)
	return s.URL + codes.Root + "/"
}

// do runs steps in a browser.
func do(t *testing.T, ctx context.Context, actions ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(ctx, actions...); err != nil {
		t.Fatal(err)
	}
}

// looks are the ways in which a page is looked at.
var looks = []struct {
	scheme string
	width  int64
}{{"light", 1280}, {"dark", 1280}, {"light", 390}, {"dark", 390}}

// The pages that are visited most can be used by everybody, in light and dark, on
// a desktop and a phone, by the rules of axe-core. WEIR_SCREENSHOTS names a folder
// for pictures of them.
func TestTheReferenceIsAccessible(t *testing.T) {
	root, rules := reference(t), axe(t)
	for _, l := range catalog.Languages() {
		ctx := browse(t)
		pages := []string{"421-504"} // the templates are the same, the words are not
		if l.Tag == "en" {
			pages = visited
		}
		for i, path := range pages {
			ways := looks[2:3]
			if l.Tag == "en" {
				ways = looks[:1]
			}
			if l.Tag == "en" && i < 2 {
				ways = looks
			}
			for _, look := range ways {
				name := fmt.Sprintf("%s-%s-%s-%d", l.Tag, strings.NewReplacer("/", "-", "?", "-", "+", "-", "=", "-").Replace(path), look.scheme, look.width)
				do(t, ctx, chromedp.EmulateViewport(look.width, 900), scheme(look.scheme), chromedp.Navigate(root+l.Tag+"/"+path), chromedp.WaitReady("main"))
				if wide, err := chromedp.Run(ctx, chromedp.Evaluate[bool]("document.documentElement.scrollWidth > innerWidth")); err != nil || wide {
					t.Errorf("%s is wider than the window (%v)", name, err)
				}
				for _, finding := range findings(t, ctx, rules) {
					t.Errorf("%s: %s", name, finding)
				}
				screenshot(t, ctx, name)
			}
		}
	}
}

// visited are the pages that are looked at in English, the first two of them in every
// way.
var visited = []string{"421-504", "", "421", "504", "4.7.0", "guide/greylisting", "enhanced", "explain?q=421+4.7.0+Too+many+connections"}

// scheme makes the browser one that likes light or dark.
func scheme(name string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		_, err := cdp.Call(ctx, tab, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}},
		})
		return err
	})
}

// axe is the script of axe-core.
func axe(t *testing.T) string {
	t.Helper()
	f, err := os.Open("testdata/axe/axe.min.js.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	unpacked, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	script, err := io.ReadAll(unpacked)
	if err != nil {
		t.Fatal(err)
	}
	return string(script)
}

// findings runs axe-core on the page that is shown.
func findings(t *testing.T, ctx context.Context, rules string) []string {
	t.Helper()
	const ask = `axe.run().then(r => r.violations.map(v => v.id + ": " + v.help + ": " + v.nodes.map(n => n.html).slice(0, 3).join(" ")))`
	if _, err := chromedp.Run(ctx, chromedp.Evaluate[chromedp.Void](rules+";0")); err != nil {
		t.Fatal(err)
	}
	found, err := chromedp.Run(ctx, chromedp.Evaluate[[]string](ask, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func screenshot(t *testing.T, ctx context.Context, name string) {
	t.Helper()
	folder := os.Getenv("WEIR_SCREENSHOTS")
	if folder == "" {
		return
	}
	shot, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, name+".png"), shot, 0o644); err != nil {
		t.Fatal(err)
	}
}

// The box of the exported site, opened from a disk, says what the program says,
// about replies of the golden set.
func TestTheExportedBoxSaysWhatTheProgramSays(t *testing.T) {
	folder := folder(t)
	if _, err := codes.Export(t.Context(), folder, ""); errors.Is(err, codes.ErrNoExplainer) {
		t.Skip("LEFT OUT: make explainer has not been run")
	} else if err != nil {
		t.Fatal(err)
	}
	all := golden(t)
	ctx := browse(t)
	for _, l := range catalog.Languages() {
		inputs := every(5, all)
		if l.Tag != "en" {
			inputs = every(50, all) // it is the same classifier, with other words
		}
		do(t, ctx, chromedp.Navigate("file://"+folder+"/"+l.Tag+"/explain.html?q=504+5.5.4+AUTH"), chromedp.WaitVisible(".explanation"))
		asked, err := json.Marshal(inputs)
		if err != nil {
			t.Fatal(err)
		}
		got, err := chromedp.Run(ctx, chromedp.Evaluate[[]string](fmt.Sprintf("%s.map(text => weirAnswer(%q, text))", asked, l.Tag)))
		if err != nil {
			t.Fatal(err)
		}
		for i, input := range inputs {
			if diff := cmp.Diff(codes.Answer(l.Tag, input), got[i]); diff != "" {
				t.Fatalf("%s %q (-program +browser; is the explainer of today? make explainer):\n%s", l.Tag, input, diff)
			}
		}
	}
}

// every returns each nth of a list.
func every(n int, list []string) (some []string) {
	for i := 0; i < len(list); i += n {
		some = append(some, list[i])
	}
	return some
}

// golden reads the replies of the golden set.
func golden(t *testing.T) []string {
	t.Helper()
	content, err := os.ReadFile("../reply/catalog/classify/testdata/golden/replies.tsv")
	if err != nil {
		t.Fatal(err)
	}
	var inputs []string
	for line := range strings.Lines(string(content)) {
		if fields := strings.SplitN(strings.TrimSuffix(line, "\n"), "\t", 5); len(fields) == 5 && !strings.HasPrefix(line, "#") {
			inputs = append(inputs, fields[4])
		}
	}
	if len(inputs) < 400 {
		t.Fatalf("only %d replies are in the golden set", len(inputs))
	}
	return inputs
}

// Without JavaScript everything but the exported box works: the form of a served
// page is answered.
func TestTheServedBoxNeedsNoScript(t *testing.T) {
	root := reference(t)
	ctx := browse(t)
	noScript := chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		_, err := cdp.Call(ctx, tab, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
		return err
	})
	do(t, ctx, noScript,
		chromedp.Navigate(root+"en/"), chromedp.SendKeys("#q", "450 4.7.1 Greylisted"), chromedp.Submit("#box"), chromedp.WaitVisible(".explanation"))
}
