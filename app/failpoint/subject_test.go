//go:build unix

package failpoint_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

const password, newPassword = "a-fairly-long-secret-7", "another-long-secret-8"

// subject is the organization that one case is about.
type subject struct {
	name  string
	id    string
	docs  []string // as they were answered
	story string   // what was done to it
	// acknowledged: the act was answered as done.
	acknowledged bool
}

func (s *subject) slug() string  { return strings.ToLower(strings.ReplaceAll(s.name, " ", "-")) }
func (s *subject) email() string { return s.slug() + "@crash.example" }

// after is what a rename makes of it.
func (s *subject) after() *subject { return &subject{name: s.name + " Renamed"} }

func (s *subject) creation() object {
	return object{"name": s.name, "owner": object{"email": s.email(), "password": password}}
}

// make creates it, with documents.
func (s *subject) make(p *process, documents int) {
	p.t.Helper()
	s.id = p.want(http.StatusCreated, "POST", "/v1/organizations", "", s.creation()).Text("id")
	token := s.login(p)
	for n := range documents {
		// What no float holds, and keys in an order of their own.
		data := json.RawMessage(fmt.Sprintf(`{"z":%d,"a.b":{"$c":"of %s"},"n":9007199254740993}`, n, s.name))
		a := p.want(http.StatusCreated, "POST", s.path()+"/documents", token, object{"id": fmt.Sprintf("d%03d", n), "type": "t", "data": data})
		s.docs = append(s.docs, a.Body)
	}
}

func (s *subject) path() string { return "/v1/organizations/" + s.slug() }

func (s *subject) login(p *process) string {
	p.t.Helper()
	return signIn(p, http.StatusOK, s.email(), password)
}

func signIn(p *process, status int, email, password string) string {
	p.t.Helper()
	return p.want(status, "POST", "/v1/auth/login", "", object{"email": email, "password": password}).Text("access_token")
}

// whole fails unless its documents are what they were, byte for byte.
func (s *subject) whole(p *process, token, path string) {
	p.t.Helper()
	list := p.want(http.StatusOK, "GET", path+"/documents?limit=200", token, nil)
	var page struct {
		Items []json.RawMessage `json:"items"`
	}
	if err := json.Unmarshal([]byte(list.Body), &page); err != nil {
		p.t.Fatal(err)
	}
	if len(page.Items) != len(s.docs) {
		p.t.Errorf("%s: it has %d documents instead of %d", s.story, len(page.Items), len(s.docs))
		return
	}
	for i, raw := range page.Items {
		if string(raw) != strings.TrimSpace(s.docs[i]) {
			p.t.Errorf("%s: a document is %s instead of %s", s.story, raw, s.docs[i])
		}
	}
}

// free fails unless somebody else can have its names, and inherits nothing.
func (s *subject) free(p *process) {
	p.t.Helper()
	other := subject{name: s.name, story: s.story}
	other.make(p, 0)
	other.whole(p, other.login(p), other.path())
	p.want(http.StatusNoContent, "DELETE", other.path(), p.key, nil)
}

// there gives the status of its organization; "" where there is none.
func (s *subject) there(p *process) string {
	p.t.Helper()
	a, err := p.ask("GET", s.path(), p.key, nil)
	switch {
	case err == nil && a.Status == http.StatusOK:
		return a.Text("state")
	case err == nil && a.Status == http.StatusNotFound:
		return ""
	}
	p.t.Fatalf("%s: %v, %d %s", s.story, err, a.Status, a.Body)
	return ""
}
