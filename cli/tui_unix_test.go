//go:build unix

package cli_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// editor makes a program that edits as the file "next" beside it says: its
// text takes the place of what is edited, which is kept in "before".
func editor(t *testing.T) (program string, next func(text string), before func() string) {
	t.Helper()
	folder := t.TempDir()
	program = filepath.Join(folder, "editor")
	script := fmt.Sprintf("#!/bin/sh\necho noise >&2\ncp \"$1\" %[1]s/before\ncp %[1]s/next \"$1\"\n", folder)
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

// Every act, on a folder that nobody serves, on one that a server holds, and
// over a URL.
func TestTUIEveryAct(t *testing.T) {
	if testing.Short() {
		t.Skip("drives a real terminal")
	}
	const retention = "TENANTRY_DELETION_RETENTION=24h"
	for _, where := range []string{"folder", "served folder", "url"} {
		t.Run(where, func(t *testing.T) {
			data := filepath.Join(t.TempDir(), "data")
			program, next, before := editor(t)
			env := []string{"EDITOR=" + program, retention, "TERM=xterm-256color"}
			args := []string{"tui", "--data-dir", data}
			switch where {
			case "served folder":
				serve(t, data, retention)
			case "url":
				server := serve(t, data, retention)
				env, args = append(env, "TENANTRY_KEY="+server.Key), []string{"tui", "--url", server.URL}
			}
			s := openScreen(t, 100, 30, env, args...)
			s.see("Organizations", "default", "ok")
			createAndRename(s)
			writeDocuments(s, next, before)
			changeOwnerAndState(s)
			deleteAndRestore(s)
			keysAndChecks(s)
			s.press("q")
			s.see("ended 0 whole")
		})
	}
}

func createAndRename(s *screen) {
	s.t.Helper()
	s.press("n")
	s.see("New organization")
	s.enter("admin")
	s.see("✗ This name is reserved")
	s.clear()
	s.answers("Acme Corp", "owner@acme.example", "correct-horse-battery", "", "")
	s.see("Acme Corp is made", "acme-corp", "owner@acme.example")
	s.press("R")
	s.see("Rename Acme Corp")
	s.clear()
	s.answers("Emca 株式会社", "emca")
	s.see("Acme Corp is called Emca 株式会社 now.", "org_emca")
}

func writeDocuments(s *screen, next func(string), before func() string) {
	s.t.Helper()
	s.press("Tab")
	s.see("Documents belong to the organization")
	s.press("Enter")
	s.see("Member's email", "owner@acme.example")
	s.answers("", "wrong-password")
	s.see("✗ The email address or the password is wrong.")
	s.clear()
	s.answers("correct-horse-battery")
	s.see("There is no document yet")
	s.press("n")
	s.see("New document")
	s.answers("note", `{"title": "Hello", "evil": "\u001b[31mred"}`, "first")
	s.see("Document first is made.")
	s.press("Enter")
	s.see(`"evil": "\u001b[31mred"`, "revision 1")
	next(`{"title": "Hello again",}`)
	s.press("e")
	s.see("✗ This is not valid JSON", "Hello again")
	if !strings.Contains(before(), "\n  \"title\": \"Hello\",\n") {
		s.t.Errorf("the editor was given %q", before())
	}
	next(`{"title": "Hello again"}`)
	s.press("e")
	s.see("Document first is saved.", "revision 2", `"title": "Hello again"`)
	s.gone("noise")
	s.press("D")
	s.see("Delete first?")
	s.press("Enter")
	s.gone("Delete first?")
	s.press("D")
	s.see("Delete first?")
	s.press("y")
	s.see("Document first is deleted.", "There is no document yet")
}

func changeOwnerAndState(s *screen) {
	s.t.Helper()
	s.press("BTab")
	s.see("Placement")
	s.press("o")
	s.see("Owner of Emca")
	s.clear()
	s.answers("boss@emca.example", "another-good-password")
	s.see("The owner signs in as boss@emca.example now.")
	s.press("S")
	s.see("Suspend Emca 株式会社?")
	s.press("y")
	s.see("is suspended.", "A resume")
	s.press("A")
	s.see("Resume Emca 株式会社?")
	s.press("y")
	s.see("is active again.", "S suspend")
}

func deleteAndRestore(s *screen) {
	s.t.Helper()
	del := func() {
		s.t.Helper()
		s.press("D")
		s.see("Type Emca 株式会社 to confirm")
		s.answers("Emca 株式会社")
		s.see("is deleted. It can be restored until")
	}
	del()
	s.press("2")
	s.see("oldest first")
	s.press("f")
	s.see("Filter organizations")
	s.press("Right", "Right", "Right")
	s.see("deleted")
	s.answers("", "", "")
	s.see("only deleted", "Emca")
	s.press("U")
	s.see("Restore Emca 株式会社?")
	s.press("y")
	s.see("is back.")
	s.press("c")
	s.see("Emca", "active")
	s.press("Enter")
	s.see("Placement")
	del()
	// Cancelling the deletion is restoring it too.
	s.press("3")
	s.see("delete", "waiting")
	s.press("X")
	s.see("Cancel the delete")
	s.press("y")
	s.see("The delete is cancelled.", "cancelled")
	s.press("2")
	s.see("Emca", "active")
	s.press("Enter")
	s.see("Placement")
	del()
	// Deleting what is deleted removes it now.
	s.press("2")
	s.see("oldest first")
	s.press("f")
	s.see("Filter organizations")
	s.press("Right", "Right", "Right")
	s.answers("", "", "")
	s.see("only deleted", "Emca")
	s.press("D")
	s.see("removes its data now")
	s.answers("Emca 株式会社")
	s.see("is deleted.", "No organization is like that")
	s.press("c")
}

func keysAndChecks(s *screen) {
	s.t.Helper()
	s.press("5")
	s.see("Operator keys")
	s.press("n")
	s.see("New operator key")
	s.answers("robot", "")
	s.see("tnt_op_", "shown this once")
	s.press("y")
	s.see("Copied the key")
	for deadline := time.Now().Add(seen); !strings.HasPrefix(s.tmux("show-buffer"), "tnt_op_"); {
		if time.Now().After(deadline) {
			s.t.Fatalf("the clipboard has %q", s.tmux("show-buffer"))
		}
	}
	s.press("Enter")
	s.see("robot")
	s.press("G")
	s.do("revoke the key")
	s.see("Revoke the key robot?")
	s.press("n")
	s.gone("Revoke the key robot?")
	s.press("D")
	s.see("Revoke the key robot?")
	s.press("y")
	s.see("The key robot is worthless now.", "revoked")
	s.press("4")
	s.see("CLUSTER", "sqlite", "default: Works.")
	s.press("6")
	s.see("run the checks")
	s.press("Enter")
	s.see("checks passed")
}

// An admin signs in by email address and password and sees one organization.
func TestTUISignIn(t *testing.T) {
	if testing.Short() {
		t.Skip("drives a real terminal")
	}
	server := serve(t, filepath.Join(t.TempDir(), "data"))
	post(t, server, "/v1/organizations", `{"name":"شركة المثال","owner":{"email":"a@example.com","password":"correct-horse-battery"}}`)
	s := openScreen(t, 60, 16, []string{"NO_COLOR=1"}, "tui", "--url", server.URL)
	s.see("Sign in to")
	s.answers("a@example.com", "wrong-horse-battery")
	s.see("✗ The email address or the password is wrong.")
	s.clear()
	s.answers("correct-horse-battery")
	s.see("1 organization", "شركة المثال", "a@example.com")
	s.press("Tab")
	s.see("There is no document yet")
	s.press("n")
	s.see("New document")
	s.answers("note", `{"a": 1}`, "")
	s.see("is made.")
	s.resize(59, 16)
	s.see("Tenantry needs 60 by 16")
	s.resize(60, 16)
	s.see("note")
	s.press("BTab")
	s.see("Overview", "State")
	s.press("D")
	s.see("to confirm")
	s.answers("شركة المثال")
	s.see("Sign in to")
	s.press("C-c")
	s.see("ended 0 whole")
}

func post(t *testing.T, s *server, path, body string) {
	t.Helper()
	send(t, s, "POST", path, body, "")
}

func send(t *testing.T, s *server, method, path, body, token string) string {
	t.Helper()
	if token == "" {
		token = s.Key
	}
	req, err := http.NewRequest(method, s.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	answer, _ := io.ReadAll(res.Body)
	if res.StatusCode > 299 {
		t.Fatalf("%s %s: %s %s", method, path, res.Status, answer)
	}
	return string(answer)
}

func TestTUIServerGoesAndComes(t *testing.T) {
	if testing.Short() {
		t.Skip("drives a real terminal")
	}
	data := filepath.Join(t.TempDir(), "data")
	address := freeAddress(t)
	first := serve(t, data, "TENANTRY_LISTEN="+address)
	post(t, first, "/v1/organizations", `{"name":"Acme","owner":{"email":"a@example.com","password":"correct-horse-battery"}}`)
	s := openScreen(t, 80, 24, []string{"TENANTRY_KEY=" + first.Key}, "tui", "--url", first.URL)
	s.see("1 active")
	s.press("2")
	s.see("Acme")
	first.kill()
	s.press("r")
	s.see("away", "The server does not answer")
	again := command(t, nil, "serve", "--listen", strings.TrimPrefix(first.URL, "http://"), "--data-dir", data)
	if err := again.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = again.Process.Kill()
		_ = again.Wait()
	})
	s.see("The server is back.", "Acme", "active")
	s.press("q")
	s.see("ended 0 whole")
}

