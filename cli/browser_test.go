package cli_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// browser is a real Chromium, without a window, with a profile of its own.
type browser struct {
	t   *testing.T
	ctx context.Context

	mu       sync.Mutex
	requests []string // URLs that were asked for
	wrong    []string // errors of the console, exceptions, refusals by the policy
}

// openBrowser starts Chromium, or skips the test where there is none; with
// CI=true that fails it.
func openBrowser(t *testing.T, width, height int64) *browser {
	t.Helper()
	var program string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if path, err := exec.LookPath(name); err == nil {
			program = path
			break
		}
	}
	if program == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("there is no Chromium, and CI=true")
		}
		t.Skip("there is no Chromium to look at the page with")
	}
	opts := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(program), chromedp.UserDataDir(t.TempDir()), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-component-update", true))
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	ctx, stop := chromedp.NewExecAllocator(ctx, opts...)
	ctx, closeTab := chromedp.NewContext(ctx)
	t.Cleanup(func() {
		_ = chromedp.Cancel(ctx) // waits for it, so that its profile can be removed
		closeTab()
		stop()
		cancel()
	})
	b := &browser{t: t, ctx: ctx}
	if err := chromedp.Listen(ctx, b.note); err != nil {
		t.Fatalf("start %s: %v", program, err)
	}
	_ = must(chromedp.Call(ctx, network.Enable, network.EnableParams{}))(t)
	_ = must(chromedp.Call(ctx, cdplog.Enable, cdp.Empty{}))(t)
	// The window is never narrower than 500 px; what the page sees may be.
	b.do("set the size", chromedp.EmulateViewport(width, height))
	_ = must(chromedp.Call(ctx, runtime.Enable, cdp.Empty{}))(t)
	return b
}

func (b *browser) note(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		b.requests = append(b.requests, e.Request.URL)
	case *runtime.EventExceptionThrown:
		b.wrong = append(b.wrong, (&chromedp.ExceptionError{ExceptionDetails: e.ExceptionDetails}).Error())
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeWarning || e.Type == runtime.ConsoleAPICalledTypeAssert {
			raw, _ := json.Marshal(e.Args)
			b.wrong = append(b.wrong, fmt.Sprintf("console.%s: %s", e.Type, raw))
		}
	case *cdplog.EventEntryAdded:
		if e.Entry.Level == cdplog.EntryLevelError || e.Entry.Level == cdplog.EntryLevelWarning {
			b.wrong = append(b.wrong, fmt.Sprintf("%s %s: %s %s", e.Entry.Source, e.Entry.Level, e.Entry.Text, e.Entry.URL))
		}
	}
}

// step is something that one does on a page.
type step = chromedp.Action[chromedp.Void]

func (b *browser) do(what string, steps ...step) {
	b.t.Helper()
	for _, s := range steps {
		if err := chromedp.Do(b.ctx, s); err != nil {
			b.screenshot("failed")
			b.t.Fatalf("%s: %v\nwrong so far: %q", what, err, b.wrongBut())
		}
	}
}

// read gives what an action finds on the page.
func read[T any](b *browser, a chromedp.Action[T]) T {
	b.t.Helper()
	v, err := chromedp.Run(b.ctx, a)
	if err != nil {
		b.screenshot("failed")
		b.t.Fatalf("%v\nwrong so far: %q", err, b.wrongBut())
	}
	return v
}

// screenshot writes what is seen to the folder that TENANTRY_TEST_SCREENSHOTS
// names.
func (b *browser) screenshot(name string) {
	folder := os.Getenv("TENANTRY_TEST_SCREENSHOTS")
	if folder == "" {
		return
	}
	png, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		b.t.Logf("no screenshot: %v", err)
		return
	}
	if err := os.WriteFile(filepath.Join(folder, name+".png"), png, 0o600); err != nil {
		b.t.Error(err)
	}
}

// write types the text over what stands in the field.
func write(selector, text string) []step {
	return []step{
		chromedp.WaitVisible(chromedp.CSS(selector)),
		chromedp.Evaluate[chromedp.Void](fmt.Sprintf("document.querySelector(%q).select()", selector)),
		chromedp.SendKeys(chromedp.CSS(selector), text),
	}
}

// operation is an operation on the page, by its tag and id.
func operation(tag, id string) string { return fmt.Sprintf("#operations-%s-%s", tag, id) }

// tryOut opens an operation, fills it in with "Try it out", executes it, and
// gives the answer's status and body.
func (b *browser) tryOut(op, body string, params map[string]string) (status, answer string) {
	b.t.Helper()
	b.do("find "+op, chromedp.WaitVisible(chromedp.CSS(op)))
	if !read(b, chromedp.Evaluate[bool](fmt.Sprintf("document.querySelector(%q).classList.contains('is-open')", op))) {
		b.do("open "+op, chromedp.Click(chromedp.CSS(op+" .opblock-summary-control")),
			chromedp.Click(chromedp.CSS(op+" .try-out__btn")))
	} else {
		b.do("clear "+op, chromedp.Click(chromedp.CSS(op+" .btn-clear")))
	}
	if body != "" {
		b.do("write the body of "+op, write(op+" textarea.body-param__text", body)...)
	}
	for name, value := range params {
		b.do("write "+name, write(fmt.Sprintf("%s tr[data-param-name=%q] input", op, name), value)...)
	}
	b.do("execute "+op, chromedp.Click(chromedp.CSS(op+" .execute")))
	row := op + " .live-responses-table tbody .response-col_"
	status, _, _ = strings.Cut(strings.TrimSpace(read(b, chromedp.Text(chromedp.CSS(row+"status")))), "\n")
	return status, read(b, chromedp.Text(chromedp.CSS(row+"description")))
}

// elsewhere lists the requests that did not go to the server.
func (b *browser) elsewhere(server string) []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	host := must(url.Parse(server))(b.t).Host
	var others []string
	for _, r := range b.requests {
		u, err := url.Parse(r)
		if err != nil || u.Host != host && u.Scheme != "data" && u.Scheme != "blob" {
			others = append(others, r)
		}
	}
	return others
}

// wrongBut lists what went wrong, but for what is expected.
func (b *browser) wrongBut(expected ...string) []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var left []string
next:
	for _, w := range b.wrong {
		for _, e := range expected {
			if strings.Contains(w, e) {
				continue next
			}
		}
		left = append(left, w)
	}
	return left
}
