package cli_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tenantry/app/mongodb/mongotest"
)

// keyed is a creation with an idempotency key, and what it was answered first.
type keyed struct {
	n           int
	token       string
	first       answer
	acknowledge sync.Once
}

// manyKeyed are creations by both routes, by an operator and by nobody known.
func manyKeyed(n int, operator string) []*keyed {
	all := make([]*keyed, n)
	for i := range all {
		all[i] = &keyed{n: i}
		if i%4 == 3 {
			all[i].token = operator
		}
	}
	return all
}

func (k *keyed) name() string { return fmt.Sprintf("Keyed %d", k.n) }

// request gives the route and the body, which is the same each time.
func (k *keyed) request() (path, body string) {
	if k.n%2 == 0 {
		return "/org/create", fmt.Sprintf(`{"organization_name":%q,"email":%q,"password":%q}`, k.name(), email(k.name()), password)
	}
	return "/v1/organizations", fmt.Sprintf(`{"name":%q,"owner":{"email":%q,"password":%q}}`, k.name(), email(k.name()), password)
}

func (k *keyed) try(s *server) (answer, error) {
	path, body := k.request()
	return s.try("POST", path, k.token, body, "Idempotency-Key", fmt.Sprintf("key-%d", k.n))
}

// done asks until there is an answer that lasts, as a client does who believes
// what it is told: to wait while the first request is on its way, or while the
// server has too much to do. Each answer must be the first one, byte for byte.
func (k *keyed) done(t *testing.T, s *server) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(50 * time.Millisecond) {
		a, err := k.try(s)
		switch {
		case err != nil:
			t.Errorf("%s: %v", k.name(), err)
			return
		case a.Status == http.StatusCreated:
			k.answered(t, a)
			return
		case a.Status == http.StatusConflict && a.Text("code") == "idempotency_key_in_use" && a.Header.Get("Retry-After") != "":
		case a.Status == http.StatusAccepted: // it takes longer than a caller waits
		case a.Status == http.StatusServiceUnavailable && a.Header.Get("Retry-After") != "":
		default:
			t.Errorf("%s: %d %s", k.name(), a.Status, a.Body)
			return
		}
		if time.Now().After(deadline) {
			t.Errorf("%s: still %d %s", k.name(), a.Status, a.Body)
			return
		}
	}
}

// answered compares an answer with the first one.
func (k *keyed) answered(t *testing.T, a answer) {
	t.Helper()
	k.acknowledge.Do(func() { k.first = a })
	for _, header := range []string{"Location", "ETag"} {
		if a.Header.Get(header) != k.first.Header.Get(header) {
			t.Errorf("%s: %s is %q, and was %q", k.name(), header, a.Header.Get(header), k.first.Header.Get(header))
		}
	}
	if a.Body != k.first.Body {
		t.Errorf("%s is answered\n%s\nand was first\n%s", k.name(), a.Body, k.first.Body)
	}
}

// allDone asks each server for each creation, all at once.
func allDone(t *testing.T, all []*keyed, servers ...*server) {
	t.Helper()
	var wg sync.WaitGroup
	for _, k := range all {
		for _, s := range servers {
			wg.Go(func() { k.done(t, s) })
		}
	}
	wg.Wait()
}

// eachOnce checks that there is one organization for each creation, whose owner
// can sign in, and none beside.
func eachOnce(t *testing.T, all []*keyed, s *server, operator string) {
	t.Helper()
	list := s.want(http.StatusOK, "GET", "/v1/organizations?limit=200", operator, nil)
	items, _ := list.JSON["items"].([]any)
	there := map[string]int{}
	for _, item := range items {
		o, _ := item.(map[string]any)
		there[fmt.Sprint(o["id"])]++
	}
	if len(items) != len(all) {
		t.Errorf("there are %d organizations, and %d were created", len(items), len(all))
	}
	for _, k := range all {
		if id := k.first.Text("id"); there[id] != 1 {
			t.Errorf("%s, which was answered as %s, is there %d times", k.name(), id, there[id])
		}
		s.login(k.name())
	}
}

