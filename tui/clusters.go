package tui

import (
	"context"
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
		column[clusterRow]{title: "DOCUMENTS", width: 11, from: 76, right: true, cell: func(c clusterRow) string { return measured(c.Documents, thousands) }},
		column[clusterRow]{title: "SIZE", width: 10, right: true, cell: func(c clusterRow) string { return measured(c.Bytes, bytesOf) }},
	)}
}

func measured(n *int64, words func(int64) string) string {
	if n == nil {
		return "?"
	}
	return words(*n)
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
	if row.Capabilities != nil {
		detail += " Isolations: " + strings.Join(row.Capabilities.Isolations, ", ") + "."
	}
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
