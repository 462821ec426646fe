package tui

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/charmbracelet/bubbles/key"
	"github.com/charmbracelet/bubbles/textinput"
	tea "github.com/charmbracelet/bubbletea"

	"tenantry/app/client"
)

// typingPause is how long one must not have typed before the server is asked.
const typingPause = 120 * time.Millisecond

var organizationSorts = []struct{ by, words string }{
	{"created_at", "oldest first"}, {"-created_at", "newest first"}, {"name", "by name"}, {"-name", "by name, backwards"},
}

// organizations is the list of all organizations.
type organizations struct {
	base
	table  table[client.Organization]
	search textinput.Model
	sort   int
	filter organizationFilter
	typed  int // counts what was typed, so that a search waits for the last
	loaded bool
}

type organizationFilter struct{ state, cluster, isolation string }

// organizationPageMsg is a page of the list; page says which.
type organizationPageMsg struct {
	client.OrganizationPage
	page int
}

// typedMsg comes when nothing more was typed for a while.
type typedMsg struct{ count int }

// filterMsg is another filter.
type filterMsg struct{ filter organizationFilter }

func newOrganizations(s shared) *organizations {
	o := &organizations{base: base{shared: s}, search: textinput.New()}
	o.search.Prompt = "/ "
	o.search.PromptStyle = s.styles.Accent
	o.search.CharLimit = 100
	o.table = newTable(
		column[client.Organization]{title: "NAME", cell: func(v client.Organization) string { return v.Name }},
		column[client.Organization]{title: "SLUG", from: 76, cell: func(v client.Organization) string { return v.Slug }},
		column[client.Organization]{title: "EXTERNAL ID", width: 16, from: 112, cell: func(v client.Organization) string { return v.ExternalID }},
		column[client.Organization]{title: "STATE", width: 9, state: true, cell: func(v client.Organization) string { return v.State }},
		column[client.Organization]{title: "CREATED", width: 10, right: true,
			cell: func(v client.Organization) string { return ago(s.now(), v.CreatedAt) }},
	)
	return o
}

func (o *organizations) Init() tea.Cmd { return o.load(0) }

// SetSize is of Screen.
func (o *organizations) SetSize(width, height int) {
	o.base.SetSize(width, height)
	o.search.Width = width - 30
	o.table.setSize(width, height-2)
}

func (o *organizations) query() client.ListOrganizations {
	return client.ListOrganizations{
		Text: o.search.Value(), State: o.filter.state, Cluster: o.filter.cluster, Isolation: o.filter.isolation,
		Sort: organizationSorts[o.sort].by, Limit: pageSize,
	}
}

// load reads a page; the first one with how many there are in all.
func (o *organizations) load(page int) tea.Cmd {
	q := o.query()
	q.Cursor, q.Count = o.table.cursors[page], page == 0
	return ask(&o.base, o.session, "Reading organizations", func(ctx context.Context, b Backend) (organizationPageMsg, error) {
		p, err := b.ListOrganizations(ctx, q)
		return organizationPageMsg{p, page}, err
	})
}

// fill loads what is to be seen and is not there.
func (o *organizations) fill() tea.Cmd {
	if page, missing := o.table.wanted(); missing && o.wait.number == 0 && o.problem == nil {
		return o.load(page)
	}
	return nil
}

// restart reads another list from its beginning.
func (o *organizations) restart() tea.Cmd {
	o.table.restart()
	return o.load(0)
}

func (o *organizations) Update(msg tea.Msg) (Screen, tea.Cmd) {
	switch msg := msg.(type) {
	case answer[organizationPageMsg]:
		return o, o.arrived(msg)
	case typedMsg:
		if msg.count == o.typed {
			return o, o.restart()
		}
	case filterMsg:
		o.filter = msg.filter
		return o, o.restart()
	case changedMsg:
		o.table.stale()
		page, _ := o.table.wanted()
		return o, o.load(page)
	case tea.KeyMsg:
		if o.search.Focused() {
			return o, o.write(msg)
		}
		return o, o.press(msg)
	case tea.MouseMsg:
		msg.Y -= 2
		if o.table.update(msg, o.keys) {
			return o, o.open()
		}
		return o, o.fill()
	default:
		var cmd tea.Cmd
		o.search, cmd = o.search.Update(msg)
		return o, cmd
	}
	return o, nil
}

func (o *organizations) arrived(msg answer[organizationPageMsg]) tea.Cmd {
	if !o.take(msg) || msg.err != nil {
		return nil
	}
	o.loaded = true
	o.table.put(msg.value.page, msg.value.Items, msg.value.NextCursor)
	if msg.value.Total != nil {
		o.table.total = *msg.value.Total
	}
	o.table.move(0)
	return o.fill()
}

