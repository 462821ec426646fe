package tui

import (
	"context"
	"time"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"tenantry/app"
	"tenantry/app/client"
)

// placement is where an organization's documents are, and the last move of
// them. While that is under way it is read again and again.
type placement struct {
	base
	org   client.Organization
	at    *client.Placement // nil where one may not see it, or is not known
	move  *client.Operation // the last one, if any
	read  bool
	top   int
	ticks int
}

// placedMsg is what the tab shows.
type placedMsg struct {
	placement *client.Placement
	move      *client.Operation
}

type placementTickMsg struct {
	of    *placement
	count int
}

func newPlacement(s shared, org client.Organization) *placement {
	return &placement{base: base{shared: s}, org: org}
}

func (p *placement) Init() tea.Cmd {
	id := p.org.ID
	return ask(&p.base, p.session, "Reading the placement", func(ctx context.Context, b Backend) (placedMsg, error) {
		at, err := allowed(b.Placement(ctx, id))
		if at == nil {
			return placedMsg{}, err
		}
		moves, err := b.ListOperations(ctx, client.ListOperations{Organization: id, Kind: string(app.OperationRelocate), Limit: 1})
		placed := placedMsg{placement: at}
		if len(moves.Items) > 0 {
			placed.move = &moves.Items[0]
		}
		return placed, err
	})
}

// watch looks again after a while, where something goes on.
func (p *placement) watch() tea.Cmd {
	p.ticks++
	if p.move == nil || !p.move.Open() {
		return nil
	}
	msg := placementTickMsg{p, p.ticks}
	return tea.Tick(watchEvery, func(time.Time) tea.Msg { return msg })
}

func (p *placement) Update(msg tea.Msg) (Screen, tea.Cmd) {
	switch msg := msg.(type) {
	case answer[placedMsg]:
		if p.take(msg) && msg.err == nil {
			p.at, p.move, p.read = msg.value.placement, msg.value.move, true
			return p, p.watch()
		}
	case placementTickMsg:
		switch {
		case msg.of != p || msg.count != p.ticks:
		case p.wait.number != 0 || p.problem != nil:
			return p, p.watch()
		default:
			load := p.Init()
			p.wait.quiet = true
			return p, load
		}
	case organizationMsg:
		p.org = msg.organization
	case changedMsg, shownMsg:
		return p, p.Init()
	case hiddenMsg:
		p.ticks++ // the one under way is not for us any more
	case tea.KeyMsg:
		return p, p.press(msg)
	}
	return p, nil
}

func (p *placement) press(msg tea.KeyMsg) tea.Cmd {
	k := p.keys
	switch {
	case key.Matches(msg, k.Refresh):
		return p.Init()
	case key.Matches(msg, k.Down):
		p.top = min(p.top+1, max(0, len(p.lines())-p.height))
	case key.Matches(msg, k.Up):
		p.top = max(0, p.top-1)
	case p.mayMove() && key.Matches(msg, k.Relocate):
		return p.send(relocateMsg{p.org, *p.at})
	case p.move == nil:
	case key.Matches(msg, k.Open):
		return p.send(openOperationMsg{*p.move})
	default:
		p.turn(msg, *p.move)
	}
	return nil
}

// mayMove reports whether a move can begin: by operators, one at a time.
func (p *placement) mayMove() bool {
	state := app.OrganizationState(p.org.State)
	return p.who.operator && p.at != nil && state != app.StateDeleted && (p.move == nil || !p.move.Open())
}

func (p *placement) lines() []string {
	var lines []string
	say := func(label, value string) {
		lines = append(lines, "  "+p.styles.Faint.Render(fit(label, 14))+cut(value, p.width-18))
	}
	switch {
	case !p.read:
		return nil
	case p.at == nil:
		for _, line := range wrap("Where the documents are is shown to operators, and to the organization's owner and admins.", p.width-4, 3) {
			lines = append(lines, "  "+p.styles.Faint.Render(line))
		}
		return lines
	}
	say("Cluster", p.styles.Strong.Render(clean(p.at.Cluster)))
	say("Isolation", clean(p.at.Isolation)+p.styles.Faint.Render("  "+isolationWords(p.at.Isolation)))
	say("In", clean(p.at.Database)+"/"+clean(p.at.Collection)+p.styles.Faint.Render("  generation "+thousands(p.at.Generation)))
	say("Holds", plural(p.at.Documents, "document", "documents")+", "+bytesOf(p.at.Bytes))
	if p.move == nil {
		return lines
	}
	lines = append(lines, "")
	when := "begun " + ago(p.now(), p.move.CreatedAt)
	if !p.move.Open() {
		when = "ended " + ago(p.now(), p.move.UpdatedAt)
	}
	say("Last move", p.styles.state(p.move.State).Render(moveWord(*p.move))+p.styles.Faint.Render("  "+when))
	moveLines(p.styles, *p.move, p.width, say)
	if p.move.Error != "" {
		for _, line := range wrap(p.move.Error, p.width-4, 4) {
			lines = append(lines, "  "+p.styles.Bad.Render(line))
		}
	}
	return lines
}

// isolationWords say what an isolation means.
func isolationWords(isolation string) string {
	switch app.Isolation(isolation) {
	case app.IsolationShared:
		return "with many, each row marked as its own"
	case app.IsolationDatabase:
		return "a database or file of its own"
	}
	return "a collection of its own"
}

func (p *placement) View() string {
	lines := p.lines()
	return block(lines[min(p.top, max(0, len(lines)-1)):], p.width, p.height)
}

func (p *placement) Title() string { return "Placement" }

func (p *placement) ShortHelp() []key.Binding {
	var keys []key.Binding
	if p.mayMove() {
		keys = append(keys, as(p.keys.Relocate, "move"))
	}
	if p.move != nil {
		keys = append(append(keys, p.turns(*p.move, false)...), as(p.keys.Open, "the move"))
	}
	return append(keys, p.keys.Refresh)
}

func (p *placement) Acts() []key.Binding {
	var acts []key.Binding
	if p.mayMove() {
		acts = append(acts, as(p.keys.Relocate, "move the organization to another place"))
	}
	if p.move != nil {
		acts = append(append(acts, p.turns(*p.move, true)...), as(p.keys.Open, "open the last move"))
	}
	return append(acts, p.keys.Refresh)
}
