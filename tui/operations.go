package tui

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"
	"golang.org/x/sync/errgroup"

	"tenantry/app"
	"tenantry/app/client"
)

// watchEvery is how often what is running is looked at again.
const watchEvery = time.Second

var operationStates = []string{"", "running", "completed", "failed", "cancelled", "reverted"}

// operations is the list of operations, of one organization or of all. While
// it is seen it is read again and again.
type operations struct {
	base
	org    string // "" lists those of all
	state  int
	table  table[client.Operation]
	names  map[string]string // of organizations, by id
	seen   bool
	loaded bool
	ticks  int // which of the ticks is the last one asked for
}

// operationPageMsg is a page with the names of the organizations in it.
type operationPageMsg struct {
	client.OperationPage
	page  int
	names map[string]string
}

// tickMsg is time to look again.
type tickMsg struct {
	of    *operations
	count int
}

func newOperations(s shared, org string) *operations {
	o := &operations{base: base{shared: s}, org: org, names: map[string]string{}}
	columns := []column[client.Operation]{{title: "KIND", width: 8, cell: func(v client.Operation) string { return v.Kind }}}
	if org == "" {
		columns = append(columns, column[client.Operation]{title: "ORGANIZATION", cell: o.name})
	}
	o.table = newTable(append(columns,
		column[client.Operation]{title: "STATE", width: 12, state: true, cell: func(v client.Operation) string { return stateWord(v, s.now()) }},
		column[client.Operation]{title: "STEPS", width: 11, cell: stepsWord},
		column[client.Operation]{title: "NOTE", from: 90, cell: noteWord},
		column[client.Operation]{title: "BEGUN", width: 10, right: true, cell: func(v client.Operation) string { return ago(s.now(), v.CreatedAt) }},
	)...)
	return o
}

func (o *operations) name(v client.Operation) string {
	if v.Drain != nil {
		return "cluster " + v.Drain.Cluster
	}
	if name := o.names[v.OrganizationID]; name != "" {
		return name
	}
	return short(v.OrganizationID)
}

// stateWord is the state, more exactly where there is more to say.
func stateWord(v client.Operation, now time.Time) string {
	switch {
	case v.Undoing:
		return "undoing"
	case v.State == string(app.OperationRunning) && v.DueAt != nil && v.DueAt.After(now):
		return "waiting"
	}
	return strings.ReplaceAll(v.State, "_", " ")
}

// stepsWord is a bar of what is done.
func stepsWord(v client.Operation) string {
	if v.Progress.Total <= 0 {
		return ""
	}
	full := min(5, 5*v.Progress.Done/v.Progress.Total)
	bar := strings.Repeat("█", full) + strings.Repeat("░", 5-full)
	if v.Relocation != nil { // documents, and each twice
		return bar + fmt.Sprintf(" %d %%", min(100, 100*v.Progress.Done/v.Progress.Total))
	}
	return bar + fmt.Sprintf(" %d/%d", v.Progress.Done, v.Progress.Total)
}

func noteWord(v client.Operation) string {
	switch {
	case v.Error != "":
		return v.Error
	case v.Relocation != nil:
		return "to " + v.Relocation.Target.Cluster + ", " + v.Relocation.Target.Isolation
	case v.Drain != nil && v.Drain.Failures > 0:
		return thousands(v.Drain.Failures) + " not moved"
	case v.Drain != nil:
		return "to " + destination{client.Cluster{Name: v.Drain.To}}.words()
	case v.State == string(app.OperationRunning) && v.DueAt != nil:
		return "removes the data " + stamp(*v.DueAt)
	case v.Step != "":
		return "at " + v.Step
	}
	return ""
}

func (o *operations) Init() tea.Cmd { return tea.Batch(o.load(0), o.watch()) }

// SetSize is of Screen.
func (o *operations) SetSize(width, height int) {
	o.base.SetSize(width, height)
	o.table.setSize(width, height)
}

func (o *operations) load(page int) tea.Cmd {
	q := client.ListOperations{Organization: o.org, State: operationStates[o.state], Cursor: o.table.cursors[page], Limit: pageSize}
	known := make(map[string]string, len(o.names))
	for id, name := range o.names {
		known[id] = name
	}
	all := o.org == ""
	return ask(&o.base, o.session, "Reading operations", func(ctx context.Context, b Backend) (operationPageMsg, error) {
		p, err := b.ListOperations(ctx, q)
		if err == nil && all {
			err = nameOrganizations(ctx, b, p.Items, known)
		}
		return operationPageMsg{p, page, known}, err
	})
}

