package config

import (
	"fmt"
	"strconv"
	"strings"
)

const masked = "********"

func mask(raw any) any {
	if raw == "" {
		return ""
	}
	return masked
}

// shown is a refused value as it may be repeated.
func shown(k Key, raw any) string {
	if k.Secret {
		return masked
	}
	switch v := raw.(type) {
	case nil, emptySection:
		return "that"
	case string:
		return quoted(v)
	case []string:
		texts := make([]string, len(v))
		for i, s := range v {
			texts[i] = quoted(s)
		}
		return "[" + strings.Join(texts, ", ") + "]"
	default:
		return fmt.Sprint(v)
	}
}

// quoted is a refused text, shortened, and without the password of a URL.
func quoted(s string) string {
	s = withoutPassword(s)
	if len(s) > 80 {
		s = strings.ToValidUTF8(s[:80], "") + "…"
	}
	return strconv.Quote(s)
}
