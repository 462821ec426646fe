package tui

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"tenantry/app"
	"tenantry/app/client"
)

// clusters lists the places that store data, each measured. While one is drained
// its operation is read again and again.
type clusters struct {
	base
	table  table[clusterRow]
	drain  *client.Operation // the last one, if any
	loaded bool
	ticks  int
}

// clusterRow is a cluster with how it is and how long it took to say so.
type clusterRow struct {
	client.Cluster
	latency float64 // in ms
}

// clusterClosing is the state of a cluster that takes nobody any more.
const clusterClosing = "closing"

type (
	// clustersMsg is what the screen shows.
	clustersMsg struct {
		rows  []clusterRow
		drain *client.Operation
	}
	clustersTickMsg struct {
		of    *clusters
		count int
	}
)

func newClusters(s shared) *clusters {
	c := &clusters{base: base{shared: s}}
	c.table = newTable(
		column[clusterRow]{title: "CLUSTER", cell: func(c clusterRow) string { return c.Name }},
		column[clusterRow]{title: "STATE", width: 8, from: 88, cell: c.stateOf},
		column[clusterRow]{title: "HEALTH", width: 8, state: true, cell: func(c clusterRow) string { return c.Status }},
		column[clusterRow]{title: "LATENCY", width: 9, right: true, cell: func(c clusterRow) string { return latency(c.latency) }},
		column[clusterRow]{title: "ENGINE", width: 16, from: 100, cell: func(c clusterRow) string { return strings.TrimSpace(c.Engine + " " + c.Version) }},
		column[clusterRow]{title: "ORGS", width: 7, right: true, cell: func(c clusterRow) string { return thousands(c.Organizations) }},
		column[clusterRow]{title: "NAMESPACES", width: 15, from: 76, right: true, cell: func(c clusterRow) string { return budgetWord(c.Cluster) }},
		column[clusterRow]{title: "DOCUMENTS", width: 11, from: 112, right: true, cell: func(c clusterRow) string { return measured(c.Documents, thousands) }},
		column[clusterRow]{title: "SIZE", width: 10, right: true, cell: func(c clusterRow) string { return measured(c.Bytes, bytesOf) }},
	)
	return c
}

// stateOf is whether a cluster takes organizations.
func (c *clusters) stateOf(row clusterRow) string {
	if d := c.drainOf(row); d != nil && d.Open() {
		return "draining"
	}
	return row.State
}

// drainOf is the last drain, where it is that of this cluster.
func (c *clusters) drainOf(row clusterRow) *client.Operation {
	if c.drain == nil || c.drain.Drain == nil || c.drain.Drain.Cluster != row.Name {
		return nil
	}
	return c.drain
}

func measured(n *int64, words func(int64) string) string {
	if n == nil {
		return "?"
	}
	return words(*n)
}

// budgetWord is how many namespaces of a cluster are used, and of how many.
func budgetWord(c client.Cluster) string {
	switch {
	case c.Budget != nil && c.Budget.State != "ok":
		return fmt.Sprintf("%s %d/%d", c.Budget.State, c.Budget.Used, c.Budget.MaxNamespaces)
	case c.Budget != nil:
		return fmt.Sprintf("%d/%d", c.Budget.Used, c.Budget.MaxNamespaces)
	}
	return measured(c.Namespaces, thousands)
}

// budgetSentence says what a budget that nears its end means.
func budgetSentence(c client.Cluster) string {
	if c.Budget == nil {
		return ""
	}
	used := fmt.Sprintf(" %s of %s namespaces are used", thousands(c.Budget.Used), thousands(int64(c.Budget.MaxNamespaces)))
	switch c.Budget.State {
	case "low":
		return used + ": soon new organizations will be shared."
	case "full":
		return used + ": new organizations are shared."
	}
	return used + "."
}

func (c *clusters) Init() tea.Cmd {
	return ask(&c.base, c.session, "Measuring the clusters", func(ctx context.Context, b Backend) (clustersMsg, error) {
		rows, err := clusterRows(ctx, b)
		if err != nil {
			return clustersMsg{}, err
		}
		drains, err := b.ListOperations(ctx, client.ListOperations{Kind: string(app.OperationDrain), Limit: 1})
		m := clustersMsg{rows: rows}
		if len(drains.Items) > 0 {
			m.drain = &drains.Items[0]
		}
		return m, err
	})
}

// watch looks again after a while, where somebody moves out.
func (c *clusters) watch() tea.Cmd {
	c.ticks++
	if c.drain == nil || !c.drain.Open() {
		return nil
	}
	msg := clustersTickMsg{c, c.ticks}
	return tea.Tick(watchEvery, func(time.Time) tea.Msg { return msg })
}

// look reads how far the drain is. To measure the clusters takes longer, and is for
// its end.
func (c *clusters) look() tea.Cmd {
	id := c.drain.ID
	look := ask(&c.base, c.session, "Reading the drain", func(ctx context.Context, b Backend) (operationMsg, error) {
		op, err := b.Operation(ctx, id)
		return operationMsg{op}, err
	})
	c.wait.quiet = true
	return look
}

// clusterRows joins what is measured with how each is now.
func clusterRows(ctx context.Context, b Backend) ([]clusterRow, error) {
	status, err := b.Status(ctx)
	if err != nil {
		return nil, err
	}
	list, err := b.Clusters(ctx)
	if err != nil {
		return nil, err
	}
	took := map[string]float64{}
	for _, h := range status.Clusters {
		took[h.Name] = h.LatencyMS
	}
	rows := make([]clusterRow, len(list))
	for i, c := range list {
		rows[i] = clusterRow{c, took[c.Name]}
	}
	return rows, nil
}

