package tui

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
)

// clean makes a text from elsewhere harmless: what would steer the terminal,
// turn the direction of what follows or break the line is shown as a
// replacement character. Joiners stay, for scripts need them. A mark at the
// beginning would join whatever stands before the text; it gets a letter of its
// own.
func clean(s string) string {
	if first, _ := utf8.DecodeRuneInString(s); first >= utf8.RuneSelf {
		if mark := string(first); ansi.StringWidth("x"+mark) != 1+ansi.StringWidth(mark) || unicode.In(first, unicode.M) {
			s = "◌" + s
		}
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\u200c' || r == '\u200d':
			return r
		case steers(r):
			return unicode.ReplacementChar
		}
		return r
	}, s)
}

func steers(r rune) bool {
	return unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp)
}

// cut shortens a clean text to at most width cells.
func cut(s string, width int) string {
	if width <= 0 {
		return ""
	}
	// No cell is worth more bytes than this, and a line may have megabytes.
	if most := 64 + 32*width; len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return ansi.Truncate(s, width, "…")
}

// fit is a text in exactly width cells.
func fit(s string, width int) string {
	s = cut(s, width)
	return s + strings.Repeat(" ", max(0, width-ansi.StringWidth(s)))
}

// right is a text in exactly width cells, at their end.
func right(s string, width int) string {
	s = cut(s, width)
	return strings.Repeat(" ", max(0, width-ansi.StringWidth(s))) + s
}

// wrap breaks a text into lines of at most width cells, and at most lines of
// them.
func wrap(s string, width, lines int) []string {
	var out []string
	for line := range strings.SplitSeq(s, "\n") {
		out = append(out, strings.Split(ansi.Wrap(clean(line), max(1, width), " "), "\n")...)
	}
	for i := range out {
		out[i] = cut(out[i], width) // a hyphen may stick out
	}
	if len(out) > lines {
		out = out[:lines]
		out[lines-1] = cut(out[lines-1]+" …", width)
	}
	return out
}

// block is lines as a view of exactly height lines, none wider than width.
func block(lines []string, width, height int) string {
	out := make([]string, max(0, height))
	for i := range out {
		if i < len(lines) {
			out[i] = ansi.Truncate(lines[i], width, "")
		}
	}
	return strings.Join(out, "\n")
}

// thousands writes 1234567 as 1,234,567.
func thousands(n int64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func plural(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return thousands(n) + " " + many
}

func bytesOf(n int64) string {
	const unit = 1024
	if n < unit {
		return fmt.Sprintf("%d B", n)
	}
	value, exponent := float64(n)/unit, 0
	for value >= unit && exponent < 4 {
		value /= unit
		exponent++
	}
	return fmt.Sprintf("%.1f %ciB", value, "KMGTP"[exponent])
}

// ago says how long ago something was, in one unit.
func ago(now, then time.Time) string {
	if then.IsZero() {
		return "never"
	}
	d := now.Sub(then)
	switch {
	case d < 0:
		return "in " + span(-d)
	case d < time.Second:
		return "now"
	}
	return span(d) + " ago"
}

func span(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	}
	return fmt.Sprintf("%d d", int(d.Hours()/24))
}

// stamp is a time as a person reads it.
func stamp(t time.Time) string {
	if t.IsZero() {
		return "–"
	}
	return t.UTC().Format("2006-01-02 15:04:05") + " UTC"
}

// short is the end of an id, by which people tell ids of one day apart.
func short(id string) string {
	if len(id) <= 12 {
		return clean(id)
	}
	return "…" + clean(id[len(id)-11:])
}

// cutStart leaves out the first cells of a text.
func cutStart(s string, cells int) string { return ansi.TruncateLeft(s, cells, "") }
