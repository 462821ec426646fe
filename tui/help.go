package tui

import (
	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"
)

// help lists every key that does something on the screen below, and those that
// do the same everywhere.
type help struct {
	base
	title string
	lines []string
	top   int
}

func newHelp(s shared, title string, acts, global []key.Binding) *help {
	h := &help{base: base{shared: s}, title: title}
	section := func(name string, keys []key.Binding) {
		h.lines = append(h.lines, s.styles.Head.Render("  "+name))
		for _, b := range keys {
			h.lines = append(h.lines, "  "+s.styles.Key.Render(fit(b.Help().Key, 12))+" "+b.Help().Desc)
		}
		h.lines = append(h.lines, "")
	}
	section("Here: "+clean(title), acts)
	section("Moving", s.keys.moves())
	section("Everywhere", append(global, s.keys.Back, s.keys.Interrupt))
	h.lines = append(h.lines, "  Nothing is removed without asking once. To select text with the mouse,",
		"  leave the mouse off (m); to copy an id or a document, use y.")
	return h
}

func (h *help) Init() tea.Cmd { return nil }

func (h *help) Update(msg tea.Msg) (Screen, tea.Cmd) {
	k := h.keys
	by := 0
	switch msg := msg.(type) {
	case tea.KeyMsg:
		switch {
		case key.Matches(msg, k.Up):
			by = -1
		case key.Matches(msg, k.Down):
			by = 1
		case key.Matches(msg, k.PageUp):
			by = -h.height
		case key.Matches(msg, k.PageDown):
			by = h.height
		case key.Matches(msg, k.First):
			by = -len(h.lines)
		case key.Matches(msg, k.Last):
			by = len(h.lines)
		case key.Matches(msg, k.Help, k.Open):
			return h, h.send(backMsg{h})
		}
	case tea.MouseMsg:
		switch msg.Button {
		case tea.MouseButtonWheelUp:
			by = -3
		case tea.MouseButtonWheelDown:
			by = 3
		}
	}
	h.top = max(0, min(h.top+by, len(h.lines)-h.height))
	return h, nil
}

func (h *help) View() string { return block(h.lines[min(h.top, len(h.lines)):], h.width, h.height) }

func (h *help) Title() string { return "Help" }

func (h *help) ShortHelp() []key.Binding {
	return []key.Binding{h.keys.Back, h.keys.Up, h.keys.Down}
}

func (h *help) Acts() []key.Binding { return nil }
