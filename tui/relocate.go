package tui

import (
	"context"
	"fmt"

	tea "github.com/charmbracelet/bubbletea"

	"tenantry/app/client"
)

// relocate asks where to move an organization to.
type relocate struct {
	trial[target]
	org client.Organization
}

// target is a place that an organization could move to.
type target struct {
	cluster   client.Cluster
	isolation string
}

func (t target) words() string { return clean(t.cluster.Name) + ", " + clean(t.isolation) }

func newRelocate(s shared, msg relocateMsg) *relocate {
	org, from := msg.organization, msg.placement
	r := &relocate{org: org, trial: trial[target]{
		base:  base{shared: s},
		title: "Move " + clean(org.Name), intro: "Now on " + clean(from.Cluster) + ", " + clean(from.Isolation) + ", and in use while it moves.",
		none:   "There is no other place. Add a cluster, or allow other isolations on this one.",
		cannot: "It cannot move to", does: "move it there", words: target.words, room: 3,
	}}
	r.table = newTable(
		column[target]{title: "CLUSTER", cell: func(t target) string { return t.cluster.Name }},
		column[target]{title: "ISOLATION", width: 11, cell: func(t target) string { return t.isolation }},
		column[target]{title: "HEALTH", width: 8, state: true, cell: func(t target) string { return t.cluster.Status }},
		column[target]{title: "ENGINE", width: 16, from: 100, cell: func(t target) string { return t.cluster.Engine + " " + t.cluster.Version }},
		column[target]{title: "ORGS", width: 7, from: 76, right: true, cell: func(t target) string { return thousands(t.cluster.Organizations) }},
		column[target]{title: "NAMESPACES", width: 15, right: true, cell: func(t target) string { return budgetWord(t.cluster) }},
	)
	r.list = func(ctx context.Context, b Backend) ([]target, error) {
		clusters, err := b.Clusters(ctx)
		var all []target
		for _, c := range clusters {
			for _, isolation := range c.Isolations {
				if c.State != clusterClosing && (c.Name != from.Cluster || isolation != from.Isolation) {
					all = append(all, target{c, isolation})
				}
			}
		}
		return all, err
	}
	r.try = func(ctx context.Context, b Backend, to target) (client.Operation, error) {
		return b.RelocateOrganization(ctx, org.ID, client.Relocate{Cluster: to.cluster.Name, Isolation: to.isolation, DryRun: true})
	}
	r.says = func(_ target, plan client.Operation) []string {
		words := amount(plan.Relocation.Total)
		if plan.Estimate > 0 {
			words += ", in about " + seconds(plan.Estimate)
		}
		return []string{r.styles.Strong.Render(cut("Would move "+words, r.width-4)),
			cut("to "+placeWords(plan.Relocation.Target), r.width-4), cut(roomWords(plan.Relocation.Room), r.width-4)}
	}
	r.ask = func(to target, plan client.Operation) question { return moveOrganization(org, to, plan) }
	return r
}

func (r *relocate) organizationID() string { return r.org.ID }

func (r *relocate) Update(msg tea.Msg) (Screen, tea.Cmd) {
	if msg, ok := msg.(begunMsg); ok {
		if msg.operation.OrganizationID == r.org.ID {
			return r, r.send(backMsg{r}, openOperationMsg(msg), noticeMsg{"The move has begun. It goes on whether you look or not."})
		}
		return r, nil
	}
	return r, r.update(msg)
}

func (r *relocate) Title() string { return "Move" }

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
