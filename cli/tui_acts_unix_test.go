//go:build unix

package cli_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tenantry/app/mongodb/mongotest"
	"tenantry/tui/tmuxtest"
)

// editor makes a program that edits as the file "next" beside it says: its
// text takes the place of what is edited, which is kept in "before". As editors
// do, it wants a terminal.
func editor(t *testing.T) (program string, next func(text string), before func() string) {
	t.Helper()
	folder := t.TempDir()
	program = filepath.Join(folder, "editor")
	script := fmt.Sprintf("#!/bin/sh\n[ -t 0 ] && [ -t 1 ] && [ -t 2 ] || exit 1\necho noise >&2\ncp \"$1\" %[1]s/before\ncp %[1]s/next \"$1\"\n", folder)
	if err := os.WriteFile(program, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	next = func(text string) {
		if err := os.WriteFile(filepath.Join(folder, "next"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	before = func() string {
		text, err := os.ReadFile(filepath.Join(folder, "before"))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	return program, next, before
}

// openTUI opens the program in a terminal.
func openTUI(t *testing.T, width, height int, env []string, args ...string) *tmuxtest.Screen {
	t.Helper()
	return tmuxtest.Run(t, width, height, command(t, env, append([]string{"tui"}, args...)...))
}

// do does an act of the palette.
func do(t *testing.T, s *tmuxtest.Screen, words string) {
	t.Helper()
	s.Press(":")
	s.See("do it")
	s.Enter(words)
	s.Press("Enter")
}

// Every act, on a folder that nobody serves, on one that a server holds, and
// over a URL; on both engines.
func TestTUIEveryAct(t *testing.T) {
	if testing.Short() {
		t.Skip("drives a real terminal")
	}
	for _, engine := range []string{"sqlite", "mongodb"} {
		for _, where := range []string{"folder", "served folder", "url"} {
			t.Run(engine+" "+where, func(t *testing.T) {
				data, config := dataDir(t), filepath.Join(t.TempDir(), "tenantry.toml")
				text := "deletion_retention = \"24h\"\n"
				if engine == "mongodb" {
					s := mongotest.Shared(t, mongotest.ReplicaSet)
					text += fmt.Sprintf("[registry]\nurl = %q\n[clusters.default]\nurl = %q\n", s.URL(s.Database(t)), s.URL(s.Database(t)))
				}
				if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
				program, next, before := editor(t)
				env := []string{"EDITOR=" + program, "TENANTRY_CONFIG=" + config}
				args := []string{"--data-dir", data}
				switch where {
				case "served folder":
					serve(t, data, env...)
				case "url":
					server := serve(t, data, env...)
					env, args = append(env, "TENANTRY_KEY="+server.Key), []string{"--url", server.URL}
				}
				s := openTUI(t, 100, 30, env, args...)
				s.See("Organizations", "default", "ok")
				createAndRename(t, s)
				writeDocuments(t, s, next, before)
				changeOwnerAndState(t, s)
				deleteAndRestore(t, s)
				keysAndChecks(t, s, engine)
				s.Press("q")
				s.See("ended 0 whole")
			})
		}
	}
}

func createAndRename(t *testing.T, s *tmuxtest.Screen) {
	t.Helper()
	s.Press("n")
	s.See("New organization")
	s.Enter("admin")
	s.See("✗ This name is reserved")
	s.Clear()
	s.Answers("Acme Corp", "owner@acme.example", "correct-horse-battery", "", "")
	s.See("Acme Corp is made", "acme-corp", "owner@acme.example")
	s.Press("R")
	s.See("Rename Acme Corp")
	s.Clear()
	s.Answers("Emca 株式会社", "emca")
	s.See("Acme Corp is called Emca 株式会社 now.", "org_emca")
}

func writeDocuments(t *testing.T, s *tmuxtest.Screen, next func(string), before func() string) {
	t.Helper()
	s.Press("Tab")
	s.See("Documents belong to the organization")
	s.Press("Enter")
	s.See("Member's email", "owner@acme.example")
	s.Answers("", "wrong-password")
	s.See("✗ The email address or the password is wrong.")
	s.Clear()
	s.Answers("correct-horse-battery")
	s.See("There is no document yet")
	s.Press("n")
	s.See("New document")
	s.Answers("note", `{"title": "Hello", "evil": "\u001b[31mred"}`, "first")
	s.See("Document first is made.")
	s.Press("Enter")
	s.See(`"evil": "\u001b[31mred"`, "revision 1")
	next(`{"title": "Hello again",}`)
	s.Press("e")
	s.See("✗ This is not valid JSON", "Hello again")
	if !strings.Contains(before(), "\n  \"title\": \"Hello\",\n") {
		t.Errorf("the editor was given %q", before())
	}
	next(`{"title": "Hello again"}`)
	s.Press("e")
	s.See("Document first is saved.", "revision 2", `"title": "Hello again"`)
	s.Gone("noise")
	s.Press("D")
	s.See("Delete first?")
	s.Press("Enter")
	s.Gone("Delete first?")
	s.Press("D")
	s.See("Delete first?")
	s.Press("y")
	s.See("Document first is deleted.", "There is no document yet")
}

func changeOwnerAndState(t *testing.T, s *tmuxtest.Screen) {
	t.Helper()
	s.Press("BTab")
	s.See("Placement  ")
	s.Press("o")
	s.See("Owner of Emca")
	s.Clear()
	s.Answers("boss@emca.example", "another-good-password")
	s.See("The owner signs in as boss@emca.example now.")
	s.Press("S")
	s.See("Suspend Emca 株式会社?")
	s.Press("y")
	s.See("is suspended.", "A resume")
	s.Press("A")
	s.See("Resume Emca 株式会社?")
	s.Press("y")
	s.See("is active again.", "S suspend")
}

func deleteAndRestore(t *testing.T, s *tmuxtest.Screen) {
	t.Helper()
	del := func() {
		t.Helper()
		s.Press("D")
		s.See("Type Emca 株式会社 to confirm")
		s.Answers("Emca 株式会社")
		s.See("is deleted. It can be restored until")
	}
	del()
	s.Press("2")
	s.See("oldest first")
	s.Press("f")
	s.See("Filter organizations")
	s.Press("Right", "Right", "Right")
	s.See("deleted")
	s.Answers("", "", "")
	s.See("only deleted", "Emca")
	s.Press("U")
	s.See("Restore Emca 株式会社?")
	s.Press("y")
	s.See("is back.")
	s.Press("c")
	s.See("Emca", "active")
	s.Press("Enter")
	s.See("Placement  ")
	del()
	// Cancelling the deletion is restoring it too.
	s.Press("3")
	s.See("delete", "waiting")
	s.Press("X")
	s.See("Cancel the delete")
	s.Press("y")
	s.See("The delete is cancelled.", "cancelled")
	s.Press("2")
	s.See("Emca", "active")
	s.Press("Enter")
	s.See("Placement  ")
	del()
	// Deleting what is deleted removes it now.
	s.Press("2")
	s.See("oldest first")
	s.Press("f")
	s.See("Filter organizations")
	s.Press("Right", "Right", "Right")
	s.Answers("", "", "")
	s.See("only deleted", "Emca")
	s.Press("D")
	s.See("removes its data now")
	s.Answers("Emca 株式会社")
	s.See("is deleted.", "No organization is like that")
	s.Press("c")
}

func keysAndChecks(t *testing.T, s *tmuxtest.Screen, engine string) {
	t.Helper()
	s.Press("5")
	s.See("Operator keys")
	s.Press("n")
	s.See("New operator key")
	s.Answers("robot", "")
	s.See("tnt_op_", "shown this once")
	s.Press("y")
	s.See("Copied the key")
	s.Until("the clipboard", func() bool { return strings.HasPrefix(s.Tmux("show-buffer"), "tnt_op_") })
	s.Press("Enter")
	s.See("robot")
	s.Press("G")
	do(t, s, "revoke the key")
	s.See("Revoke the key robot?")
	s.Press("n")
	s.Gone("Revoke the key robot?")
	s.Press("D")
	s.See("Revoke the key robot?")
	s.Press("y")
	s.See("The key robot is worthless now.", "revoked")
	s.Press("4")
	s.See("CLUSTER", engine, "default: Works.")
	s.Press("6")
	s.See("run the checks")
	s.Press("Enter")
	s.See("checks passed")
}