// A signal ends it with the terminal as it was; Ctrl-Z leaves it for a while.
func TestTUILeavesTheTerminalAsItWas(t *testing.T) {
	if testing.Short() {
		t.Skip("drives a real terminal")
	}
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGHUP} {
		t.Run(signal.String(), func(t *testing.T) {
			s := openScreen(t, 80, 24, nil, "tui", "--data-dir", filepath.Join(t.TempDir(), "data"))
			s.see("Dashboard")
			shell := strings.TrimSpace(s.tmux("display-message", "-p", "#{pane_pid}"))
			child, err := exec.Command("pgrep", "-P", shell).Output()
			if err != nil {
				t.Fatalf("the shell's child: %v", err)
			}
			var pid int
			if _, err := fmt.Sscan(string(child), &pid); err != nil {
				t.Fatal(err)
			}
			if err := syscall.Kill(pid, signal); err != nil {
				t.Fatal(err)
			}
			s.see("ended 0 whole")
			s.gone("Dashboard")
		})
	}
	t.Run("ctrl-z", func(t *testing.T) {
		if _, err := exec.LookPath("bash"); err != nil {
			t.Skip("there is no shell with job control")
		}
		cmd := command(t, []string{"PS1=prompt> "}, "tui", "--data-dir", filepath.Join(t.TempDir(), "data"))
		s := openTmux(t, 80, 24, cmd.Env, cmd.Dir, "bash", "--norc", "-i")
		s.enter(quote(cmd.Path) + " " + strings.Join(cmd.Args[1:], " "))
		s.press("Enter")
		s.see("Dashboard")
		s.press("C-z")
		s.see("Stopped")
		s.gone("Dashboard")
		s.enter("stty -a | grep -o ' icanon'; fg")
		s.press("Enter")
		s.see("Dashboard", "default")
		s.press("q")
		s.gone("Dashboard")
		s.see("icanon")
	})
}

