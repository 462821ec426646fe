package tui

import (
	"errors"
	"fmt"
	"testing"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/exp/golden"
	"github.com/muesli/termenv"

	"tenantry/app/client"
)

// scene is a screen, and the way to it.
type scene struct {
	name string
	fake func(*fake)
	walk func(*driver)
}

// shown walks to it in a terminal of a size, on a server of its own.
func (v scene) shown(t *testing.T, width, height int) (*driver, *fake) {
	t.Helper()
	f := newFake()
	if v.fake != nil {
		v.fake(f)
	}
	d := drive(t, serverOf(f), width, height)
	d.until("an answer", func() bool { return d.root.started.wait.number == 0 })
	v.walk(d)
	d.settle()
	return d, f
}

// views are the screens as the golden files have them.
var views = []scene{
	{name: "dashboard", walk: func(d *driver) { d.see("frankfurt") }},
	{name: "organizations", walk: func(d *driver) { d.press("2"); d.see("Acme", "1 of 5") }},
	{name: "no-organizations", fake: func(f *fake) { f.orgs = nil }, walk: func(d *driver) { d.press("2"); d.see("There is no organization yet") }},
	{name: "search", walk: func(d *driver) { d.press("2"); d.see("Acme"); d.press("/"); d.enter("acme"); d.see("1 of 1") }},
	{name: "create", walk: func(d *driver) { d.press("n"); d.enter("Nübel & Söhne"); d.press("enter"); d.enter("not an address") }},
	{name: "overview", walk: func(d *driver) {
		d.press("2")
		d.see("Acme")
		d.press("enter")
		d.see("owner@acme.example", "shard-07")
	}},
	{name: "sign-in-as-member", walk: func(d *driver) { d.press("2"); d.see("Acme"); d.press("enter"); d.see("owner@"); d.press("tab") }},
	{name: "documents", walk: toDocuments},
	{name: "document", walk: func(d *driver) { toDocuments(d); d.press("enter"); d.see("revision 1"); d.press("j", "j", "j", " ") }},
	{name: "delete", walk: func(d *driver) {
		d.press("2")
		d.see("Acme")
		d.press("D")
		d.see("confirm")
		d.enter("Acme")
	}},
	{name: "suspend", walk: func(d *driver) { d.press("2"); d.see("Acme"); d.press("S"); d.see("Suspend Acme GmbH?") }},
	{name: "operations", walk: func(d *driver) { d.press("3"); d.see("rename") }},
	{name: "operation", walk: func(d *driver) { d.press("3"); d.see("rename"); d.press("j", "enter"); d.see("Refused at") }},
	{name: "placement", walk: toPlacement},
	{name: "placement-moving", fake: moving("copying"), walk: func(d *driver) { toPlacement(d); d.see("copying") }},
	{name: "move", walk: func(d *driver) { toMove(d); d.press("j"); d.see("default · database") }},
	{name: "move-refused", fake: func(f *fake) {
		f.fail["plan default shared"] = &client.Error{Status: 409, Code: "relocation_in_progress", Detail: "This organization is being moved to another place."}
	}, walk: func(d *driver) { toMove(d); d.see("It cannot move") }},
	{name: "move-confirm", walk: func(d *driver) {
		toMove(d)
		d.see("Would move")
		d.press("enter")
		d.see("Move Acme GmbH to default, shared?")
	}},
	{name: "moving", fake: moving("verifying"), walk: func(d *driver) { d.press("3"); d.see("relocate"); d.press("enter"); d.see("812/s") }},
	{name: "moved", fake: moving("switched"), walk: func(d *driver) { d.press("3"); d.see("switched"); d.press("enter"); d.see("C complete") }},
	{name: "move-back", fake: moving("switched"), walk: func(d *driver) { d.press("3"); d.see("switched"); d.press("B"); d.see("Move back to") }},
	{name: "clusters", walk: func(d *driver) { d.press("4"); d.see("frankfurt"); d.press("j") }},
	{name: "cluster-draining", fake: draining("running"), walk: func(d *driver) { d.press("4"); d.see("Being drained") }},
	{name: "drain", walk: func(d *driver) { toDrain(d); d.press("j"); d.see("would stay") }},
	{name: "drain-confirm", walk: func(d *driver) {
		toDrain(d)
		d.see("would stay")
		d.press("enter")
		d.see("The old places")
		d.press("enter")
	}},
	{name: "draining", fake: draining("running"), walk: func(d *driver) { d.press("4"); d.see("Being drained"); d.press("enter"); d.see("2.5/s") }},
	{name: "drained", fake: draining("failed"), walk: func(d *driver) { d.press("4"); d.see("nobody"); d.press("enter"); d.see("Not moved") }},
	{name: "keys", walk: func(d *driver) { d.press("5"); d.see("revoked") }},
	{name: "new-key", walk: func(d *driver) {
		d.press("5")
		d.see("revoked")
		d.press("n")
		d.enter("ci")
		d.press("enter", "enter")
		d.see("shown this once")
	}},
	{name: "verify", walk: func(d *driver) { d.press("6"); d.see("Drives"); d.press("enter"); d.see("All 4 checks passed") }},
	{name: "help", walk: func(d *driver) { d.press("2"); d.see("Acme"); d.press("?") }},
	{name: "palette", walk: func(d *driver) { d.press("2"); d.see("Acme"); d.press(":"); d.enter("org") }},
	{name: "problem", fake: func(f *fake) {
		f.fail["keys"] = &client.Error{Status: 503, Code: "unavailable", RequestID: "abc-1", Detail: "The registry cannot be reached right now. Try again shortly."}
	}, walk: func(d *driver) { d.press("5"); d.see("✗ The registry") }},
	{name: "away", walk: func(d *driver) {
		f := d.root.session.backend.(*fake)
		f.set(func() {
			f.fail["all"] = &client.UnreachableError{URL: "https://orgs.example.com", Err: errors.New("connection refused")}
		})
		d.press("2")
		d.see("away")
	}},
	{name: "sign-in", fake: func(f *fake) {
		f.fail["me"] = &client.Error{Status: 401, Code: "session_ended", Detail: "This sign-in has ended. Sign in again."}
	}, walk: func(d *driver) { d.see("Sign in to") }},
	{name: "choose-organization", fake: func(f *fake) { f.fail["me"] = errEnded }, walk: func(d *driver) {
		d.see("Sign in to")
		signInAsSeveral(d)
		d.press("down")
	}},
	{name: "admin", fake: func(f *fake) {
		f.me = func() (client.Me, error) {
			return client.Me{Email: "admin@acme.example", OrganizationID: f.orgs[0].ID,
				Memberships: []client.Membership{{OrganizationID: f.orgs[0].ID, Name: "Acme GmbH", Role: "admin"}}}, nil
		}
	}, walk: func(d *driver) { d.see("shard-07") }},
}

