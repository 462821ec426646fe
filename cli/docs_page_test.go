package cli_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

const signOut = `.dialog-ux button[aria-label="Remove authorization"]`

const scheme = ".dialog-ux .auth-container:has(%s)"

var (
	passwordScheme = fmt.Sprintf(scheme, "#oauth_username")
	bearerScheme   = fmt.Sprintf(scheme, "#auth-bearer-value")
)

// authorize opens the dialog, does something in it and closes it.
func (b *browser) authorize(what string, steps ...[]step) {
	b.t.Helper()
	b.do("open the dialog", chromedp.Click(chromedp.CSS(".auth-wrapper .btn.authorize")),
		chromedp.WaitVisible(chromedp.CSS(".dialog-ux .modal-ux")))
	b.do(what, slices.Concat(steps...)...)
	b.screenshot(strings.ReplaceAll(what, " ", "-"))
	b.do("close the dialog", chromedp.Click(chromedp.CSS(".dialog-ux .close-modal")),
		chromedp.WaitNotPresent(chromedp.CSS(".dialog-ux")))
}

func click(selector string) []step   { return []step{chromedp.Click(chromedp.CSS(selector))} }
func appears(selector string) []step { return []step{chromedp.WaitVisible(chromedp.CSS(selector))} }
func goes(selector string) []step    { return []step{chromedp.WaitNotPresent(chromedp.CSS(selector))} }

// The documentation page in a real browser, as somebody who knows nothing but
// the address uses it: an organization is created with "Try it out", its owner
// signs in with "Authorize", reads it, and deletes it.
func TestDocsPage(t *testing.T) {
	if testing.Short() {
		t.Skip("a browser takes its time")
	}
	s := serve(t, dataDir(t))
	b := openBrowser(t, 1280, 800)
	b.openPage(s)
	b.createByHand()

	// Nobody yet: the answer says so, in the page.
	get := operation("Organizations", "get-organization")
	which := map[string]string{"org": "acme-rockets"}
	if status, body := b.tryOut(get, "", which); status != "401" || !strings.Contains(body, "token_required") {
		t.Errorf("get without a token: %s %s", status, body)
	}

	b.authorize("sign in with a wrong password",
		write(passwordScheme+" #oauth_username", "wile@acme.example"),
		write(passwordScheme+" #oauth_password", "not-the-password"),
		click(passwordScheme+" button.authorize"),
		appears(passwordScheme+" .errors"))
	b.authorize("sign in with email and password",
		write(passwordScheme+" #oauth_username", "wile@acme.example"),
		write(passwordScheme+" #oauth_password", password),
		click(passwordScheme+" button.authorize"),
		appears(signOut))
	if status, body := b.tryOut(get, "", which); status != "200" || !strings.Contains(body, `"Acme Rockets"`) {
		t.Errorf("get: %s %s", status, body)
	}
	b.screenshot("got")

	// The same with a token of one's own in the bearer field.
	b.authorize("sign out", click(signOut), appears(passwordScheme+" #oauth_username"))
	if status, _ := b.tryOut(get, "", which); status != "401" {
		t.Errorf("get after signing out: %s", status)
	}
	token := s.want(200, "POST", "/v1/auth/login", "", map[string]string{"email": "wile@acme.example", "password": password}).Text("access_token")
	b.authorize("give a token", write(bearerScheme+" #auth-bearer-value", token),
		click(bearerScheme+" button.authorize"), goes(bearerScheme))
	if status, body := b.tryOut(get, "", which); status != "200" {
		t.Errorf("get with the bearer field: %s %s", status, body)
	}

	if status, body := b.tryOut(operation("Organizations", "delete-organization"), "", which); status != "204" {
		t.Errorf("delete: %s %s", status, body)
	}
	if status, _ := b.tryOut(get, "", which); status != "401" {
		t.Errorf("get with the token of a deleted organization: %s", status)
	}
	s.empty()
	b.allIsWell(s)
}

// On a telephone nothing is wider than the window, and it works.
func TestDocsPageNarrow(t *testing.T) {
	if testing.Short() {
		t.Skip("a browser takes its time")
	}
	s := serve(t, dataDir(t))
	b := openBrowser(t, 390, 844)
	b.openPage(s)
	b.createByHand()
	b.allIsWell(s)
}

// openPage goes to the server's address, which sends browsers to the page.
func (b *browser) openPage(s *server) {
	b.t.Helper()
	b.do("load the page", chromedp.Navigate(s.URL+"/"), chromedp.WaitVisible(chromedp.CSS(".swagger-ui .opblock")))
	if at, title := read(b, chromedp.Location()), read(b, chromedp.Title()); at != s.URL+"/docs" || title != "Tenantry API" {
		b.t.Errorf("the page is %s, %q", at, title)
	}
	b.screenshot("page-" + b.t.Name())
	b.fits()
}

// fits demands that one need not scroll sideways.
func (b *browser) fits() {
	b.t.Helper()
	if wide := read(b, chromedp.Evaluate[int]("document.documentElement.scrollWidth - document.documentElement.clientWidth")); wide > 0 {
		b.t.Errorf("the page is %d px wider than the window", wide)
	}
}

func (b *browser) createByHand() {
	b.t.Helper()
	status, body := b.tryOut(operation("Organizations", "create-organization"),
		fmt.Sprintf(`{"name": "Acme Rockets", "owner": {"email": "wile@acme.example", "password": %q}}`, password), nil)
	if status != "201" || !strings.Contains(body, `"acme-rockets"`) {
		b.t.Fatalf("create: %s %s", status, body)
	}
	b.screenshot("created-" + b.t.Name())
	b.fits()
}

// allIsWell looks at what the browser noted.
func (b *browser) allIsWell(s *server) {
	b.t.Helper()
	if others := b.elsewhere(s.URL); len(others) > 0 {
		b.t.Errorf("it asked other hosts: %q", others)
	}
	// The browser says itself that an answer was a refusal.
	if wrong := b.wrongBut("the server responded with a status of 401"); len(wrong) > 0 {
		b.t.Errorf("the console has errors:\n%s", strings.Join(wrong, "\n"))
	}
}

// An address that was made up by somebody else shows this server's API, and
// nothing that one typed is kept in the browser.
func TestDocsPageKeepsNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("a browser takes its time")
	}
	s := serve(t, dataDir(t))
	b := openBrowser(t, 1280, 800)
	b.do("load the page", chromedp.Navigate(s.URL+"/docs?url=https://evil.example/openapi.json&configUrl=https://evil.example/c.json"),
		chromedp.WaitVisible(chromedp.CSS(operation("Organizations", "create-organization"))))
	const storage = "localStorage.length + sessionStorage.length + document.cookie.length"
	kept := read(b, chromedp.Evaluate[int](storage))
	b.authorize("give a token", write(bearerScheme+" #auth-bearer-value", s.Key),
		click(bearerScheme+" button.authorize"),
		goes(bearerScheme))
	after := read(b, chromedp.Evaluate[int](storage))
	if kept != 0 || after != 0 {
		t.Errorf("the browser keeps %d, then %d things", kept, after)
	}
	if others := b.elsewhere(s.URL); len(others) > 0 {
		t.Errorf("it asked other hosts: %q", others)
	}
}
