package tui

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"tenantry/app/client"
)

const (
	// sampleEvery is how often the figures are read.
	sampleEvery = 2 * time.Second
	// measureEvery is how often documents and bytes are measured, which costs
	// the server a second for every 10,000 organizations.
	measureEvery = time.Minute
	keptSamples  = 120
)

// dashboard is the installation at a glance.
type dashboard struct {
	base
	status   *client.Status
	measured map[string]client.Cluster // by name
	at       time.Time                 // of the measuring
	requests []float64                 // a second, one for each sample
	failures []float64
	last     time.Time // of the last sample
	ticks    int
}

// sampleMsg is what is read again and again.
type sampleMsg struct {
	status client.Status
	at     time.Time
}

// measuredMsg is what is measured now and then.
type measuredMsg struct {
	clusters []client.Cluster
	at       time.Time
}

type dashboardTickMsg struct{ count int }

// mostRunning is how far the server counts running operations.
const mostRunning = 200

func newDashboard(s shared) *dashboard {
	return &dashboard{base: base{shared: s}, measured: map[string]client.Cluster{}}
}

func (d *dashboard) Init() tea.Cmd { return tea.Batch(d.sample(), d.watch()) }

func (d *dashboard) sample() tea.Cmd {
	now := d.now
	return ask(&d.base, d.session, "Reading the figures", func(ctx context.Context, b Backend) (sampleMsg, error) {
		status, err := b.Status(ctx)
		return sampleMsg{status, now()}, err
	})
}

// measure has the clusters measured where it is time to. It follows a sample,
// so that what is known at once is shown at once.
func (d *dashboard) measure() tea.Cmd {
	now := d.now
	if now().Sub(d.at) < measureEvery {
		return nil
	}
	measure := ask(&d.base, d.session, "Measuring the clusters", func(ctx context.Context, b Backend) (measuredMsg, error) {
		clusters, err := b.Clusters(ctx)
		return measuredMsg{clusters, now()}, err
	})
	d.wait.quiet = true // the view says "being measured"
	return measure
}

func (d *dashboard) watch() tea.Cmd {
	d.ticks++
	msg := dashboardTickMsg{d.ticks}
	return tea.Tick(sampleEvery, func(time.Time) tea.Msg { return msg })
}

func (d *dashboard) Update(msg tea.Msg) (Screen, tea.Cmd) {
	switch msg := msg.(type) {
	case answer[sampleMsg]:
		if d.take(msg) && msg.err == nil {
			d.keep(msg.value)
			return d, d.measure()
		}
	case answer[measuredMsg]:
		if d.take(msg) && msg.err == nil {
			d.at = msg.value.at
			for _, c := range msg.value.clusters {
				d.measured[c.Name] = c
			}
		}
	case dashboardTickMsg:
		switch {
		case msg.count != d.ticks:
		case d.wait.number != 0:
			return d, d.watch()
		default:
			sample := d.sample()
			d.wait.quiet = d.status != nil
			return d, tea.Batch(sample, d.watch())
		}
	case changedMsg:
		return d, d.sample()
	case shownMsg:
		return d, tea.Batch(d.sample(), d.watch())
	case hiddenMsg:
		d.ticks++
	case tea.KeyMsg:
		if key.Matches(msg, d.keys.Refresh) {
			d.at = time.Time{}
			return d, d.sample()
		}
		if key.Matches(msg, d.keys.New) {
			return d, d.send(askMsg{createOrganization()})
		}
	}
	return d, nil
}

// keep notes what happened since the last sample.
func (d *dashboard) keep(s sampleMsg) {
	if d.status != nil && s.status.StartedAt.Equal(d.status.StartedAt) && s.at.After(d.last) {
		seconds := s.at.Sub(d.last).Seconds()
		add := func(kept *[]float64, now, before int64) {
			*kept = append(*kept, max(0, float64(now-before))/seconds)
			*kept = (*kept)[max(0, len(*kept)-keptSamples):]
		}
		add(&d.requests, s.status.Requests.Answered, d.status.Requests.Answered)
		add(&d.failures, s.status.Requests.Failed, d.status.Requests.Failed)
	}
	d.status, d.last = &s.status, s.at
}

