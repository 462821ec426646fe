//go:build unix

package cli_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// seen is how long a test waits for a text to come on a screen. It is spent
// only by a test that fails.
const seen = 40 * time.Second

// screen is a real terminal, of tmux, in which programs run.
type screen struct {
	t      *testing.T
	socket string
}

// openScreen starts tmux with the program in it, or skips the test where there
// is none; with CI=true that fails it. When the program ends the screen says
// "ended" with its exit code, and whether the terminal is as it was.
func openScreen(t *testing.T, width, height int, env []string, args ...string) *screen {
	t.Helper()
	cmd := command(t, env, args...)
	words := []string{quote(cmd.Path)}
	for _, a := range args {
		words = append(words, quote(a))
	}
	run := strings.Join(words, " ")
	script := fmt.Sprintf(`before=$(stty -g); %s; code=$?; [ "$before" = "$(stty -g)" ] && is=whole; echo "ended $code ${is:-broken}"; exec cat`, run)
	return openTmux(t, width, height, cmd.Env, cmd.Dir, "sh", "-c", script)
}

func openTmux(t *testing.T, width, height int, env []string, dir string, args ...string) *screen {
	t.Helper()
	if _, err := exec.LookPath("tmux"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("there is no tmux, and CI=true")
		}
		t.Skip("there is no tmux to show the terminal UI in")
	}
	folder, err := os.MkdirTemp("", "tenantry-tmux-*") // short: it holds a socket
	if err != nil {
		t.Fatal(err)
	}
	s := &screen{t: t, socket: filepath.Join(folder, "s")}
	call := []string{"new-session", "-d", "-x", fmt.Sprint(width), "-y", fmt.Sprint(height), "-c", dir}
	for _, e := range env {
		call = append(call, "-e", e)
	}
	s.tmux(append(append(call, "--"), args...)...)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the screen was:\n%s", s.text())
		}
		_ = exec.Command("tmux", "-S", s.socket, "kill-server").Run()
		_ = os.RemoveAll(folder)
	})
	s.tmux("set-option", "-g", "set-clipboard", "on")
	s.tmux("set-option", "-s", "escape-time", "0")
	return s
}

func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

func (s *screen) tmux(args ...string) string {
	s.t.Helper()
	out, err := exec.Command("tmux", append([]string{"-S", s.socket, "-f", "/dev/null"}, args...)...).CombinedOutput()
	if err != nil {
		s.t.Fatalf("tmux %v: %v\n%s", args, err, out)
	}
	return string(out)
}

func (s *screen) text() string {
	out, _ := exec.Command("tmux", "-S", s.socket, "capture-pane", "-p").CombinedOutput()
	return string(out)
}

// see waits until all the texts are on the screen at once.
func (s *screen) see(texts ...string) {
	s.t.Helper()
	s.wait(fmt.Sprintf("%q", texts), func(screen string) bool {
		for _, text := range texts {
			if !strings.Contains(screen, text) {
				return false
			}
		}
		return true
	})
}

// gone waits until a text is not on the screen.
func (s *screen) gone(text string) {
	s.t.Helper()
	s.wait("the end of "+text, func(screen string) bool { return !strings.Contains(screen, text) })
}

func (s *screen) wait(what string, so func(string) bool) {
	s.t.Helper()
	for deadline := time.Now().Add(seen); !so(s.text()); {
		if time.Now().After(deadline) {
			s.t.Fatalf("never seen: %s\n%s", what, s.text())
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// press presses keys by tmux's names for them.
func (s *screen) press(keys ...string) {
	s.t.Helper()
	s.tmux(append([]string{"send-keys", "--"}, keys...)...)
}

// enter types a text.
func (s *screen) enter(text string) {
	s.t.Helper()
	s.tmux("send-keys", "-l", "--", text)
}

// answers types into the fields of a form, and enter after each.
func (s *screen) answers(fields ...string) {
	s.t.Helper()
	for _, f := range fields {
		if f != "" {
			s.enter(f)
		}
		s.press("Enter")
	}
}

// clear empties the field that one is in.
func (s *screen) clear() { s.press("C-e", "C-u") }

func (s *screen) resize(width, height int) {
	s.tmux("resize-window", "-x", fmt.Sprint(width), "-y", fmt.Sprint(height))
}

// do does an act of the palette.
func (s *screen) do(words string) {
	s.t.Helper()
	s.press(":")
	s.see("do it")
	s.enter(words)
	s.press("Enter")
}
