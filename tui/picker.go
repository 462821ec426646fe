package tui

import (
	"strings"

	"github.com/charmbracelet/bubbles/textinput"
	tea "github.com/charmbracelet/bubbletea"
)

// picker is a list from which one chooses by typing words of it.
type picker[T any] struct {
	input    textinput.Model
	all      []T
	found    []T
	selected int
	words    func(T) string // by which it is found
}

func newPicker[T any](s *styles, prompt, placeholder string, all []T, words func(T) string) picker[T] {
	input := textinput.New()
	input.Prompt = prompt
	input.PromptStyle = s.Accent
	input.Placeholder = placeholder
	input.PlaceholderStyle = s.Faint
	input.CharLimit, input.Width = 60, 40
	p := picker[T]{input: input, all: all, words: words}
	p.filter()
	return p
}

func (p *picker[T]) filter() {
	p.found, p.selected = nil, 0
	for _, t := range p.all {
		if matches(p.words(t), p.input.Value()) {
			p.found = append(p.found, t)
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

// current is what is selected, where anything is.
func (p *picker[T]) current() (T, bool) {
	if p.selected < len(p.found) {
		return p.found[p.selected], true
	}
	var none T
	return none, false
}

// update moves the selection or edits the words.
func (p *picker[T]) update(msg tea.Msg) tea.Cmd {
	if press, ok := msg.(tea.KeyMsg); ok {
		switch press.String() {
		case "up", "ctrl+p":
			p.selected = max(0, p.selected-1)
			return nil
		case "down", "ctrl+n", "tab":
			p.selected = max(0, min(len(p.found)-1, p.selected+1))
			return nil
		}
		if press.Paste {
			press.Runes = []rune(pasted(string(press.Runes)))
			msg = press
		}
	}
	before := p.input.Value()
	var cmd tea.Cmd
	p.input, cmd = p.input.Update(msg)
	if p.input.Value() != before {
		p.filter()
	}
	return cmd
}

// view draws as many rows as there is room for, the selected one among them.
func (p *picker[T]) view(s *styles, room int, row func(T) string, none string) []string {
	room = max(1, room)
	var lines []string
	from := max(0, p.selected-room+1)
	for i := from; i < len(p.found) && i < from+room; i++ {
		if i == p.selected {
			lines = append(lines, s.Selected.Render("› "+row(p.found[i])))
		} else {
			lines = append(lines, "  "+row(p.found[i]))
		}
	}
	if len(p.found) == 0 {
		lines = append(lines, s.Faint.Render("  "+none))
	}
	return lines
}
