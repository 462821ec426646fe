package tui

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/x/ansi"

	"tenantry/app"
	"tenantry/app/client"
)

var (
	errEnded = &client.Error{Status: 401, Code: "session_ended", Detail: "This sign-in has ended. Sign in again."}
	errAway  = &client.UnreachableError{URL: "https://orgs.example.com", Err: errors.New("connection refused")}
)

func TestLateAnswersAreDropped(t *testing.T) {
	f := newFake()
	d := operatorAt(t, f, 80, 24)
	d.press("2")
	d.see("Acme")
	hold := make(chan struct{})
	f.set(func() { f.hold = hold })
	d.press("r")
	list, _ := d.root.top().(*organizations)
	first := list.wait.number
	d.press("r")
	if list.wait.number == first {
		t.Fatal("the second call has the number of the first")
	}
	late := answer[organizationPageMsg]{number: first, value: organizationPageMsg{
		OrganizationPage: client.OrganizationPage{Items: []client.Organization{organizationNamed(7, "Too late", "active")}}}}
	d.update(late)
	if strings.Contains(d.text(), "Too late") {
		t.Error("a late answer is shown")
	}
	close(hold)
	f.set(func() { f.hold = nil })
	d.see("Acme")
	d.update(late)
	if strings.Contains(d.text(), "Too late") {
		t.Error("a late answer is shown after the right one")
	}
}

func TestSlowCallsSpinAndEscCancels(t *testing.T) {
	f := newFake()
	d := operatorAt(t, f, 80, 24)
	f.set(func() { f.hold = make(chan struct{}) })
	d.press("5")
	d.see("Reading the keys … esc cancels")
	d.press("esc")
	d.see("Cancelled")
	if d.root.top().Waiting().number != 0 {
		t.Error("it still waits")
	}
	f.set(func() { f.hold = nil })
	d.press("r")
	d.see("first")
}

func TestQuitsOnlyWhereNothingIsTyped(t *testing.T) {
	d := operatorAt(t, newFake(), 80, 24)
	d.press("2")
	d.see("Acme")
	d.press("/")
	d.enter("q?:1m")
	if list := d.root.top().(*organizations); list.search.Value() != "q?:1m" {
		t.Errorf("the search is %q", list.search.Value())
	}
	d.press("esc", "n")
	d.enter("q:?12")
	d.see("q:?12")
	d.press("esc")
	d.press(":")
	d.enter("quit")
	d.press("enter")
	d.until("the end", func() bool { return d.quit })
}

// An esc and the key after it arrive together, and are no alt.
func TestEscBeforeAKey(t *testing.T) {
	d := operatorAt(t, newFake(), 80, 24)
	d.press("2")
	d.see("Acme")
	d.press("enter")
	d.see("owner@")
	d.update(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune("3"), Alt: true}) // esc, 3
	d.see("Operations", "rename")
	d.press("2")
	d.see("oldest first")
	toMove(d)
	d.update(tea.KeyMsg{Type: tea.KeyTab, Alt: true}) // esc, tab
	d.see("KIND", "create")
}

func TestPaletteListsAndDoesEveryAct(t *testing.T) {
	for _, place := range []string{"1", "2", "3", "4", "5", "6"} {
		d := operatorAt(t, newFake(), 80, 40)
		d.press(place)
		d.settle()
		acts := append(d.root.top().Acts(), d.root.global()...)
		for _, help := range d.root.top().ShortHelp() {
			if len(help.Keys()) == 0 {
				t.Errorf("at %s the footer names a key that is none: %s", place, help.Help().Desc)
			}
		}
		d.press(":")
		for _, act := range acts {
			if !strings.Contains(d.text(), cut(act.Help().Desc, 44)) {
				t.Errorf("at %s the palette lacks %q:\n%s", place, act.Help().Desc, d.text())
			}
		}
	}
	d := operatorAt(t, newFake(), 80, 24)
	d.press("2")
	d.see("Acme")
	d.press(":")
	d.enter("rename")
	d.press("enter")
	d.see("Rename Acme GmbH")
}

