package config

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// setting is a key of the file with its value.
type setting struct {
	name string
	line int
	// raw is the value, or emptySection, or nil where no key takes its type.
	raw any
}

// emptySection is a section without keys.
type emptySection struct{}

// parseTOML reads the settings of a file, in its order. The words of a syntax
// error are ours: the library's change between versions.
func parseTOML(file string, data []byte) ([]setting, error) {
	data = bytes.TrimPrefix(data, []byte("\uFEFF")) // as Windows editors begin a file
	if !utf8.Valid(data) {
		return nil, fmt.Errorf("%s:%d: this is not UTF-8; save the file in that encoding", file, firstInvalid(data))
	}
	var tree map[string]any
	if err := toml.NewDecoder(bytes.NewReader(data)).Decode(&tree); err != nil {
		var at *toml.DecodeError
		if errors.As(err, &at) {
			line, column := at.Position()
			return nil, fmt.Errorf("%s:%d:%d: this is not TOML, a key stands twice, or a number is too large%s",
				file, line, column, backslashHint(data, line))
		}
		return nil, fmt.Errorf("%s: this is not TOML", file)
	}
	lines := keyLines(data)
	var settings []setting
	flatten("", tree, func(name string, raw any) {
		settings = append(settings, setting{name: name, line: lines[name], raw: raw})
	})
	slices.SortFunc(settings, func(a, b setting) int {
		if a.line != b.line {
			return a.line - b.line
		}
		return strings.Compare(a.name, b.name)
	})
	return settings, nil
}

// firstInvalid is the line of the first byte that is not UTF-8.
func firstInvalid(data []byte) int {
	for n, line := range bytes.Split(data, []byte("\n")) {
		if !utf8.Valid(line) {
			return n + 1
		}
	}
	return 1
}

// backslashHint explains the commonest mistake with paths of Windows.
func backslashHint(data []byte, line int) string {
	lines := bytes.Split(data, []byte("\n"))
	if line < 1 || line > len(lines) || !bytes.Contains(lines[line-1], []byte(`\`)) {
		return ""
	}
	return `; in double quotes a backslash begins an escape: put a path in single quotes ('C:\data')`
}

func flatten(prefix string, tree map[string]any, each func(string, any)) {
	for key, raw := range tree {
		name := prefix + keyPart(key)
		switch v := raw.(type) {
		case map[string]any:
			if len(v) == 0 {
				each(name, emptySection{})
				continue
			}
			flatten(name+".", v, each)
		case []any:
			each(name, texts(v))
		case time.Time, toml.LocalDate, toml.LocalDateTime, toml.LocalTime:
			each(name, nil) // no key takes one
		default:
			each(name, raw)
		}
	}
}

// texts is the list as texts, or nil where an element is none.
func texts(list []any) any {
	out := make([]string, len(list))
	for i, e := range list {
		s, ok := e.(string)
		if !ok {
			return nil
		}
		out[i] = s
	}
	return out
}

// keyLines finds the line of every key; the decoder knows none.
func keyLines(data []byte) map[string]int {
	lines := map[string]int{}
	var p unstable.Parser
	p.Reset(data)
	section := ""
	for p.NextExpression() {
		e := p.Expression()
		switch e.Kind {
		case unstable.Table, unstable.ArrayTable:
			name, line := keyOf(&p, e)
			lines[name] = line
			section = name + "."
		case unstable.KeyValue:
			noteLines(&p, section, e, lines)
		}
	}
	return lines
}

func noteLines(p *unstable.Parser, prefix string, e *unstable.Node, lines map[string]int) {
	name, line := keyOf(p, e)
	name = prefix + name
	lines[name] = line
	if v := e.Value(); v.Kind == unstable.InlineTable {
		for it := v.Children(); it.Next(); {
			noteLines(p, name+".", it.Node(), lines)
		}
	}
}

// keyPart is one part of a dotted key. One that needs quotes keeps them, so
// that "a.b" in quotes is not b in the section a.
func keyPart(s string) string {
	if strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == "" && s != "" {
		return s
	}
	return strconv.Quote(s)
}

func keyOf(p *unstable.Parser, e *unstable.Node) (name string, line int) {
	var parts []string
	for it := e.Key(); it.Next(); {
		n := it.Node()
		parts = append(parts, keyPart(string(n.Data)))
		if line == 0 {
			line = p.Shape(n.Raw).Start.Line
		}
	}
	return strings.Join(parts, "."), line
}
