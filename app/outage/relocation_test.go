package outage_test

import (
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"tenantry/app/mongodb/mongotest"
)

// whole reports whether everything is asked for, and not only the most valuable
// of it. That takes an hour and more.
func whole() bool { return os.Getenv("TENANTRY_TEST_CRASH_MATRIX") == "whole" }

// place is where an organization is, or is to be.
type place struct{ cluster, isolation string }

func (p place) String() string { return p.cluster + "-" + p.isolation }

// settle makes an organization at a place, and gives its id and its owner's token.
func (s *site) settle(name string, at place) (id, token string) {
	s.t.Helper()
	body := creation(name, at.cluster)
	body["placement"] = object{"cluster": at.cluster, "isolation": at.isolation}
	slug := strings.ToLower(name)
	a, err := s.try("POST", "/v1/organizations", s.key, body)
	if err != nil || a.Status >= 300 {
		s.t.Fatalf("create %s: %v %s", name, err, a)
	}
	await(s.t, name+" is there", func() bool {
		a, err = s.try("GET", "/v1/organizations/"+slug, s.key, nil)
		return err == nil && a.Status == http.StatusOK
	})
	return a.Text("id"), s.login(name)
}

// furnish gives an organization so many documents, for something to move, and a
// book that has them.
func (s *site) furnish(org, token string, documents int) *book {
	s.t.Helper()
	b := &book{t: s.t, servers: []*site{s}, org: org, token: token, documents: map[string]*record{}}
	next := make(chan string)
	var making sync.WaitGroup
	for range 8 {
		making.Go(func() {
			for id := range next {
				b.send(http.StatusCreated, "POST", b.path(""), token, object{"id": id, "type": "n", "data": object{"state": "there"}})
			}
		})
	}
	for n := range documents {
		id := fmt.Sprintf("there-%04d", n)
		b.documents[id] = &record{possible: []string{"there@1"}}
		next <- id
	}
	close(next)
	making.Wait()
	return b
}

// relocate begins to move an organization.
func (s *site) relocate(org string, to place) (op string) {
	s.t.Helper()
	return s.want(http.StatusAccepted, "POST", "/v1/organizations/"+org+"/relocate", s.key,
		object{"cluster": to.cluster, "isolation": to.isolation}).Text("id")
}

// turn completes, reverts or cancels a relocation. Who has just begun to work on
// it is asked again.
func (s *site) turn(op, act string) {
	s.t.Helper()
	awaitEvery(s.t, look, act+" is taken", func() bool {
		a, err := s.try("POST", "/v1/operations/"+op+"/"+act, s.key, nil)
		if err != nil {
			s.t.Fatal(err)
		}
		if a.Status >= 300 && a.Text("code") != "change_in_progress" && a.Status != http.StatusServiceUnavailable {
			s.t.Fatalf("%s: %s", act, a)
		}
		return a.Status < 300
	})
}

// phases of a relocation, in their order.
var phases = []string{"preflight", "provisioning", "copying", "catching_up", "verifying", "cutover", "switched", "reverting"}

// look is how often somebody looks how far a relocation is.
const look = 30 * time.Millisecond

// comes waits until a relocation is in one of the states, as the servers tell it
// in turn, and gives how it is then.
func comes(t *testing.T, op string, servers []*site, states ...string) answer {
	t.Helper()
	var last answer
	awaitEvery(t, look, fmt.Sprintf("operation %s is %v", op, states), func() bool {
		for _, s := range servers {
			a, err := s.try("GET", "/v1/operations/"+op, s.key, nil)
			if err != nil || a.Status != http.StatusOK {
				continue
			}
			if last.Text("error") != a.Text("error") && a.Text("error") != "" {
				t.Logf("%s: %s", a.Text("state"), a.Text("error"))
			}
			last = a
			if state := a.Text("state"); slices.Contains(states, state) && (state != "switched" || strings.Contains(a.Body, `"revertible":true`)) {
				return true
			}
			switch a.Text("state") {
			case "failed", "completed", "reverted", "cancelled":
				t.Fatalf("it has ended: %s", a)
			}
			return false
		}
		return false
	})
	return last
}

// alone checks that all documents of an organization that there are on servers
// are in one collection: nothing is left where it was before.
func alone(t *testing.T, org string, servers ...*mongotest.Server) {
	t.Helper()
	found := map[string]int64{}
	for _, m := range servers {
		databases, err := m.Client().ListDatabaseNames(t.Context(), bson.D{})
		if err != nil {
			t.Fatal(err)
		}
		for _, database := range databases {
			collections, err := m.Client().Database(database).ListCollectionNames(t.Context(), bson.D{})
			if err != nil {
				t.Fatal(err)
			}
			for _, collection := range collections {
				n, err := m.Client().Database(database).Collection(collection).CountDocuments(t.Context(),
					bson.D{{Key: "org_id", Value: org}, {Key: "data", Value: bson.D{{Key: "$exists", Value: true}}}})
				if err != nil {
					t.Fatal(err)
				}
				if n > 0 {
					found[m.Address()+" "+database+"."+collection] = n
				}
			}
		}
	}
	if len(found) > 1 {
		t.Errorf("the organization has documents in %v", found)
	}
	t.Logf("documents: %v", found)
}