func TestNoKeyIsATerminalsOtherName(t *testing.T) {
	d := operatorAt(t, newFake(), 80, 24)
	for _, place := range []string{"1", "2", "3", "4", "5", "6"} {
		d.press(place)
		d.settle()
		seen := map[string]string{}
		for _, b := range append(d.root.top().Acts(), d.root.global()...) {
			for _, k := range b.Keys() {
				if k == "ctrl+i" || k == "ctrl+m" || k == "ctrl+[" {
					t.Errorf("%s is bound to %q", k, b.Help().Desc)
				}
				if other, twice := seen[k]; twice {
					t.Errorf("at %s the key %s means both %q and %q", place, k, other, b.Help().Desc)
				}
				seen[k] = b.Help().Desc
			}
		}
	}
}

func TestDestroyingAsksOnceAndNamesIt(t *testing.T) {
	f := newFake()
	d := operatorAt(t, f, 80, 24)
	d.press("2")
	d.see("Acme")
	id := f.orgs[0].ID
	d.press("D")
	d.see("Type Acme GmbH to confirm")
	d.enter("Acme Gmb")
	d.press("enter")
	d.see("✗ Type the name exactly")
	d.press("H", "enter")
	d.see("Acme GmbH is deleted.")
	if f.called("delete "+id) != 1 {
		t.Errorf("calls: %v", f.calls)
	}
	for key, act := range map[string]string{"S": "suspend " + id} {
		d.press(key, "enter") // no is what enter says
		d.settle()
		if f.called(act) != 0 {
			t.Errorf("enter alone did %s", act)
		}
		d.press(key, "y")
		d.see("is suspended")
		if f.called(act) != 1 {
			t.Errorf("%s: calls: %v", act, f.calls)
		}
	}
	d.press("5")
	d.see("first")
	d.press("D")
	d.see("Revoke the key first?")
	d.press("right", "left", "enter")
	d.settle()
	d.see("first")
}

func TestEndOfASignInKeepsTheScreen(t *testing.T) {
	f := newFake()
	d := operatorAt(t, f, 80, 24)
	d.press("2")
	d.see("Acme")
	d.press("/")
	d.enter("acme")
	d.see("1 of 1")
	d.press("enter")
	f.set(func() { f.fail["list acme"] = errEnded })
	d.press("r")
	d.see("This sign-in has ended")
	d.press("esc")
	d.see("Sign in to")
	f.set(func() { delete(f.fail, "list acme") })
	d.enter("tnt_op_good")
	d.press("enter", "enter")
	d.see("Signed in again", "/ acme", "1 of 1")
	if f.token != "tnt_op_good" {
		t.Errorf("the token is %q", f.token)
	}
}

func TestSomebodyElseBeginsAnew(t *testing.T) {
	f := newFake()
	d := operatorAt(t, f, 80, 24)
	d.press("2")
	d.see("Acme")
	d.press("O")
	d.see("Sign in to")
	f.set(func() {
		f.me = func() (client.Me, error) {
			return client.Me{Email: "admin@acme.example", OrganizationID: f.orgs[0].ID,
				Memberships: []client.Membership{{OrganizationID: f.orgs[0].ID, Role: "admin"}}}, nil
		}
	})
	d.enter("admin@acme.example")
	d.press("enter")
	d.enter("secret")
	d.press("enter")
	d.see("1 organization", "(admin)")
	for _, hidden := range []string{"dashboard", "clusters", "suspend", "delete"} {
		if strings.Contains(d.text(), hidden) {
			t.Errorf("an admin sees %q:\n%s", hidden, d.text())
		}
	}
	d.press("2", "5", "D", "S")
	d.settle()
	if f.called("keys") != 0 {
		t.Error("an admin was taken to the keys")
	}
}

