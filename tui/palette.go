package tui

import (
	"strings"

	"github.com/charmbracelet/bubbles/key"
	"github.com/charmbracelet/bubbles/textinput"
	tea "github.com/charmbracelet/bubbletea"
)

// palette lists every act with its key and does the one that is chosen.
type palette struct {
	base
	input    textinput.Model
	all      []key.Binding
	found    []key.Binding
	selected int
}

// runMsg does what a key does.
type runMsg struct{ binding key.Binding }

func newPalette(s shared, acts, global []key.Binding) *palette {
	input := textinput.New()
	input.Prompt = ": "
	input.PromptStyle = s.styles.Accent
	input.Placeholder = "type a command"
	input.PlaceholderStyle = s.styles.Faint
	input.CharLimit, input.Width = 60, 40
	p := &palette{base: base{shared: s}, input: input, all: append(acts, global...)}
	p.filter()
	return p
}

func (p *palette) Init() tea.Cmd { return p.input.Focus() }

func (p *palette) filter() {
	p.found, p.selected = nil, 0
	for _, b := range p.all {
		if matches(b.Help().Desc, p.input.Value()) {
			p.found = append(p.found, b)
		}
	}
}

// matches reports whether every word begins a word of the text.
func matches(text, words string) bool {
	text = " " + strings.ToLower(text)
	for _, w := range strings.Fields(strings.ToLower(words)) {
		if !strings.Contains(text, " "+w) {
			return false
		}
	}
	return true
}

func (p *palette) Update(msg tea.Msg) (Screen, tea.Cmd) {
	press, ok := msg.(tea.KeyMsg)
	if !ok {
		var cmd tea.Cmd
		p.input, cmd = p.input.Update(msg)
		return p, cmd
	}
	switch press.String() {
	case "esc":
		return p, p.send(backMsg{p})
	case "enter":
		if p.selected < len(p.found) {
			return p, p.send(runMsg{p.found[p.selected]})
		}
		return p, nil
	case "up", "ctrl+p":
		p.selected = max(0, p.selected-1)
		return p, nil
	case "down", "ctrl+n", "tab":
		p.selected = max(0, min(len(p.found)-1, p.selected+1))
		return p, nil
	}
	before := p.input.Value()
	var cmd tea.Cmd
	p.input, cmd = p.input.Update(msg)
	if p.input.Value() != before {
		p.filter()
	}
	return p, cmd
}

func (p *palette) View() string {
	lines := []string{" " + p.input.View(), ""}
	room := max(1, p.height-len(lines))
	from := max(0, p.selected-room+1)
	for i := from; i < len(p.found) && i < from+room; i++ {
		text := "  " + fit(p.found[i].Help().Desc, 44) + " " + p.found[i].Help().Key
		if i == p.selected {
			text = p.styles.Selected.Render("› " + fit(p.found[i].Help().Desc, 44) + " " + fit(p.found[i].Help().Key, 10))
		}
		lines = append(lines, text)
	}
	if len(p.found) == 0 {
		lines = append(lines, p.styles.Faint.Render("  No command has these words."))
	}
	return block(lines, p.width, p.height)
}

func (p *palette) Title() string { return "Commands" }

// Typing is of Screen.
func (p *palette) Typing() bool { return true }

func (p *palette) ShortHelp() []key.Binding {
	return []key.Binding{as(p.keys.Open, "do it"), as(bind("↑/↓", "", "up"), "choose"), p.keys.Back}
}

func (p *palette) Acts() []key.Binding { return nil }
