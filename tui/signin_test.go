package tui

import (
	"strings"
	"testing"

	"tenantry/app/client"
)

// signInAsSeveral signs in as a member of all the organizations that there
// are, up to the choice.
func signInAsSeveral(d *driver) {
	d.t.Helper()
	d.enter("several@acme.example")
	d.press("enter")
	d.enter("secret")
	d.press("enter")
	d.see("Choose an organization", "5 organizations", "株式会社サンプル")
}

func TestMemberOfSeveralChooses(t *testing.T) {
	f := newFake()
	f.fail["me"] = errEnded
	d := drive(t, serverOf(f), 80, 24)
	d.see("Sign in to")
	chosen := f.orgs[1]
	f.set(func() {
		delete(f.fail, "me")
		f.me = func() (client.Me, error) {
			return client.Me{Email: "several@acme.example", OrganizationID: chosen.ID,
				Memberships: []client.Membership{{OrganizationID: chosen.ID, Role: "member"}}}, nil
		}
	})
	signInAsSeveral(d)
	d.press("esc")
	d.see("Sign in to", "several@acme.example") // as it was
	d.press("enter", "enter")
	d.see("Choose an organization")
	d.enter("nothing like it")
	d.press("enter")
	d.see("None of them has these words.")
	d.press("ctrl+u")
	d.enter("slug-1")
	// Refused, and chosen again.
	f.set(func() {
		f.fail["login"] = &client.Error{Status: 403, Code: "organization_suspended", Detail: "The organization is suspended."}
	})
	d.press("enter")
	d.see("✗ The organization is suspended.", "Choose an organization")
	f.set(func() { delete(f.fail, "login") })
	d.press("enter")
	d.see("1 organization", "(member)", "株式会社サンプル")
	if n := f.called("login to " + chosen.ID); n != 2 {
		t.Errorf("%d sign-ins to the chosen one, want 2: %v", n, f.calls)
	}
	if strings.Contains(d.text(), "Choose") {
		t.Errorf("the choice is still there:\n%s", d.text())
	}
}

// A sign-in that ends leads back through the choice to the screen as it was.
func TestMemberOfSeveralComesBack(t *testing.T) {
	f := newFake()
	f.me = func() (client.Me, error) {
		return client.Me{Email: "several@acme.example", OrganizationID: f.orgs[1].ID,
			Memberships: []client.Membership{{OrganizationID: f.orgs[1].ID, Role: "member"}}}, nil
	}
	d := drive(t, serverOf(f), 80, 24)
	d.see("1 organization")
	d.press("tab")
	d.see("doc-2")
	f.set(func() { f.fail["documents"] = errEnded })
	d.press("r")
	d.see("This sign-in has ended")
	f.set(func() { delete(f.fail, "documents") })
	signInAsSeveral(d)
	d.press("down", "enter")
	d.see("Signed in again.", "doc-2")
}