func TestRefreshesAToken(t *testing.T) {
	f := newFake()
	s := newSession(serverOf(f))
	s.use("old", "refresh")
	tries := 0
	got, err := with(context.Background(), s, func(context.Context, Backend) (string, error) {
		if tries++; tries == 1 {
			return "", errEnded
		}
		return "fine", nil
	})
	if got != "fine" || err != nil || s.bearer() != "renewed" || s.refresh != "next" {
		t.Errorf("%q, %v, token %q, refresh %q", got, err, s.bearer(), s.refresh)
	}
}

func TestAwayAndBack(t *testing.T) {
	f := newFake()
	d := operatorAt(t, f, 80, 24)
	f.set(func() { f.fail["all"] = errAway })
	d.press("2")
	d.see("away", "Trying again every second")
	f.set(func() { delete(f.fail, "all") })
	d.see("The server is back.", "Acme")
}

func TestErrorsStayUntilSomethingGoesRight(t *testing.T) {
	f := newFake()
	d := operatorAt(t, f, 80, 24)
	f.set(func() { f.fail["clusters"] = &client.Error{Status: 503, Code: "unavailable", Detail: "It is away."} })
	d.press("4")
	d.see("✗ It is away.", "Press r to try again")
	f.set(func() { delete(f.fail, "clusters") })
	d.press("r")
	d.see("frankfurt")
	if strings.Contains(d.text(), "It is away") {
		t.Error("the error is still there")
	}
	f.set(func() { f.fail["clusters"] = &client.Error{Status: 500, Code: "internal", Detail: "A fault."} })
	d.press("r")
	d.see("✗ A fault.")
	d.press("esc")
	if strings.Contains(d.text(), "A fault.") {
		t.Error("esc leaves the error there")
	}
}

func TestAPanicInACallIsAnError(t *testing.T) {
	f := newFake()
	server := serverOf(f)
	d := drive(t, server, 80, 24)
	d.settle()
	keys := &operatorKeys{base: base{shared: d.root.shared}}
	cmd := ask(&keys.base, d.root.session, "Trying", func(context.Context, Backend) ([]client.OperatorKey, error) { panic("oh") })
	both, _ := cmd().(tea.BatchMsg)
	_, _ = keys.Update(both[0]())
	if !strings.Contains(keys.problem.Error(), "fault (oh)") {
		t.Error(keys.problem)
	}
}

func TestFormKeepsWhatWasEntered(t *testing.T) {
	f := newFake()
	d := operatorAt(t, f, 80, 24)
	taken := &client.Error{Status: 409, Code: "organization_name_taken", Detail: "An organization with this name exists already."}
	f.set(func() { f.fail["create New one"] = taken })
	d.press("n")
	d.enter("New one")
	d.press("enter")
	d.enter("x@y.example")
	d.press("enter")
	d.enter("New one 1") // too close to the name
	d.press("enter")
	d.see("too close")
	d.enter("-but-longer")
	d.press("enter", "enter", "enter")
	d.see("exists already", "New one", "x@y.example", "********************")
	f.set(func() {
		f.fail["create New one"] = &client.Error{Status: 422, Code: "invalid", Detail: "No.", Fields: []app.FieldError{{Location: "owner.email", Message: "Not this one."}}}
	})
	d.press("enter", "enter", "enter", "enter", "enter")
	d.see("✗ Not this one.")
	d.enter("x")
	if strings.Contains(d.text(), "Not this one") {
		t.Error("the refusal outlives the value that was refused")
	}
	f.set(func() { delete(f.fail, "create New one") })
	d.press("enter", "enter", "enter", "enter")
	d.see("New one is made.")
}

func TestDocumentsAreForMembers(t *testing.T) {
	f := newFake()
	d := operatorAt(t, f, 80, 24)
	toDocuments(d)
	if f.called("documents") != 1 {
		t.Errorf("calls: %v", f.calls)
	}
	f.set(func() { f.fail["documents"] = errEnded })
	d.press("r")
	d.see("Documents belong to the organization.")
	f.set(func() { delete(f.fail, "documents") })
	d.press("enter")
	d.see("Sign in to Acme GmbH", "owner@acme.example")
	d.press("enter")
	d.enter("secret")
	d.press("enter")
	d.see("doc-2")
}

