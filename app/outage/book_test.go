package outage_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"time"
)

// tooLong is more than any request may take here: requests end after ten
// seconds, and the machine may be busy.
const tooLong = 40 * time.Second

// pace is how long a writer rests between two writes if nobody says otherwise,
// so that what is measured is how soon it is answered, and not how busy it keeps
// the machine.
const pace = 5 * time.Millisecond

// book is what one writer was answered.
type book struct {
	t       *testing.T
	servers []*site // it asks whichever
	name    string  // the writer's
	org     string  // whose documents it writes, by its slug
	cluster string  // where it makes organizations; "": nowhere
	// founding: every so many things it does are making an organization; zero: 16.
	founding int
	token    string
	// forgetful is the database's forgetting what it has answered when it is
	// killed: docs/mongodb-gaps.md has the line.
	forgetful bool
	// mortal are servers that are killed: no answer may be one, too.
	mortal bool
	// brief: of what it makes it keeps little, so that there is not ever more.
	brief bool
	pace  time.Duration // zero: pace

	writes                int // done, well or not
	acknowledged, refused atomic.Int64
	longest               atomic.Int64 // nanoseconds that an acknowledged write took
	// documents by their ids, and by their marks where the server gives the id.
	documents, marked map[string]*record
	organizations     []*record
}

// record is one thing that a writer made.
type record struct {
	id, name string
	// possible are the states that it may be in; absent is one of them. One that
	// was acknowledged is the only one.
	possible []string
}

const absent = ""

// note is what becomes of a record by a write that was acknowledged, or not.
func (r *record) note(state string, acknowledged bool) bool {
	if acknowledged {
		r.possible = r.possible[:0]
	}
	r.possible = append(r.possible, state)
	return acknowledged
}

// write does the n-th thing. What was not acknowledged is left alone after.
func (b *book) write(n int) {
	switch {
	case n%b.founding == 1 && b.cluster != "":
		b.found(fmt.Sprintf("%s org %d", b.name, n))
	case n%8 == 4 && (!b.brief || n%32 == 4):
		mark := fmt.Sprintf("%s-%d", b.name, n)
		r := &record{possible: []string{absent}}
		b.marked[mark] = r
		r.note("there", b.send(http.StatusCreated, "POST", b.path(""), b.token, object{"type": "n", "data": object{"mark": mark}}))
	default:
		b.live(fmt.Sprintf("%s-%d", b.name, n), n)
	}
}

// path is that of the documents, or of one.
func (b *book) path(id string) string {
	if id != "" {
		id = "/" + id
	}
	return "/v1/organizations/" + b.org + "/documents" + id
}

// live is the life of one document. Its revision counts its writes, and so
// tells what was done twice.
func (b *book) live(id string, n int) {
	r := &record{id: id, possible: []string{absent}}
	b.documents[id] = r
	post := func(state string) bool {
		return r.note(state+"@1", b.send(http.StatusCreated, "POST", b.path(""), b.token, object{"id": id, "type": "n", "data": object{"state": state}}))
	}
	if !post("made") ||
		!r.note("replaced@2", b.send(http.StatusOK, "PUT", b.path(id), b.token, object{"data": object{"state": "replaced"}})) ||
		!r.note("patched@3", b.send(http.StatusOK, "PATCH", b.path(id), b.token, object{"state": "patched"})) || b.keeps(n) {
		return
	}
	if r.note(absent, b.send(http.StatusNoContent, "DELETE", b.path(id), b.token, nil)) && n%2 == 0 && !b.brief {
		post("again") // which a deletion that comes twice would take away
	}
}

func (b *book) keeps(n int) bool {
	if b.brief {
		return n%8 == 1
	}
	return n%3 != 0
}

// found makes an organization, and gives it another name.
func (b *book) found(name string) {
	r := &record{name: name, possible: []string{absent}}
	b.organizations = append(b.organizations, r)
	made, acknowledged := b.ask(http.StatusCreated, "POST", "/v1/organizations", b.servers[0].key, creation(name, b.cluster))
	if !r.note(name, acknowledged) {
		return
	}
	r.id = made.Text("id")
	r.note(name+" renamed", b.send(http.StatusOK, "PATCH", "/v1/organizations/"+r.id, b.servers[0].key, object{"name": name + " renamed"}))
}

