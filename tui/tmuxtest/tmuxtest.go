//go:build unix

package tmuxtest

import (
	"errors"
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

// Screen is a terminal.
type Screen struct {
	t      testing.TB
	socket string
}

// Run starts the command in a terminal of its own. When it ends the screen says
// "ended" with its exit code and whether the settings of the terminal are
// "whole", as they were before, or "broken".
func Run(t testing.TB, width, height int, cmd *exec.Cmd) *Screen {
	t.Helper()
	// What is pressed after the command's end must neither end the terminal nor
	// be written over what it says.
	script := "trap : INT; before=$(" + Settings + "); " + Words(cmd) + `; code=$?; [ "$before" = "$(` + Settings + `)" ] && is=whole; ` +
		`echo "ended $code ${is:-broken}"; trap '' INT; stty -echo; exec cat >/dev/null`
	shell := exec.Command("sh", "-c", script) //nolint:noctx // only its parts are used
	shell.Env, shell.Dir = cmd.Env, cmd.Dir
	return Start(t, width, height, shell)
}

// Settings is a command that prints the settings of the terminal but for its
// size.
const Settings = "stty -a | sed 's/rows.*columns [0-9]*//'"

// Words are a command as a shell reads it.
func Words(cmd *exec.Cmd) string {
	words := make([]string, len(cmd.Args))
	for i, a := range append([]string{cmd.Path}, cmd.Args[1:]...) {
		words[i] = "'" + strings.ReplaceAll(a, "'", `'\''`) + "'"
	}
	return strings.Join(words, " ")
}

// Start starts the command in a terminal of its own, which goes with it.
func Start(t testing.TB, width, height int, cmd *exec.Cmd) *Screen {
	t.Helper()
	if testing.Short() {
		t.Skip("drives a real terminal")
	}
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
	s := &Screen{t: t, socket: filepath.Join(folder, "s")}
	call := []string{"new-session", "-d", "-x", fmt.Sprint(width), "-y", fmt.Sprint(height), "-c", cmd.Dir}
	for _, e := range cmd.Env {
		call = append(call, "-e", e)
	}
	s.Tmux(append(append(call, "--", cmd.Path), cmd.Args[1:]...)...)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the screen was:\n%s", s.Text())
		}
		_ = exec.Command("tmux", "-S", s.socket, "kill-server").Run() //nolint:noctx // it ends at once
		_ = os.RemoveAll(folder)
	})
	s.Tmux("set-option", "-g", "set-clipboard", "on")
	s.Tmux("set-option", "-s", "escape-time", "0")
	return s
}

// Tmux gives what a command of tmux says.
func (s *Screen) Tmux(args ...string) string {
	s.t.Helper()
	out, err := exec.Command("tmux", append([]string{"-S", s.socket, "-f", "/dev/null"}, args...)...).CombinedOutput() //nolint:noctx // the test's own
	if err != nil {
		s.t.Fatalf("tmux %v: %v\n%s", args, err, out)
	}
	return string(out)
}

// Is gives a format of tmux for the terminal, such as "#{alternate_on}".
func (s *Screen) Is(format string) string {
	s.t.Helper()
	return strings.TrimSpace(s.Tmux("display-message", "-p", format))
}

// Text is what is on the screen now.
func (s *Screen) Text() string {
	out, _ := exec.Command("tmux", "-S", s.socket, "capture-pane", "-p").CombinedOutput() //nolint:noctx // it ends at once
	return string(out)
}

// See waits until all the texts are on the screen at once.
func (s *Screen) See(texts ...string) {
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

// Gone waits until a text is not on the screen.
func (s *Screen) Gone(text string) {
	s.t.Helper()
	s.wait("the end of "+text, func(screen string) bool { return !strings.Contains(screen, text) })
}

func (s *Screen) wait(what string, so func(string) bool) {
	s.t.Helper()
	s.Until(what, func() bool { return so(s.Text()) })
}

// Until waits until something is so.
func (s *Screen) Until(what string, so func() bool) {
	s.t.Helper()
	for deadline := time.Now().Add(seen); !so(); {
		if time.Now().After(deadline) {
			s.t.Fatalf("never came: %s\n%s", what, s.Text())
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// AsItWas fails the test where a program left the terminal in a mode that it
// had put it into; written is all that it wrote.
func (s *Screen) AsItWas(written string) {
	s.t.Helper()
	for format, want := range map[string]string{"#{alternate_on}": "0", "#{cursor_flag}": "1", "#{mouse_any_flag}": "0"} {
		if got := s.Is(format); got != want {
			s.t.Errorf("%s is %s", format, got)
		}
	}
	if strings.LastIndex(written, "\x1b[?2004h") > strings.LastIndex(written, "\x1b[?2004l") {
		s.t.Error("pastes are still bracketed")
	}
}

// Press presses keys by tmux's names for them.
func (s *Screen) Press(keys ...string) {
	s.t.Helper()
	s.Tmux(append([]string{"send-keys", "--"}, keys...)...)
}

// Enter types a text.
func (s *Screen) Enter(text string) {
	s.t.Helper()
	s.Tmux("send-keys", "-l", "--", text)
}

// Answers types into the fields of a form, and enter after each.
func (s *Screen) Answers(fields ...string) {
	s.t.Helper()
	for _, f := range fields {
		if f != "" {
			s.Enter(f)
		}
		s.Press("Enter")
	}
}

// Clear empties the field that one is in.
func (s *Screen) Clear() {
	s.t.Helper()
	s.Press("C-e", "C-u")
}

// Paste pastes a text as a terminal does.
func (s *Screen) Paste(text string) {
	s.t.Helper()
	file := filepath.Join(s.t.TempDir(), "paste")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
	s.Tmux("load-buffer", "-b", "paste", file)
	s.Tmux("paste-buffer", "-p", "-b", "paste")
}

// Resize gives the terminal another size.
func (s *Screen) Resize(width, height int) {
	s.t.Helper()
	s.Tmux("resize-window", "-x", fmt.Sprint(width), "-y", fmt.Sprint(height))
}

// Child is the process id of what the terminal's shell runs.
func (s *Screen) Child() int {
	s.t.Helper()
	out, err := exec.Command("pgrep", "-P", s.Is("#{pane_pid}")).Output() //nolint:noctx // the test's own
	if err != nil {
		s.t.Fatalf("the shell's child: %v", err)
	}
	var pid int
	if _, err := fmt.Sscan(string(out), &pid); err != nil {
		s.t.Fatal(err)
	}
	return pid
}

// Recorded is all that was written to the terminal since Record, when a text
// has come in it.
type Recorded func(text string) string

// Record notes from now on what is written to the terminal.
func (s *Screen) Record() Recorded {
	s.t.Helper()
	file := filepath.Join(s.t.TempDir(), "output")
	s.Tmux("pipe-pane", "cat > '"+file+"'")
	return func(text string) string {
		s.t.Helper()
		// What records is a program of its own, and may lag behind the screen.
		for deadline := time.Now().Add(seen); ; time.Sleep(5 * time.Millisecond) {
			written, err := os.ReadFile(file)
			if err != nil && !errors.Is(err, os.ErrNotExist) {
				s.t.Fatal(err)
			}
			if strings.Contains(string(written), text) {
				return string(written)
			}
			if time.Now().After(deadline) {
				s.t.Fatalf("%q was not recorded, only %q", text, written)
			}
		}
	}
}
