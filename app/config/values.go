package config

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// value is one field of a Config that can be set from a file or from text.
type value struct {
	// kind is how the field is written in TOML.
	kind kind
	// allowed says what it may be, for a person.
	allowed string
	// set takes a string, int64, bool or []string, as kind says. Its error says
	// what is allowed.
	set func(any) error
	// get gives it back in the same types.
	get func() any
}

type kind int

const (
	text kind = iota
	number
	boolean
	list
)

func (k kind) String() string {
	return [...]string{"text in quotes", "a whole number", "true or false", "a list of texts"}[k]
}

// fromTOML takes a value as the file has it.
func (v value) fromTOML(raw any) error {
	ok := false
	switch raw.(type) {
	case string:
		ok = v.kind == text
	case int64:
		ok = v.kind == number
	case bool:
		ok = v.kind == boolean
	case []string:
		ok = v.kind == list
	}
	if !ok {
		return fmt.Errorf("it must be %s", v.kind)
	}
	return v.set(raw)
}

// fromText takes a value as the environment or a flag has it. A list is
// separated by commas; empty text is an empty list.
func (v value) fromText(s string) error {
	switch v.kind {
	case number:
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			return fmt.Errorf("it must be %s", v.kind)
		}
		return v.set(n)
	case boolean:
		b, err := strconv.ParseBool(s)
		if err != nil {
			return fmt.Errorf("it must be %s", v.kind)
		}
		return v.set(b)
	case list:
		parts := []string{}
		for _, p := range strings.Split(s, ",") {
			if p = strings.TrimSpace(p); p != "" {
				parts = append(parts, p)
			}
		}
		return v.set(parts)
	case text:
	}
	return v.set(s)
}

func (v value) mustSet(raw any) {
	if err := v.fromTOML(raw); err != nil {
		panic("config: a default is not allowed: " + err.Error())
	}
}

// textValue is a text that the rule accepts.
func textValue(field *string, r rule) value {
	return value{
		kind: text, allowed: r.allowed,
		get: func() any { return *field },
		set: func(raw any) error {
			s, _ := raw.(string)
			if err := r.refuse(s); err != nil {
				return err
			}
			*field = s
			return nil
		},
	}
}

// oneOf is a text out of a few.
func oneOf(field *string, allowed ...string) value { return textValue(field, among(allowed)) }

func among(allowed []string) rule {
	return rule{
		allowed: "one of: " + strings.Join(allowed, ", "),
		check:   func(s string) bool { return slices.Contains(allowed, s) },
	}
}

func intValue(field *int, from, to int) value {
	allowed := fmt.Sprintf("%d to %d", from, to)
	return value{
		kind: number, allowed: allowed,
		get: func() any { return int64(*field) },
		set: func(raw any) error {
			n, _ := raw.(int64)
			if n < int64(from) || n > int64(to) {
				return errors.New("it must be " + allowed)
			}
			*field = int(n)
			return nil
		},
	}
}

func boolValue(field *bool) value {
	return value{
		kind: boolean, allowed: boolean.String(),
		get: func() any { return *field },
		set: func(raw any) error {
			*field, _ = raw.(bool)
			return nil
		},
	}
}

// listValue is a list of texts that the rule accepts.
func listValue(field *[]string, r rule) value {
	return value{
		kind: list, allowed: "a list; each is " + r.allowed,
		get: func() any { return *field },
		set: func(raw any) error {
			parts, _ := raw.([]string)
			for _, p := range parts {
				if !r.check(p) {
					return fmt.Errorf("%s: each must be %s", quoted(p), r.allowed)
				}
			}
			*field = append([]string{}, parts...)
			return nil
		},
	}
}

func durationValue(field *time.Duration, from, to time.Duration) value {
	allowed := fmt.Sprintf(`a duration such as "30s" or "15m", from %s to %s`, shortDuration(from), shortDuration(to))
	return value{
		kind: text, allowed: allowed,
		get: func() any { return shortDuration(*field) },
		set: func(raw any) error {
			s, _ := raw.(string)
			d, err := time.ParseDuration(s)
			if err != nil || d < from || d > to {
				return errors.New("it must be " + allowed)
			}
			*field = d
			return nil
		},
	}
}

// shortDuration is a duration without its zero parts: "15m", not "15m0s".
func shortDuration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

func sizeValue(field *int64, from, to int64) value {
	allowed := fmt.Sprintf(`a size such as "16KiB" or "1MiB", from %s to %s`, formatSize(from), formatSize(to))
	return value{
		kind: text, allowed: allowed,
		get: func() any { return formatSize(*field) },
		set: func(raw any) error {
			s, _ := raw.(string)
			n, err := parseSize(s)
			if err != nil || n < from || n > to {
				return errors.New("it must be " + allowed)
			}
			*field = n
			return nil
		},
	}
}

var sizeUnits = []struct {
	name  string
	bytes int64
}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"B", 1}}

func parseSize(s string) (int64, error) {
	for _, u := range sizeUnits {
		digits, ok := strings.CutSuffix(s, u.name)
		if !ok {
			continue
		}
		n, err := strconv.ParseInt(strings.TrimSpace(digits), 10, 64)
		if err != nil || n < 0 || n > math.MaxInt64/u.bytes {
			return 0, errors.New("not a size")
		}
		return n * u.bytes, nil
	}
	return 0, errors.New("not a size")
}

func formatSize(n int64) string {
	for _, u := range sizeUnits {
		if n >= u.bytes && n%u.bytes == 0 {
			return strconv.FormatInt(n/u.bytes, 10) + u.name
		}
	}
	return strconv.FormatInt(n, 10) + "B"
}