// Two at the same organization: what one changed the other is told of.
func TestTUITwoAtOnce(t *testing.T) {
	if testing.Short() {
		t.Skip("drives a real terminal")
	}
	server := serve(t, filepath.Join(t.TempDir(), "data"))
	post(t, server, "/v1/organizations", `{"name":"Acme","owner":{"email":"a@example.com","password":"correct-horse-battery"}}`)
	program, next, _ := editor(t)
	open := func() *screen {
		s := openScreen(t, 100, 30, []string{"EDITOR=" + program}, "tui", "--url", server.URL)
		s.see("Sign in to")
		s.answers("a@example.com", "correct-horse-battery")
		s.see("Placement")
		return s
	}
	one, two := open(), open()
	// A folder that nobody serves is served by the first.
	folder := []string{"tui", "--data-dir", filepath.Join(t.TempDir(), "data")}
	first := openScreen(t, 80, 24, nil, folder...)
	first.see("none yet")
	second := openScreen(t, 80, 24, nil, folder...)
	second.see("none yet")
	second.press("n")
	second.see("New organization")
	second.answers("Shared", "s@example.com", "correct-horse-battery", "", "")
	second.see("Shared is made")
	first.see("1 active")
	second.press("q")
	second.see("ended 0 whole")
	first.press("q")
	first.see("ended 0 whole")

	one.press("R")
	one.see("Rename Acme")
	two.press("R")
	two.see("Rename Acme")
	one.clear()
	one.answers("Acme One", "")
	one.see("Acme is called Acme One now.")
	two.clear()
	two.answers("Acme Two", "")
	two.see("✗", "changed")
	two.press("Escape")
	two.see("Placement")
	two.press("r")
	two.see("Acme One")

	one.press("Tab")
	one.see("no document yet")
	one.press("n")
	one.see("New document")
	one.answers("note", `{"who": "nobody"}`, "shared")
	one.see("is made")
	one.press("Enter")
	one.see("nobody")
	two.press("Tab")
	two.see("shared")
	two.press("Enter")
	two.see("nobody")
	next(`{"who": "one"}`)
	one.press("e")
	one.see("is saved", `"one"`)
	next(`{"who": "two"}`)
	two.press("e")
	two.see("Somebody changed the document", `-   "who": "one"`, `+   "who": "two"`)
	two.press("W")
	two.see("is saved", `"two"`)
}