// nameOrganizations finds the names that are not known yet, a few at a time.
// One that is gone has none.
func nameOrganizations(ctx context.Context, b Backend, ops []client.Operation, names map[string]string) error {
	var missing []string
	for _, op := range ops {
		if _, known := names[op.OrganizationID]; !known && op.OrganizationID != "" {
			names[op.OrganizationID] = ""
			missing = append(missing, op.OrganizationID)
		}
	}
	found := make([]string, len(missing))
	some, ctx := errgroup.WithContext(ctx)
	some.SetLimit(8)
	for i, id := range missing {
		some.Go(func() error {
			org, err := b.Organization(ctx, id)
			found[i] = org.Name
			if errors.Is(err, app.ErrNotFound) {
				return nil
			}
			return err
		})
	}
	err := some.Wait()
	for i, id := range missing {
		names[id] = found[i]
	}
	return err
}

// watch looks again after a while.
func (o *operations) watch() tea.Cmd {
	o.seen = true
	o.ticks++
	msg := tickMsg{o, o.ticks}
	return tea.Tick(watchEvery, func(time.Time) tea.Msg { return msg })
}

func (o *operations) Update(msg tea.Msg) (Screen, tea.Cmd) {
	switch msg := msg.(type) {
	case answer[operationPageMsg]:
		return o, o.arrived(msg)
	case tickMsg:
		if msg.of == o && msg.count == o.ticks {
			return o, o.tick()
		}
	case changedMsg:
		return o, o.again()
	case shownMsg:
		return o, tea.Batch(o.again(), o.watch())
	case hiddenMsg:
		o.ticks++ // the one under way is not for us any more
	case answer[client.Operation]:
		if o.take(msg) && msg.err == nil {
			return o, o.send(changedMsg{notice: "The " + kindWord(msg.value) + " is tried again."})
		}
	case tea.KeyMsg:
		return o, o.press(msg)
	case tea.MouseMsg:
		if o.table.update(msg, o.keys) {
			return o, o.open()
		}
		return o, o.fill()
	}
	return o, nil
}

// tick looks again, unless it is still looking, or something went wrong that
// one should read first.
func (o *operations) tick() tea.Cmd {
	if o.wait.number != 0 || o.problem != nil {
		return o.watch()
	}
	again := o.again()
	o.wait.quiet = true
	return tea.Batch(again, o.watch())
}

func (o *operations) again() tea.Cmd {
	return o.load(min(o.table.top/pageSize, len(o.table.cursors)-1))
}

func (o *operations) arrived(msg answer[operationPageMsg]) tea.Cmd {
	if !o.take(msg) || msg.err != nil {
		return nil
	}
	o.loaded = true
	o.names = msg.value.names
	o.table.put(msg.value.page, msg.value.Items, msg.value.NextCursor)
	o.table.move(0)
	return o.fill()
}

func (o *operations) fill() tea.Cmd {
	if page, missing := o.table.wanted(); missing && o.wait.number == 0 && o.problem == nil {
		return o.load(page)
	}
	return nil
}

func (o *operations) press(msg tea.KeyMsg) tea.Cmd {
	k := o.keys
	op, selected := o.table.current()
	switch {
	case key.Matches(msg, k.Filter):
		o.state = (o.state + 1) % len(operationStates)
		o.table.restart()
		return o.load(0)
	case key.Matches(msg, k.Refresh):
		return o.again()
	case selected && key.Matches(msg, k.Open):
		return o.open()
	case selected && key.Matches(msg, k.CopyID):
		return o.send(copyMsg{"the operation's id", op.ID})
	case selected && o.mayRetry(op) && key.Matches(msg, k.Retry):
		return retry(&o.base, op)
	case selected && o.turnOperation(msg, op):
		return nil
	}
	o.table.update(msg, k)
	return o.fill()
}

func retry(b *base, op client.Operation) tea.Cmd {
	return ask(b, b.session, "Trying again", func(ctx context.Context, b Backend) (client.Operation, error) {
		return b.RetryOperation(ctx, op.ID)
	})
}

func (o *operations) open() tea.Cmd {
	op, ok := o.table.current()
	if !ok {
		return nil
	}
	return o.send(openOperationMsg{op})
}

func (o *operations) View() string {
	empty := ""
	switch {
	case !o.loaded:
	case o.state != 0:
		empty = "No operation is " + operationStates[o.state] + ". Press f for the others."
	default:
		empty = "There is no operation yet. Creating, renaming, moving and deleting organizations are operations."
	}
	return o.table.view(o.styles, empty)
}

func (o *operations) Title() string {
	if o.state == 0 {
		return "Operations"
	}
	return "Operations: " + operationStates[o.state]
}

func (o *operations) ShortHelp() []key.Binding {
	k := o.keys
	keys := []key.Binding{k.Open, as(k.Filter, "state")}
	if op, ok := o.table.current(); ok {
		keys = append(keys, o.operationActs(op, false)...)
	}
	return keys
}

func (o *operations) Acts() []key.Binding {
	k := o.keys
	acts := []key.Binding{as(k.Open, "open the operation"), as(k.Filter, "show operations of the next state"), as(k.CopyID, "copy the operation's id"), k.Refresh}
	if op, ok := o.table.current(); ok {
		acts = append(acts, o.operationActs(op, true)...)
	}
	return acts
}