// others checks that another body under a key is refused, and that somebody
// else's key of the same spelling is another.
func others(t *testing.T, k *keyed, s *server) {
	t.Helper()
	path, body := k.request()
	another := strings.Replace(body, k.name(), k.name()+" again", 1)
	key := []string{"Idempotency-Key", fmt.Sprintf("key-%d", k.n)}
	a := s.want(http.StatusUnprocessableEntity, "POST", path, k.token, another, key...)
	if a.Text("code") != "idempotency_key_reused" {
		t.Errorf("another body: %s", a.Body)
	}
	a, err := s.try("POST", path, s.login(k.name()), body, key...)
	if err != nil || a.Status == http.StatusCreated || a.Text("code") != "organization_name_taken" {
		t.Errorf("as somebody else's: %v %s", err, a)
	}
}

// Two servers are sent the same creations with the same keys at the same time:
// each is done once, and both answer the first result. So do those that are
// started when both are gone.
func TestOneKeyThroughTwoServers(t *testing.T) {
	eachMongoDB(t, func(t *testing.T, s *mongotest.Server) {
		t.Parallel()
		env := onMongoDB(t, s)
		a, b := serve(t, dataDir(t), env...), serve(t, dataDir(t), env...)
		all := manyKeyed(32, a.Key)
		allDone(t, all, a, b)
		eachOnce(t, all, b, a.Key)
		others(t, all[6], b)
		others(t, all[7], b)
		stopped(t, a)
		b.kill()
		next := serve(t, dataDir(t), env...)
		// Whatever became of them since.
		next.want(http.StatusNoContent, "DELETE", "/v1/organizations/keyed-0", a.Key, nil)
		next.want(http.StatusOK, "PUT", "/org/update", a.Key, map[string]string{
			"organization_name": "Keyed 2", "new_organization_name": "Renamed", "email": "renamed@test.example"})
		allDone(t, all, next)
	})
}

// The same on the embedded engine, whose server is killed.
func TestOneKeyAfterARestart(t *testing.T) {
	t.Parallel()
	data := dataDir(t)
	first := serve(t, data)
	key := first.Key
	all := manyKeyed(32, key)
	allDone(t, all, first, first)
	eachOnce(t, all, first, key)
	others(t, all[6], first)
	others(t, all[7], first)
	first.kill()
	next := serve(t, data)
	allDone(t, all, next)
	stopped(t, next)
	next = serve(t, data)
	allDone(t, all, next)
	eachOnce(t, all, next, key)
}

// A server is killed in the middle of creations, and the clients go to another
// one with the same keys: each is done once, and those that the dead one had
// acknowledged are answered as it did.
func TestOneKeyThroughAKilledServer(t *testing.T) {
	if testing.Short() {
		t.Skip("waits until leases run out")
	}
	through := func(t *testing.T, rounds int, next func() (dies, lives *server)) {
		luck := seeded(t)
		for range rounds {
			dies, lives := next()
			all := manyKeyed(24, dies.Key)
			var wg sync.WaitGroup
			var acknowledged atomic.Int32
			for _, k := range all {
				wg.Go(func() {
					if a, err := k.try(dies); err == nil && a.Status == http.StatusCreated {
						k.answered(t, a)
						acknowledged.Add(1)
					}
				})
			}
			enough := luck.Int32N(int32(len(all) / 2))
			waitUntil(t, func() bool { return acknowledged.Load() >= enough })
			dies.kill()
			wg.Wait()
			if lives == nil {
				lives = serve(t, dies.Data)
			}
			allDone(t, all, lives)
			eachOnce(t, all, lives, dies.Key)
			t.Logf("%d of %d were acknowledged before it was killed", acknowledged.Load(), len(all))
		}
	}
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		through(t, 3, func() (*server, *server) { return serve(t, dataDir(t)), nil })
	})
	for _, kind := range mongotest.Kinds() {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			s := mongotest.Shared(t, kind)
			if kind != mongotest.Given {
				// One of its own: the stand-in waits for the transactions of killed clients
				// when their database is dropped.
				s = mongotest.Start(t, kind, mongotest.ShortTransactions...)
			}
			through(t, 1, func() (*server, *server) {
				env := onMongoDB(t, s)
				return serve(t, dataDir(t), env...), serve(t, dataDir(t), env...)
			})
		})
	}
}
