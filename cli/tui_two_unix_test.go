//go:build unix

package cli_test

import (
	"syscall"
	"testing"

	"tenantry/tui/tmuxtest"
)

// Two at the same organization: what one changed the other is told of.
func TestTUITwoAtOnce(t *testing.T) {
	server := serve(t, dataDir(t))
	owned(server, "Acme", "a@example.com")
	program, next, _ := editor(t)
	open := func() *tmuxtest.Screen {
		s := openTUI(t, 100, 30, []string{"EDITOR=" + program}, "--url", server.URL)
		s.See("Sign in to")
		s.Answers("a@example.com", "correct-horse-battery")
		s.See("Placement  ")
		return s
	}
	one, two := open(), open()
	one.Press("R")
	one.See("Rename Acme")
	two.Press("R")
	two.See("Rename Acme")
	one.Clear()
	one.Answers("Acme One", "")
	one.See("Acme is called Acme One now.")
	two.Clear()
	two.Answers("Acme Two", "")
	two.See("✗", "changed")
	two.Press("Escape")
	two.See("Placement  ")
	two.Press("r")
	two.See("Acme One")

	one.Press("Tab")
	one.See("no document yet")
	one.Press("n")
	one.See("New document")
	one.Answers("note", `{"who": "nobody"}`, "shared")
	one.See("is made")
	one.Press("Enter")
	one.See("nobody")
	two.Press("Tab")
	two.See("shared")
	two.Press("Enter")
	two.See("nobody")
	next(`{"who": "one"}`)
	one.Press("e")
	one.See("is saved", `"one"`)
	next(`{"who": "two"}`)
	two.Press("e")
	two.See("Somebody changed the document", `-   "who": "one"`, `+   "who": "two"`)
	two.Press("W")
	two.See("is saved", `"two"`)
}

// A folder that nobody serves is served by the first, and by the second when
// the first has ended, however that was; what it was at it stays at.
func TestTUIOutlivesTheOneThatHeldTheFolder(t *testing.T) {
	folder := dataDir(t)
	open := func() *tmuxtest.Screen {
		s := openTUI(t, 80, 24, nil, "--data-dir", folder)
		s.See("inside a terminal UI")
		return s
	}
	first := open()
	first.See("none yet")
	second := open()
	second.Press("n")
	second.See("New organization")
	second.Answers("Shared", "s@example.com", "correct-horse-battery", "", "")
	second.See("Shared is made")
	first.See("1 active")

	first.Press("q")
	first.See("ended 0 whole")
	second.See("This one holds it now.", "s@example.com")
	second.Press("R")
	second.See("Rename Shared")
	second.Clear()
	second.Answers("Renamed", "")
	second.See("Shared is called Renamed now.")

	third := open()
	third.See("1 active")
	if err := syscall.Kill(second.Child(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	third.See("This one holds it now.", "1 active")
	third.Press("2")
	third.See("Renamed")
	third.Press("q")
	third.See("ended 0 whole")
}

// A server that ends is waited for: it may have been stopped so that the folder
// can be copied.
func TestTUIWaitsForTheServerOfTheFolder(t *testing.T) {
	folder := dataDir(t)
	server := serve(t, folder)
	owned(server, "Acme", "a@example.com")
	s := openTUI(t, 80, 24, nil, "--data-dir", folder)
	s.See("1 active")
	s.Press("2")
	s.See("Acme")
	if err := server.stop(); err != nil {
		t.Fatal(err)
	}
	s.See("away", "the server that held it has ended")
	serve(t, folder)
	s.See("Another server holds the folder now", "Acme")
	s.Press("q")
	s.See("ended 0 whole")
}
