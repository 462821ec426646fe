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
			return o, o.send(changedMsg{notice: "The " + o.op.Kind + " is tried again."})
		}
	case operationTickMsg:
		switch {
		case msg.of != o || msg.count != o.ticks || !open(o.op):
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
	case o.mayAct() && key.Matches(msg, k.Retry):
		return retry(&o.base, o.op)
	case o.mayAct() && key.Matches(msg, k.Cancel):
		return o.send(askMsg{cancelOperation(o.op)})
	}
	return nil
}

func (o *operation) mayAct() bool { return o.who.operator && open(o.op) }

func (o *operation) View() string {
	var lines []string
	say := func(label, value string) {
		lines = append(lines, "  "+o.styles.Faint.Render(fit(label, 14))+cut(value, o.width-18))
	}
	say("Kind", o.styles.Strong.Render(clean(o.op.Kind)))
	say("State", o.styles.state(o.op.State).Render(stateWord(o.op, o.now())))
	say("Steps", stepsWord(o.op))
	if o.op.Step != "" {
		say("Refused at", clean(o.op.Step))
	}
	if o.op.Attempts > 0 {
		say("Refused", plural(int64(o.op.Attempts), "time", "times"))
	}
	if o.op.DueAt != nil {
		say("Due", stamp(*o.op.DueAt)+" ("+ago(o.now(), *o.op.DueAt)+")")
	}
	say("Organization", clean(o.op.OrganizationID))
	say("Id", clean(o.op.ID))
	say("Begun", stamp(o.op.CreatedAt))
	say("Changed", fmt.Sprintf("%s (%s)", stamp(o.op.UpdatedAt), ago(o.now(), o.op.UpdatedAt)))
	if o.op.Error != "" {
		lines = append(lines, "")
		for _, line := range wrap(o.op.Error, o.width-4, 6) {
			lines = append(lines, "  "+o.styles.Bad.Render(line))
		}
	}
	return block(lines, o.width, o.height)
}

func (o *operation) Title() string { return o.op.Kind + " " + short(o.op.ID) }

func (o *operation) ShortHelp() []key.Binding {
	k := o.keys
	var keys []key.Binding
	if o.mayAct() {
		keys = append(keys, as(k.Retry, "try again"), as(k.Cancel, "cancel"))
	}
	return append(keys, k.Back, k.CopyID)
}

func (o *operation) Acts() []key.Binding {
	k := o.keys
	acts := []key.Binding{as(k.CopyID, "copy the operation's id"), k.Refresh}
	if o.mayAct() {
		acts = append(acts, as(k.Retry, "try the operation again now"), k.Cancel)
	}
	return acts
}
