package tui

import (
	"errors"
	"os"
	"strings"
	"testing"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/muesli/termenv"
)

// What the terminal answers is taken out of what is typed, whenever and in
// whichever two pieces it comes.
func TestAnswerIsNotTyped(t *testing.T) {
	long := "\x1b]11;" + strings.Repeat("f", 100)
	for _, row := range []struct{ in, typed, answer string }{
		{"\x1b]11;rgb:ffff/ffff/ffff\x1b\\", "", "light"},
		{"\x1b]11;rgb:ff/ff/ff\x07", "", "light"},
		{"ab\x1b]11;rgb:0000/0000/0000\x1b\\cd", "abcd", "dark"},
		{"\x1b]11;rgba:1111/2222/3333/ffff\x1b\\", "", "dark"},
		{"\x1b[A\x1b", "\x1b[A\x1b", ""},
		{"\x1b]12;rgb:ff/ff/ff\x07", "\x1b]12;rgb:ff/ff/ff\x07", ""},
		{"\x1b]q", "\x1b]q", ""},
		{long, long, ""},
		// One was asked for.
		{"x\x1b]11;rgb:ff/ff/ff\x07\x1b]11;rgb:00/00/00\x07y", "x\x1b]11;rgb:00/00/00\x07y", "light"},
	} {
		for at := range len(row.in) {
			if strings.HasSuffix(row.in[:at], "\x1b") {
				continue // alone it is a key, which nobody waits for the rest of
			}
			typed, answer := read(t, row.in[:at], row.in[at:])
			if typed != row.typed || answer != row.answer {
				t.Errorf("%q, then %q: typed %q, answered %q; want %q, %q", row.in[:at], row.in[at:], typed, answer, row.typed, row.answer)
			}
		}
	}
}

// read gives what a program reads when the terminal sends the pieces.
func read(t *testing.T, pieces ...string) (typed, answer string) {
	t.Helper()
	from, to, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = from.Close() }()
	k := &keyboard{File: from, answered: func(msg tea.Msg) {
		answer = "light"
		if m, _ := msg.(backgroundMsg); m.dark {
			answer = "dark"
		}
	}}
	buffer := make([]byte, 256)
	for _, piece := range pieces {
		if piece == "" {
			continue
		}
		if _, err := to.WriteString(piece); err != nil {
			t.Fatal(err)
		}
		n, _ := k.Read(buffer)
		typed += string(buffer[:n])
	}
	_ = to.Close() // the end gives what was kept
	n, err := k.Read(buffer)
	typed += string(buffer[:n])
	if !errors.Is(err, errNoTerminal) {
		t.Errorf("a terminal that is gone is %v", err)
	}
	return typed, answer
}

func TestBackgroundWhereNobodyAnswers(t *testing.T) {
	for set, want := range map[string]bool{"": true, "15;0": true, "0;15": false, "0;default;15": false, "7": true, "x;y": true} {
		if got := darkUntilAsked(func(string) string { return set }); got != want {
			t.Errorf("COLORFGBG=%q: dark %v, want %v", set, got, want)
		}
	}
	for _, row := range []struct {
		term, tmux string
		want       bool
	}{{"xterm-256color", "", true}, {"tmux-256color", "/s", true}, {"screen-256color", "/s", true}, {"screen", "", false}, {"linux", "", false}, {"dumb", "", false}, {"", "", false}} {
		if got := tellsBackground(func(name string) string { return map[string]string{"TERM": row.term, "TMUX": row.tmux}[name] }); got != row.want {
			t.Errorf("TERM=%q TMUX=%q: asked %v, want %v", row.term, row.tmux, got, row.want)
		}
	}
}

// The answer changes what is drawn, a form that is open too.
func TestBackgroundIsHeardLate(t *testing.T) {
	d := operatorAt(t, newFake(), 80, 24)
	*d.root.styles = *newStyles(true, termenv.ANSI256)
	d.press("n")
	dark := d.root.View()
	d.update(backgroundMsg{dark: false})
	light := d.root.View()
	if !strings.Contains(dark, "38;5;81m") || !strings.Contains(light, "38;5;25m") || strings.Contains(light, "38;5;81m") {
		t.Errorf("the colours do not follow:\n%q\n%q", dark, light)
	}
}
