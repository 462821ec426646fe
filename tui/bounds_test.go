package tui

import (
	"fmt"
	"strings"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"tenantry/app/client"
)

func TestPasteIsBounded(t *testing.T) {
	huge := strings.Repeat("paste\x1b[31m\nme ", 100_000/12)
	for _, q := range []question{createOrganization(), renameOrganization(organizationNamed(0, "A", "active")), createKey(),
		changeOwner(organizationNamed(0, "A", "active"), client.Owner{Email: "a@b.example"}),
		deleteOrganization(organizationNamed(0, "A", "active")), filterOrganizations(organizationFilter{}), chooseType("x", "")} {
		d := operatorAt(t, newFake(), 80, 24)
		d.root.send(askMsg{q})
		d.update(noticeMsg{})
		for range q.fields {
			d.update(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune(huge), Paste: true})
			d.press("down")
		}
		f, ok := d.root.top().(*form)
		if !ok {
			t.Fatalf("%s: a paste left the form", q.title)
		}
		for i, spec := range q.fields {
			if v := *f.values[spec.name]; len(v) > 4*max(spec.limit, 20) || strings.ContainsAny(v, "\n\x1b") {
				t.Errorf("%s: field %d took %d bytes", q.title, i, len(v))
			}
		}
	}
	d := operatorAt(t, newFake(), 80, 24)
	d.press("2")
	d.see("Acme")
	for _, key := range []string{"/", ":"} {
		d.press(key)
		d.update(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune(huge), Paste: true})
		d.press("esc")
	}
	d.see("organizations")
}

func TestScrollingManyKeepsLittle(t *testing.T) {
	f := newFake()
	f.orgs = nil
	for i := range 10_000 {
		f.orgs = append(f.orgs, organizationNamed(i, fmt.Sprintf("Organization %05d", i), "active"))
	}
	d := operatorAt(t, f, 80, 24)
	d.press("2")
	d.see("Organization 00000")
	list, _ := d.root.top().(*organizations)
	for range 700 {
		d.press("pgdown")
		d.settle()
		if n := len(list.table.pages); n > keptPages {
			t.Fatalf("%d pages are kept", n)
		}
	}
	d.see("Organization 09999", "10,000 of 10,000")
	for range 700 {
		d.press("pgup")
		d.settle()
	}
	d.see("Organization 00000")
}

// A slow link hands several keys over in one piece.
func TestKeysInOnePiece(t *testing.T) {
	d := operatorAt(t, newFake(), 80, 24)
	d.update(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune("2")})
	d.see("Acme")
	d.update(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune("jDxy")})
	d.see("Delete 株式会社サンプル", "› xy")
}

func TestAPlacesKeyLeadsToItsBeginning(t *testing.T) {
	d := operatorAt(t, newFake(), 80, 24)
	d.press("2")
	d.see("Acme")
	d.press("enter")
	d.see("Overview")
	d.press("1")
	d.see("CLUSTER")
	d.press("2")
	d.see("Overview") // as it was left
	d.press("2")
	d.see("1 of 5")
}

// Whatever is pressed on whichever screen, Update and View wait for no server:
// every call here waits for ever, and no command is run.
func TestUpdateAndViewCallNothing(t *testing.T) {
	for _, v := range views {
		d, f := v.shown(t, 80, 24)
		f.set(func() { f.hold = make(chan struct{}) })
		done := make(chan struct{})
		go func() {
			defer close(done)
			for _, act := range append(d.root.top().Acts(), d.root.global()...) {
				_, _ = d.root.Update(pressed(act))
				_, _ = d.root.Update(tea.KeyMsg{Type: tea.KeyEnter})
				_, _ = d.root.Update(tea.WindowSizeMsg{Width: 100, Height: 30})
				_ = d.root.View()
				_, _ = d.root.Update(tea.KeyMsg{Type: tea.KeyEsc})
			}
		}()
		select {
		case <-done:
		case <-time.After(patience):
			t.Fatalf("%s: a call is waited for", v.name)
		}
	}
}
