package tui

import (
	"context"
	"fmt"
	"time"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"tenantry/app/verify"
)

// verification runs the smoke routine against the server and shows each check
// as it ends.
type verification struct {
	base
	running string // the check under way
	results []verify.Result
	report  *verify.Report
	events  chan tea.Msg
	top     int
}

// checkBeganMsg and checkEndedMsg come from a run as it goes on.
type (
	checkBeganMsg struct {
		of   chan tea.Msg
		name string
	}
	checkEndedMsg struct {
		of     chan tea.Msg
		result verify.Result
	}
)

func newVerify(s shared) *verification { return &verification{base: base{shared: s}} }

func (v *verification) Init() tea.Cmd { return nil }

// run begins the routine. What it observes comes through a channel that a
// command reads, so that nothing but Update touches the screen.
func (v *verification) run() tea.Cmd {
	events := make(chan tea.Msg, 64)
	v.events, v.results, v.report, v.running, v.top = events, nil, nil, "", 0
	run, token := v.session.server.Verify, v.session.bearer()
	begin := ask(&v.base, v.session, "Checking", func(ctx context.Context, _ Backend) (verify.Report, error) {
		defer close(events)
		say := func(msg tea.Msg) {
			select {
			case events <- msg:
			case <-ctx.Done():
			}
		}
		return run(ctx, token, verify.Observer{
			Begin: func(name string) { say(checkBeganMsg{events, name}) },
			End:   func(r verify.Result) { say(checkEndedMsg{events, r}) },
		}), nil
	})
	return tea.Batch(begin, hearFrom(events))
}

// hearFrom waits for the next thing that a run tells.
func hearFrom(events chan tea.Msg) tea.Cmd {
	return func() tea.Msg { return <-events }
}

func (v *verification) Update(msg tea.Msg) (Screen, tea.Cmd) {
	switch msg := msg.(type) {
	case checkBeganMsg:
		if msg.of == v.events && v.report == nil {
			v.running = msg.name
			return v, hearFrom(v.events)
		}
	case checkEndedMsg:
		if msg.of == v.events && v.report == nil {
			v.running = ""
			v.results = append(v.results, msg.result)
			v.top = max(0, len(v.lines())-v.height+3)
			return v, hearFrom(v.events)
		}
	case answer[verify.Report]:
		if v.take(msg) && msg.err == nil {
			v.report, v.results, v.running = &msg.value, msg.value.Results, ""
			return v, v.send(changedMsg{})
		}
	case tea.KeyMsg:
		switch {
		case v.wait.number == 0 && key.Matches(msg, v.keys.Run, v.keys.Refresh):
			return v, v.run()
		case key.Matches(msg, v.keys.Up):
			v.top = max(0, v.top-1)
		case key.Matches(msg, v.keys.Down):
			v.top = min(v.top+1, max(0, len(v.lines())-v.height+2))
		}
	}
	return v, nil
}

func (v *verification) lines() []string {
	var lines []string
	for _, r := range v.results {
		mark, style := "ok  ", v.styles.Good
		switch {
		case r.Skipped:
			mark, style = "skip", v.styles.Warn
		case r.Err != nil:
			mark, style = "FAIL", v.styles.Bad
		}
		line := "  " + style.Render(mark) + "  " + fit(clean(r.Name), 20) + right(fmt.Sprintf("%d ms", r.Took.Milliseconds()), 8) + "  "
		lines = append(lines, line+v.styles.Faint.Render(cut(clean(r.Promise), v.width-38)))
		if r.Err != nil {
			for _, text := range wrap(r.Err.Error(), v.width-10, 6) {
				lines = append(lines, "        "+v.styles.Bad.Render(text))
			}
		}
	}
	if v.running != "" {
		lines = append(lines, "  "+v.styles.Accent.Render("…   ")+"  "+clean(v.running))
	}
	return lines
}

func (v *verification) View() string {
	lines := v.lines()
	if len(lines) == 0 {
		intro := wrap("Drives this server through its API as clients do, from creating an organization to deleting it, and says of each promise "+
			"whether it holds. What the checks make is removed again.", min(v.width-4, 72), 5)
		lines = append(lines, "")
		for _, line := range intro {
			lines = append(lines, "  "+line)
		}
		return block(append(lines, "", "  "+v.styles.Key.Render("enter")+"  run the checks"), v.width, v.height)
	}
	body := block(lines[min(v.top, len(lines)-1):], v.width, v.height-2)
	return body + "\n\n" + v.verdict()
}

func (v *verification) verdict() string {
	if v.report == nil {
		return ""
	}
	failed := 0
	for _, r := range v.report.Results {
		if r.Err != nil || r.Skipped {
			failed++
		}
	}
	took := v.report.Took.Round(time.Millisecond)
	if v.report.Passed() {
		return "  " + v.styles.Good.Render(fmt.Sprintf("All %d checks passed in %s.", len(v.report.Results), took))
	}
	return "  " + v.styles.Bad.Render(fmt.Sprintf("%d of %d checks failed or were skipped, in %s.", failed, len(v.report.Results), took))
}

func (v *verification) Title() string { return "Verify" }

func (v *verification) ShortHelp() []key.Binding { return []key.Binding{v.keys.Run} }

func (v *verification) Acts() []key.Binding { return []key.Binding{v.keys.Run} }
