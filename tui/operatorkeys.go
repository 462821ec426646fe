package tui

import (
	"context"
	"time"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"tenantry/app/client"
)

// operatorKeys lists the keys with which programs and people are operators.
type operatorKeys struct {
	base
	table  table[client.OperatorKey]
	loaded bool
}

func newOperatorKeys(s shared) *operatorKeys {
	at := func(t *time.Time, none string) string {
		if t == nil {
			return none
		}
		return ago(s.now(), *t)
	}
	return &operatorKeys{base: base{shared: s}, table: newTable(
		column[client.OperatorKey]{title: "NAME", cell: func(k client.OperatorKey) string { return k.Name }},
		column[client.OperatorKey]{title: "STATE", width: 8, state: true, cell: func(k client.OperatorKey) string { return keyState(s.now(), k) }},
		column[client.OperatorKey]{title: "LAST USED", width: 11, right: true, cell: func(k client.OperatorKey) string { return at(k.LastUsedAt, "never") }},
		column[client.OperatorKey]{title: "EXPIRES", width: 11, right: true, cell: func(k client.OperatorKey) string { return at(k.ExpiresAt, "never") }},
		column[client.OperatorKey]{title: "MADE", width: 11, from: 80, right: true, cell: func(k client.OperatorKey) string { return ago(s.now(), k.CreatedAt) }},
	)}
}

func keyState(now time.Time, k client.OperatorKey) string {
	switch {
	case k.RevokedAt != nil:
		return "revoked"
	case k.ExpiresAt != nil && k.ExpiresAt.Before(now):
		return "expired"
	}
	return "active"
}

func (o *operatorKeys) Init() tea.Cmd {
	return ask(&o.base, o.session, "Reading the keys", func(ctx context.Context, b Backend) ([]client.OperatorKey, error) {
		return b.OperatorKeys(ctx)
	})
}

// SetSize is of Screen.
func (o *operatorKeys) SetSize(width, height int) {
	o.base.SetSize(width, height)
	o.table.setSize(width, height)
}

func (o *operatorKeys) Update(msg tea.Msg) (Screen, tea.Cmd) {
	switch msg := msg.(type) {
	case answer[[]client.OperatorKey]:
		if o.take(msg) && msg.err == nil {
			o.loaded = true
			o.table.all(msg.value)
			o.table.move(0)
		}
	case changedMsg, shownMsg:
		return o, o.Init()
	case tea.KeyMsg:
		return o, o.press(msg)
	case tea.MouseMsg:
		o.table.update(msg, o.keys)
	}
	return o, nil
}

func (o *operatorKeys) press(msg tea.KeyMsg) tea.Cmd {
	k := o.keys
	selected, ok := o.table.current()
	switch {
	case key.Matches(msg, k.New):
		return o.send(askMsg{createKey()})
	case key.Matches(msg, k.Refresh):
		return o.Init()
	case ok && selected.RevokedAt == nil && key.Matches(msg, k.Revoke):
		return o.send(askMsg{revokeKey(selected)})
	case ok && key.Matches(msg, k.CopyID):
		return o.send(copyMsg{"the key's id", selected.ID})
	}
	o.table.update(msg, k)
	return nil
}

func (o *operatorKeys) View() string {
	empty := ""
	if o.loaded {
		empty = "There is no operator key. Press n to make one."
	}
	return o.table.view(o.styles, empty)
}

func (o *operatorKeys) Title() string { return "Operator keys" }

func (o *operatorKeys) ShortHelp() []key.Binding {
	return []key.Binding{o.keys.New, o.keys.Revoke}
}

func (o *operatorKeys) Acts() []key.Binding {
	acts := []key.Binding{as(o.keys.New, "new operator key"), o.keys.Refresh}
	if selected, ok := o.table.current(); ok {
		if selected.RevokedAt == nil {
			acts = append(acts, as(o.keys.Revoke, "revoke the key "+clean(selected.Name)))
		}
		acts = append(acts, as(o.keys.CopyID, "copy the key's id"))
	}
	return acts
}
