package servertest_test

import (
	"encoding/base64"
	"fmt"
	"maps"
	"net/url"
	"reflect"
	"slices"
	"strings"

	"pgregory.net/rapid"

	"tenantry/app"
)

// foreignCursor uses a cursor that the other was given.
func (s *street) foreignCursor(r *rapid.T) {
	n := rapid.IntRange(0, 1).Draw(r, "who")
	if cursor := s.neighbors[1-n].cursor; cursor != "" {
		s.expect(r, "another's cursor", s.as(r, n, "GET", "?cursor="+cursor, ""), 422, "invalid_cursor")
	}
}

// alteredCursor makes a cursor say something else: it is refused, or goes on in
// the organization's own list.
func (s *street) alteredCursor(r *rapid.T) {
	n, me, after := s.draw(r)
	other := s.neighbors[1-n]
	said := rapid.SampledFrom([]string{
		`{"o":%[2]q,"a":%[3]q}`, `{"o":%[1]q,"a":"%[2]s/a"}`, `{"o":%[1]q,"a":""}`, `{"o":%[1]q,"a":{"$gt":""}}`, `{"o":[%[1]q,%[2]q],"a":"a"}`,
		`{"o":%[1]q,"t":%[2]q,"a":"a"}`, `{"a":"a"}`, `{"o":"","a":"a"}`, `{"o":null,"a":"a"}`, `[]`, ``, `{"o":%[1]q,"o":%[2]q,"a":"a"}`,
	}).Draw(r, "cursor")
	said = strings.NewReplacer("%[1]q", `"`+me.id+`"`, "%[2]q", `"`+other.id+`"`, "%[2]s", other.id, "%[3]q", `"`+after+`"`).Replace(said)
	cursor := base64.RawURLEncoding.EncodeToString([]byte(said))
	if said != "" {
		s.expect(r, "the cursor "+said, s.as(r, n, "GET", "?cursor="+cursor, ""), 422, "invalid_cursor")
	}
	// One of its own, for wherever it likes to begin.
	own := base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, `{"o":%q,"a":%q}`, me.id, after))
	want := s.listed(me, after, "")
	s.page(r, own, s.as(r, n, "GET", "?limit=200&cursor="+own, ""), &want, 200)
	broken := []byte(own)
	broken[rapid.IntRange(0, len(broken)-1).Draw(r, "byte")] ^= byte(rapid.IntRange(1, 127).Draw(r, "by"))
	a := s.as(r, n, "GET", "?limit=200&cursor="+url.QueryEscape(string(broken)), "")
	switch a.status {
	case 200:
		for _, d := range s.items(r, a) {
			if w := me.written[d]; w == (written{}) {
				r.Fatalf("the cursor %q lists %s: %s", broken, d, a.body)
			}
		}
	default:
		s.expect(r, fmt.Sprintf("the cursor %q", broken), a, 422, "invalid_cursor")
	}
}

func (s *street) items(r *rapid.T, a reply) (ids []string) {
	r.Helper()
	list, _ := a.object["items"].([]any)
	for _, one := range list {
		d, _ := one.(map[string]any)
		id, _ := d["id"].(string)
		ids = append(ids, id)
	}
	return ids
}

// alike checks that two answers do not tell one thing from another: they are the
// same but for what they were asked.
func (s *street) alike(r *rapid.T, what string, a, b reply, asked, instead string) {
	r.Helper()
	for _, one := range []*reply{&a, &b} {
		for _, field := range []string{"request_id", "instance"} {
			delete(one.object, field)
		}
		for _, header := range []string{"Date", "X-Request-Id", "Content-Length"} {
			one.header.Del(header)
		}
	}
	about := strings.NewReplacer(asked, "…", instead, "…")
	if a.status != b.status || !reflect.DeepEqual(a.header, b.header) ||
		about.Replace(fmt.Sprint(a.object)) != about.Replace(fmt.Sprint(b.object)) || (a.object == nil) != (b.object == nil) {
		r.Fatalf("%s tells: %d %v %v\nfrom %d %v %v", what, a.status, a.header, a.object, b.status, b.header, b.object)
	}
	if a.status < 400 || a.status >= 500 {
		r.Fatalf("%s is answered %d %.500s", what, a.status, a.body)
	}
}

var methods = []string{"GET", "PUT", "PATCH", "DELETE", "HEAD"}

