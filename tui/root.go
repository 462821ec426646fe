package tui

import (
	"fmt"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/x/ansi"
)

// The smallest terminal that everything fits into.
const (
	minWidth  = 60
	minHeight = 16
)

// root is the program: header, footer, and for each place a stack of screens,
// of which the top one is seen.
type root struct {
	shared
	width, height int

	place  int
	stacks map[int][]Screen
	known  bool // who is signed in is known

	notice  string
	away    error // why the server does not answer, or nil
	mouse   bool
	write   func(string) // to the terminal, beside what is drawn
	ask     tea.Cmd      // asks the terminal for its background; nil asks nothing
	started base         // what is asked before there is a screen
}

func newRoot(s shared, write func(string)) *root {
	return &root{shared: s, stacks: map[int][]Screen{}, write: write, started: base{shared: s}}
}

// identityMsg says who is signed in.
type identityMsg = answer[person]

// Init asks the server who we are.
func (r *root) Init() tea.Cmd { return tea.Batch(r.ask, r.hearNews(), r.identify()) }

func (r *root) identify() tea.Cmd {
	return ask(&r.started, r.session, "Connecting to "+r.session.server.Name, identify)
}

// Update is of tea.Model. What the screens send to the root is heard at once:
// the next key is for the screen that is there then.
func (r *root) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	var cmds []tea.Cmd
	for _, msg := range r.apart(msg) {
		cmds = append(cmds, r.settle(msg))
	}
	return r, tea.Batch(cmds...)
}

// apart gives the keys that arrived in one piece, as they do over a slow link,
// one by one; an esc before another key comes as alt then. A text that is being
// entered may come as it is.
func (r *root) apart(msg tea.Msg) []tea.Msg {
	press, ok := msg.(tea.KeyMsg)
	if !ok || press.Paste || len(press.Runes) < 2 && !press.Alt || r.top() != nil && r.top().Typing() {
		return []tea.Msg{msg}
	}
	var keys []tea.Msg
	if press.Alt {
		keys = append(keys, tea.KeyMsg{Type: tea.KeyEsc})
	}
	if press.Type != tea.KeyRunes {
		return append(keys, tea.KeyMsg{Type: press.Type, Runes: press.Runes})
	}
	for _, c := range press.Runes {
		keys = append(keys, tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune{c}})
	}
	return keys
}

// settle handles a message and all that the screens send because of it.
func (r *root) settle(msg tea.Msg) tea.Cmd {
	cmds := []tea.Cmd{r.handle(msg)}
	for sent, any := r.outbox.next(); any; sent, any = r.outbox.next() {
		cmds = append(cmds, r.handle(sent))
	}
	return tea.Batch(cmds...)
}

// handle gives a message to whom it is for. What no case is for goes to all
// screens: an answer finds the one that waits for it.
func (r *root) handle(msg tea.Msg) tea.Cmd {
	var cmd tea.Cmd
	if o, ok := msg.(outcome); ok {
		cmd = r.hear(o)
	}
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		r.width, r.height = msg.Width, msg.Height
		r.resize()
	case tea.KeyMsg:
		return tea.Batch(cmd, r.press(msg))
	case tea.MouseMsg:
		return tea.Batch(cmd, r.click(msg))
	case identityMsg:
		return tea.Batch(cmd, r.identified(msg))
	case backgroundMsg:
		r.styles.renderer.SetHasDarkBackground(msg.dark)
		return r.all(msg) // a form draws itself anew with each message
	case newsMsg:
		r.notice = msg.text
		return tea.Batch(r.hearNews(), r.all(changedMsg{}))
	case tea.ResumeMsg:
		return r.resumed()
	case editedMsg:
		return tea.Batch(r.resumed(), r.all(msg))
	case spinMsg:
		return tea.Batch(r.started.wait.spin(msg), r.spin(msg))
	case pingMsg:
		return r.ping()
	case backAgainMsg:
		return r.backAgain(msg)
	case backMsg:
		return r.back(msg.from)
	case noticeMsg:
		r.notice = msg.text
	case changedMsg:
		if msg.notice != "" {
			r.notice = msg.notice
		}
		return r.all(msg)
	case goneMsg:
		return r.leave(msg)
	case createdMsg:
		r.notice = msg.organization.Name + " is made. " + "Its documents are on the next tab."
		return tea.Batch(r.all(changedMsg{}), r.push(screenFor(r.shared, msg)))
	case keyMadeMsg:
		return tea.Batch(r.all(changedMsg{}), r.push(screenFor(r.shared, msg)))
	case copyMsg:
		return r.copy(msg)
	case runMsg:
		return tea.Batch(r.pop(), r.press(pressed(msg.binding)))
	case signedInMsg:
		return r.identify()
	case signOutMsg:
		return r.signOut()
	default:
		if s := screenFor(r.shared, msg); s != nil {
			return tea.Batch(cmd, r.push(s))
		}
		return tea.Batch(cmd, r.all(msg))
	}
	return cmd
}

