package servertest_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"pgregory.net/rapid"
)

func (s *street) actions() map[string]func(*rapid.T) {
	return map[string]func(*rapid.T){
		"create": s.create, "get": s.get, "put": s.put, "patch": s.patch, "delete": s.remove, "list": s.list,
		"use a cursor of the other": s.foreignCursor, "alter a cursor": s.alteredCursor,
		"reach for what the other has": s.reach, "come with a token to the other": s.trespass,
		"look around": s.lookAround,
	}
}

func (s *street) create(r *rapid.T) {
	n, me, id := s.draw(r)
	typ, data := kind(r), s.data(r, n)
	a := s.as(r, n, "POST", "", fmt.Sprintf(`{"id":%q,"type":%q,"data":%s}`, id, typ, data))
	if _, there := me.written[id]; there {
		s.expect(r, "create", a, 409, "document_id_taken")
		return
	}
	me.written[id] = written{typ, data, 1}
	s.is(r, "create", a, 201, id, me.written[id])
	if at := a.header.Get("Location"); !strings.HasSuffix(at, "/documents/"+id) || !strings.Contains(at, me.slug) && !strings.Contains(at, me.id) {
		r.Fatalf("created at %s", at)
	}
}

func (s *street) get(r *rapid.T) {
	n, me, id := s.draw(r)
	a := s.as(r, n, "GET", "/"+id, "")
	if d, there := me.written[id]; there {
		s.is(r, "get", a, 200, id, d)
		return
	}
	s.expect(r, "get", a, 404, "document_not_found")
}

// ifMatch draws a condition: none, what the document has, or what the other's
// has of the same id.
func (s *street) ifMatch(r *rapid.T, n int, id string) (headers []string, holds bool) {
	mine, theirs := s.neighbors[n].written[id], s.neighbors[1-n].written[id]
	revision := rapid.SampledFrom([]int{0, mine.Revision, theirs.Revision, 1}).Draw(r, "revision")
	if revision == 0 {
		return nil, true
	}
	return []string{"If-Match", fmt.Sprintf("%q", fmt.Sprint(revision))}, revision == mine.Revision
}

func (s *street) put(r *rapid.T) {
	s.change(r, "PUT", func(me *neighbor, n int, id string) (string, written) {
		d := written{kind(r), s.data(r, n), me.written[id].Revision + 1}
		return fmt.Sprintf(`{"type":%q,"data":%s}`, d.Type, d.Data), d
	})
}

func (s *street) patch(r *rapid.T) {
	s.change(r, "PATCH", func(me *neighbor, n int, id string) (string, written) {
		d := me.written[id]
		d.Revision++
		d.Data = `{"org_id":"` + s.neighbors[1-n].id + `"}`
		// Everything else goes, so that what is left is known.
		gone := ""
		for _, key := range []string{"a", "_id", "$set", "id", "type", "revision"} {
			gone += fmt.Sprintf(`,%q:null`, key)
		}
		return d.Data[:len(d.Data)-1] + gone + "}", d
	})
}

func (s *street) change(r *rapid.T, method string, to func(me *neighbor, n int, id string) (body string, d written)) {
	n, me, id := s.draw(r)
	condition, holds := s.ifMatch(r, n, id)
	body, d := to(me, n, id)
	a := s.as(r, n, method, "/"+id, body, condition...)
	switch _, there := me.written[id]; {
	case !there:
		s.expect(r, method, a, 404, "document_not_found")
	case !holds:
		s.expect(r, method, a, 412, "revision_mismatch")
	default:
		s.is(r, method, a, 200, id, d)
		me.written[id] = d
	}
}

func (s *street) remove(r *rapid.T) {
	n, me, id := s.draw(r)
	condition, holds := s.ifMatch(r, n, id)
	a := s.as(r, n, "DELETE", "/"+id, "", condition...)
	switch _, there := me.written[id]; {
	case !there:
		s.expect(r, "delete", a, 404, "document_not_found")
	case !holds:
		s.expect(r, "delete", a, 412, "revision_mismatch")
	default:
		s.expect(r, "delete", a, 204, "")
		delete(me.written, id)
	}
}

// list lists by pages of whatever size, with questions that are not understood
// beside.
func (s *street) list(r *rapid.T) {
	n, me, after := s.draw(r)
	other := s.neighbors[1-n]
	typ := rapid.SampledFrom(append([]string{"", "note/" + other.id, `{"$ne":""}`, other.id}, kinds...)).Draw(r, "type")
	extra := rapid.SampledFrom([]string{
		"", "", "&org_id=" + other.id, "&organization=" + other.slug, "&org=" + other.slug, `&filter={"org_id":"` + other.id + `"}`,
		`&filter={"$or":[{"org_id":{"$ne":null}},{"a":1}]}`, `&filter={"$where":"true"}`, `&filter={"$expr":{"$gt":["$org_id",""]}}`,
		"&sort=-org_id", "&sort=" + after, "&after=" + other.id, "&id=" + other.id + "/a", "&fields=org_id", "&count=true",
	}).Draw(r, "beside")
	if name, value, is := strings.Cut(extra, "="); is {
		extra = name + "=" + url.QueryEscape(value)
	}
	want := s.listed(me, "", typ)
	limit, cursor := rapid.IntRange(1, 9).Draw(r, "limit"), ""
	for {
		query := fmt.Sprintf("?limit=%d&type=%s&cursor=%s%s", limit, url.QueryEscape(typ), cursor, extra)
		a := s.as(r, n, "GET", query, "")
		if extra != "" && a.status == 422 {
			return // what it does not understand it may say so
		}
		cursor = s.page(r, query, a, &want, limit)
		if cursor == "" {
			break
		}
		me.cursor = cursor
	}
	if len(want) > 0 {
		r.Fatalf("the list has not %+v", want)
	}
}

type named struct {
	id string
	written
}

// listed are an organization's documents, as they are listed.
func (s *street) listed(me *neighbor, after, typ string) (list []named) {
	for _, id := range slices.Sorted(maps.Keys(me.written)) {
		if d := me.written[id]; id > after && (typ == "" || d.Type == typ) {
			list = append(list, named{id, d})
		}
	}
	return list
}

// page checks one page against what is left, and takes that off it.
func (s *street) page(r *rapid.T, query string, a reply, want *[]named, limit int) (cursor string) {
	r.Helper()
	var page struct {
		Items []struct {
			ID       string          `json:"id"`
			Type     string          `json:"type"`
			Revision int             `json:"revision"`
			Data     json.RawMessage `json:"data"`
		} `json:"items"`
		NextCursor string `json:"next_cursor"`
	}
	if err := json.Unmarshal([]byte(a.body), &page); err != nil || a.status != 200 {
		r.Fatalf("list %s: answered %d %.500s", query, a.status, a.body)
	}
	var got []named
	for _, d := range page.Items {
		got = append(got, named{d.ID, written{d.Type, string(d.Data), d.Revision}})
	}
	first := min(limit, len(*want))
	if !slices.Equal(got, (*want)[:first]) {
		r.Fatalf("list %s: got %+v\nwant %+v", query, got, (*want)[:first])
	}
	*want = (*want)[first:]
	return page.NextCursor
}
