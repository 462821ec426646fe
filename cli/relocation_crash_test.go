package cli_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"time"
)

// page is one writer's own list of what was acknowledged to it over HTTP.
type page struct {
	n    int
	acts int
	has  map[string]written
	// unsure is what an act was about whose answer did not come: it may have
	// happened.
	unsure string
	maybe  written
	wrong  error
}

type written struct {
	revision float64 // 0: there is none
	n        int
}

// act does one thing through a server, and reports whether it was answered.
func (p *page) act(s *server, docs, token string) bool {
	id := fmt.Sprintf("w%02d-%03d", p.n, rand.IntN(80))
	p.acts++
	was := p.has[id]
	next := written{was.revision + 1, p.acts}
	data := map[string]any{"n": p.acts}
	method, path, body := "PATCH", docs+"/"+id, any(data)
	switch act := rand.IntN(4); {
	case was.revision == 0:
		method, path, body = "POST", docs, map[string]any{"id": id, "type": "t", "data": data}
	case act == 0:
		method, body, next = "DELETE", nil, written{}
	case act == 1:
		method, body = "PUT", map[string]any{"data": data}
	}
	a, err := s.try(method, path, token, body)
	switch {
	case err != nil:
		p.unsure, p.maybe = id, next
		return false
	case a.Status >= 300:
		p.wrong = fmt.Errorf("%s %s at revision %v: %d %s", method, path, was.revision, a.Status, a.Body)
		return false
	}
	p.has[id] = next
	if next.revision == 0 {
		delete(p.has, id)
	}
	return true
}

// clear finds out whether what was not answered has happened.
func (p *page) clear(s *server, docs, token string) error {
	if p.unsure == "" {
		return nil
	}
	a, err := s.try("GET", docs+"/"+p.unsure, token, nil)
	if err != nil {
		return err
	}
	now := writtenOf(a.JSON)
	if a.Status == http.StatusNotFound {
		now = written{}
	}
	if now != p.has[p.unsure] && now != p.maybe {
		return fmt.Errorf("%s is %s, and was %+v or %+v", p.unsure, a.Body, p.has[p.unsure], p.maybe)
	}
	p.has[p.unsure] = now
	if now.revision == 0 {
		delete(p.has, p.unsure)
	}
	p.unsure = ""
	return nil
}

func writtenOf(doc map[string]any) written {
	revision, _ := doc["revision"].(float64)
	data, _ := doc["data"].(map[string]any)
	n, _ := data["n"].(float64)
	return written{revision, int(n)}
}

// compare compares all pages with what is there.
func compare(t *testing.T, s *server, docs, token string, pages []*page) {
	t.Helper()
	want := map[string]written{}
	for _, p := range pages {
		for id, w := range p.has {
			want[id] = w
		}
	}
	cursor, seen := "", map[string]bool{}
	for {
		a := s.want(http.StatusOK, "GET", docs+"?limit=200"+cursor, token, nil)
		var list struct {
			Items []map[string]any `json:"items"`
			Next  string           `json:"next_cursor"`
		}
		if err := json.Unmarshal([]byte(a.Body), &list); err != nil {
			t.Fatal(err)
		}
		for _, d := range list.Items {
			id, _ := d["id"].(string)
			if got := writtenOf(d); got != want[id] || seen[id] {
				t.Errorf("%s is there as %+v, and was acknowledged as %+v", id, got, want[id])
			}
			seen[id] = true
		}
		if list.Next == "" {
			break
		}
		cursor = "&cursor=" + url.QueryEscape(list.Next)
	}
	if len(seen) != len(want) {
		t.Errorf("%d documents are there, and %d were acknowledged", len(seen), len(want))
	}
}

