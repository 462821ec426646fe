package cli_test

import (
	"fmt"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tenantry/app/mongodb/mongotest"
)

// The database is killed under load and comes back, again and again: what was
// acknowledged is there, what was refused is not half there, every request ends
// in time, and nobody starts the servers anew.
func TestTheDatabaseIsKilledUnderLoad(t *testing.T) {
	if testing.Short() {
		t.Skip("kills servers")
	}
	const outages, writers = 3, 8
	eachMongoDB(t, func(t *testing.T, s *mongotest.Server) {
		t.Parallel()
		if s.Kind != mongotest.Given {
			s = mongotest.Start(t, s.Kind)
		}
		crash := s.Crasher(t)
		const soon = "&serverSelectionTimeoutMS=3000&heartbeatFrequencyMS=500"
		env := onMongoDB(t, s)
		env[0], env[1] = env[0]+soon, env[1]+soon
		a, b := serve(t, dataDir(t), env...), serve(t, dataDir(t), env...)
		b.Key = a.Key
		a.create("Ledger")
		token := a.login("Ledger")

		var stop atomic.Bool
		var load sync.WaitGroup
		books := make([]*book, writers)
		for i := range books {
			books[i] = &book{t: t, server: []*server{a, b}[i%2], token: token, name: fmt.Sprintf("w%d", i), possible: map[string][]string{}}
			load.Go(func() { books[i].keep(&stop) })
		}
		written := func() (n int64) {
			for _, k := range books {
				n += k.acknowledged.Load()
			}
			return n
		}
		more := func(than int64) func() bool { return func() bool { return written() > than+5*writers } }
		for range outages {
			await(t, "writing goes on", more(written()))
			back := crash()
			if s.Members() { // the others elect a primary
				await(t, "writing goes on without it", more(written()))
			}
			back()
		}
		await(t, "writing goes on", more(written()))
		stop.Store(true)
		load.Wait()
		for i, k := range books {
			k.check([]*server{b, a}[i%2])
		}
		t.Logf("%d acknowledged writes, %d that were refused", written(), refusals(books))
		a.endsWell(b)
	})
}

func await(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(3 * time.Minute); !condition(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("it never came that %s", what)
		}
	}
}

// book is what one writer was answered.
type book struct {
	t            *testing.T
	server       *server
	token, name  string
	acknowledged atomic.Int64
	refused      int
	// possible are the states that each document may be in; "" is that it is not
	// there. One that was acknowledged is the only one.
	possible map[string][]string
	signUps  []string // organizations that were acknowledged
}

const ledgerDocuments = "/v1/organizations/ledger/documents"

// keep writes until told to stop. A document whose write was not acknowledged
// is left alone.
func (k *book) keep(stop *atomic.Bool) {
	for n := 0; !stop.Load(); n++ {
		if n%10 == 9 {
			k.signUp(fmt.Sprintf("%s org %d", k.name, n))
			continue
		}
		id := fmt.Sprintf("%s-%d", k.name, n)
		put := func(method, path, state string) bool {
			return k.write(id, state, []int{http.StatusOK}, method, path, fmt.Sprintf(`{"data":{"state":%q}}`, state))
		}
		if !k.write(id, "made", []int{http.StatusCreated}, "POST", ledgerDocuments, fmt.Sprintf(`{"id":%q,"type":"n","data":{"state":"made"}}`, id)) ||
			!put("PUT", ledgerDocuments+"/"+id, "replaced") ||
			!k.write(id, "patched", []int{http.StatusOK}, "PATCH", ledgerDocuments+"/"+id, `{"state":"patched"}`) {
			continue
		}
		if n%3 == 0 {
			// Not found: the stand-in forgets what it has answered when it is killed,
			// and the driver asks again. docs/mongodb-gaps.md has the line.
			k.write(id, "", []int{http.StatusNoContent, http.StatusNotFound}, "DELETE", ledgerDocuments+"/"+id, nil)
		}
	}
}

// write changes a document's state and reports whether that was acknowledged.
func (k *book) write(id, state string, want []int, method, path string, body any) bool {
	if len(k.possible[id]) == 0 {
		k.possible[id] = []string{""}
	}
	if k.send(want, method, path, body) {
		k.possible[id] = []string{state}
		return true
	}
	k.possible[id] = append(k.possible[id], state)
	return false
}

func (k *book) signUp(name string) {
	if k.send([]int{http.StatusCreated}, "POST", "/org/create", map[string]string{
		"organization_name": name, "email": email(name), "password": password}) {
		k.signUps = append(k.signUps, name)
	}
}

// send reports whether a request was answered as it should be. What is not must
// be refused as an outage is, and in time.
func (k *book) send(want []int, method, path string, body any) bool {
	began := time.Now()
	answer, err := k.server.try(method, path, k.token, body)
	switch took := time.Since(began); {
	case err != nil:
		k.t.Errorf("%s %s: %v", method, path, err)
	case slices.Contains(want, answer.Status):
		k.acknowledged.Add(1)
		return true
	case answer.Status != http.StatusServiceUnavailable || answer.Header.Get("Retry-After") == "":
		k.t.Errorf("%s %s: %d %s", method, path, answer.Status, answer.Body)
	case took > time.Minute:
		k.t.Errorf("%s %s: refused after %s", method, path, took)
	}
	k.refused++
	return false
}

// check compares the book with what a server says.
func (k *book) check(s *server) {
	k.t.Helper()
	for id, possible := range k.possible {
		answer, err := s.try("GET", ledgerDocuments+"/"+id, k.token, nil)
		if err != nil {
			k.t.Fatal(err)
		}
		now := ""
		if answer.Status != http.StatusNotFound {
			data, _ := answer.JSON["data"].(map[string]any)
			now = fmt.Sprint(data["state"])
		}
		if !slices.Contains(possible, now) {
			k.t.Errorf("document %s is %q (%d), and must be one of %q", id, now, answer.Status, possible)
		}
	}
	for _, name := range k.signUps {
		s.login(name)
	}
}

func refusals(books []*book) (n int) {
	for _, k := range books {
		n += k.refused
	}
	return n
}

// endsWell waits until no operation is open any more, and asks the doctor.
func (s *server) endsWell(doctor *server) {
	s.t.Helper()
	deadline := time.Now().Add(3 * time.Minute)
	for {
		open := s.want(http.StatusOK, "GET", "/v1/operations?state=running", s.Key, nil)
		if fmt.Sprint(open.JSON["items"]) == "[]" {
			break
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("still open: %s", open.Body)
		}
		time.Sleep(100 * time.Millisecond)
	}
	out, err := command(s.t, nil, "doctor", "--data-dir", doctor.Data).CombinedOutput()
	if err != nil {
		s.t.Errorf("doctor: %v\n%s", err, out)
	}
}
