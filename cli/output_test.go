package cli

import (
	"strings"
	"testing"

	"github.com/mattn/go-runewidth"
)

// Whatever stands in a table, its columns begin at one cell, and nothing in it
// steers the terminal.
func TestTableAlignsCells(t *testing.T) {
	names := []string{"NAME", "Acme", "北京大学", "🎉🎊", "مرحبا", "e\u0301te\u0301", "a\x1b[2Jb\u202Ec\nd"}
	rows := make([][]string, 0, len(names))
	for _, name := range names {
		rows = append(rows, []string{name, "|", "end"})
	}
	var b strings.Builder
	if err := writeTable(&b, rows); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
	if len(lines) != len(rows) {
		t.Fatalf("%d lines for %d rows:\n%s", len(lines), len(rows), b.String())
	}
	for _, line := range lines {
		before, _, found := strings.Cut(line, "|")
		if !found || runewidth.StringWidth(before) != 12 {
			t.Errorf("the second column begins at cell %d, not 12: %q", runewidth.StringWidth(before), line)
		}
		if strings.ContainsAny(line, "\x1b\u202e") {
			t.Errorf("%q reaches the terminal", line)
		}
	}
}