// A link of 300 ms: the walk is the same, and a spinner says what is waited
// for.
func TestTUIOverASlowLink(t *testing.T) {
	if testing.Short() {
		t.Skip("drives a real terminal")
	}
	server := serve(t, filepath.Join(t.TempDir(), "data"))
	slow := slowLink(t, strings.TrimPrefix(server.URL, "http://"), 300*time.Millisecond)
	s := openScreen(t, 80, 24, []string{"TENANTRY_KEY=" + server.Key}, "tui", "--url", "http://"+slow)
	s.see("none yet")
	s.press("n")
	s.see("New organization")
	s.answers("Far Away", "far@example.com", "correct-horse-battery", "", "")
	s.see("… esc cancels")
	s.see("Far Away is made", "far@example.com")
	s.press("D")
	s.see("to confirm")
	s.answers("Far Away")
	s.see("Far Away is deleted.")
}

// slowLink passes bytes on after a while, each way half of it.
func slowLink(t *testing.T, to string, delay time.Duration) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	pass := func(from, to net.Conn) {
		defer func() { _ = to.Close() }()
		buffer := make([]byte, 64<<10)
		for {
			n, err := from.Read(buffer)
			time.Sleep(delay / 2)
			if n > 0 {
				if _, err := to.Write(buffer[:n]); err != nil {
					return
				}
			}
			if err != nil {
				return
			}
		}
	}
	go func() {
		for {
			near, err := ln.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", to)
			if err != nil {
				_ = near.Close()
				continue
			}
			go pass(near, far)
			go pass(far, near)
		}
	}()
	return ln.Addr().String()
}

func TestTUINeedsATerminal(t *testing.T) {
	out, err := command(t, nil, "tui").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "this needs a terminal") {
		t.Errorf("%v: %s", err, out)
	}
}

// pasteAll pastes a text as a terminal does.
func (s *screen) pasteAll(text string) {
	s.t.Helper()
	file := filepath.Join(s.t.TempDir(), "paste")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
	s.tmux("load-buffer", "-b", "paste", file)
	s.tmux("paste-buffer", "-p", "-b", "paste")
}

