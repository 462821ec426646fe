package tui

import (
	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"
)

// keyMap is every key of the program. Help, footer and palette are made from
// it. ctrl+i and ctrl+m are tab and enter to a terminal, and never here.
type keyMap struct {
	Quit, Interrupt, Suspend, Back, Help, Palette, Mouse, SignOut key.Binding

	Up, Down, PageUp, PageDown, First, Last, Open, Refresh key.Binding

	NextTab, PreviousTab, Search, Filter, Sort, Clear key.Binding

	New, Rename, Owner, Pause, Resume, Restore, Delete key.Binding

	NextField, PreviousField, Confirm, Decline, Edit, Send, Overwrite, Fold, FoldAll, UnfoldAll, Left, Right, Copy, CopyID, SignIn, Type key.Binding

	Retry, Cancel, Revoke, Run, Relocate, Revert, Complete, Drain key.Binding

	// Places are the parts of the program, in the order of the header.
	Places []key.Binding
}

func bind(shown, does string, keys ...string) key.Binding {
	return key.NewBinding(key.WithKeys(keys...), key.WithHelp(shown, does))
}

func newKeys() *keyMap {
	return &keyMap{
		Quit:      bind("q", "quit", "q"),
		Interrupt: bind("ctrl+c", "quit at once", "ctrl+c"),
		Suspend:   bind("ctrl+z", "to the shell and back", "ctrl+z"),
		Back:      bind("esc", "back", "esc"),
		Help:      bind("?", "help", "?"),
		Palette:   bind(":", "all commands", ":", "ctrl+k"),
		Mouse:     bind("m", "mouse on or off", "m"),
		SignOut:   bind("O", "sign in as someone else", "O"),

		Up:       bind("↑/k", "up", "up", "k"),
		Down:     bind("↓/j", "down", "down", "j"),
		PageUp:   bind("pgup", "page up", "pgup", "ctrl+u"),
		PageDown: bind("pgdn", "page down", "pgdown", "ctrl+d"),
		First:    bind("g", "first", "home", "g"),
		Last:     bind("G", "last", "end", "G"),
		Open:     bind("enter", "open", "enter"),
		Refresh:  bind("r", "refresh", "r"),

		NextTab:     bind("tab", "next tab", "tab"),
		PreviousTab: bind("shift+tab", "previous tab", "shift+tab"),
		Search:      bind("/", "search", "/"),
		Filter:      bind("f", "filter", "f"),
		Sort:        bind("s", "sort", "s"),
		Clear:       bind("c", "clear search and filter", "c"),

		New:     bind("n", "new", "n"),
		Rename:  bind("R", "rename", "R"),
		Owner:   bind("o", "owner's email or password", "o"),
		Pause:   bind("S", "suspend", "S"),
		Resume:  bind("A", "resume", "A"),
		Restore: bind("U", "restore", "U"),
		Delete:  bind("D", "delete", "D"),

		NextField:     bind("enter", "next", "enter", "tab", "down"),
		PreviousField: bind("↑", "the field before", "shift+tab", "up"),

		Confirm:   bind("y", "yes", "y", "Y"),
		Decline:   bind("n", "no", "n", "N"),
		Edit:      bind("e", "edit", "e"),
		Send:      bind("w", "save", "w"),
		Overwrite: bind("W", "save mine over theirs", "W"),
		Fold:      bind("space", "fold or unfold", " ", "enter"),
		FoldAll:   bind("-", "fold all", "-"),
		UnfoldAll: bind("+", "unfold all", "+", "="),
		Left:      bind("←/h", "left", "left", "h"),
		Right:     bind("→/l", "right", "right", "l"),
		Copy:      bind("y", "copy", "y"),
		CopyID:    bind("Y", "copy the id", "Y"),
		SignIn:    bind("i", "sign in as a member", "i", "enter"),
		Type:      bind("t", "show one type", "t"),

		Retry:  bind("T", "try again now", "T"),
		Cancel: bind("X", "cancel the operation", "X"),
		Revoke: bind("D", "revoke", "D"),
		Run:    bind("enter", "run the checks", "enter"),

		Relocate: bind("M", "move to another place", "M"),
		Revert:   bind("B", "move back", "B"),
		Complete: bind("C", "complete the move", "C"),
		Drain:    bind("E", "move everybody out", "E"),

		Places: []key.Binding{
			bind("1", "dashboard", "1"), bind("2", "organizations", "2"), bind("3", "operations", "3"),
			bind("4", "clusters", "4"), bind("5", "keys", "5"), bind("6", "verify", "6"),
		},
	}
}

// as is the binding under another description, for a screen where it does
// something more particular.
func as(b key.Binding, does string) key.Binding {
	b.SetHelp(b.Help().Key, does)
	return b
}

// pressed is the key press that a binding waits for, so that the palette can
// do what a key does.
func pressed(b key.Binding) tea.KeyMsg {
	name := b.Keys()[0]
	if t, named := namedKeys[name]; named {
		return tea.KeyMsg{Type: t}
	}
	return tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune(name)}
}

var namedKeys = map[string]tea.KeyType{
	"enter": tea.KeyEnter, "esc": tea.KeyEsc, "tab": tea.KeyTab, "shift+tab": tea.KeyShiftTab,
	"up": tea.KeyUp, "down": tea.KeyDown, "left": tea.KeyLeft, "right": tea.KeyRight,
	"pgup": tea.KeyPgUp, "pgdown": tea.KeyPgDown, "home": tea.KeyHome, "end": tea.KeyEnd,
	"ctrl+c": tea.KeyCtrlC, "ctrl+u": tea.KeyCtrlU, "ctrl+z": tea.KeyCtrlZ, " ": tea.KeySpace,
}

// moves are the keys of everything that scrolls.
func (k *keyMap) moves() []key.Binding {
	return []key.Binding{k.Up, k.Down, k.PageUp, k.PageDown, k.First, k.Last}
}
