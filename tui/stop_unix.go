//go:build unix

package tui

import (
	"os"
	"os/signal"
	"syscall"

	tea "github.com/charmbracelet/bubbletea"
)

// stopper stops the program for a while, by Ctrl-Z or by a SIGTSTP from
// elsewhere, and gives the terminal back for that time. Bubble Tea knows the
// first alone, and stops by SIGTSTP; once somebody listens to that, Go does
// not let it stop anything any more.
type stopper struct {
	program *tea.Program
	told    chan os.Signal
	done    chan struct{}
}

func newStopper() *stopper {
	return &stopper{told: make(chan os.Signal, 1), done: make(chan struct{})}
}

// filter is of tea.WithFilter: it is called where messages are handled.
func (s *stopper) filter(_ tea.Model, msg tea.Msg) tea.Msg {
	if _, ok := msg.(tea.SuspendMsg); !ok {
		return msg
	}
	if s.program.ReleaseTerminal() != nil {
		return nil
	}
	continued := make(chan os.Signal, 1)
	signal.Notify(continued, syscall.SIGCONT)
	_ = syscall.Kill(0, syscall.SIGSTOP) // with what it was started with, as the terminal does it
	<-continued
	signal.Stop(continued)
	_ = s.program.RestoreTerminal()
	go s.program.Send(tea.ResumeMsg{})
	return nil
}

func (s *stopper) begin(p *tea.Program) {
	s.program = p
	signal.Notify(s.told, syscall.SIGTSTP)
	go func() {
		for {
			select {
			case <-s.told:
				p.Send(tea.SuspendMsg{})
			case <-s.done:
				return
			}
		}
	}()
}

func (s *stopper) end() {
	signal.Stop(s.told)
	close(s.done)
}
