//go:build unix

package tui

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/muesli/termenv"

	"tenantry/tui/tmuxtest"
)

// asFaulty makes the test binary a terminal UI that has a fault at the place
// that the variable names, when F is pressed.
const asFaulty = "TENANTRY_TEST_FAULT_IN"

// faulty is the program with a fault.
type faulty struct {
	tea.Model
	in      string
	pressed bool
}

func (f *faulty) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	var cmd tea.Cmd
	f.Model, cmd = f.Model.Update(msg)
	if key, ok := msg.(tea.KeyMsg); !ok || key.String() != "F" {
		return f, cmd
	}
	f.pressed = true
	broken := func() tea.Msg { panic("broken on purpose") }
	switch f.in {
	case "update":
		panic("broken on purpose")
	case "command":
		return f, broken
	case "batch":
		return f, tea.Batch(func() tea.Msg { return nil }, tea.Batch(broken, broken))
	case "sequence":
		return f, tea.Sequence(broken)
	}
	return f, cmd
}

func (f *faulty) View() string {
	if f.pressed && f.in == "view" {
		panic("broken on purpose")
	}
	return f.Model.View()
}

func runFaulty(in string) int {
	s := newShared(context.Background(), serverOf(newFake()), newStyles(true, termenv.Ascii))
	if err := show(s.ctx, s, &faulty{Model: newRoot(s, func(string) {}), in: in}, &terminalFile{File: os.Stdout}); err != nil {
		fmt.Println(err)
		return 1
	}
	return 0
}

// Wherever the fault is, the terminal is as it was, and says what is known.
func TestFaultLeavesTheTerminalAsItWas(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, in := range []string{"update", "view", "command", "batch", "sequence"} {
		t.Run(in, func(t *testing.T) {
			cmd := exec.Command(self)
			cmd.Env = []string{asFaulty + "=" + in, "PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir()}
			cmd.Dir = t.TempDir()
			s := tmuxtest.Run(t, 120, 40, cmd)
			written := s.Record()
			s.See("frankfurt")
			s.Press("m")
			s.See("The mouse scrolls")
			s.Press("F")
			s.See("the program has a fault and ended", "ended 1 whole")
			s.AsItWas(written("ended"))
			if in == "sequence" {
				return // Bubble Tea hides what these are made of, and ends by itself
			}
			if text := s.Text(); !strings.Contains(text, "broken on purpose") || !strings.Contains(text, "fault_unix_test.go") {
				t.Errorf("it does not say what is known:\n%s", text)
			}
		})
	}
}
