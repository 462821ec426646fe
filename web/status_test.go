package web

import (
	"context"
	"errors"
	"strconv"
	"testing"

	"tenantry/app"
)

// sick is a cluster that says it is not well.
type sick struct {
	app.Cluster
	health error
}

func (s sick) Health(context.Context) error { return s.health }

func TestStatus(t *testing.T) {
	ill := errors.New("the disk says no")
	w := newWorld(t, func(s *settings) {
		s.cluster = func(c app.Cluster) app.Cluster { return sick{c, ill} }
	})
	w.tenant()
	suspended := w.tenant()
	w.expect(w.do("POST", "/v1/organizations/"+suspended.id+"/suspend", w.operator, nil), 200, "")
	count := func(path string) int {
		t.Helper()
		a := w.do("GET", "/v1/status", w.operator, nil)
		w.expect(a, 200, "")
		n, err := strconv.Atoi(a.field(path))
		if err != nil {
			t.Fatalf("%s: %v", path, a)
		}
		return n
	}
	for path, want := range map[string]int{
		"organizations.active": 1, "organizations.suspended": 1, "organizations.deleted": 0,
		"clusters.0.organizations": 2, "requests.in_flight": 1, "requests.failed": 0, "operations_running": 0,
	} {
		if got := count(path); got != want {
			t.Errorf("%s: got %d, want %d", path, got, want)
		}
	}
	before := count("requests.answered")
	if again := count("requests.answered"); again != before {
		t.Errorf("asking counts itself: %d after %d", again, before)
	}
	w.do("GET", "/healthz", "", nil)
	if after := count("requests.answered"); after != before+1 {
		t.Errorf("answered: got %d, want %d", after, before+1)
	}
	a := w.do("GET", "/v1/status", w.operator, nil)
	if a.field("clusters.0.status") != "failing" || a.field("clusters.0.detail") != "See the server's log." {
		t.Error("what is wrong with a cluster is told as it came, or not at all:", a)
	}
}

func TestStatusCountsFailures(t *testing.T) {
	w := newWorld(t)
	m := w.server.metrics.of("GET", "/somewhere")
	m.observe(503, 0)
	m.observe(404, 0)
	a := w.do("GET", "/v1/status", w.operator, nil)
	if a.field("requests.failed") != "1" {
		t.Error(a)
	}
}

func TestOwner(t *testing.T) {
	w := newWorld(t)
	o, other := w.tenant(), w.tenant()
	path := "/v1/organizations/" + o.slug + "/owner"
	a := w.do("GET", path, w.operator, nil)
	w.expect(a, 200, "")
	if a.field("email") != o.email || a.field("id") == "" {
		t.Error(a)
	}
	w.expect(w.do("PATCH", path, w.operator, `{"email":"`+other.email+`"}`), 409, "email_taken")
	a = w.do("PATCH", path, w.operator, `{"email":"no address","password":"short"}`)
	if a.status != 422 || a.field("errors.0.location") != "email" || a.field("errors.1.location") != "password" {
		t.Error(a)
	}
	a = w.do("PATCH", path, w.operator, `{"email":"New.Owner@example.com"}`)
	w.expect(a, 200, "")
	if a.field("email") != "New.Owner@example.com" {
		t.Error(a)
	}
	// A new password ends the sign-ins and is the one from then on.
	w.expect(w.do("PATCH", path, o.token, `{"password":"another-good-one"}`), 200, "")
	w.expect(w.do("GET", path, o.token, nil), 401, "session_ended")
	w.expect(w.do("POST", "/v1/auth/login", "", `{"email":"new.owner@example.com","password":"another-good-one"}`), 200, "")
	w.expect(w.do("PATCH", path, w.operator, `{"password":"another-good-two"}`), 200, "")
	w.expect(w.do("POST", "/v1/auth/login", "", `{"email":"new.owner@example.com","password":"another-good-two"}`), 200, "")
}