// The server that moves an organization is killed at a random instant, again
// and again, while 16 clients write to it. Whatever was acknowledged is there,
// and in one place.
func TestKilledWhileMoving(t *testing.T) {
	data := dataDir(t)
	env := []string{"TENANTRY_CLUSTERS_DEFAULT_URL=sqlite:clusters/default", "TENANTRY_CLUSTERS_OTHER_URL=sqlite:clusters/other",
		"TENANTRY_RELOCATION_DOCUMENTS_PER_SECOND=3000", "TENANTRY_OPERATION_WAIT=10ms", "TENANTRY_CUTOVER_TIMEOUT=10s"}
	pages := make([]*page, 16)
	for i := range pages {
		pages[i] = &page{n: i, has: map[string]written{}}
	}
	const org = "/v1/organizations/acme"
	var key, op string
	ends := map[string]int{}
	rounds := 2 * crashRounds(t)
	for round := 0; round <= rounds; round++ {
		s := serve(t, data, env...)
		if round == 0 {
			key = s.Key
			if a, err := s.try("POST", "/org/create", "", map[string]string{"organization_name": "Acme", "email": email("Acme"), "password": password}); err != nil || a.Status >= 300 {
				t.Fatal(err, a)
			}
			waitUntil(t, func() bool { a, err := s.try("GET", org, key, nil); return err == nil && a.Status == http.StatusOK })
		}
		token := s.login("Acme")
		for _, p := range pages {
			if err := p.clear(s, org+"/documents", token); err != nil {
				t.Fatal(err)
			}
		}
		if round == rounds {
			settleDown(t, s, org, op, key)
			compare(t, s, org+"/documents", token, pages)
			if err := s.stop(); err != nil {
				t.Errorf("serve ended with %v", err)
			}
			break
		}
		var writing sync.WaitGroup
		for _, p := range pages {
			writing.Go(func() {
				for p.act(s, org+"/documents", token) {
				}
			})
		}
		op = nextMove(t, s, org, op, key, ends)
		time.Sleep(time.Duration(rand.IntN(900)) * time.Millisecond)
		s.kill()
		writing.Wait()
		for _, p := range pages {
			if p.wrong != nil {
				t.Fatal(p.wrong)
			}
		}
	}
	acts := 0
	for _, p := range pages {
		acts += p.acts
	}
	t.Logf("%d kills, %d acts; relocations as they were met after a start: %v", rounds, acts, ends)
	out, err := command(t, env, "doctor", "--data-dir", data).CombinedOutput()
	if err != nil {
		t.Errorf("doctor: %v\n%s", err, out)
	}
}

// nextMove begins a relocation where there is none, and turns one that has
// switched; it gives the operation that is under way.
func nextMove(t *testing.T, s *server, org, op, key string, met map[string]int) string {
	t.Helper()
	if op != "" {
		a := s.want(http.StatusOK, "GET", "/v1/operations/"+op, key, nil)
		state := a.Text("state")
		met[state]++
		switch state {
		case "completed", "reverted", "failed", "cancelled":
		case "switched":
			act := []string{"/complete", "/revert", "/revert"}[rand.IntN(3)]
			if a, err := s.try("POST", "/v1/operations/"+op+act, key, nil); err != nil || a.Status >= 300 && a.Status != http.StatusConflict {
				t.Fatalf("%s: %v %+v", act, err, a)
			}
			return op
		default:
			return op
		}
		if state == "failed" {
			t.Fatalf("a relocation failed: %s", a.Body)
		}
	}
	places := []map[string]string{{"cluster": "other", "isolation": "shared"}, {"cluster": "default", "isolation": "database"},
		{"cluster": "other", "isolation": "collection"}, {"cluster": "default", "isolation": "collection"}}
	for _, i := range rand.Perm(len(places)) {
		a, err := s.try("POST", org+"/relocate", key, places[i])
		if err != nil {
			t.Fatal(err)
		}
		if a.Status < 300 {
			return a.Text("id")
		}
		if a.Text("code") != "already_there" {
			t.Fatalf("relocate: %+v", a)
		}
	}
	return ""
}

// settleDown waits until the last relocation has switched, and completes it.
func settleDown(t *testing.T, s *server, org, op, key string) {
	t.Helper()
	waitUntil(t, func() bool {
		a := s.want(http.StatusOK, "GET", "/v1/operations/"+op, key, nil)
		switch a.Text("state") {
		case "completed", "reverted":
			return true
		case "switched":
			_, err := s.try("POST", "/v1/operations/"+op+"/complete", key, nil)
			return err != nil
		}
		return false
	})
	a := s.want(http.StatusOK, "GET", org+"/placement", key, nil)
	t.Logf("in the end: %s", a.Body)
}

func waitUntil(t *testing.T, f func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !f(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it never came true")
		}
	}
}
