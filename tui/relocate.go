package tui

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"tenantry/app/client"
)

// relocate asks where to move an organization to. For the place that is selected
// the server is asked what would move there, and whether it may.
type relocate struct {
	base
	org    client.Organization
	from   client.Placement
	table  table[target]
	listed bool
	chosen int // counts the choices, so that a dry run waits for the last
	plan   *client.Operation
}

// target is a place that an organization could move to.
type target struct {
	cluster   client.Cluster
	isolation string
}

func (t target) words() string { return clean(t.cluster.Name) + ", " + clean(t.isolation) }

type (
	// targetsMsg is all places that there are.
	targetsMsg struct{ targets []target }
	// chosenMsg comes when no other place was selected for a while.
	chosenMsg struct {
		by    *relocate
		count int
	}
	// plannedMsg is a move as it would be.
	plannedMsg struct{ plan client.Operation }
	// begunMsg is a move that has begun.
	begunMsg struct{ operation client.Operation }
)

func newRelocate(s shared, msg relocateMsg) *relocate {
	r := &relocate{base: base{shared: s}, org: msg.organization, from: msg.placement}
	r.table = newTable(
		column[target]{title: "CLUSTER", cell: func(t target) string { return t.cluster.Name }},
		column[target]{title: "ISOLATION", width: 11, cell: func(t target) string { return t.isolation }},
		column[target]{title: "HEALTH", width: 8, state: true, cell: func(t target) string { return t.cluster.Status }},
		column[target]{title: "ENGINE", width: 16, from: 100, cell: func(t target) string { return t.cluster.Engine + " " + t.cluster.Version }},
		column[target]{title: "ORGS", width: 7, from: 76, right: true, cell: func(t target) string { return thousands(t.cluster.Organizations) }},
		column[target]{title: "NAMESPACES", width: 15, right: true, cell: func(t target) string { return budgetWord(t.cluster) }},
	)
	return r
}

func (r *relocate) organizationID() string { return r.org.ID }

func (r *relocate) Init() tea.Cmd {
	from := r.from
	return ask(&r.base, r.session, "Reading where it could be", func(ctx context.Context, b Backend) (targetsMsg, error) {
		clusters, err := b.Clusters(ctx)
		var all []target
		for _, c := range clusters {
			for _, isolation := range c.Isolations {
				if c.State != "closing" && (c.Name != from.Cluster || isolation != from.Isolation) {
					all = append(all, target{c, isolation})
				}
			}
		}
		return targetsMsg{all}, err
	})
}

// SetSize is of Screen.
func (r *relocate) SetSize(width, height int) {
	r.base.SetSize(width, height)
	r.fit()
}

// fit leaves room for the words about the selected place.
func (r *relocate) fit() { r.table.setSize(r.width, max(2, min(r.table.count()+1, r.height-7))) }

func (r *relocate) Update(msg tea.Msg) (Screen, tea.Cmd) {
	switch msg := msg.(type) {
	case answer[targetsMsg]:
		if r.take(msg) && msg.err == nil {
			before, had := r.table.current()
			r.listed = true
			r.table.all(msg.value.targets)
			at := slices.IndexFunc(msg.value.targets, func(t target) bool { return had && t.words() == before.words() })
			r.table.move(max(0, at) - r.table.selected)
			r.fit()
			return r, r.ask()
		}
	case answer[plannedMsg]:
		if r.take(msg) && msg.err == nil {
			r.plan = &msg.value.plan
		}
	case chosenMsg:
		if msg.by == r && msg.count == r.chosen {
			return r, r.ask()
		}
	case begunMsg:
		if msg.operation.OrganizationID == r.org.ID {
			return r, r.send(backMsg{r}, openOperationMsg(msg), noticeMsg{"The move has begun. It goes on whether you look or not."})
		}
	case changedMsg, shownMsg:
		return r, r.Init()
	case tea.KeyMsg:
		return r, r.press(msg)
	case tea.MouseMsg:
		return r, r.choose(msg)
	}
	return r, nil
}