// reach asks in its own name for what the other has, in all spellings, and for
// what nobody has in the same: it cannot tell which is which.
func (s *street) reach(r *rapid.T) {
	n := rapid.IntRange(0, 1).Draw(r, "who")
	me, other := s.neighbors[n], s.neighbors[1-n]
	var there []string
	for _, id := range slices.Sorted(maps.Keys(other.written)) {
		if _, both := me.written[id]; !both {
			there = append(there, id)
		}
	}
	if len(there) == 0 {
		return
	}
	id := rapid.SampledFrom(there).Draw(r, "of the other")
	nobodys := "nobody-has-this"
	spelling := rapid.SampledFrom([]string{
		"ID", "ORG%2FID", "ORG%252FID", "..%2F..%2FSLUG%2Fdocuments%2FID", "%2e%2e/%2e%2e/SLUG/documents/ID", "../../SLUG/documents/ID", "ORG/ID", "ORG%00ID", "ID%00", "ID%20", "%20ID",
		"ORG:ID", "ORG.ID", "ORG%5CID", "ID;org=SLUG", "ID%3Forg=SLUG", "ID?org=SLUG", "ID?org_id=ORG", "%24ne", "%7B%22%24gt%22:%22%22%7D", "*", "%25", "ID%0d%0aX-Org:%20SLUG", "ID%EF%BC%8F", "./ID",
	}).Draw(r, "spelling")
	spelled := func(id string) string {
		return "/" + strings.NewReplacer("ID", id, "ORG", other.id, "SLUG", other.slug).Replace(spelling)
	}
	method := rapid.SampledFrom(methods).Draw(r, "method")
	body := map[string]string{"PUT": `{"data":{}}`, "PATCH": `{"reached":true}`}[method]
	condition := rapid.SampledFrom([][]string{nil, {"If-Match", "*"}, {"If-Match", `"1"`}, {"If-None-Match", "*"}, {"If-None-Match", `"1"`}}).Draw(r, "condition")
	target := "/v1/organizations/" + s.ref(r, n) + "/documents"
	a := s.send(r, me.token, method, target+spelled(id), body, condition...)
	b := s.send(r, me.token, method, target+spelled(nobodys), body, condition...)
	s.alike(r, fmt.Sprintf("%s of %s", method, spelled(id)), a, b, id, nobodys)
}

// trespass comes with its own token to where the other is, and to where nobody
// is: it cannot tell which is which.
func (s *street) trespass(r *rapid.T) {
	n := rapid.IntRange(0, 1).Draw(r, "who")
	me, other := s.neighbors[n], s.neighbors[1-n]
	there, nowhere := other.id, other.id[:35]+map[bool]string{true: "1", false: "0"}[other.id[35] == '0']
	if rapid.Bool().Draw(r, "by slug") {
		there, nowhere = other.slug, other.slug+"-x"
	}
	id := rapid.SampledFrom(append(slices.Sorted(maps.Keys(other.written)), "nobody-has-this")).Draw(r, "id")
	route := rapid.SampledFrom([][2]string{
		{"GET", "/documents/" + id}, {"HEAD", "/documents/" + id}, {"PUT", "/documents/" + id}, {"PATCH", "/documents/" + id}, {"DELETE", "/documents/" + id},
		{"GET", "/documents"}, {"GET", "/documents?cursor=" + other.cursor}, {"POST", "/documents"}, {"GET", ""}, {"PATCH", ""}, {"DELETE", ""},
		{"GET", "/placement"}, {"GET", "/owner"}, {"PATCH", "/owner"},
	}).Draw(r, "route")
	body := map[string]string{"PUT": `{"data":{}}`, "PATCH": `{"name":"Taken over"}`, "POST": `{"type":"note","data":{}}`}[route[0]]
	if strings.HasSuffix(route[1], "/owner") && route[0] == "PATCH" {
		body = `{"email":"taken@over.example"}`
	}
	headers := s.disguise(r, n)
	a := s.send(r, me.token, route[0], "/v1/organizations/"+there+route[1], body, headers...)
	b := s.send(r, me.token, route[0], "/v1/organizations/"+nowhere+route[1], body, headers...)
	s.alike(r, fmt.Sprintf("%s of %s", route[0], route[1]), a, b, there, nowhere)
	if route[0] != "HEAD" {
		s.expect(r, route[0]+" "+route[1], a, 404, "organization_not_found")
	}
}

// lookAround asks for what was done to the other, by its name and by the id of
// what was done.
func (s *street) lookAround(r *rapid.T) {
	n := rapid.IntRange(0, 1).Draw(r, "who")
	me, other := s.neighbors[n], s.neighbors[1-n]
	const all = "/v1/operations"
	there := s.items(r, s.send(r, other.token, "GET", all, ""))
	if len(there) == 0 {
		r.Fatal("nothing was done to it")
	}
	id, nobodys := there[0], string(app.NewID[app.OperationID]())
	a, b := s.send(r, me.token, "GET", all+"/"+id, ""), s.send(r, me.token, "GET", all+"/"+nobodys, "")
	s.alike(r, "an operation of the other", a, b, id, nobodys)
	s.expect(r, "an operation of the other", a, 404, "operation_not_found")
	for _, ref := range []string{other.id, other.slug} {
		nowhere := ref + "-x"
		a, b := s.send(r, me.token, "GET", all+"?organization="+ref, ""), s.send(r, me.token, "GET", all+"?organization="+nowhere, "")
		s.alike(r, "operations of the other", a, b, ref, nowhere)
	}
	for _, one := range s.items(r, s.send(r, me.token, "GET", all+"?limit=200", "")) {
		if slices.Contains(there, one) {
			r.Fatalf("operation %s of the other is listed", one)
		}
	}
}
