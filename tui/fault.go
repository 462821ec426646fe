package tui

import (
	"fmt"
	"runtime/debug"

	tea "github.com/charmbracelet/bubbletea"
)

// panicError is a fault of this program.
type panicError struct {
	value any
	stack []byte
}

func (e *panicError) Error() string {
	return fmt.Sprintf("This program has a fault (%v). What you did may be done or not; look before you repeat it.", e.value)
}

// guarded ends the program at a fault and keeps what is known of it: Bubble Tea
// would print that on the screen that is left then.
type guarded struct {
	model tea.Model
	view  string
	fault *panicError
}

// Init is of tea.Model.
func (g *guarded) Init() tea.Cmd {
	return g.try(func() tea.Cmd { return g.model.Init() })
}

// Update is of tea.Model.
func (g *guarded) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	if fault, ok := msg.(*panicError); ok {
		g.fault = fault
		return g, tea.Quit
	}
	return g, g.try(func() (cmd tea.Cmd) {
		g.model, cmd = g.model.Update(msg)
		return cmd
	})
}

// View is of tea.Model. It was drawn already, where a fault can end the
// program.
func (g *guarded) View() string { return g.view }

func (g *guarded) try(act func() tea.Cmd) (cmd tea.Cmd) {
	defer func() {
		if p := recover(); p != nil {
			g.fault = &panicError{value: p, stack: debug.Stack()}
			cmd = tea.Quit
		}
	}()
	cmd = guard(act())
	g.view = g.model.View()
	return cmd
}

// guard makes a fault of the command, and of those in it, its message.
func guard(cmd tea.Cmd) tea.Cmd {
	if cmd == nil {
		return nil
	}
	return func() (msg tea.Msg) {
		defer func() {
			if p := recover(); p != nil {
				msg = &panicError{value: p, stack: debug.Stack()}
			}
		}()
		msg = cmd()
		if batch, ok := msg.(tea.BatchMsg); ok {
			all := make(tea.BatchMsg, len(batch))
			for i, one := range batch {
				all[i] = guard(one)
			}
			return all
		}
		return msg
	}
}
