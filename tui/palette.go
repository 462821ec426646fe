package tui

import (
	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"
)

// palette lists every act with its key and does the one that is chosen.
type palette struct {
	base
	picker[key.Binding]
}

// runMsg does what a key does.
type runMsg struct{ binding key.Binding }

func newPalette(s shared, acts, global []key.Binding) *palette {
	return &palette{base: base{shared: s}, picker: newPicker(s.styles, ": ", "type a command", append(acts, global...),
		func(b key.Binding) string { return b.Help().Desc })}
}

func (p *palette) Init() tea.Cmd { return p.input.Focus() }

func (p *palette) Update(msg tea.Msg) (Screen, tea.Cmd) {
	if press, ok := msg.(tea.KeyMsg); ok {
		switch press.String() {
		case "esc":
			return p, p.send(backMsg{p})
		case "enter":
			if act, any := p.current(); any {
				return p, p.send(runMsg{act})
			}
			return p, nil
		}
	}
	return p, p.update(msg)
}

func (p *palette) View() string {
	lines := []string{" " + p.input.View(), ""}
	lines = append(lines, p.view(p.styles, p.height-len(lines), func(b key.Binding) string {
		return fit(b.Help().Desc, 44) + " " + fit(b.Help().Key, 10)
	}, "No command has these words.")...)
	return block(lines, p.width, p.height)
}

func (p *palette) Title() string { return "Commands" }

// Typing is of Screen.
func (p *palette) Typing() bool { return true }

func (p *palette) ShortHelp() []key.Binding {
	return []key.Binding{as(p.keys.Open, "do it"), as(bind("↑/↓", "", "up"), "choose"), p.keys.Back}
}

func (p *palette) Acts() []key.Binding { return nil }
