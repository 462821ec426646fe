package tui

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"tenantry/app/client"
)

// trial is a list of ways to do something. For the one that is selected the server
// is asked what would be done, and whether it may; nothing is done yet.
type trial[T any] struct {
	base
	table  table[T]
	listed bool
	chosen int // counts the choices, so that only the last is tried
	plan   *client.Operation

	// list reads the ways there are, words names one, and try has the server try it.
	list  func(context.Context, Backend) ([]T, error)
	words func(T) string
	try   func(context.Context, Backend, T) (client.Operation, error)
	// says are the lines about what was tried, room how many there are of them.
	says func(T, client.Operation) []string
	room int
	// title and intro stand above the list, none in place of one without ways,
	// and cannot before the name of one that is refused.
	title, intro, none, cannot string
	// ask is the question that Enter asks, does what Enter does.
	ask  func(T, client.Operation) question
	does string
}

type (
	// waysMsg is all ways that there are.
	waysMsg[T any] struct{ ways []T }
	// chosenMsg comes when no other one was selected for a while.
	chosenMsg struct {
		by    *base
		count int
	}
	// plannedMsg is what would be done.
	plannedMsg struct{ plan client.Operation }
	// begunMsg is what has begun.
	begunMsg struct{ operation client.Operation }
)

// trialHead is how many lines stand above the list.
const trialHead = 3

func (t *trial[T]) Init() tea.Cmd {
	list := t.list
	return ask(&t.base, t.session, "Reading where it could be", func(ctx context.Context, b Backend) (waysMsg[T], error) {
		ways, err := list(ctx, b)
		return waysMsg[T]{ways}, err
	})
}

// SetSize is of Screen.
func (t *trial[T]) SetSize(width, height int) {
	t.base.SetSize(width, height)
	t.fit()
}

// fit leaves room for the words about the selected one.
func (t *trial[T]) fit() {
	t.table.setSize(t.width, max(2, min(t.table.count()+1, t.height-trialHead-1-t.room)))
}

func (t *trial[T]) update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case answer[waysMsg[T]]:
		if t.take(msg) && msg.err == nil {
			before, had := t.table.current()
			t.listed = true
			t.table.all(msg.value.ways)
			at := slices.IndexFunc(msg.value.ways, func(w T) bool { return had && t.words(w) == t.words(before) })
			t.table.move(max(0, at) - t.table.selected)
			t.fit()
			return t.attempt()
		}
	case answer[plannedMsg]:
		if t.take(msg) && msg.err == nil {
			t.plan = &msg.value.plan
		}
	case chosenMsg:
		if msg.by == &t.base && msg.count == t.chosen {
			return t.attempt()
		}
	case changedMsg, shownMsg:
		return t.Init()
	case tea.KeyMsg:
		return t.press(msg)
	case tea.MouseMsg:
		msg.Y -= trialHead
		return t.choose(msg)
	}
	return nil
}

func (t *trial[T]) press(msg tea.KeyMsg) tea.Cmd {
	switch {
	case key.Matches(msg, t.keys.Refresh):
		return t.Init()
	case key.Matches(msg, t.keys.Open):
		if way, ok := t.table.current(); ok && t.plan != nil {
			return t.send(askMsg{t.ask(way, *t.plan)})
		}
		return nil
	}
	return t.choose(msg)
}

// choose moves the selection. One is tried when the selection stays there.
func (t *trial[T]) choose(msg tea.Msg) tea.Cmd {
	before := t.table.selected
	t.table.update(msg, t.keys)
	if t.table.selected == before {
		return nil
	}
	t.wait.stop()
	t.plan, t.problem = nil, nil
	t.chosen++
	chosen := chosenMsg{&t.base, t.chosen}
	return tea.Tick(typingPause, func(time.Time) tea.Msg { return chosen })
}

// attempt has the server try the selected one.
func (t *trial[T]) attempt() tea.Cmd {
	t.plan = nil
	way, ok := t.table.current()
	if !ok {
		return nil
	}
	try := t.try
	return ask(&t.base, t.session, "Trying "+t.words(way), func(ctx context.Context, b Backend) (plannedMsg, error) {
		plan, err := try(ctx, b, way)
		return plannedMsg{plan}, err
	})
}

func (t *trial[T]) View() string {
	lines := []string{" " + t.styles.Strong.Render(cut(t.title, t.width-2)), " " + t.styles.Faint.Render(cut(t.intro, t.width-2)), ""}
	empty := ""
	if t.listed {
		empty = t.none
	}
	lines = append(append(lines, strings.Split(t.table.view(t.styles, empty), "\n")...), "")
	if way, ok := t.table.current(); ok {
		for _, line := range t.about(way) {
			lines = append(lines, "  "+line)
		}
	}
	return block(lines, t.width, t.height)
}

// about says what would be done.
func (t *trial[T]) about(way T) []string {
	switch {
	case t.plan != nil:
		return t.says(way, *t.plan)
	case t.problem != nil:
		return []string{t.styles.Bad.Render(cut(t.cannot+" "+t.words(way)+".", t.width-4))}
	}
	return []string{t.styles.Faint.Render("Finding out what would move …")}
}

func (t *trial[T]) ShortHelp() []key.Binding {
	keys := []key.Binding{t.keys.Up, t.keys.Down}
	if t.plan != nil {
		keys = append([]key.Binding{as(t.keys.Open, t.does)}, keys...)
	}
	return append(keys, t.keys.Back)
}

func (t *trial[T]) Acts() []key.Binding {
	acts := []key.Binding{as(t.keys.Refresh, "try the places anew")}
	if t.plan != nil {
		acts = append([]key.Binding{as(t.keys.Open, t.does)}, acts...)
	}
	return acts
}