// identified begins with the first place of whoever is signed in.
func (r *root) identified(msg identityMsg) tea.Cmd {
	if !r.started.take(msg) || msg.err != nil {
		return nil
	}
	if r.known && r.who.same(msg.value) {
		r.notice = "Signed in again."
		var cmds []tea.Cmd
		for above := len(r.stacks[r.place]); above > 1 && asksWho(r.top()); above-- {
			cmds = append(cmds, r.pop())
		}
		return tea.Batch(append(cmds, r.all(changedMsg{}))...)
	}
	r.who, r.known, r.place, r.stacks = msg.value, true, 0, map[int][]Screen{}
	return r.goTo(0)
}

func (w person) same(other person) bool {
	return w.operator == other.operator && w.email == other.email && w.organization.ID == other.organization.ID
}

// press gives a key to whom it is for. While text is being entered that is the
// screen, but for the key that always ends the program.
func (r *root) press(msg tea.KeyMsg) tea.Cmd {
	top := r.top()
	switch {
	case key.Matches(msg, r.keys.Interrupt):
		return tea.Quit
	case key.Matches(msg, r.keys.Suspend):
		return tea.Suspend
	case r.tooSmall():
		return nil
	case top == nil:
		if key.Matches(msg, r.keys.Quit) {
			return tea.Quit
		}
		return nil
	case key.Matches(msg, r.keys.Back) && top.Waiting().slow:
		top.Waiting().stop()
		r.notice = "Cancelled. What was under way may have been done all the same."
		return nil
	case top.Typing():
		return r.forward(top, msg)
	}
	r.notice = ""
	switch {
	case key.Matches(msg, r.keys.Quit):
		if overlay(top) {
			return r.pop()
		}
		return tea.Quit
	case key.Matches(msg, r.keys.Back):
		if top.Problem() != nil {
			top.Dismiss()
			return nil
		}
		return r.pop()
	case key.Matches(msg, r.keys.Mouse):
		return r.toggleMouse()
	case overlay(top):
	case key.Matches(msg, r.keys.Help):
		return r.push(newHelp(r.shared, top.Title(), top.Acts(), r.global()))
	case key.Matches(msg, r.keys.Palette):
		return r.push(newPalette(r.shared, top.Acts(), r.global()))
	case key.Matches(msg, r.keys.SignOut) && !r.trusted():
		return r.send(signOutMsg{})
	default:
		for i, b := range r.places() {
			if key.Matches(msg, b.binding) {
				return r.goTo(i)
			}
		}
	}
	return r.forward(top, msg)
}

// asksWho reports the screens by which one signs in.
func asksWho(s Screen) bool {
	switch s.(type) {
	case *signIn, *choose:
		return true
	}
	return false
}

// overlay reports the screens that lie above another one.
func overlay(s Screen) bool {
	switch s.(type) {
	case *help, *palette:
		return true
	}
	return false
}

func (r *root) forward(s Screen, msg tea.Msg) tea.Cmd {
	stack := r.stacks[r.place]
	for i := range stack {
		if stack[i] == s {
			var cmd tea.Cmd
			stack[i], cmd = s.Update(msg)
			return cmd
		}
	}
	return nil
}

// all gives a message to every screen there is.
func (r *root) all(msg tea.Msg) tea.Cmd {
	var cmds []tea.Cmd
	for _, stack := range r.stacks {
		for i := range stack {
			var cmd tea.Cmd
			stack[i], cmd = stack[i].Update(msg)
			cmds = append(cmds, cmd)
		}
	}
	return tea.Batch(cmds...)
}

func (r *root) spin(msg spinMsg) tea.Cmd {
	for _, stack := range r.stacks {
		for _, s := range stack {
			if s.Waiting().number == msg.number {
				return s.Waiting().spin(msg)
			}
		}
	}
	return nil
}

func (r *root) copy(msg copyMsg) tea.Cmd {
	r.notice = fmt.Sprintf("Copied %s, where the terminal allows it.", msg.what)
	write := r.write
	return func() tea.Msg {
		write(ansi.SetSystemClipboard(msg.text))
		return nil
	}
}

// resumed: the terminal was left to others for a while, without the mouse.
func (r *root) resumed() tea.Cmd {
	if r.mouse {
		return tea.EnableMouseCellMotion
	}
	return nil
}

func (r *root) toggleMouse() tea.Cmd {
	r.mouse = !r.mouse
	if r.mouse {
		r.notice = "The mouse scrolls and clicks. Press m to select text with it again."
		return r.resumed()
	}
	r.notice = "The mouse selects text."
	return tea.DisableMouse
}
