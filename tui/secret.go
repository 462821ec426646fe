package tui

import (
	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"tenantry/app/client"
)

// secret shows an operator key, this once.
type secret struct {
	base
	key client.NewOperatorKey
}

func newSecret(s shared, k client.NewOperatorKey) *secret {
	return &secret{base: base{shared: s}, key: k}
}

func (s *secret) Init() tea.Cmd { return nil }

func (s *secret) Update(msg tea.Msg) (Screen, tea.Cmd) {
	if msg, ok := msg.(tea.KeyMsg); ok {
		switch {
		case key.Matches(msg, s.keys.Copy):
			return s, s.send(copyMsg{"the key", s.key.Key})
		case key.Matches(msg, s.keys.Open):
			return s, s.send(backMsg{s})
		}
	}
	return s, nil
}

func (s *secret) View() string {
	lines := []string{"", "  " + s.styles.Strong.Render("The operator key "+cut(clean(s.key.Name), s.width-24)), ""}
	// Broken where it must be, never shortened.
	text := clean(s.key.Key)
	for room := max(1, s.width-6); text != ""; {
		n := min(room, len(text))
		lines = append(lines, "    "+s.styles.Accent.Render(text[:n]))
		text = text[n:]
	}
	lines = append(lines, "")
	for _, line := range wrap("It is shown this once and kept nowhere. Copy it now: y copies it, over SSH too, where the terminal allows that. "+
		"Give it to commands in TENANTRY_KEY or TENANTRY_KEY_FILE.", min(s.width-4, 72), 4) {
		lines = append(lines, "  "+line)
	}
	return block(lines, s.width, s.height)
}

func (s *secret) Title() string { return "New key" }

func (s *secret) ShortHelp() []key.Binding {
	return []key.Binding{as(s.keys.Copy, "copy the key"), as(s.keys.Open, "done")}
}

func (s *secret) Acts() []key.Binding { return s.ShortHelp() }
