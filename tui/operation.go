package tui

import (
	"context"
	"fmt"
	"time"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"tenantry/app/client"
)

// operation is one operation as it goes on.
type operation struct {
	base
	op    client.Operation
	top   int
	ticks int
}

type operationTickMsg struct {
	of    *operation
	count int
}

// operationMsg is the operation as it is now.
type operationMsg struct{ operation client.Operation }

func newOperation(s shared, op client.Operation) *operation {
	return &operation{base: base{shared: s}, op: op}
}

func (o *operation) Init() tea.Cmd { return tea.Batch(o.load(), o.watch()) }

func (o *operation) load() tea.Cmd {
	id := o.op.ID
	return ask(&o.base, o.session, "Reading the operation", func(ctx context.Context, b Backend) (operationMsg, error) {
		op, err := b.Operation(ctx, id)
		return operationMsg{op}, err
	})
}

func (o *operation) watch() tea.Cmd {
	o.ticks++
	msg := operationTickMsg{o, o.ticks}
	return tea.Tick(watchEvery, func(time.Time) tea.Msg { return msg })
}

func (o *operation) Update(msg tea.Msg) (Screen, tea.Cmd) {
	switch msg := msg.(type) {
	case answer[operationMsg]:
		if o.take(msg) && msg.err == nil {
			o.op = msg.value.operation
		}
	case answer[client.Operation]:
		if o.take(msg) && msg.err == nil {
			o.op = msg.value
			return o, o.send(changedMsg{notice: "The " + kindWord(o.op) + " is tried again."})
		}
	case operationTickMsg:
		switch {
		case msg.of != o || msg.count != o.ticks || !o.op.Open():
		case o.wait.number != 0 || o.problem != nil:
			return o, o.watch()
		default:
			load := o.load()
			o.wait.quiet = true
			return o, tea.Batch(load, o.watch())
		}
	case changedMsg, shownMsg:
		return o, tea.Batch(o.load(), o.watch())
	case hiddenMsg:
		o.ticks++
	case tea.KeyMsg:
		return o, o.press(msg)
	}
	return o, nil
}

func (o *operation) press(msg tea.KeyMsg) tea.Cmd {
	k := o.keys
	switch {
	case key.Matches(msg, k.Refresh):
		return o.load()
	case key.Matches(msg, k.CopyID):
		return o.send(copyMsg{"the operation's id", o.op.ID})
	case o.mayRetry(o.op) && key.Matches(msg, k.Retry):
		return retry(&o.base, o.op)
	case key.Matches(msg, k.Down):
		o.top = min(o.top+1, max(0, len(o.lines())-o.height))
	case key.Matches(msg, k.Up):
		o.top = max(0, o.top-1)
	default:
		o.turnOperation(msg, o.op)
	}
	return nil
}

func (o *operation) lines() []string {
	var lines []string
	say := func(label, value string) {
		lines = append(lines, "  "+o.styles.Faint.Render(fit(label, 14))+cut(value, o.width-18))
	}
	say("Kind", o.styles.Strong.Render(clean(o.op.Kind)))
	say("State", o.styles.state(o.op.State).Render(stateWord(o.op, o.now())))
	if o.op.Step != "" {
		say("Refused at", clean(o.op.Step))
	}
	if o.op.Attempts > 0 {
		say("Refused", plural(int64(o.op.Attempts), "time", "times"))
	}
	if o.op.Error != "" {
		for _, line := range wrap(o.op.Error, o.width-4, 6) {
			lines = append(lines, "  "+o.styles.Bad.Render(line))
		}
	}
	switch {
	case o.op.Relocation != nil:
		moveLines(o.styles, o.op, o.width, say)
	case o.op.Drain != nil:
		drainLines(o.op, o.width, say)
	default:
		say("Steps", stepsWord(o.op))
	}
	if o.op.DueAt != nil && o.op.Relocation == nil {
		say("Due", stamp(*o.op.DueAt)+" ("+ago(o.now(), *o.op.DueAt)+")")
	}
	if o.op.OrganizationID != "" {
		say("Organization", clean(o.op.OrganizationID))
	}
	say("Id", clean(o.op.ID))
	say("Begun", stamp(o.op.CreatedAt))
	say("Changed", fmt.Sprintf("%s (%s)", stamp(o.op.UpdatedAt), ago(o.now(), o.op.UpdatedAt)))
	return lines
}

func (o *operation) View() string {
	lines := o.lines()
	return block(lines[min(o.top, len(lines)-1):], o.width, o.height)
}

func (o *operation) Title() string { return o.op.Kind + " " + short(o.op.ID) }

func (o *operation) ShortHelp() []key.Binding {
	k := o.keys
	return append(o.operationActs(o.op, false), k.Back, k.CopyID)
}

func (o *operation) Acts() []key.Binding {
	k := o.keys
	return append([]key.Binding{as(k.CopyID, "copy the operation's id"), k.Refresh}, o.operationActs(o.op, true)...)
}

// kindWord is what an operation does, as it stands in a sentence.
func kindWord(op client.Operation) string {
	if op.Relocation != nil {
		return "move"
	}
	return op.Kind
}

// mayRetry reports whether an operation can be tried again before its time. A
// move or drain that nothing is wrong with goes on by itself.
func (s shared) mayRetry(op client.Operation) bool {
	return s.who.operator && op.Open() && (op.Relocation == nil && op.Drain == nil || op.Error != "")
}

// operationActs are the keys of what can be done with an operation, in a word or
// in whole.
func (s shared) operationActs(op client.Operation, whole bool) []key.Binding {
	words := [...]string{"try again", "cancel"}
	if whole {
		words = [...]string{"try the operation again now", "cancel the operation"}
	}
	var keys []key.Binding
	if s.mayRetry(op) {
		keys = append(keys, as(s.keys.Retry, words[0]))
	}
	switch {
	case op.Relocation != nil:
		keys = append(keys, s.turns(op, whole)...)
	case s.who.operator && op.Open() && !op.Undoing:
		keys = append(keys, as(s.keys.Cancel, words[1]))
	}
	return keys
}

// turnOperation asks the question of what a key does with an operation.
func (s shared) turnOperation(msg tea.KeyMsg, op client.Operation) bool {
	switch {
	case op.Relocation != nil:
		return s.turn(msg, op)
	case s.who.operator && op.Open() && !op.Undoing && key.Matches(msg, s.keys.Cancel):
		s.send(askMsg{cancelOperation(op)})
		return true
	}
	return false
}
