package tui

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf16"

	"github.com/go-json-experiment/json/jsontext"
)

// pretty writes JSON with one value a line. Keys keep their order and numbers
// their spelling; characters that would steer a terminal or an editor are
// written as escapes, which mean the same.
func pretty(data json.RawMessage) string {
	value := jsontext.Value(append([]byte(nil), data...))
	if value.Indent(jsontext.WithIndent("  ")) != nil {
		return clean(string(data))
	}
	var b strings.Builder
	for _, r := range string(value) {
		switch {
		case r == '\n' || !steers(r):
			b.WriteRune(r)
		case r > 0xFFFF:
			first, second := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04x\u%04x`, first, second)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

// jsonView shows JSON with objects and arrays that fold.
type jsonView struct {
	lines  []string
	closes map[int]int // from a line that opens to the one that closes
	folded map[int]bool
	shown  []int // the lines that are not folded away

	selected, top, left int
	width, height       int
}

func newJSONView(data json.RawMessage) jsonView {
	v := jsonView{lines: strings.Split(pretty(data), "\n"), closes: map[int]int{}, folded: map[int]bool{}}
	var open []int
	for i, line := range v.lines {
		text := strings.TrimLeft(line, " ")
		if strings.HasPrefix(text, "}") || strings.HasPrefix(text, "]") {
			if len(open) > 0 {
				v.closes[open[len(open)-1]] = i
				open = open[:len(open)-1]
			}
		}
		if strings.HasSuffix(text, "{") || strings.HasSuffix(text, "[") {
			open = append(open, i)
		}
	}
	v.unfold()
	return v
}

// unfold computes which lines are shown.
func (v *jsonView) unfold() {
	v.shown = v.shown[:0]
	for i := 0; i < len(v.lines); i++ {
		v.shown = append(v.shown, i)
		if v.folded[i] {
			i = v.closes[i]
		}
	}
	v.move(0)
}

func (v *jsonView) move(by int) {
	v.selected = max(0, min(v.selected+by, len(v.shown)-1))
	v.top = max(0, min(v.top, v.selected), v.selected-v.height+1)
}

// fold folds what the selected line opens, or unfolds it.
func (v *jsonView) fold() {
	line := v.shown[v.selected]
	if v.closes[line] == 0 {
		return
	}
	v.folded[line] = !v.folded[line]
	v.unfold()
}

// foldAll folds everything but the outermost, or nothing.
func (v *jsonView) foldAll(folded bool) {
	at := v.shown[v.selected]
	v.folded = map[int]bool{}
	for line := range v.closes {
		v.folded[line] = folded && line > 0
	}
	v.unfold()
	for i, line := range v.shown {
		if line <= at {
			v.selected = i
		}
	}
	v.move(0)
}

func (v *jsonView) view(s *styles) string {
	lines := make([]string, 0, v.height)
	for i := v.top; i < len(v.shown) && i < v.top+v.height; i++ {
		line := v.shown[i]
		mark, text := "  ", v.lines[line]
		if v.closes[line] != 0 {
			mark = "▾ "
		}
		if v.folded[line] {
			mark = "▸ "
			text += fmt.Sprintf(" … %s", strings.TrimLeft(v.lines[v.closes[line]], " "))
		}
		text = cut(cutStart(text, v.left), v.width-5)
		if i == v.selected {
			lines = append(lines, s.Selected.Render(fit("› "+mark+text, v.width)))
			continue
		}
		lines = append(lines, "  "+s.Faint.Render(mark)+colourJSON(s, text))
	}
	return block(lines, v.width, v.height)
}

// colourJSON colours one line of indented JSON.
func colourJSON(s *styles, line string) string {
	text := strings.TrimLeft(line, " ")
	out := line[:len(line)-len(text)]
	if end := strings.Index(text, `": `); strings.HasPrefix(text, `"`) && end > 0 {
		out += s.JSONKey.Render(text[:end+1]) + text[end+1:end+3]
		text = text[end+3:]
	}
	if strings.HasPrefix(text, `"`) {
		return out + s.JSONString.Render(text)
	}
	return out + s.JSONRest.Render(text)
}
