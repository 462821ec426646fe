package tui

import (
	"context"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/lipgloss"
	"github.com/charmbracelet/x/ansi"
	"github.com/muesli/termenv"

	"tenantry/app/verify"
)

// patience is how long a test waits for what must come. It is spent only by a
// test that fails.
const patience = 20 * time.Second

// TestMain takes the caller's own settings away, so that views are the same
// everywhere.
func TestMain(m *testing.M) {
	if in := os.Getenv(asFaulty); in != "" {
		os.Exit(runFaulty(in))
	}
	_ = os.Unsetenv("VISUAL")
	_ = os.Setenv("EDITOR", "nano")
	os.Exit(m.Run())
}

// driver runs the program without a terminal: commands run beside it and their
// messages are handed to Update one by one, as Bubble Tea does.
type driver struct {
	t    testing.TB
	root *root
	msgs chan tea.Msg
	quit bool
	// copied is what was written to the terminal beside the views.
	copied chan string
}

func drive(t testing.TB, server Server, width, height int) *driver {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	s := newShared(ctx, server, newStyles(true, termenv.Ascii))
	lipgloss.SetDefaultRenderer(s.styles.renderer)
	s.now = func() time.Time { return noon }
	d := &driver{t: t, msgs: make(chan tea.Msg, 1024), copied: make(chan string, 100)}
	d.root = newRoot(s, func(text string) { d.copied <- text })
	d.update(tea.WindowSizeMsg{Width: width, Height: height})
	d.run(d.root.Init())
	return d
}

func serverOf(f *fake) Server {
	return Server{Name: "https://orgs.example.com", Token: "tnt_op_x", As: f.as,
		Verify: func(_ context.Context, _ string, o verify.Observer) verify.Report {
			report := verify.Report{Took: 1234 * time.Millisecond}
			for _, name := range []string{"ready", "create", "isolation", "clean up"} {
				o.Begin(name)
				r := verify.Result{Name: name, Promise: "It does what it says of " + name + ".", Took: 12 * time.Millisecond}
				report.Results = append(report.Results, r)
				o.End(r)
			}
			return report
		}}
}

// operatorAt is a driver that an operator sees the dashboard with.
func operatorAt(t testing.TB, f *fake, width, height int) *driver {
	t.Helper()
	d := drive(t, serverOf(f), width, height)
	d.settle()
	return d
}

// run runs a command and what it is made of.
func (d *driver) run(cmd tea.Cmd) {
	if cmd == nil {
		return
	}
	go func() { d.deliver(cmd()) }()
}

// deliver hands a message over; those of Batch and Sequence are commands.
func (d *driver) deliver(msg tea.Msg) {
	if msg == nil {
		return
	}
	v := reflect.ValueOf(msg)
	if v.Kind() == reflect.Slice && v.Type().Elem() == reflect.TypeFor[tea.Cmd]() {
		inOrder := reflect.TypeOf(msg) != reflect.TypeFor[tea.BatchMsg]()
		for i := range v.Len() {
			cmd, _ := v.Index(i).Interface().(tea.Cmd)
			switch {
			case cmd == nil:
			case inOrder:
				d.deliver(cmd())
			default:
				d.run(cmd)
			}
		}
		return
	}
	d.msgs <- msg
}

func (d *driver) update(msg tea.Msg) {
	if _, ok := msg.(tea.QuitMsg); ok {
		d.quit = true
		return
	}
	_, cmd := d.root.Update(msg)
	d.run(cmd)
	d.whole()
}

// until handles messages until something is so.
func (d *driver) until(what string, so func() bool) {
	d.t.Helper()
	deadline := time.After(patience)
	for !so() {
		select {
		case msg := <-d.msgs:
			d.update(msg)
		case <-time.After(10 * time.Millisecond): // what is waited for may be no message
		case <-deadline:
			d.t.Fatalf("never came: %s\n%s", what, d.text())
		}
	}
}

// see waits for a text on the screen.
func (d *driver) see(texts ...string) {
	d.t.Helper()
	for _, text := range texts {
		d.until(text, func() bool { return strings.Contains(d.text(), text) })
	}
}

// settle waits until no screen waits for anything and no message is left.
func (d *driver) settle() {
	d.t.Helper()
	d.until("rest", func() bool {
		if d.root.started.wait.number != 0 || len(d.msgs) > 0 {
			return false
		}
		for _, stack := range d.root.stacks {
			for _, s := range stack {
				if s.Waiting().number != 0 {
					return false
				}
			}
		}
		return true
	})
}

// press presses keys by name, one after the other.
func (d *driver) press(keys ...string) {
	d.t.Helper()
	for _, k := range keys {
		msg := tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune(k)}
		if t, named := namedKeys[k]; named {
			msg = tea.KeyMsg{Type: t}
			if k == " " {
				msg.Runes = []rune(" ")
			}
		}
		d.update(msg)
	}
}

// enter types a text.
func (d *driver) enter(text string) {
	d.t.Helper()
	for _, r := range text {
		d.press(string(r))
	}
}

func (d *driver) text() string { return ansi.Strip(d.root.View()) }

// whole fails where a view does not fill the terminal exactly, or has anything
// in it that steers the terminal.
func (d *driver) whole() {
	d.t.Helper()
	view := d.root.View()
	lines := strings.Split(view, "\n")
	if d.root.height > 0 && len(lines) != d.root.height {
		d.t.Fatalf("%d lines in a terminal of %d:\n%s", len(lines), d.root.height, d.text())
	}
	for _, line := range lines {
		if w := ansi.StringWidth(line); w > d.root.width {
			d.t.Fatalf("a line of %d cells in a terminal of %d: %q", w, d.root.width, line)
		}
		for _, r := range ansi.Strip(line) {
			if steers(r) && r != '\u200c' && r != '\u200d' {
				d.t.Fatalf("%q steers the terminal: %q", r, line)
			}
		}
	}
}
