package tui

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"tenantry/app/client"
)

// Screen is what fills the space between header and footer. A screen knows no
// other: it sends a message, and the root finds the screen for it (places.go).
type Screen interface {
	Init() tea.Cmd
	Update(msg tea.Msg) (Screen, tea.Cmd)
	View() string
	SetSize(width, height int)
	// Title is the screen's part of the path in the header.
	Title() string
	// ShortHelp is what the footer shows, the most useful first.
	ShortHelp() []key.Binding
	// Acts is every key that does something now, for help and the palette.
	Acts() []key.Binding
	// Typing reports whether text is being entered: then a key is a letter, and
	// neither quits nor goes anywhere.
	Typing() bool
	// Waiting is the call that the screen waits for.
	Waiting() *waiting
	// Problem is what went wrong last and is not mended yet, or nil.
	Problem() error
	// Dismiss takes the problem off the screen.
	Dismiss()
}

// shared is what every screen is given.
type shared struct {
	// ctx ends with the program.
	ctx     context.Context
	session *session
	members *members
	who     person
	keys    *keyMap
	styles  *styles
	outbox  *outbox
	calls   *atomic.Uint64 // numbers of calls given out
	now     func() time.Time
}

// documentsAs is the sign-in with which an organization's documents are read,
// or nil where a member must sign in first.
func (s shared) documentsAs(org string) *session {
	if !s.who.operator {
		return s.session
	}
	return s.members.get(org)
}

// base is what all screens have in common.
type base struct {
	shared
	wait          waiting
	problem       error
	width, height int
}

// SetSize, Typing, Waiting, Problem, Dismiss and Acts are of Screen.
func (b *base) SetSize(width, height int) { b.width, b.height = width, height }

// Typing is of Screen.
func (b *base) Typing() bool { return false }

// Waiting is of Screen.
func (b *base) Waiting() *waiting { return &b.wait }

// Problem is of Screen.
func (b *base) Problem() error { return b.problem }

// Dismiss is of Screen.
func (b *base) Dismiss() { b.problem = nil }

// take accepts the answer that the screen waits for, and drops every other.
// What went wrong stays on the screen until something goes right.
func (b *base) take(a outcome) bool {
	if a.of() == 0 || a.of() != b.wait.number {
		return false
	}
	b.wait = waiting{}
	b.problem = a.failure()
	return true
}

// The messages with which screens talk to the root.
type (
	// backMsg leaves the screen.
	backMsg struct{ from Screen }
	// noticeMsg says in the status line what was done.
	noticeMsg struct{ text string }
	// shownMsg tells a screen that it can be seen again.
	shownMsg struct{}
	// hiddenMsg tells a screen that another one lies above it now.
	hiddenMsg struct{}
	// changedMsg tells every screen that something was changed, and that what
	// it shows of it is old.
	changedMsg struct {
		notice string
		// organization is the one that was changed, as it is now; nil where it
		// was something else.
		organization *client.Organization
	}
	// goneMsg is a changedMsg for an organization that is no more: what shows
	// it is left.
	goneMsg struct {
		organization string
		notice       string
	}
	// copyMsg puts a text on the clipboard of the terminal.
	copyMsg struct{ what, text string }
)

// outbox is what screens send to the root while they handle a message.
type outbox struct{ messages []tea.Msg }

func (o *outbox) next() (msg tea.Msg, any bool) {
	if len(o.messages) == 0 {
		return nil, false
	}
	msg = o.messages[0]
	o.messages = o.messages[1:]
	return msg, true
}

// send hands messages to the root, which handles them before anything else.
// It gives no command, so that it can stand where one is returned.
func (s shared) send(messages ...tea.Msg) tea.Cmd {
	s.outbox.messages = append(s.outbox.messages, messages...)
	return nil
}
