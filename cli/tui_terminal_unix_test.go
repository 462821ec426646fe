//go:build unix

package cli_test

import (
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"tenantry/tui/tmuxtest"
)

func TestTUINeedsATerminal(t *testing.T) {
	out, err := command(t, nil, "tui").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "this needs a terminal") {
		t.Errorf("%v: %s", err, out)
	}
}

// A signal ends it with the terminal as it was, the mouse too. Nothing can be
// done about SIGKILL, which no program hears of.
func TestTUILeavesTheTerminalAsItWas(t *testing.T) {
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGHUP} {
		t.Run(signal.String(), func(t *testing.T) {
			s := openTUI(t, 80, 24, nil, "--data-dir", dataDir(t))
			written := s.Record()
			s.See("Dashboard", "none yet")
			s.Press("m")
			s.See("The mouse scrolls")
			if s.Is("#{mouse_any_flag}") != "1" {
				t.Error("the mouse is not on")
			}
			if err := syscall.Kill(s.Child(), signal); err != nil {
				t.Fatal(err)
			}
			s.See("ended 0 whole")
			s.Gone("Dashboard")
			s.AsItWas(written("ended"))
		})
	}
}

// Ctrl-Z, and SIGTSTP from elsewhere, give the terminal back for a while.
func TestTUIStopsForAWhile(t *testing.T) {
	if _, err := exec.LookPath("bash"); err != nil {
		t.Skip("there is no shell with job control")
	}
	for _, by := range []string{"Ctrl-Z", "SIGTSTP"} {
		t.Run(by, func(t *testing.T) {
			cmd := command(t, nil, "tui", "--data-dir", dataDir(t))
			bash := exec.Command("bash", "--norc", "--noediting", "-i")
			bash.Env, bash.Dir = append(cmd.Env, "PS1=prompt> "), cmd.Dir
			s := tmuxtest.Start(t, 80, 24, bash)
			s.See("prompt>")
			s.Enter("before=$(" + tmuxtest.Settings + "); " + tmuxtest.Words(cmd))
			written := s.Record()
			s.Press("Enter")
			s.See("Dashboard", "none yet")
			s.Press("m")
			s.See("The mouse scrolls")
			if by == "Ctrl-Z" {
				s.Press("C-z")
			} else if err := syscall.Kill(s.Child(), syscall.SIGTSTP); err != nil {
				t.Fatal(err)
			}
			s.Until("the shell", func() bool {
				return strings.Contains(s.Text(), "Stopped") && strings.HasSuffix(strings.TrimSpace(s.Text()), "prompt>")
			})
			s.Enter(`[ "$before" = "$(` + tmuxtest.Settings + `)" ] && echo as it""was`)
			s.Press("Enter")
			s.See("as itwas")
			s.AsItWas(written("as itwas"))
			s.Enter("fg")
			s.Press("Enter")
			s.See("Dashboard", "none yet")
			s.Until("the mouse", func() bool { return s.Is("#{mouse_any_flag}") == "1" })
			s.Press("n")
			s.See("New organization") // it hears keys again
			s.Press("C-c")
			s.Until("the shell", func() bool { return strings.HasSuffix(strings.TrimSpace(s.Text()), "prompt>") })
			s.Enter(`[ "$before" = "$(` + tmuxtest.Settings + `)" ] && echo it is"" whole`)
			s.Press("Enter")
			s.See("it is whole")
			s.AsItWas(written("it is whole"))
		})
	}
}

// Only the UI asks the terminal for its background, and once: the answer would
// be read by whatever runs then.
func TestOnlyTheTUIAsksTheTerminal(t *testing.T) {
	data := dataDir(t)
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
		// Termenv sees no terminal where CI is set, and tmux hands it on.
		shell := exec.Command("sh", "-c", "unset CI; read go; TERM=xterm-256color "+tmuxtest.Words(cmd)+"; echo ended; exec cat")
		shell.Env, shell.Dir = cmd.Env, cmd.Dir
		s := tmuxtest.Start(t, 100, 50, shell)
		written := s.Record()
		s.Press("Enter")
		s.See(row.ends)
		if got := strings.Count(written(row.ends), "\x1b]11;?"); got != row.asks {
			t.Errorf("%v asks %d times, want %d", row.args, got, row.asks)
		}
	}
}
