package tui

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
	"pgregory.net/rapid"
)

func TestCleanIsHarmless(t *testing.T) {
	for in, want := range map[string]string{
		"plain":            "plain",
		"\x1b[31mred\x07":  "�[31mred�",
		"a\u009b31mb":      "a�31mb",
		"\u202eevil":       "�evil",
		"two\nlines\ttab":  "two�lines�tab",
		"نام\u200cخانواده": "نام\u200cخانواده",
		"bad \xff utf8":    "bad � utf8",
		"株式会社":             "株式会社",
	} {
		if got := clean(in); got != want {
			t.Errorf("clean(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestFitFits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := clean(rapid.String().Draw(t, "s"))
		width := rapid.IntRange(0, 40).Draw(t, "width")
		for name, f := range map[string]func(string, int) string{"fit": fit, "right": right} {
			if got := ansi.StringWidth(f(s, width)); got != width {
				t.Fatalf("%s(%q, %d) takes %d cells", name, s, width, got)
			}
		}
		for _, line := range wrap(s, width+1, 3) {
			if got := ansi.StringWidth(line); got > width+1 {
				t.Fatalf("wrap(%q, %d) has a line of %d cells", s, width+1, got)
			}
		}
	})
}

func TestWords(t *testing.T) {
	for got, want := range map[string]string{
		thousands(0): "0", thousands(999): "999", thousands(1000): "1,000", thousands(-1234567): "-1,234,567",
		bytesOf(512): "512 B", bytesOf(1536): "1.5 KiB", bytesOf(5 << 40): "5.0 TiB",
		ago(noon, noon.Add(-90*time.Second)): "1 min ago", ago(noon, noon.Add(49*time.Hour)): "in 2 d", ago(noon, time.Time{}): "never",
		plural(1, "cluster", "clusters"): "1 cluster", plural(0, "cluster", "clusters"): "0 clusters",
		sparkline([]float64{0, 1, 100}, 5): "▁▂█", sparkline(nil, 5): "", sparkline([]float64{1, 2, 3, 4}, 2): "▆█",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestPretty(t *testing.T) {
	in := `{"z":1.50,"a":"\u001b[31m` + "\u202e\u009b\U000e0001" + `","n":12345678901234567890}`
	got := pretty(json.RawMessage(in))
	want := "{\n  \"z\": 1.50,\n  \"a\": \"\\u001b[31m\\u202e\\u009b\\udb40\\udc01\",\n  \"n\": 12345678901234567890\n}"
	if got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	var before, after map[string]any
	if json.Unmarshal([]byte(in), &before) != nil || json.Unmarshal([]byte(got), &after) != nil || before["a"] != after["a"] {
		t.Errorf("it means something else: %v, %v", before, after)
	}
}

func TestFolding(t *testing.T) {
	v := newJSONView(json.RawMessage(`{"a":[1,{"b":[]}],"c":{},"d":2}`))
	v.width, v.height = 60, 20
	all := len(v.shown)
	v.foldAll(true)
	if len(v.shown) != 5 { // { a c d }
		t.Errorf("folded, %d lines are shown: %v", len(v.shown), v.shown)
	}
	v.foldAll(false)
	if len(v.shown) != all {
		t.Errorf("unfolded, %d of %d lines are shown", len(v.shown), all)
	}
	v.move(1)
	v.fold()
	v.fold()
	if len(v.shown) != all {
		t.Error("folding twice is not folding back")
	}
	v.move(100)
	v.fold() // nothing opens there
	if len(v.shown) != all {
		t.Error("a line that opens nothing folds")
	}
}

// A difference read back is the one text and the other.
func TestDiffSaysBothTexts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		line := rapid.SampledFrom([]string{"a", "b", "c", "{", "}"})
		first := rapid.SliceOfN(line, 1, 12).Draw(t, "first")
		second := rapid.SliceOfN(line, 1, 12).Draw(t, "second")
		var one, two []string
		for _, c := range diff(strings.Join(first, "\n"), strings.Join(second, "\n")) {
			if c.sign != '+' {
				one = append(one, c.line)
			}
			if c.sign != '-' {
				two = append(two, c.line)
			}
		}
		if strings.Join(one, " ") != strings.Join(first, " ") || strings.Join(two, " ") != strings.Join(second, " ") {
			t.Fatalf("%v and %v became %v and %v", first, second, one, two)
		}
	})
}

func TestDiffOfLargeTextsEnds(t *testing.T) {
	a, b := strings.Repeat("a\n", 20_000), strings.Repeat("b\n", 20_000)
	if n := len(diff(a, b)); n < 40_000 {
		t.Errorf("%d changes", n)
	}
}

// A pager answers as the whole list would, whichever way one goes.
func TestPagerShowsTheList(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.IntRange(0, 1500).Draw(t, "size")
		var p pager[int]
		p.reset()
		load := func(page int) {
			var rows []int
			for i := page * pageSize; i < min(size, (page+1)*pageSize); i++ {
				rows = append(rows, i)
			}
			next := ""
			if (page+1)*pageSize < size {
				next = "next"
			}
			p.put(page, rows, next)
		}
		at := 0
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			at = max(0, min(p.count()-1, at+rapid.IntRange(-300, 300).Draw(t, "by")))
			for page, missing := p.missing(at, at+20); missing; page, missing = p.missing(at, at+20) {
				load(page)
			}
			for i := at; i < min(at+20, size); i++ {
				if got, ok := p.row(i); !ok || got != i {
					t.Fatalf("row %d of %d: %d, %v", i, size, got, ok)
				}
			}
			if len(p.pages) > keptPages {
				t.Fatalf("%d pages are kept", len(p.pages))
			}
			if rapid.Bool().Draw(t, "changed") {
				p.stale()
			}
		}
		if p.complete() && p.count() != size {
			t.Fatalf("%d rows of %d", p.count(), size)
		}
	})
}