// SetSize is of Screen.
func (c *clusters) SetSize(width, height int) {
	c.base.SetSize(width, height)
	c.fit()
}

// fit leaves room for the words about the selected one, right below the rows.
func (c *clusters) fit() { c.table.setSize(c.width, max(2, min(c.table.count()+1, c.height-5))) }

func (c *clusters) Update(msg tea.Msg) (Screen, tea.Cmd) {
	switch msg := msg.(type) {
	case answer[clustersMsg]:
		if c.take(msg) && msg.err == nil {
			c.loaded, c.drain = true, msg.value.drain
			c.table.all(msg.value.rows)
			c.fit()
			return c, c.watch()
		}
	case answer[operationMsg]:
		if c.take(msg) && msg.err == nil {
			c.drain = &msg.value.operation
			if !c.drain.Open() {
				return c, c.Init()
			}
			return c, c.watch()
		}
	case clustersTickMsg:
		switch {
		case msg.of != c || msg.count != c.ticks:
		case c.wait.number != 0 || c.problem != nil:
			return c, c.watch()
		default:
			return c, c.look()
		}
	case changedMsg, shownMsg:
		return c, c.Init()
	case hiddenMsg:
		c.ticks++ // the one under way is not for us any more
	case tea.KeyMsg:
		return c, c.press(msg)
	case tea.MouseMsg:
		if c.table.update(msg, c.keys) {
			return c, c.open()
		}
	}
	return c, nil
}

func (c *clusters) press(msg tea.KeyMsg) tea.Cmd {
	row, selected := c.table.current()
	switch {
	case key.Matches(msg, c.keys.Refresh):
		return c.Init()
	case key.Matches(msg, c.keys.Open):
		return c.open()
	case selected && c.mayDrain() && key.Matches(msg, c.keys.Drain):
		return c.send(drainMsg{row.Name})
	case selected && c.mayOpen(row) && key.Matches(msg, c.keys.Resume):
		return c.send(askMsg{openCluster(row.Name)})
	}
	c.table.update(msg, c.keys)
	return nil
}

// open shows how the selected cluster is drained, or was.
func (c *clusters) open() tea.Cmd {
	if row, ok := c.table.current(); ok {
		if op := c.drainOf(row); op != nil {
			return c.send(openOperationMsg{*op})
		}
	}
	return nil
}

// mayDrain reports whether a drain can begin: one at a time.
func (c *clusters) mayDrain() bool { return c.loaded && (c.drain == nil || !c.drain.Open()) }

// mayOpen reports whether a cluster can be opened to newcomers again.
func (c *clusters) mayOpen(row clusterRow) bool {
	op := c.drainOf(row)
	return row.State == clusterClosing && (op == nil || !op.Open())
}

func (c *clusters) View() string {
	view := c.table.view(c.styles, "")
	row, ok := c.table.current()
	if !ok {
		return view
	}
	lines := []string{""}
	for _, line := range wrap(row.Name+": "+c.about(row), c.width-4, 4) {
		lines = append(lines, "  "+line)
	}
	return view + "\n" + block(lines, c.width, 5)
}

// about says how a cluster is.
func (c *clusters) about(row clusterRow) string {
	detail := "Works."
	if row.Status != "ok" {
		detail = row.Detail
	}
	detail += c.drainSentence(row)
	if len(row.Isolations) > 0 {
		detail += " Isolations allowed: " + strings.Join(row.Isolations, ", ") + "."
	}
	return detail + budgetSentence(row.Cluster)
}

// drainSentence says how far a drain of the cluster is, or what came of it.
func (c *clusters) drainSentence(row clusterRow) string {
	op := c.drainOf(row)
	switch {
	case op != nil && op.Open():
		return fmt.Sprintf(" Being drained, %s to go: %s.", thousands(op.Drain.Left), moveProgress(*op))
	case row.State != clusterClosing:
		return ""
	case op != nil && op.Drain.Left > 0:
		return fmt.Sprintf(" Takes nobody any more. Its drain ended with %s left.", thousands(op.Drain.Left))
	}
	return " Takes nobody any more."
}

func (c *clusters) Title() string { return "Clusters" }

func (c *clusters) ShortHelp() []key.Binding {
	return append(c.turns(false), as(c.keys.Refresh, "measure again"), c.keys.Up, c.keys.Down)
}

func (c *clusters) Acts() []key.Binding {
	return append(c.turns(true), as(c.keys.Refresh, "measure the clusters again"))
}

// turns are the keys of what can be done with the selected cluster, in a word or
// in whole.
func (c *clusters) turns(whole bool) []key.Binding {
	row, ok := c.table.current()
	if !ok {
		return nil
	}
	words := [...]string{"the drain", "drain", "open it"}
	if whole {
		words = [...]string{"show its drain", "drain the cluster: move everybody out", "let the cluster take organizations again"}
	}
	var keys []key.Binding
	if c.drainOf(row) != nil {
		keys = append(keys, as(c.keys.Open, words[0]))
	}
	if c.mayDrain() {
		keys = append(keys, as(c.keys.Drain, words[1]))
	}
	if c.mayOpen(row) {
		keys = append(keys, as(c.keys.Resume, words[2]))
	}
	return keys
}