func (b *book) through() *site { return b.servers[rand.IntN(len(b.servers))] }

func (b *book) send(want int, method, path, token string, body any) bool {
	_, acknowledged := b.ask(want, method, path, token, body)
	return acknowledged
}

// ask reports whether a request was answered as it should be. What is not must
// be refused as an outage is, and in time.
func (b *book) ask(want int, method, path, token string, body any) (answer, bool) {
	began := time.Now()
	a, err := b.through().try(method, path, token, body)
	took := time.Since(began)
	if took > tooLong {
		b.t.Errorf("%s %s: answered after %s", method, path, took)
	}
	switch {
	case err != nil && b.mortal:
	case err != nil:
		b.t.Errorf("%s %s: %v", method, path, err)
	case a.Status == want, b.forgetful && method == "DELETE" && a.Status == http.StatusNotFound:
		b.acknowledged.Add(1)
		b.longest.Store(max(b.longest.Load(), int64(took)))
		time.Sleep(b.pace)
		return a, true
	case a.Status == http.StatusAccepted: // it goes on, and its end is not known yet
	case a.Status != http.StatusServiceUnavailable || a.Header.Get("Retry-After") == "":
		b.t.Errorf("%s %s: %s", method, path, a)
	}
	b.refused.Add(1)
	time.Sleep(max(b.pace, 20*time.Millisecond)) // who is told to try again shortly does not do so at once
	return a, false
}

// check compares the book with what a server says.
func (b *book) check(s *site) {
	b.t.Helper()
	states, marks := b.present(s)
	for id, r := range b.documents {
		if now := states[id]; !slices.Contains(r.possible, now) {
			b.t.Errorf("document %s is %q, and must be one of %q", id, now, r.possible)
		}
	}
	for mark, r := range b.marked {
		want := len(r.possible) == 1
		if n := marks[mark]; n > 1 || n == 0 && want {
			b.t.Errorf("the document with the mark %s is there %d times; acknowledged: %t", mark, n, want)
		}
	}
	for _, r := range b.organizations {
		r.check(b, s)
	}
}

// present reads all documents of the organization.
func (b *book) present(s *site) (states map[string]string, marks map[string]int) {
	b.t.Helper()
	states, marks = map[string]string{}, map[string]int{}
	for cursor := ""; ; {
		page := s.want(http.StatusOK, "GET", b.path("")+"?limit=200"+cursor, b.token, nil)
		items, _ := page.JSON["items"].([]any)
		for _, item := range items {
			d, _ := item.(map[string]any)
			data, _ := d["data"].(map[string]any)
			if mark, is := data["mark"].(string); is {
				marks[mark]++
				continue
			}
			states[fmt.Sprint(d["id"])] = fmt.Sprintf("%v@%v", data["state"], d["revision"])
		}
		next := page.Text("next_cursor")
		if next == "" {
			return states, marks
		}
		cursor = "&cursor=" + next
	}
}

// check sees whether an organization is there wholly, under one of the names
// that it may have, or not at all, so that its name can be taken.
func (r *record) check(b *book, s *site) {
	b.t.Helper()
	in, err := s.try("POST", "/admin/login", "", object{"email": email(r.name), "password": password})
	if err != nil {
		b.t.Fatal(err)
	}
	if in.Status == http.StatusUnauthorized && slices.Contains(r.possible, absent) {
		s.create(r.name, b.cluster)
		return
	}
	if in.Status != http.StatusOK {
		b.t.Errorf("the owner of %s cannot sign in: %s; possible: %q", r.name, in, r.possible)
		return
	}
	token := in.Text("access_token")
	path := "/v1/organizations/" + s.want(http.StatusOK, "GET", "/v1/me", token, nil).Text("organization_id")
	if now := s.want(http.StatusOK, "GET", path, token, nil).Text("name"); !slices.Contains(r.possible, now) {
		b.t.Errorf("%s is named %q, and must be one of %q", r.name, now, r.possible)
	}
	s.want(http.StatusCreated, "POST", path+"/documents", token, object{"type": "n", "data": object{}})
}