// editing opens the first document's draft and gives what the editor left.
func editing(d *driver, text string) *draft {
	d.t.Helper()
	toDocuments(d)
	d.press("e")
	d.until("the draft", func() bool { w, ok := d.root.top().(*draft); return ok && w.file != "" })
	w, _ := d.root.top().(*draft)
	d.t.Cleanup(func() { _ = os.Remove(w.file) })
	d.update(editedMsg{file: w.file, text: text})
	return w
}

func TestDraftKeepsTheText(t *testing.T) {
	f := newFake()
	d := operatorAt(t, f, 80, 24)
	w := editing(d, `{"broken":`)
	d.see("✗ This is not valid JSON", `{"broken":`, filepath.Base(w.file))
	d.press("q", "?", "1")
	d.see("Your text is in")
	d.press("esc")
	d.see("Give your text up?")
	d.press("n")
	f.set(func() {
		f.fail[`put doc-0 1 {"a":1}`] = &client.Error{Status: 507, Code: "no_space", Detail: "The disk is full."}
	})
	d.update(editedMsg{file: w.file, text: `{"a":1}`})
	d.see("✗ The disk is full.", `{"a":1}`)
	f.set(func() { delete(f.fail, `put doc-0 1 {"a":1}`) })
	d.press("w")
	d.see("Document doc-0 is saved.")
	d.until("the end of the file", func() bool {
		_, err := os.Stat(w.file)
		return os.IsNotExist(err)
	})
}

func TestConflictIsShownAsADifference(t *testing.T) {
	f := newFake()
	d := operatorAt(t, f, 80, 24)
	f.set(func() {
		f.fail[`put doc-0 1 {"title":"mine"}`] = &client.Error{Status: 412, Code: "stale", Detail: "It has changed."}
	})
	w := editing(d, `{"title":"mine"}`)
	f.set(func() { f.docs[0].Revision, f.docs[0].Data = 9, []byte(`{"title":"theirs"}`) })
	d.see("Somebody changed the document", `-   "title": "theirs"`, `+   "title": "mine"`)
	if strings.Contains(d.text(), "w save ") {
		t.Error("it offers to save as if nothing were")
	}
	d.press("W")
	d.see("is saved")
	if f.called(`put doc-0 9 {"title":"mine"}`) != 1 {
		t.Errorf("calls: %v", f.calls)
	}
	_ = w
}

func TestCopies(t *testing.T) {
	d := operatorAt(t, newFake(), 80, 24)
	d.press("5")
	d.see("first")
	d.press("n")
	d.enter("ci")
	d.press("enter", "enter")
	d.see("shown this once")
	d.press("y")
	d.until("the copy", func() bool { return len(d.copied) > 0 })
	if got, want := <-d.copied, ansi.SetSystemClipboard("tnt_op_"+strings.Repeat("0123456789", 5)); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestMouse(t *testing.T) {
	d := operatorAt(t, newFake(), 80, 24)
	d.press("m")
	if !d.root.mouse {
		t.Fatal("m does not turn the mouse on")
	}
	click := func(x, y int) {
		d.update(tea.MouseMsg{X: x, Y: y, Button: tea.MouseButtonLeft, Action: tea.MouseActionPress})
	}
	click(16, 1) // "2 organizations"
	d.see("Acme")
	d.update(tea.MouseMsg{X: 5, Y: 10, Button: tea.MouseButtonWheelDown})
	list, _ := d.root.top().(*organizations)
	if list.table.selected != 3 {
		t.Errorf("after the wheel %d is selected", list.table.selected)
	}
	click(5, 6)
	if list.table.selected != 0 {
		t.Errorf("after a click on the first row %d is selected", list.table.selected)
	}
	click(5, 6)
	d.see("Overview")
	click(14, 3)
	d.see("Documents belong to the organization.")
}
