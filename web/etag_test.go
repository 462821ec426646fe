package web

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
)

func TestParseTags(t *testing.T) {
	strong := func(s ...string) (l tagList) {
		for _, tag := range s {
			l.tags = append(l.tags, entityTag{opaque: tag})
		}
		return l
	}
	for in, want := range map[string]struct {
		list tagList
		ok   bool
	}{
		`"1"`:                    {strong(`"1"`), true},
		` "1" `:                  {strong(`"1"`), true},
		`"1", "2"`:               {strong(`"1"`, `"2"`), true},
		`"1","2",`:               {strong(`"1"`, `"2"`), true},
		`, ,"1"`:                 {strong(`"1"`), true},
		"\"1\"\t,\t\"2\"":        {strong(`"1"`, `"2"`), true},
		`"a,b"`:                  {strong(`"a,b"`), true},
		`""`:                     {strong(`""`), true},
		`W/"1"`:                  {tagList{tags: []entityTag{{weak: true, opaque: `"1"`}}}, true},
		`*`:                      {tagList{any: true}, true},
		` * `:                    {tagList{any: true}, true},
		"\"\xe9\"":               {strong("\"\xe9\""), true}, // obs-text
		``:                       {tagList{}, false},
		`,`:                      {tagList{}, false},
		`1`:                      {tagList{}, false},
		`"1`:                     {tagList{}, false},
		`1"`:                     {tagList{}, false},
		`"1" "2"`:                {tagList{}, false},
		`"1"x`:                   {tagList{}, false},
		`*, "1"`:                 {tagList{}, false},
		`"1", *`:                 {tagList{}, false},
		`w/"1"`:                  {tagList{}, false},
		`W/ "1"`:                 {tagList{}, false},
		`W/`:                     {tagList{}, false},
		`"a b"`:                  {tagList{}, false},
		"\"\x7f\"":               {tagList{}, false},
		`'1'`:                    {tagList{}, false},
		`"1", W/"2", junk`:       {tagList{}, false},
		`W/W/"1"`:                {tagList{}, false},
		strings.Repeat(`"1"`, 2): {tagList{}, false},
	} {
		got, ok := parseTags(in)
		if ok != want.ok || got.any != want.list.any || !slices.Equal(got.tags, want.list.tags) {
			t.Errorf("%q is read as %+v, %v", in, got, ok)
		}
	}
	for in, want := range map[string][]int64{
		`"1"`: {1}, `W/"1"`: nil, `"1", W/"2", "3"`: {1, 3}, `"01"`: nil, `"+1"`: nil, `"-1"`: nil, `"0"`: nil, `"x"`: nil,
		`"9223372036854775807"`: {1<<63 - 1}, `"9223372036854775808"`: nil, `"1-gz"`: nil,
	} {
		list, _ := parseTags(in)
		if got := list.revisions(); !slices.Equal(got, want) {
			t.Errorf("%q means the revisions %v, want %v", in, got, want)
		}
	}
}

// conditional is a thing with an ETag and the ways to write it.
type conditional struct {
	path   string
	writes map[string]string // method to body
}

func (w *world) conditionals(o tenant, id string) []conditional {
	w.put(o, id)
	return []conditional{
		{"/v1/organizations/" + o.slug, map[string]string{"PATCH": `{"metadata":{"k":"v"}}`, "DELETE": ""}},
		{"/v1/organizations/" + o.slug + "/documents/" + id, map[string]string{"PUT": `{"data":{"b":2}}`, "PATCH": `{"b":2}`, "DELETE": ""}},
	}
}

func (w *world) write(method, path, token, body string, changes ...with) answer {
	w.t.Helper()
	if body == "" {
		return w.do(method, path, token, nil, changes...)
	}
	return w.do(method, path, token, body, changes...)
}