func (r *relocate) press(msg tea.KeyMsg) tea.Cmd {
	switch {
	case key.Matches(msg, r.keys.Refresh):
		return r.Init()
	case key.Matches(msg, r.keys.Open):
		if to, ok := r.table.current(); ok && r.plan != nil {
			return r.send(askMsg{moveOrganization(r.org, to, *r.plan)})
		}
		return nil
	}
	return r.choose(msg)
}

// choose moves the selection. What is said of a place is asked when one stays
// there.
func (r *relocate) choose(msg tea.Msg) tea.Cmd {
	before := r.table.selected
	r.table.update(msg, r.keys)
	if r.table.selected == before {
		return nil
	}
	r.wait.stop()
	r.plan, r.problem = nil, nil
	r.chosen++
	chosen := chosenMsg{r, r.chosen}
	return tea.Tick(typingPause, func(time.Time) tea.Msg { return chosen })
}

// ask has the server try the selected place, without moving anything.
func (r *relocate) ask() tea.Cmd {
	r.plan = nil
	to, ok := r.table.current()
	if !ok {
		return nil
	}
	org := r.org.ID
	return ask(&r.base, r.session, "Trying "+to.words(), func(ctx context.Context, b Backend) (plannedMsg, error) {
		plan, err := b.RelocateOrganization(ctx, org, client.Relocate{Cluster: to.cluster.Name, Isolation: to.isolation, DryRun: true})
		return plannedMsg{plan}, err
	})
}

func (r *relocate) View() string {
	lines := []string{" " + r.styles.Strong.Render(cut("Move "+clean(r.org.Name), r.width-2)),
		" " + r.styles.Faint.Render(cut("Now on "+clean(r.from.Cluster)+", "+clean(r.from.Isolation)+", and in use while it moves.", r.width-2)), ""}
	empty := ""
	if r.listed {
		empty = "There is no other place. Add a cluster, or allow other isolations on this one."
	}
	lines = append(append(lines, strings.Split(r.table.view(r.styles, empty), "\n")...), "")
	if to, ok := r.table.current(); ok {
		for _, line := range r.about(to) {
			lines = append(lines, "  "+line)
		}
	}
	return block(lines, r.width, r.height)
}

// about says what would move.
func (r *relocate) about(to target) []string {
	if r.plan == nil || r.plan.Relocation == nil {
		if r.problem != nil {
			return []string{r.styles.Bad.Render("It cannot move to " + to.words() + ".")}
		}
		return []string{r.styles.Faint.Render("Finding out what would move …")}
	}
	words := amount(r.plan.Relocation.Total)
	if r.plan.Estimate > 0 {
		words += ", in about " + seconds(r.plan.Estimate)
	}
	return []string{r.styles.Strong.Render(cut("Would move "+words, r.width-4)),
		cut("to "+placeWords(r.plan.Relocation.Target), r.width-4)}
}

func (r *relocate) Title() string { return "Move" }

func (r *relocate) ShortHelp() []key.Binding {
	keys := []key.Binding{r.keys.Up, r.keys.Down}
	if r.plan != nil {
		keys = append([]key.Binding{as(r.keys.Open, "move it there")}, keys...)
	}
	return append(keys, r.keys.Back)
}

func (r *relocate) Acts() []key.Binding {
	acts := []key.Binding{as(r.keys.Refresh, "try the places anew")}
	if r.plan != nil {
		acts = append([]key.Binding{as(r.keys.Open, "move it to the selected place")}, acts...)
	}
	return acts
}

func moveOrganization(org client.Organization, to target, plan client.Operation) question {
	return question{
		title: "Move " + org.Name, verb: "move", doing: "Beginning the move",
		intro: fmt.Sprintf("%s. Reading and writing go on; writes wait for a moment when it switches. "+
			"After that you can move it back for a while, and lose nothing.", amount(plan.Relocation.Total)),
		confirm: fmt.Sprintf("Move %s to %s?", clean(org.Name), to.words()),
		do: func(ctx context.Context, s *session, _ values) (tea.Msg, error) {
			op, err := with(ctx, s, func(ctx context.Context, b Backend) (client.Operation, error) {
				return b.RelocateOrganization(ctx, org.ID, client.Relocate{Cluster: to.cluster.Name, Isolation: to.isolation})
			})
			return begunMsg{op}, err
		},
	}
}