// write edits the search; the server is asked when one pauses.
func (o *organizations) write(msg tea.KeyMsg) tea.Cmd {
	switch msg.String() {
	case "enter", "down":
		o.search.Blur()
		return nil
	case "esc":
		o.search.Blur()
		if o.search.Value() == "" {
			return nil
		}
		o.search.SetValue("")
		return o.restart()
	}
	if msg.Paste {
		msg.Runes = []rune(pasted(string(msg.Runes)))
	}
	before := o.search.Value()
	var cmd tea.Cmd
	o.search, cmd = o.search.Update(msg)
	if o.search.Value() == before {
		return cmd
	}
	o.typed++
	count := o.typed
	return tea.Batch(cmd, tea.Tick(typingPause, func(time.Time) tea.Msg { return typedMsg{count} }))
}

func (o *organizations) press(msg tea.KeyMsg) tea.Cmd {
	k := o.keys
	org, selected := o.table.current()
	switch {
	case key.Matches(msg, k.Search):
		return o.search.Focus()
	case key.Matches(msg, k.New):
		return o.send(askMsg{createOrganization()})
	case key.Matches(msg, k.Sort):
		o.sort = (o.sort + 1) % len(organizationSorts)
		return o.restart()
	case key.Matches(msg, k.Filter):
		return o.send(askMsg{filterOrganizations(o.filter)})
	case key.Matches(msg, k.Clear):
		o.search.SetValue("")
		o.filter = organizationFilter{}
		return o.restart()
	case key.Matches(msg, k.Refresh):
		return o.restart()
	case selected && key.Matches(msg, k.Open):
		return o.open()
	case selected && key.Matches(msg, k.CopyID):
		return o.send(copyMsg{"the id of " + org.Name, org.ID})
	case selected:
		if o.actOn(msg, org) {
			return nil
		}
	}
	o.table.update(msg, k)
	return o.fill()
}

func (o *organizations) open() tea.Cmd {
	org, ok := o.table.current()
	if !ok {
		return nil
	}
	return o.send(openOrganizationMsg{org})
}

func (o *organizations) View() string {
	line := o.search.View()
	if !o.search.Focused() && o.search.Value() == "" {
		line = o.styles.Faint.Render("/ search")
	}
	count := ""
	if o.table.total >= 0 {
		count = plural(o.table.total, "organization", "organizations")
	}
	if o.table.count() > 0 {
		count = fmt.Sprintf("%s of %s", thousands(int64(o.table.selected+1)), count)
	}
	first := " " + fit(line, max(1, o.width-len(count)-3)) + o.styles.Faint.Render(count)
	view := []string{first, o.styles.Faint.Render(fit("  "+o.words(), o.width))}
	return strings.Join(view, "\n") + "\n" + o.table.view(o.styles, o.empty())
}

// words says how the list is sorted and filtered.
func (o *organizations) words() string {
	words := []string{organizationSorts[o.sort].words}
	for _, w := range []string{o.filter.state, o.filter.cluster, o.filter.isolation} {
		if w != "" {
			words = append(words, "only "+clean(w))
		}
	}
	return strings.Join(words, " · ")
}

func (o *organizations) empty() string {
	switch {
	case !o.loaded || o.wait.number != 0:
		return ""
	case o.search.Value() != "" || o.filter != organizationFilter{}:
		return "No organization is like that. Press c to clear search and filter."
	}
	return "There is no organization yet. Press n to make the first one."
}

func (o *organizations) Title() string { return "Organizations" }

// Typing is of Screen.
func (o *organizations) Typing() bool { return o.search.Focused() }

func (o *organizations) ShortHelp() []key.Binding {
	k := o.keys
	if o.search.Focused() {
		return []key.Binding{bind("enter", "to the list", "enter"), as(k.Back, "clear")}
	}
	return []key.Binding{k.Open, as(k.New, "new"), k.Search, k.Filter, k.Sort, k.Rename, k.Delete}
}

func (o *organizations) Acts() []key.Binding {
	k := o.keys
	acts := []key.Binding{as(k.New, "new organization"), as(k.Search, "search organizations"), as(k.Filter, "filter by state, cluster, isolation"),
		as(k.Sort, "sort another way"), k.Clear, k.Refresh}
	if org, ok := o.table.current(); ok {
		acts = append(acts, as(k.Open, "open "+clean(org.Name)), k.CopyID)
		acts = append(acts, keysOf(organizationActs(k, org, o.who))...)
	}
	return acts
}

// filterOrganizations asks for a filter. Which clusters there are is on their
// own screen; here the name is written.
func filterOrganizations(now organizationFilter) question {
	return question{
		title: "Filter organizations", verb: "filter", doing: "Filtering",
		fields: []field{
			{name: "state", title: "State", initial: now.state, options: []string{"", "active", "suspended", "deleted"}},
			{name: "isolation", title: "Isolation", initial: now.isolation, options: []string{"", "collection", "shared", "database"}},
			{name: "cluster", title: "Cluster", initial: now.cluster, limit: 100, placeholder: "any",
				note: func(values) string { return "The name of a cluster; 4 lists them. Empty: any." }},
		},
		do: func(_ context.Context, _ *session, v values) (tea.Msg, error) {
			return filterMsg{organizationFilter{v["state"], v["cluster"], v["isolation"]}}, nil
		},
	}
}