func toDocuments(d *driver) {
	d.press("2")
	d.see("Acme")
	d.press("enter")
	d.see("owner@")
	d.press("tab", "enter")
	d.see("Member's email")
	d.press("enter")
	d.enter("secret")
	d.press("enter")
	d.see("doc-2")
}

func toPlacement(d *driver) {
	d.press("2")
	d.see("Acme")
	d.press("enter")
	d.see("owner@")
	d.press("tab", "tab")
	d.see("4,321 documents")
}

func toMove(d *driver) {
	toPlacement(d)
	d.press("M")
	d.see("frankfurt")
}

func toDrain(d *driver) {
	d.press("4")
	d.see("frankfurt")
	d.press("E")
	d.see("where the placement sends them")
}

func TestViews(t *testing.T) {
	for _, v := range views {
		for _, size := range [][2]int{{80, 24}, {120, 40}, {60, 16}} {
			t.Run(fmt.Sprintf("%s-%dx%d", v.name, size[0], size[1]), func(t *testing.T) {
				d, _ := v.shown(t, size[0], size[1])
				golden.RequireEqual(t, []byte(d.text()+"\n"))
			})
		}
	}
}

// What colours say is said without them too: the themes differ in nothing but
// colours.
func TestThemesSayTheSame(t *testing.T) {
	for _, v := range views {
		d, _ := v.shown(t, 80, 24)
		plain := d.text()
		for _, dark := range []bool{true, false} {
			*d.root.styles = *newStyles(dark, termenv.ANSI256)
			view := d.root.View()
			if ansi.Strip(view) != plain {
				t.Errorf("%s, dark %v, says something else than without colours:\n%s\n%s", v.name, dark, plain, ansi.Strip(view))
			}
		}
	}
}

func TestTooSmall(t *testing.T) {
	d := operatorAt(t, newFake(), 59, 16)
	d.see("60 by 16")
	d.press("q", "n")
	if d.quit {
		t.Error("a key did something that could not be seen")
	}
	d.update(tea.WindowSizeMsg{Width: 60, Height: 16})
	d.see("Dashboard")
}
