// Package tui is the terminal UI: one file for each screen, which speak to the
// root by messages (screen.go, places.go) and to the server by commands
// (wait.go) alone. Bubble Tea and its kin are imported nowhere else.
package tui

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/lipgloss"
	"github.com/muesli/termenv"

	"tenantry/tui/quiet"
)

// Bubble Tea was initialized before this: see package quiet.
func init() { quiet.Restore() }

// Run shows the UI until one leaves it or the context ends. It leaves the
// terminal as it was.
func Run(ctx context.Context, server Server) error {
	profile, dark := terminal()
	out := &terminalFile{File: os.Stdout}
	s := newShared(ctx, server, newStyles(dark, profile))
	lipgloss.SetDefaultRenderer(s.styles.renderer)
	root := newRoot(s, func(text string) { _, _ = out.WriteString(text) })
	// Signals end the context, and with it the program: it must not fail to
	// restore the terminal for having two that listen to them.
	program := tea.NewProgram(root, tea.WithContext(ctx), tea.WithOutput(out), tea.WithAltScreen(), tea.WithoutSignalHandler())
	_, err := program.Run()
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	s.members.end(bounded)
	_ = s.session.end(bounded)
	switch {
	case errors.Is(err, tea.ErrProgramPanic):
		return fmt.Errorf("the program has a fault and ended; the terminal is as it was: %w", err)
	case errors.Is(err, tea.ErrProgramKilled) && ctx.Err() != nil, errors.Is(err, tea.ErrInterrupted):
		return nil
	}
	return err
}

func newShared(ctx context.Context, server Server, styles *styles) shared {
	return shared{
		ctx: ctx, session: newSession(server), members: &members{}, keys: newKeys(), styles: styles,
		outbox: &outbox{}, calls: new(atomic.Uint64), now: time.Now,
	}
}

// terminal asks, once and before anything is drawn, for colours and whether
// the background is dark. A terminal without colours is not asked.
func terminal() (profile termenv.Profile, dark bool) {
	out := termenv.NewOutput(os.Stdout)
	profile = out.EnvColorProfile()
	if profile == termenv.Ascii {
		return profile, true
	}
	return profile, out.HasDarkBackground()
}

// terminalFile writes each piece whole: what is drawn and what is put on the
// clipboard come from different goroutines.
type terminalFile struct {
	*os.File
	mu sync.Mutex
}

// Write is of io.Writer.
func (t *terminalFile) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.File.Write(p)
}

// WriteString is of io.StringWriter.
func (t *terminalFile) WriteString(s string) (int, error) { return t.Write([]byte(s)) }
