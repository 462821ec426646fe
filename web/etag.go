package web

import (
	"net/http"
	"strconv"
	"strings"

	"tenantry/app"
)

// etag is the strong entity tag of a revision (RFC 9110, 8.8.3).
func etag(revision int64) string {
	b := make([]byte, 0, 22)
	b = append(b, '"')
	b = strconv.AppendInt(b, revision, 10)
	return string(append(b, '"'))
}

// entityTag is one member of an If-Match or If-None-Match list.
type entityTag struct {
	weak   bool
	opaque string // with its quotes
}

// tagList is a parsed If-Match or If-None-Match header.
type tagList struct {
	any  bool // "*"
	tags []entityTag
}

// parseTags reads the list of RFC 9110, 13.1.1. Empty members are passed over
// (5.6.1). ok is false for what is no such list.
func parseTags(s string) (list tagList, ok bool) {
	s = strings.Trim(s, " \t")
	if s == "*" {
		return tagList{any: true}, true
	}
	for s != "" {
		if s[0] == ',' || s[0] == ' ' || s[0] == '\t' {
			s = s[1:]
			continue
		}
		var tag entityTag
		if strings.HasPrefix(s, "W/") {
			tag.weak, s = true, s[2:]
		}
		if s == "" || s[0] != '"' {
			return tagList{}, false
		}
		end := strings.IndexByte(s[1:], '"')
		if end < 0 || !opaqueTag(s[1:1+end]) {
			return tagList{}, false
		}
		tag.opaque, s = s[:end+2], strings.TrimLeft(s[end+2:], " \t")
		if s != "" && s[0] != ',' {
			return tagList{}, false
		}
		list.tags = append(list.tags, tag)
	}
	return list, len(list.tags) > 0
}

func opaqueTag(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < 0x21 || c == 0x7f {
			return false
		}
	}
	return true
}

// noRevision is one that nothing has: the capability answers who may not see
// the thing before it finds the revision stale.
const noRevision int64 = -1

// revisions gives those that If-Match allows, by strong comparison: a weak tag
// matches nothing. Nothing in it allows any.
func (l tagList) revisions() []int64 {
	var revisions []int64
	for _, t := range l.tags {
		n, err := strconv.ParseInt(strings.Trim(t.opaque, `"`), 10, 64)
		if !t.weak && err == nil && n > 0 && etag(n) == t.opaque {
			revisions = append(revisions, n)
		}
	}
	return revisions
}

// expected gives the revision that a write must meet, by the request's
// If-Match. Only where that lists several is the present one asked for.
func (c *call) expected(current func() (int64, error)) (int64, error) {
	header := c.headerList("If-Match")
	if header == "" {
		return app.AnyRevision, nil
	}
	list, ok := parseTags(header)
	if !ok {
		return 0, newProblem(http.StatusBadRequest, "if_match_malformed",
			`If-Match is "*" or a list of entity tags in quotes, as in the ETag of an answer.`)
	}
	revisions := list.revisions()
	switch {
	case list.any:
		return app.AnyRevision, nil
	case len(revisions) == 0:
		return noRevision, nil
	case len(revisions) == 1:
		return revisions[0], nil
	}
	now, err := current()
	if err != nil {
		return 0, err
	}
	for _, r := range revisions {
		if r == now {
			return r, nil
		}
	}
	return noRevision, nil
}

// unchanged reports whether the request's If-None-Match names the tag, by
// weak comparison. A malformed header is as none.
func (c *call) unchanged(tag string) bool {
	if len(c.fiber.Request().Header.Peek("If-None-Match")) == 0 {
		return false
	}
	list, ok := parseTags(c.headerList("If-None-Match"))
	if !ok {
		return false
	}
	for _, t := range list.tags {
		if t.opaque == tag {
			return true
		}
	}
	return list.any
}

// notModified is the answer 304, which Huma takes as an error.
type notModified struct{ tag string }

func (n *notModified) Error() string  { return "not modified" }
func (n *notModified) GetStatus() int { return http.StatusNotModified }

// GetHeaders repeats what RFC 9110, 15.4.5 asks for.
func (n *notModified) GetHeaders() http.Header { return http.Header{"Etag": {n.tag}} }

// headerList joins the lines of a list header.
func (c *call) headerList(name string) string {
	lines := c.fiber.Request().Header.PeekAll(name)
	switch len(lines) {
	case 0:
		return ""
	case 1:
		return string(lines[0])
	}
	joined := make([]string, len(lines))
	for i, l := range lines {
		joined[i] = string(l)
	}
	return strings.Join(joined, ",")
}
