package main

import (
	"slices"
	"strings"
	"testing"
)

// Each gap of the stand-in has its line of MongoDB's manual.
func TestGapsHaveTheirLineOfTheManual(t *testing.T) {
	var tables [][]string // the first cells of each
	for line := range strings.Lines(pages(t)["docs/mongodb-gaps.md"]) {
		cells := strings.Split(line, " | ")
		switch first := strings.TrimPrefix(cells[0], "| "); {
		case len(cells) < 3 || strings.HasPrefix(first, "---"):
		case first == "matter":
			tables = append(tables, nil)
		default:
			tables[len(tables)-1] = append(tables[len(tables)-1], first)
		}
	}
	if len(tables) != 2 || len(tables[0]) < 5 {
		t.Fatalf("found the tables %q: the test looks in the wrong place", tables)
	}
	if !slices.Equal(tables[0], tables[1]) {
		t.Errorf("the gaps are\n%s\nand the manual is told of\n%s", strings.Join(tables[0], "\n"), strings.Join(tables[1], "\n"))
	}
}
