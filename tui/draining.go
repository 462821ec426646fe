package tui

import (
	"context"
	"fmt"
	"strings"

	tea "github.com/charmbracelet/bubbletea"

	"tenantry/app/client"
)

// drain asks where everybody on a cluster is to go.
type drain struct {
	trial[destination]
	cluster string
}

// destination is where those go who leave a cluster: to another one, or, where
// that has no name, to where the placement sends each of them.
type destination struct{ cluster client.Cluster }

func (d destination) words() string {
	if d.cluster.Name == "" {
		return "where the placement sends them"
	}
	return clean(d.cluster.Name)
}

// whenNamed is a cell about the cluster, where there is one.
func (d destination) whenNamed(words func(client.Cluster) string) string {
	if d.cluster.Name == "" {
		return ""
	}
	return words(d.cluster)
}

func newDrain(s shared, msg drainMsg) *drain {
	from := msg.cluster
	d := &drain{cluster: from, trial: trial[destination]{
		base:  base{shared: s},
		title: "Drain " + clean(from), intro: "Everybody moves out, in use as they are, and nobody moves in.",
		none:   "There is no other cluster. Add one: tenantry cluster add.",
		cannot: "They cannot move to", does: "move everybody there", words: destination.words, room: 6,
	}}
	d.table = newTable(
		column[destination]{title: "TO", cell: destination.words},
		column[destination]{title: "HEALTH", width: 8, state: true, cell: func(d destination) string { return d.cluster.Status }},
		column[destination]{title: "ORGS", width: 7, from: 76, right: true, cell: func(d destination) string {
			return d.whenNamed(func(c client.Cluster) string { return thousands(c.Organizations) })
		}},
		column[destination]{title: "NAMESPACES", width: 15, right: true, cell: func(d destination) string { return d.whenNamed(budgetWord) }},
	)
	d.list = func(ctx context.Context, b Backend) ([]destination, error) {
		clusters, err := b.Clusters(ctx)
		var all []destination
		for _, c := range clusters {
			if c.State != clusterClosing && c.Name != from {
				all = append(all, destination{c})
			}
		}
		if len(all) > 0 {
			all = append([]destination{{}}, all...)
		}
		return all, err
	}
	d.try = func(ctx context.Context, b Backend, to destination) (client.Operation, error) {
		return b.DrainCluster(ctx, from, client.DrainCluster{To: to.cluster.Name, DryRun: true})
	}
	d.says = func(_ destination, plan client.Operation) []string { return d.planLines(plan) }
	d.ask = func(to destination, plan client.Operation) question { return drainCluster(from, to, plan) }
	return d
}

func (d *drain) Update(msg tea.Msg) (Screen, tea.Cmd) {
	if msg, ok := msg.(begunMsg); ok {
		if drain := msg.operation.Drain; drain != nil && drain.Cluster == d.cluster {
			return d, d.send(backMsg{d}, openOperationMsg(msg), noticeMsg{"The drain has begun. It goes on whether you look or not."})
		}
		return d, nil
	}
	return d, d.update(msg)
}

func (d *drain) Title() string { return "Drain" }

// planLines say who would go where, and who would not.
func (d *drain) planLines(op client.Operation) []string {
	if op.Drain == nil || op.Drain.Plan == nil {
		return nil
	}
	p := op.Drain.Plan
	if op.Drain.Total == 0 {
		return []string{"Nobody lives there. To drain it keeps newcomers away, no more."}
	}
	words := "Would move " + thousands(op.Drain.Total-p.Stay) + " of " + plural(op.Drain.Total, "organization", "organizations")
	if op.Estimate > 0 {
		words += ", in about " + seconds(op.Estimate)
	}
	lines := []string{d.styles.Strong.Render(cut(words, d.width-4)),
		cut("of "+amount(client.Amount{Documents: p.Documents, Bytes: p.Bytes})+" on the cluster", d.width-4)}
	var to []string
	for _, t := range p.Targets {
		words := thousands(t.Organizations) + " to " + clean(t.Cluster)
		if t.Room != nil {
			words += " (" + roomWords(t.Room) + ")"
		}
		to = append(to, words)
	}
	if len(to) > 0 {
		lines = append(lines, wrap(strings.Join(to, ", "), d.width-4, 2)...)
	}
	if p.Stay > 0 {
		stay := thousands(p.Stay) + " would stay"
		for _, m := range p.Moves {
			if m.Reason != "" {
				stay += ", such as " + clean(m.Slug) + ": " + clean(m.Reason)
				break
			}
		}
		for _, line := range wrap(stay, d.width-4, 2) {
			lines = append(lines, d.styles.Warn.Render(line))
		}
	}
	return lines
}

// What becomes of the old places of those who have moved.
const (
	oldKept    = "kept for the grace period"
	oldRemoved = "removed at once"
)

func drainCluster(from string, to destination, plan client.Operation) question {
	return question{
		title: "Drain " + from, verb: "drain", doing: "Beginning the drain",
		intro: fmt.Sprintf("%s move to %s, a few at a time. The cluster takes nobody any more. Without their old places there is no moving back.",
			plural(plan.Drain.Total-plan.Drain.Plan.Stay, "organization", "organizations"), to.words()),
		fields:  []field{{name: "old", title: "The old places are ", initial: oldKept, options: []string{oldKept, oldRemoved}}},
		confirm: fmt.Sprintf("Move everybody out of %s?", clean(from)),
		do: func(ctx context.Context, s *session, v values) (tea.Msg, error) {
			op, err := with(ctx, s, func(ctx context.Context, b Backend) (client.Operation, error) {
				return b.DrainCluster(ctx, from, client.DrainCluster{To: to.cluster.Name, Complete: v["old"] == oldRemoved})
			})
			return begunMsg{op}, err
		},
	}
}

func openCluster(name string) question {
	return question{
		title: "Open " + name, verb: "open", doing: "Opening",
		intro:   "Organizations can be made there and moved there again.",
		confirm: fmt.Sprintf("Let %s take organizations again?", clean(name)),
		do: func(ctx context.Context, s *session, _ values) (tea.Msg, error) {
			_, err := with(ctx, s, func(ctx context.Context, b Backend) (client.Cluster, error) { return b.OpenCluster(ctx, name) })
			return changedMsg{notice: clean(name) + " takes organizations again."}, err
		},
	}
}

// drainLines say how far a drain is; say adds a line with a label.
func drainLines(op client.Operation, width int, say func(label, value string)) {
	d := op.Drain
	if progress := moveProgress(op); progress != "" {
		say("Progress", progress)
	}
	say("From", clean(d.Cluster))
	say("To", destination{client.Cluster{Name: d.To}}.words())
	say("Left", fmt.Sprintf("%s of %s", thousands(d.Left), plural(d.Total, "organization", "organizations")))
	old := oldKept
	if d.Complete {
		old = oldRemoved
	}
	say("Old places", old)
	for _, f := range d.Failed {
		for i, line := range wrap(clean(f.Slug)+": "+clean(f.Reason), width-18, 3) {
			if i > 0 {
				say("", line)
				continue
			}
			say("Not moved", line)
		}
	}
	if more := d.Failures - int64(len(d.Failed)); more > 0 {
		say("Not moved", "and "+thousands(more)+" more")
	}
}
