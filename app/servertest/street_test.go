package servertest_test

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"pgregory.net/rapid"
)

// reply is an answer, and what of it may differ between two requests that are
// told the same taken out.
type reply struct {
	status int
	header http.Header
	body   string
	object map[string]any
}

func (a reply) text(field string) string { text, _ := a.object[field].(string); return text }

func (a reply) code() string {
	if list, _ := a.object["errors"].([]any); len(list) > 0 {
		one, _ := list[0].(map[string]any)
		code, _ := one["code"].(string)
		return code
	}
	return a.text("code")
}

// send sends a request whose target is taken as it is.
func (s *street) send(r *rapid.T, token, method, target, body string, headers ...string) reply {
	r.Helper()
	request, err := http.NewRequestWithContext(r.Context(), method, "http://"+s.host, strings.NewReader(body))
	if err != nil {
		r.Fatal(err)
	}
	request.URL = &url.URL{Scheme: "http", Host: s.host, Opaque: target}
	request.Header.Set("Content-Type", "application/json")
	if method == http.MethodPatch {
		request.Header.Set("Content-Type", "application/merge-patch+json")
	}
	request.Header.Set("Authorization", "Bearer "+token)
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		r.Fatalf("%s %s: %v", method, target, err)
	}
	defer func() { _ = response.Body.Close() }()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		r.Fatalf("%s %s: %v", method, target, err)
	}
	a := reply{status: response.StatusCode, header: response.Header, body: string(raw)}
	_ = json.Unmarshal(raw, &a.object) // not every answer is one
	if a.status >= 500 {
		r.Fatalf("%s %s: answered %d %.300s", method, target, a.status, a.body)
	}
	return a
}

// as sends a request of one of both to its own documents.
func (s *street) as(r *rapid.T, n int, method, path, body string, headers ...string) reply {
	r.Helper()
	headers = append(s.disguise(r, n), headers...)
	return s.send(r, s.neighbors[n].token, method, "/v1/organizations/"+s.ref(r, n)+"/documents"+path, body, headers...)
}

func (s *street) ref(r *rapid.T, n int) string {
	return rapid.SampledFrom([]string{s.neighbors[n].slug, s.neighbors[n].id}).Draw(r, "by")
}

// disguise are headers by which proxies and frameworks are told another target,
// or another tenant.
func (s *street) disguise(r *rapid.T, n int) []string {
	other := s.neighbors[1-n]
	documents := "/v1/organizations/" + other.slug + "/documents"
	return rapid.SampledFrom([][]string{
		nil, nil, nil, {"X-Organization-Id", other.id}, {"X-Tenant", other.slug}, {"X-Tenant-Id", other.id}, {"X-Org", other.slug},
		{"X-Original-Url", documents}, {"X-Rewrite-Url", documents}, {"X-Forwarded-Prefix", "/v1/organizations/" + other.slug},
		{"X-Forwarded-Host", other.slug}, {"Forwarded", "host=" + other.slug}, {"X-Http-Method-Override", "DELETE"}, {"X-Request-Id", other.id},
		{"Idempotency-Key", "the same of both"}, {"Cookie", "org=" + other.slug + "; token=" + other.token}, {"X-Authorization", "Bearer " + other.token},
	}).Draw(r, "header")
}

// draw gives who acts and on which id: words that mean something elsewhere, and
// those of the other.
func (s *street) draw(r *rapid.T) (n int, me *neighbor, id string) {
	n = rapid.IntRange(0, 1).Draw(r, "who")
	a, b := s.neighbors[0], s.neighbors[1]
	if there := slices.Sorted(maps.Keys(s.neighbors[rapid.IntRange(0, 1).Draw(r, "whose")].written)); len(there) > 0 && rapid.Bool().Draw(r, "there") {
		return n, s.neighbors[n], rapid.SampledFrom(there).Draw(r, "id")
	}
	id = rapid.SampledFrom([]string{"a", "A", "b", "~", "-", ".a", "_id", "org_id", "id", "shared", "query", "bulk", "export", a.id, b.id,
		a.id + "-a", b.id + ".a", a.slug, b.slug, "0", a.id[:35], b.id[:35] + "~"}).Draw(r, "id")
	return n, s.neighbors[n], id
}

func (s *street) data(r *rapid.T, n int) string {
	other := s.neighbors[1-n].id
	return rapid.SampledFrom([]string{
		`{}`, `{"a":1}`, `{"org_id":"` + other + `"}`, `{"_id":"` + other + `/a"}`, `{"$set":{"org_id":"` + other + `"}}`, `{"id":"b","type":"note","revision":9}`,
	}).Draw(r, "data")
}

var kinds = []string{"note", "org_id", "$ne", "-", "shared"}

// kind is a type; the documents' own rules allow only some of them.
func kind(r *rapid.T) string {
	return rapid.SampledFrom([]string{"note", "org_id", "-", "shared"}).Draw(r, "type")
}

func (s *street) expect(r *rapid.T, what string, a reply, status int, code string) {
	r.Helper()
	if a.status != status || code != "" && a.code() != code {
		r.Fatalf("%s: answered %d %.500s\nwant %d %s", what, a.status, a.body, status, code)
	}
}

// is checks that an answer is this document.
func (s *street) is(r *rapid.T, what string, a reply, status int, id string, d written) {
	r.Helper()
	var got struct {
		ID       string          `json:"id"`
		Type     string          `json:"type"`
		Revision int             `json:"revision"`
		Data     json.RawMessage `json:"data"`
	}
	if err := json.Unmarshal([]byte(a.body), &got); err != nil || a.status != status || got.ID != id ||
		(written{got.Type, string(got.Data), got.Revision}) != d || a.header.Get("ETag") != fmt.Sprintf("%q", fmt.Sprint(d.Revision)) {
		r.Fatalf("%s: answered %d, ETag %s, %.500s (%v)\nwant %d %s %+v", what, a.status, a.header.Get("ETag"), a.body, err, status, id, d)
	}
}

// compare reads all that both have.
func (s *street) compare(r *rapid.T) {
	for _, me := range s.neighbors {
		want := s.listed(me, "", "")
		a := s.send(r, me.token, "GET", "/v1/organizations/"+me.id+"/documents?limit=200", "")
		s.page(r, "all", a, &want, 200)
	}
}

// beginAnew removes all that both have.
func (s *street) beginAnew(r *rapid.T) {
	for _, me := range s.neighbors {
		path := "/v1/organizations/" + me.id + "/documents"
		for _, id := range s.items(r, s.send(r, me.token, "GET", path+"?limit=200", "")) {
			s.expect(r, "remove", s.send(r, me.token, "DELETE", path+"/"+id, ""), 204, "")
		}
		me.written = map[string]written{}
	}
}
