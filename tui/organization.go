package tui

import (
	"strings"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/x/ansi"

	"tenantry/app/client"
)

// organizationTabs are the sides of an organization. What a later version can
// do gets a line here and a file of its own.
var organizationTabs = []struct {
	title string
	open  func(shared, client.Organization) Screen
}{
	{"Overview", func(s shared, o client.Organization) Screen { return newOverview(s, o) }},
	{"Documents", func(s shared, o client.Organization) Screen { return newDocuments(s, o) }},
	{"Placement", func(s shared, o client.Organization) Screen { return newPlacement(s, o) }},
	{"Operations", func(s shared, o client.Organization) Screen { return newOperations(s, o.ID) }},
}

// organization is one organization. Its tabs are screens inside of it, each
// opened when it is first looked at.
type organization struct {
	base
	org   client.Organization
	owner string
	tabs  []Screen
	at    int
}

func newOrganization(s shared, org client.Organization) *organization {
	return &organization{base: base{shared: s}, org: org, tabs: make([]Screen, len(organizationTabs))}
}

func (o *organization) organizationID() string { return o.org.ID }

func (o *organization) tab() Screen { return o.tabs[o.at] }

func (o *organization) Init() tea.Cmd { return o.goTo(0) }

func (o *organization) goTo(tab int) tea.Cmd {
	hidden := o.forward(hiddenMsg{})
	o.at = (tab + len(o.tabs)) % len(o.tabs)
	if o.tabs[o.at] == nil {
		o.tabs[o.at] = organizationTabs[o.at].open(o.shared, o.org)
		o.tab().SetSize(o.width, o.height-2)
		return tea.Batch(hidden, o.tab().Init(), o.forward(organizationMsg{o.org, o.owner}))
	}
	return tea.Batch(hidden, o.forward(shownMsg{}))
}

// SetSize is of Screen.
func (o *organization) SetSize(width, height int) {
	o.base.SetSize(width, height)
	for _, t := range o.tabs {
		if t != nil {
			t.SetSize(width, height-2)
		}
	}
}

func (o *organization) forward(msg tea.Msg) tea.Cmd {
	if o.tab() == nil {
		return nil
	}
	var cmd tea.Cmd
	o.tabs[o.at], cmd = o.tab().Update(msg)
	return cmd
}

func (o *organization) Update(msg tea.Msg) (Screen, tea.Cmd) {
	switch msg := msg.(type) {
	case organizationMsg:
		if msg.organization.ID == o.org.ID {
			o.org, o.owner = msg.organization, msg.owner
			return o, o.all(msg)
		}
		return o, nil
	case changedMsg:
		if now := msg.organization; now != nil && now.ID == o.org.ID {
			o.org = *now
			return o, tea.Batch(o.all(organizationMsg{o.org, o.owner}), o.all(msg))
		}
	case tea.KeyMsg:
		return o, o.press(msg)
	case tea.MouseMsg:
		return o, o.click(msg)
	case shownMsg, hiddenMsg:
		return o, o.forward(msg)
	}
	return o, o.all(msg)
}

// organizationMsg says how an organization is now.
type organizationMsg struct {
	organization client.Organization
	owner        string // the owner's email address; "" is not known
}

func (o *organization) all(msg tea.Msg) tea.Cmd {
	var cmds []tea.Cmd
	for i, t := range o.tabs {
		if t != nil {
			var cmd tea.Cmd
			o.tabs[i], cmd = t.Update(msg)
			cmds = append(cmds, cmd)
		}
	}
	return tea.Batch(cmds...)
}

func (o *organization) press(msg tea.KeyMsg) tea.Cmd {
	k := o.keys
	switch {
	case o.Typing():
	case key.Matches(msg, k.NextTab):
		return o.goTo(o.at + 1)
	case key.Matches(msg, k.PreviousTab):
		return o.goTo(o.at - 1)
	}
	return o.forward(msg)
}

func (o *organization) click(msg tea.MouseMsg) tea.Cmd {
	if msg.Y != 0 {
		msg.Y -= 2
		return o.forward(msg)
	}
	if msg.Action != tea.MouseActionPress || msg.Button != tea.MouseButtonLeft {
		return nil
	}
	at := 2
	for i, t := range organizationTabs {
		if msg.X >= at && msg.X < at+len(t.title) {
			return o.goTo(i)
		}
		at += len(t.title) + 3
	}
	return nil
}

func (o *organization) View() string {
	var tabs []string
	for i, t := range organizationTabs {
		if i == o.at {
			tabs = append(tabs, o.styles.PlaceNow.Render(t.title))
		} else {
			tabs = append(tabs, o.styles.Place.Render(t.title))
		}
	}
	line := "  " + strings.Join(tabs, o.styles.Faint.Render(" │ "))
	hint := o.styles.Key.Render("tab") + " " + o.styles.Does.Render("next tab")
	if room := o.width - ansi.StringWidth(line) - ansi.StringWidth(hint) - 1; room > 0 {
		line += strings.Repeat(" ", room) + hint
	}
	if o.tab() == nil {
		return line
	}
	return line + "\n\n" + o.tab().View()
}

func (o *organization) Title() string { return o.org.Name }

// Typing, Waiting, Problem and Dismiss are the tab's.
func (o *organization) Typing() bool { return o.tab() != nil && o.tab().Typing() }

// Waiting is of Screen.
func (o *organization) Waiting() *waiting {
	if o.tab() == nil {
		return &o.wait
	}
	return o.tab().Waiting()
}

// Problem is of Screen.
func (o *organization) Problem() error {
	if o.tab() == nil {
		return nil
	}
	return o.tab().Problem()
}

// Dismiss is of Screen.
func (o *organization) Dismiss() {
	if o.tab() != nil {
		o.tab().Dismiss()
	}
}

func (o *organization) ShortHelp() []key.Binding {
	if o.tab() == nil {
		return nil
	}
	return append([]key.Binding{}, append(o.tab().ShortHelp(), o.keys.NextTab)...)
}

func (o *organization) Acts() []key.Binding {
	acts := []key.Binding{o.keys.NextTab, o.keys.PreviousTab}
	if o.tab() != nil {
		acts = append(o.tab().Acts(), acts...)
	}
	return acts
}
