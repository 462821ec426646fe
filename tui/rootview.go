package tui

import (
	"fmt"
	"strings"

	"github.com/charmbracelet/bubbles/key"
	"github.com/charmbracelet/x/ansi"
)

const (
	headerLines = 3
	footerLines = 2
	// problemLines is the most that a problem takes of the screen.
	problemLines = 4
)

var spinner = []string{"⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"}

// View is of tea.Model.
func (r *root) View() string {
	switch {
	case r.width == 0:
		return ""
	case r.tooSmall():
		lines := wrap(fmt.Sprintf("This terminal has %d by %d cells. Tenantry needs %d by %d: make the window larger. ctrl+c quits.",
			r.width, r.height, minWidth, minHeight), r.width, r.height)
		return block(lines, r.width, r.height)
	}
	width, height := r.bodySize()
	body := r.body(width)
	problem := r.problem(width)
	if len(problem) > 0 {
		body = append(body[:max(0, min(len(body), height-len(problem)))], problem...)
	}
	lines := append(r.header(), strings.Split(block(body, width, height), "\n")...)
	lines = append(lines, r.status(), r.help())
	return block(lines, r.width, r.height)
}

func (r *root) body(width int) []string {
	if top := r.top(); top != nil {
		_, height := r.bodySize()
		return strings.Split(block(strings.Split(top.View(), "\n"), width, height), "\n")
	}
	if r.started.wait.number != 0 {
		return []string{"", "  Connecting to " + clean(r.session.server.Name) + " …"}
	}
	return nil
}

// header is the path, the places and a rule.
func (r *root) header() []string {
	path := []string{}
	for _, s := range r.stacks[r.place] {
		path = append(path, clean(s.Title()))
	}
	where := cutLeft(strings.Join(path, " › "), r.width/2)
	left := r.styles.Brand.Render(" Tenantry ") + " " + r.styles.Path.Render(where)
	mark := r.styles.Good.Render("● ")
	if r.away != nil {
		mark = r.styles.Bad.Render("○ away: ")
	}
	// Who one is matters more than the end of a long URL, or than all of it.
	who, room := r.whoWords(), r.width-ansi.StringWidth(left)-2
	name := clean(r.session.server.Name)
	if left := room - ansi.StringWidth(mark) - ansi.StringWidth(who); left >= 8 || who == "" {
		name = cut(name, left)
	} else {
		name, who = "", strings.TrimPrefix(who, " · ")
	}
	state := ansi.Truncate(mark+name+r.styles.Faint.Render(who), room, "…")
	first := left + strings.Repeat(" ", max(1, r.width-ansi.StringWidth(left)-ansi.StringWidth(state)-1)) + state
	return []string{first, r.tabs(), r.styles.Faint.Render(strings.Repeat("─", r.width))}
}

// cutLeft keeps the end of a path, which says where one is.
func cutLeft(s string, width int) string {
	if w := ansi.StringWidth(s); w > width && width > 0 {
		return "…" + ansi.TruncateLeft(s, w-width+1, "")
	}
	return s
}

func (r *root) whoWords() string {
	switch {
	case !r.known:
		return ""
	case r.who.operator:
		return " · operator"
	}
	return " · " + clean(r.who.email) + " (" + clean(r.who.role) + ")"
}

func (r *root) tabs() string {
	if !r.known {
		return ""
	}
	var tabs []string
	for i, p := range r.places() {
		style := r.styles.Place
		if i == r.place {
			style = r.styles.PlaceNow
		}
		tabs = append(tabs, style.Render(p.label(r.width)))
	}
	return " " + strings.Join(tabs, "  ")
}

// problem is what went wrong and what to do about it.
func (r *root) problem(width int) []string {
	err := r.started.problem
	if top := r.top(); top != nil {
		err = top.Problem()
	}
	if r.away != nil {
		err = r.away
	}
	if err == nil {
		return nil
	}
	lines := wrap("✗ "+explain(err, r.away != nil), width-2, problemLines-1)
	for i := range lines {
		lines[i] = " " + r.styles.Bad.Render(lines[i])
	}
	return append([]string{r.styles.Bad.Render(strings.Repeat("─", width))}, lines...)
}

// status is the line above the help: what is waited for, or what was done.
func (r *root) status() string {
	wait := r.started.wait
	if top := r.top(); top != nil {
		wait = *top.Waiting()
	}
	switch {
	case r.away != nil:
		return " " + r.styles.Bad.Render(cut("No answer. Trying again every second; nothing is lost.", r.width-2))
	case wait.slow:
		return " " + r.styles.Accent.Render(spinner[wait.frame%len(spinner)]) + " " +
			cut(clean(wait.label)+" … esc cancels", r.width-5)
	case r.notice != "":
		return " " + r.styles.Good.Render("✓ ") + cut(clean(r.notice), r.width-4)
	}
	return ""
}

// help is the footer: as many keys as there is room for, those for help and
// the palette always.
func (r *root) help() string {
	last := []key.Binding{r.keys.Palette, r.keys.Help}
	top := r.top()
	if top == nil {
		return r.shortHelp([]key.Binding{r.keys.Quit}, nil)
	}
	if top.Typing() || overlay(top) {
		last = nil
	}
	return r.shortHelp(top.ShortHelp(), last)
}

func (r *root) shortHelp(first, last []key.Binding) string {
	var end string
	for _, b := range last {
		end += "  " + r.hint(b)
	}
	line := ""
	for _, b := range first {
		hint := r.hint(b)
		if ansi.StringWidth(line)+ansi.StringWidth(hint)+ansi.StringWidth(end)+3 > r.width {
			break
		}
		line += " " + hint + " "
	}
	return line + end
}

func (r *root) hint(b key.Binding) string {
	return r.styles.Key.Render(b.Help().Key) + " " + r.styles.Does.Render(b.Help().Desc)
}