func (d *dashboard) View() string {
	if d.status == nil {
		return ""
	}
	s, o := d.styles, d.status.Organizations
	var lines []string
	label := func(name string) string { return "  " + s.Head.Render(fit(name, 15)) }
	states := s.Strong.Render(thousands(o.Active)) + " active"
	if o.Suspended > 0 {
		states += " · " + s.Warn.Render(thousands(o.Suspended)+" suspended")
	}
	if o.Deleted > 0 {
		states += " · " + s.Bad.Render(thousands(o.Deleted)+" deleted")
	}
	if o.Active+o.Suspended+o.Deleted == 0 {
		states = "none yet. Press n to make the first one."
	}
	lines = append(lines, label("Organizations")+states)
	lines = append(lines, label("Documents")+d.documents())
	lines = append(lines, label("Operations")+d.operations())
	lines = append(lines, "",
		label("Requests")+d.spark(d.requests, s.Accent.Render)+fmt.Sprintf(" %s  %s in all", rate(d.requests), thousands(d.status.Requests.Answered)),
		label("Errors")+d.spark(d.failures, s.Bad.Render)+fmt.Sprintf(" %s  %s in all", rate(d.failures), thousands(d.status.Requests.Failed)),
		"")
	lines = append(lines, d.clusters()...)
	if d.height > len(lines)+2 {
		about := fmt.Sprintf("Tenantry %s, up %s", clean(d.status.Version), span(d.now().Sub(d.status.StartedAt)))
		if d.status.Temporary {
			about += ", inside a terminal UI: no server runs on this folder"
		}
		lines = append(lines, "", "  "+s.Faint.Render(about))
	}
	return block(lines, d.width, d.height)
}

func (d *dashboard) documents() string {
	var documents, bytes int64
	for _, c := range d.measured {
		if c.Documents != nil && c.Bytes != nil {
			documents += *c.Documents
			bytes += *c.Bytes
		}
	}
	if d.at.IsZero() {
		return d.styles.Faint.Render("being measured")
	}
	return d.styles.Strong.Render(thousands(documents)) + ", " + bytesOf(bytes) + d.styles.Faint.Render("  measured "+ago(d.now(), d.at))
}

func (d *dashboard) operations() string {
	switch running := d.status.Running; {
	case running >= mostRunning:
		return d.styles.Warn.Render(fmt.Sprintf("%d or more are running", mostRunning))
	case running > 0:
		return d.styles.Warn.Render(plural(int64(running), "is running", "are running"))
	}
	return "none is running"
}

// spark draws the last samples in a width of its own.
func (d *dashboard) spark(samples []float64, style func(...string) string) string {
	width := max(10, min(60, d.width-50))
	return style(right(sparkline(samples, width), width))
}

// sparkline draws numbers as bars, the last ones where there are too many. The
// highest is full.
func sparkline(numbers []float64, width int) string {
	bars := []rune("▁▂▃▄▅▆▇█")
	numbers = numbers[max(0, len(numbers)-width):]
	var most float64
	for _, n := range numbers {
		most = max(most, n)
	}
	var b strings.Builder
	for _, n := range numbers {
		i := 0
		if most > 0 {
			i = int(n / most * float64(len(bars)-1))
		}
		if n > 0 {
			i = max(1, i) // something is not nothing
		}
		b.WriteRune(bars[i])
	}
	return b.String()
}

func rate(samples []float64) string {
	if len(samples) == 0 {
		return right("–", 8)
	}
	return right(fmt.Sprintf("%.1f/s", samples[len(samples)-1]), 8)
}

func (d *dashboard) clusters() []string {
	s := d.styles
	wide := max(10, min(24, d.width-48))
	lines := []string{"  " + s.Head.Render(fit("CLUSTER", wide)+"  "+fit("HEALTH", 8)+right("LATENCY", 9)+right("ORGS", 9)+right("SIZE", 12))}
	for _, c := range d.status.Clusters {
		size := ""
		if m, ok := d.measured[c.Name]; ok {
			size = measured(m.Bytes, bytesOf)
		}
		lines = append(lines, "  "+fit(clean(c.Name), wide)+"  "+s.state(c.Status).Render(fit(c.Status, 8))+
			right(latency(c.LatencyMS), 9)+right(thousands(c.Organizations), 9)+right(size, 12))
		if c.Detail != "" {
			lines = append(lines, "    "+s.Bad.Render(cut(clean(c.Detail), d.width-6)))
		}
	}
	return lines
}

func latency(ms float64) string {
	if ms < 10 {
		return fmt.Sprintf("%.1f ms", ms)
	}
	return fmt.Sprintf("%.0f ms", ms)
}

func (d *dashboard) Title() string { return "Dashboard" }

func (d *dashboard) ShortHelp() []key.Binding {
	return []key.Binding{as(d.keys.New, "new organization"), as(d.keys.Places[1], "organizations"), d.keys.Quit}
}

func (d *dashboard) Acts() []key.Binding {
	return []key.Binding{as(d.keys.New, "new organization"), as(d.keys.Refresh, "measure everything again")}
}
