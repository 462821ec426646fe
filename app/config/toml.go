package config

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// setting is a key of the file with its value.
type setting struct {
	name string
	line int
	raw  any
}

// parseTOML reads the settings of a file, in its order. The words of a syntax
// error are ours: the library's change between versions.
func parseTOML(file string, data []byte) ([]setting, error) {
	var tree map[string]any
	if err := toml.NewDecoder(bytes.NewReader(data)).Decode(&tree); err != nil {
		var at *toml.DecodeError
		if errors.As(err, &at) {
			line, column := at.Position()
			return nil, fmt.Errorf("%s:%d:%d: this is not TOML, or a key stands twice", file, line, column)
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

func flatten(prefix string, tree map[string]any, each func(string, any)) {
	for key, raw := range tree {
		name := prefix + key
		switch v := raw.(type) {
		case map[string]any:
			if len(v) == 0 && prefix == "" {
				continue // an empty section sets nothing
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
			name, _ := keyOf(&p, e)
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
	if v := e.Value(); v.Kind == unstable.InlineTable {
		for it := v.Children(); it.Next(); {
			noteLines(p, name+".", it.Node(), lines)
		}
		return
	}
	lines[name] = line
}

func keyOf(p *unstable.Parser, e *unstable.Node) (name string, line int) {
	var parts []string
	for it := e.Key(); it.Next(); {
		n := it.Node()
		parts = append(parts, string(n.Data))
		if line == 0 {
			line = p.Shape(n.Raw).Start.Line
		}
	}
	return strings.Join(parts, "."), line
}
