// Package tui is the terminal UI: one file for each screen, which speak to the
// root by messages (screen.go, places.go) and to the server by commands
// (wait.go) alone. Bubble Tea and its kin are imported nowhere else.
package tui

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync/atomic"
	"time"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/lipgloss"
	"github.com/muesli/termenv"
	"golang.org/x/term"

	"tenantry/tui/quiet"
)

// Bubble Tea was initialized before this: see package quiet.
func init() { quiet.Restore() }

// Run shows the UI until one leaves it or the context ends. It leaves the
// terminal as it was.
func Run(ctx context.Context, server Server) error {
	s := newShared(ctx, server, newStyles(darkUntilAsked(os.Getenv), colours()))
	out := &terminalFile{File: os.Stdout}
	write := func(text string) { _, _ = out.WriteString(text) }
	root := newRoot(s, write)
	if colours() != termenv.Ascii && tellsBackground(os.Getenv) && isTerminal(os.Stdin) {
		root.ask = func() tea.Msg { write(askBackground); return nil }
	}
	err := show(ctx, s, root, out)
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	s.members.end(bounded)
	_ = s.session.end(bounded)
	return err
}

// show runs a model on the terminal.
func show(ctx context.Context, s shared, model tea.Model, out *terminalFile) error {
	lipgloss.SetDefaultRenderer(s.styles.renderer)
	whole := &guarded{model: model}
	in := &keyboard{File: os.Stdin}
	if !isTerminal(in.File) { // keys come from the terminal all the same
		if tty, err := os.OpenFile("/dev/tty", os.O_RDWR, 0); err == nil {
			defer func() { _ = tty.Close() }()
			in.File = tty
		}
	}
	// Signals end the context, and with it the program: it must not fail to
	// restore the terminal for having two that listen to them.
	stops := newStopper()
	options := []tea.ProgramOption{tea.WithOutput(out), tea.WithAltScreen(), tea.WithoutSignalHandler(), tea.WithFilter(stops.filter)}
	if isTerminal(in.File) && runtime.GOOS != "windows" {
		options = append(options, tea.WithInput(in))
	}
	program := tea.NewProgram(whole, options...)
	in.answered = program.Send
	// Not by tea.WithContext, with which what reads the keys is closed while it
	// is reading.
	forget := context.AfterFunc(ctx, program.Quit)
	defer forget()
	stops.begin(program)
	defer stops.end()
	_, err := program.Run()
	switch {
	case whole.fault != nil:
		return fmt.Errorf("the program has a fault and ended; the terminal is as it was: %v\n%s", whole.fault.value, whole.fault.stack)
	case errors.Is(err, tea.ErrProgramPanic):
		return fmt.Errorf("the program has a fault and ended; the terminal is as it was: %w", err)
	case errors.Is(err, errNoTerminal), errors.Is(err, tea.ErrProgramKilled) && ctx.Err() != nil, errors.Is(err, tea.ErrInterrupted):
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

func isTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }
