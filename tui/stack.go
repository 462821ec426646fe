package tui

import (
	"slices"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"
)

// top is the screen that is seen, or nil before there is one.
func (r *root) top() Screen {
	stack := r.stacks[r.place]
	if len(stack) == 0 {
		return nil
	}
	return stack[len(stack)-1]
}

func (r *root) push(s Screen) tea.Cmd {
	hidden := r.hide()
	r.stacks[r.place] = append(r.stacks[r.place], s)
	s.SetSize(r.bodySize())
	return tea.Batch(hidden, s.Init())
}

// hide tells the screen that is seen that it is not any more.
func (r *root) hide() tea.Cmd {
	if top := r.top(); top != nil {
		return r.forward(top, hiddenMsg{})
	}
	return nil
}

// back leaves a screen, which need not be the top one any more.
func (r *root) back(from Screen) tea.Cmd {
	if from == r.top() {
		return r.pop()
	}
	for place, stack := range r.stacks {
		for i, s := range stack {
			if s == from && i > 0 {
				s.Waiting().stop()
				r.stacks[place] = slices.Delete(stack, i, i+1)
				return nil
			}
		}
	}
	return nil
}

// pop leaves the top screen, but for the first one of a place.
func (r *root) pop() tea.Cmd {
	stack := r.stacks[r.place]
	if len(stack) == 0 || len(stack) == 1 && r.known {
		return nil
	}
	r.top().Waiting().stop()
	r.stacks[r.place] = stack[:len(stack)-1]
	if top := r.top(); top != nil {
		return r.forward(top, shownMsg{})
	}
	return nil
}

// goTo shows a place as it was left, or for the first time. Where one is there
// already it goes back to where the place begins.
func (r *root) goTo(place int) tea.Cmd {
	hidden := r.hide()
	if stack := r.stacks[place]; place == r.place && len(stack) > 1 {
		for _, s := range stack[1:] {
			s.Waiting().stop()
		}
		r.stacks[place] = stack[:1]
	}
	r.place = place
	if top := r.top(); top != nil {
		return tea.Batch(hidden, r.forward(top, shownMsg{}))
	}
	return tea.Batch(hidden, r.push(r.places()[place].open(r.shared)))
}

// leave takes away every screen that shows what is no more.
func (r *root) leave(msg goneMsg) tea.Cmd {
	r.notice = msg.notice
	if !r.who.operator {
		// The sign-in went with it.
		return tea.Batch(r.pop(), r.signOut())
	}
	for place, stack := range r.stacks {
		for i, s := range stack {
			if o, ok := s.(interface{ organizationID() string }); ok && o.organizationID() == msg.organization && i > 0 {
				for _, left := range stack[i:] {
					left.Waiting().stop()
				}
				r.stacks[place] = stack[:i]
				break
			}
		}
	}
	return r.all(changedMsg{})
}

// signOut ends the sign-in, and asks for another.
func (r *root) signOut() tea.Cmd {
	ctx, s, others := r.ctx, r.session, r.members
	end := func() tea.Msg {
		_ = s.end(ctx)
		others.end(ctx)
		return nil
	}
	r.known, r.place, r.stacks = false, 0, map[int][]Screen{}
	return tea.Batch(end, r.push(newSignIn(r.shared, nil)))
}

// trusted reports whether the server takes whoever reaches it for the
// operator, so that nobody signs in.
func (r *root) trusted() bool { return r.session.server.Trusted }

// bodySize is the room that a screen has.
func (r *root) bodySize() (width, height int) {
	return r.width, max(1, r.height-headerLines-footerLines)
}

func (r *root) tooSmall() bool { return r.width < minWidth || r.height < minHeight }

func (r *root) resize() {
	for _, stack := range r.stacks {
		for _, s := range stack {
			s.SetSize(r.bodySize())
		}
	}
}

// global is the keys that do the same everywhere.
func (r *root) global() []key.Binding {
	var keys []key.Binding
	for _, p := range r.places() {
		keys = append(keys, as(p.binding, "go to "+p.binding.Help().Desc))
	}
	keys = append(keys, r.keys.Palette, r.keys.Help, r.keys.Mouse)
	if !r.trusted() {
		keys = append(keys, r.keys.SignOut)
	}
	return append(keys, r.keys.Suspend, r.keys.Quit)
}

// click gives the mouse to the screen, in the screen's own rows, or goes to
// the place whose name was clicked.
func (r *root) click(msg tea.MouseMsg) tea.Cmd {
	top := r.top()
	if top == nil || r.tooSmall() {
		return nil
	}
	if msg.Y == 1 && msg.Action == tea.MouseActionPress && msg.Button == tea.MouseButtonLeft && !top.Typing() && !overlay(top) {
		at := 1
		for i, p := range r.places() {
			width := len(p.label(r.width))
			if msg.X >= at && msg.X < at+width {
				return r.goTo(i)
			}
			at += width + 2
		}
		return nil
	}
	msg.Y -= headerLines
	return r.forward(top, msg)
}
