package test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// startDev starts "weir serve --dev" beside others that may run.
func startDev(t testing.TB) *daemon {
	t.Helper()
	return startProgram(t, folder(t), "serve", "--dev", "--set", "listener.0.address=127.0.0.1:0",
		"--set", "admin.http=127.0.0.1:0", "--set", "log.format=json")
}

// browse opens a browser that is not allowed to do anything but show pages. It
// returns a context for chromedp.
func browse(t testing.TB) context.Context {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(need(t, "chromium")), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.WindowSize(1280, 800), chromedp.WSURLReadTimeout(patience))
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	ctx, cancelBrowser := chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(cancelBrowser)
	ctx, cancelTab := chromedp.NewContext(ctx)
	t.Cleanup(cancelTab)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("starting the browser: %v", err)
	}
	return ctx
}

func TestANewcomerSeesMailArrive(t *testing.T) {
	d := startDev(t)
	ctx := browse(t)
	alerted := make(chan string, 1)
	err := chromedp.Listen(ctx, func(event any) {
		if dialog, ok := event.(*page.EventJavascriptDialogOpening); ok {
			alerted <- dialog.Message
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	do := func(actions ...chromedp.Action[chromedp.Void]) {
		t.Helper()
		if err := chromedp.Do(ctx, actions...); err != nil {
			t.Fatal(err)
		}
	}
	shown := func() string {
		t.Helper()
		text, err := chromedp.Run(ctx, chromedp.Text("body"))
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	do(chromedp.Navigate(d.page), chromedp.WaitVisible("#message"))
	if text, try := shown(), "swaks --server "+d.address(); !strings.Contains(text, try) {
		t.Errorf("the empty page does not show %q but %q", try, text)
	}

	hostile := "<b>Bold</b><script>alert('script')</script><img src=x onerror=\"alert('image')\">"
	out, err := exec.Command(need(t, "swaks"), "--server", d.address(), "--from", "ada@example.org", "--to", "bob@example.net",
		"--header", "Subject: <script>alert('subject')</script> Hello", "--add-header", "MIME-Version: 1.0",
		"--add-header", "Content-Type: text/html", "--body", hostile).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	// It appears by itself.
	do(chromedp.WaitVisible("#list a.row"), chromedp.Click("#list a.row"), chromedp.WaitVisible("iframe"))
	if text := shown(); !strings.Contains(text, "<script>alert('subject')</script> Hello") {
		t.Errorf("the subject is not shown as it is: %q", text)
	}
	shot, err := chromedp.Run(ctx, chromedp.FullScreenshot(90))
	if err != nil || len(shot) == 0 {
		t.Fatalf("no picture of the page: %v", err)
	}
	if path := os.Getenv("WEIR_SCREENSHOTS"); path != "" {
		if err := os.WriteFile(filepath.Join(path, "inbox.png"), shot, 0o644); err != nil {
			t.Error(err)
		}
	}
	// A script that runs would have had its turn when two frames were drawn.
	const twoFrames = `new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))`
	if _, err := chromedp.Run(ctx, chromedp.Evaluate[bool](twoFrames, chromedp.EvalAwaitPromise)); err != nil {
		t.Error(err)
	}
	select {
	case message := <-alerted:
		t.Errorf("a script of the message ran: %s", message)
	default:
	}
	if code := d.stop(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}