func TestIfMatch(t *testing.T) {
	w := newWorld(t)
	for _, c := range w.conditionals(w.tenant(), "a") {
		for method := range c.writes {
			kind := "organization"
			if strings.Contains(c.path, "/documents/") {
				kind = "document"
			}
			t.Run(method+" "+kind, func(t *testing.T) {
				o := w.tenant()
				c := w.conditionals(o, "a")[map[string]int{"organization": 0, "document": 1}[kind]]
				send := func(ifMatch ...string) answer {
					t.Helper()
					return w.write(method, c.path, o.token, c.writes[method], func(r *http.Request) { r.Header["If-Match"] = ifMatch })
				}
				for _, stale := range []string{`"2"`, `"0"`, `W/"1"`, `"1-gz"`, `"x"`, `""`, `"7", "8"`, `"99999999999999999999"`, `"01"`} {
					w.expect(send(stale), 412, "revision_mismatch")
				}
				for _, malformed := range []string{`1`, `"1`, `*, "1"`, `"1" "2"`, `w/"1"`} {
					w.expect(send(malformed), 400, "if_match_malformed")
				}
				if a := w.do("GET", c.path, o.token, nil); a.header.Get("ETag") != `"1"` {
					t.Fatal("a refused write was made:", a)
				}
				good := []string{`"1"`}
				if method != "DELETE" {
					for i, list := range [][]string{{`"9", "1"`}, {`"9"`, `W/"1", "2"`}, {`*`}, {``}} {
						if a := send(list...); a.status != 200 || a.header.Get("ETag") != fmt.Sprintf(`"%d"`, i+2) {
							t.Errorf("%q: %v", list, a)
						}
					}
					good = []string{`"5"`}
				}
				if a := send(good...); a.status != 200 && a.status != 204 {
					t.Error(a)
				}
				// Who may not see a thing is not told that it changed.
				other := w.tenant()
				a := w.write(method, c.path, other.token, c.writes[method], header("If-Match", `"77"`))
				w.expect(a, 404, "organization_not_found")
			})
		}
	}
}

func TestIfNoneMatch(t *testing.T) {
	w := newWorld(t)
	o := w.tenant()
	for _, c := range w.conditionals(o, "a") {
		for value, want := range map[string]int{
			`"1"`: 304, `W/"1"`: 304, `"5", "1"`: 304, `*`: 304,
			`"2"`: 200, `1`: 200, `"1`: 200, `"1" "1"`: 200, `""`: 200,
		} {
			a := w.do("GET", c.path, o.token, nil, header("If-None-Match", value))
			if a.status != want || want == 304 && (len(a.body) != 0 || a.header.Get("ETag") != `"1"` || a.header.Get("Content-Type") != "") {
				t.Errorf("%s: got %v, want %d", value, a, want)
			}
		}
		// Not modified is not told to who may not see.
		w.expect(w.do("GET", c.path, w.tenant().token, nil, header("If-None-Match", "*")), 404, "organization_not_found")
	}
}

// The check is part of the write: of many writers with one ETag one wins.
func TestOfManyWritersWithOneETagOneWins(t *testing.T) {
	w := newWorld(t)
	for i := range 2 {
		o := w.tenant()
		c := w.conditionals(o, "contended")[i]
		for method, body := range c.writes {
			if method == "DELETE" && i == 0 {
				continue // it takes the writers' tokens with it
			}
			for _, list := range []string{"%s", `"999999", %s`} {
				current := w.do("GET", c.path, o.token, nil).header.Get("ETag")
				if current == "" {
					w.put(o, "contended")
					current = `"1"`
				}
				var group sync.WaitGroup
				statuses := make([]int, 32)
				for n := range statuses {
					group.Go(func() {
						a, err := w.try(w.client, method, c.path, o.token, body, header("If-Match", fmt.Sprintf(list, current)))
						if err != nil {
							t.Error(err)
						}
						statuses[n] = a.status
					})
				}
				group.Wait()
				won := 0
				for _, status := range statuses {
					switch status {
					case 200, 204:
						won++
					case 412:
					case 404:
						if method != "DELETE" {
							t.Errorf("%s: a writer got 404", method)
						}
					default:
						t.Errorf("%s %s: a writer got %d", method, c.path, status)
					}
				}
				if won != 1 {
					t.Errorf("%s %s: %d writers won", method, c.path, won)
				}
			}
		}
	}
}