// 100 kB in every field: the field takes what it takes, and all goes on.
func TestTUIPaste(t *testing.T) {
	if testing.Short() {
		t.Skip("drives a real terminal")
	}
	s := openScreen(t, 80, 24, nil, "tui", "--data-dir", filepath.Join(t.TempDir(), "data"))
	s.see("none yet")
	huge := strings.Repeat("paste\x1b[31m\n世界q ", 100_000/20)
	s.press("n")
	s.see("New organization")
	for _, said := range []string{"longer than 100 characters", "email address", "at most 72 bytes", "A slug is 2 to 63", "at most 255"} {
		s.pasteAll(huge)
		s.see("✗", said)
		s.clear()
		switch {
		case strings.Contains(said, "100"):
			s.answers("Pasted")
		case strings.Contains(said, "email"):
			s.answers("p@example.com")
		case strings.Contains(said, "72"):
			s.answers("correct-horse-battery")
		default:
			s.answers("")
		}
	}
	s.see("Pasted is made")
	s.press("Tab")
	s.see("Documents belong")
	s.press("Enter")
	s.see("Member's email")
	s.answers("", "correct-horse-battery")
	s.see("no document yet")
	s.press("n")
	s.see("New document")
	s.answers("note")
	s.pasteAll(`{"text": "` + strings.Repeat("x", 100_000) + `"}`)
	s.see("This is good JSON")
	s.press("Enter", "Enter")
	s.see("is made.")
	s.press("Enter")
	s.see(`"text": "xxx`)
	s.press("2")
	s.see("oldest first")
	s.press("/")
	s.pasteAll(huge)
	s.see("No organization is like that")
	s.press("Escape")
	s.see("1 of 1")
	s.press("q")
	s.see("ended 0 whole")
}

// A key that is revoked while one works leads to the sign-in, and from there
// back to the screen as it was.
func TestTUIEndOfASignIn(t *testing.T) {
	if testing.Short() {
		t.Skip("drives a real terminal")
	}
	server := serve(t, filepath.Join(t.TempDir(), "data"))
	post(t, server, "/v1/organizations", `{"name":"Acme","owner":{"email":"a@example.com","password":"correct-horse-battery"}}`)
	made := send(t, server, "POST", "/v1/operator-keys", `{"name":"doomed"}`, "")
	var key struct{ ID, Key string }
	if err := json.Unmarshal([]byte(made), &key); err != nil {
		t.Fatal(err)
	}
	s := openScreen(t, 80, 24, []string{"TENANTRY_KEY=" + key.Key}, "tui", "--url", server.URL)
	s.see("1 active")
	s.press("2")
	s.see("Acme")
	s.press("/")
	s.enter("acm")
	s.press("Enter")
	s.see("/ acm", "1 of 1")
	send(t, server, "DELETE", "/v1/operator-keys/"+key.ID, "", "")
	s.press("r")
	s.see("Sign in to")
	s.answers(server.Key, "")
	s.see("Signed in again.", "/ acm", "1 of 1")
}

// Only the UI asks the terminal for its background, and once: the answer would
// be read by whatever runs then, and a terminal that does not answer would be
// waited for.
func TestOnlyTheTUIAsksTheTerminal(t *testing.T) {
	if testing.Short() {
		t.Skip("drives a real terminal")
	}
	data := filepath.Join(t.TempDir(), "data")
	for _, row := range []struct {
		args []string
		ends string // shown when it was done
		asks int
	}{
		{[]string{"--help"}, "ended", 0},
		{[]string{"version"}, "ended", 0},
		{[]string{"org", "list", "--data-dir", data}, "ended", 0},
		{[]string{"tui", "--data-dir", data}, "none yet", 1},
	} {
		cmd := command(t, nil, row.args...)
		output := filepath.Join(t.TempDir(), "output")
		// Termenv asks nothing where CI is set, and tmux hands it on.
		script := "unset CI; read go; TERM=xterm-256color " + quote(cmd.Path)
		for _, a := range row.args {
			script += " " + quote(a)
		}
		s := openTmux(t, 100, 50, cmd.Env, cmd.Dir, "sh", "-c", script+"; echo ended; exec cat")
		s.tmux("pipe-pane", "cat > "+quote(output))
		s.press("Enter")
		s.see(row.ends)
		var written []byte
		// What records is a program of its own, and may lag behind the screen.
		for deadline := time.Now().Add(20 * time.Second); !strings.Contains(string(written), row.ends); time.Sleep(5 * time.Millisecond) {
			var err error
			if written, err = os.ReadFile(output); err != nil && !errors.Is(err, os.ErrNotExist) {
				t.Fatal(err)
			}
			if time.Now().After(deadline) {
				t.Fatalf("%v: %q was not recorded, only %q", row.args, row.ends, written)
			}
		}
		if got := strings.Count(string(written), "\x1b]11;?"); got != row.asks {
			t.Errorf("%v asks %d times, want %d", row.args, got, row.asks)
		}
	}
}
