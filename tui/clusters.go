package tui

import (
	"context"
	"fmt"
	"strings"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"tenantry/app/client"
)

// clusters lists the places that store data, each measured.
type clusters struct {
	base
	table  table[clusterRow]
	loaded bool
}

// clusterRow is a cluster with how it is and how long it took to say so.
type clusterRow struct {
	client.Cluster
	latency float64 // in ms
}

func newClusters(s shared) *clusters {
	return &clusters{base: base{shared: s}, table: newTable(
		column[clusterRow]{title: "CLUSTER", cell: func(c clusterRow) string { return c.Name }},
		column[clusterRow]{title: "HEALTH", width: 8, state: true, cell: func(c clusterRow) string { return c.Status }},
		column[clusterRow]{title: "LATENCY", width: 9, right: true, cell: func(c clusterRow) string { return latency(c.latency) }},
		column[clusterRow]{title: "ENGINE", width: 16, from: 100, cell: func(c clusterRow) string { return strings.TrimSpace(c.Engine + " " + c.Version) }},
		column[clusterRow]{title: "ORGS", width: 7, right: true, cell: func(c clusterRow) string { return thousands(c.Organizations) }},
		column[clusterRow]{title: "NAMESPACES", width: 15, from: 76, right: true, cell: func(c clusterRow) string { return budgetWord(c.Cluster) }},
		column[clusterRow]{title: "DOCUMENTS", width: 11, from: 112, right: true, cell: func(c clusterRow) string { return measured(c.Documents, thousands) }},
		column[clusterRow]{title: "SIZE", width: 10, right: true, cell: func(c clusterRow) string { return measured(c.Bytes, bytesOf) }},
	)}
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
	return ask(&c.base, c.session, "Measuring the clusters", clusterRows)
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
func (c *clusters) fit() { c.table.setSize(c.width, max(2, min(c.table.count()+1, c.height-4))) }

func (c *clusters) Update(msg tea.Msg) (Screen, tea.Cmd) {
	switch msg := msg.(type) {
	case answer[[]clusterRow]:
		if c.take(msg) && msg.err == nil {
			c.loaded = true
			c.table.all(msg.value)
			c.fit()
		}
	case changedMsg, shownMsg:
		return c, c.Init()
	case tea.KeyMsg:
		if key.Matches(msg, c.keys.Refresh) {
			return c, c.Init()
		}
		c.table.update(msg, c.keys)
	case tea.MouseMsg:
		c.table.update(msg, c.keys)
	}
	return c, nil
}

func (c *clusters) View() string {
	view := c.table.view(c.styles, "")
	row, ok := c.table.current()
	if !ok {
		return view
	}
	detail := "Works."
	if row.Status != "ok" {
		detail = row.Detail
	}
	if len(row.Isolations) > 0 {
		detail += " Isolations allowed: " + strings.Join(row.Isolations, ", ") + "."
	}
	detail += budgetSentence(row.Cluster)
	lines := []string{""}
	for _, line := range wrap(row.Name+": "+detail, c.width-4, 3) {
		lines = append(lines, "  "+line)
	}
	return view + "\n" + block(lines, c.width, 4)
}

func (c *clusters) Title() string { return "Clusters" }

func (c *clusters) ShortHelp() []key.Binding {
	return []key.Binding{as(c.keys.Refresh, "measure again"), c.keys.Up, c.keys.Down}
}

func (c *clusters) Acts() []key.Binding {
	return []key.Binding{as(c.keys.Refresh, "measure the clusters again")}
}
