package web

import (
	"context"
	"testing"
	"time"

	"tenantry/app/tenancy"
)

func retained(d time.Duration) func(*settings) {
	return func(s *settings) { s.tenancy = func(c *tenancy.Config) { c.DeletionRetention = d } }
}

func TestDeletionCanBeTakenBack(t *testing.T) {
	w := newWorld(t, retained(time.Hour))
	o, stranger := w.tenant(), w.tenant()
	at := w.document(o, `{"a":1}`)
	org := "/v1/organizations/" + o.slug
	w.expect(w.do("POST", org+"/restore", w.operator, nil), 409, "organization_not_deleted")

	deleted := w.do("DELETE", org, o.token, nil)
	w.expect(deleted, 202, "")
	if deleted.field("kind") != "delete" || deleted.field("due_at") == "" {
		t.Error("the answer:", deleted)
	}
	// Its data is refused to everybody, its names stay taken.
	w.expect(w.do("GET", at, o.token, nil), 401, "session_ended")
	w.expect(w.do("GET", at, w.operator, nil), 403, "operator_not_member")
	w.expect(w.do("GET", org, stranger.token, nil), 404, "organization_not_found")
	w.expect(w.do("POST", "/v1/auth/login", "", map[string]string{"email": o.email, "password": o.password}), 401, "membership_required")
	w.expect(w.do("GET", "/org/get?organization_name="+o.slug, "", nil), 404, "organization_not_found")
	w.expect(w.do("POST", "/v1/organizations", "", map[string]any{
		"name": o.name, "owner": map[string]string{"email": "next@acme.example", "password": o.password}}), 409, "organization_name_taken")
	w.expect(w.do("POST", "/v1/organizations", "", map[string]any{
		"name": "Another", "owner": map[string]string{"email": o.email, "password": o.password}}), 409, "email_taken")

	// Operators see it, and may do nothing but restore it or end it.
	if a := w.do("GET", org, w.operator, nil); a.field("state") != "deleted" {
		t.Error("an operator sees", a)
	}
	if a := w.do("GET", "/v1/organizations", w.operator, nil); a.field("items.0.id") != stranger.id || a.field("items.1.id") != "" {
		t.Error("the list shows what is deleted:", a)
	}
	if a := w.do("GET", "/v1/organizations?state=deleted", w.operator, nil); a.field("items.0.id") != o.id {
		t.Error("the list of what is deleted:", a)
	}
	w.expect(w.do("GET", "/v1/organizations?state=deleted", stranger.token, nil), 422, "invalid")
	w.expect(w.do("PATCH", org, w.operator, `{"name":"New"}`), 409, "organization_deleted")
	w.expect(w.do("POST", org+"/suspend", w.operator, nil), 409, "organization_deleted")
	w.expect(w.do("POST", org+"/restore", stranger.token, nil), 403, "operator_only")
	w.expect(w.do("POST", org+"/restore", "", nil), 401, "token_required")

	back := w.do("POST", org+"/restore", w.operator, nil)
	w.expect(back, 200, "")
	if back.field("state") != "active" {
		t.Error("restored:", back)
	}
	w.expect(w.do("GET", "/v1/me", o.token, nil), 401, "session_ended") // sign-ins stay ended
	in := w.do("POST", "/v1/auth/login", "", map[string]string{"email": o.email, "password": o.password})
	w.expect(w.do("GET", at, in.field("access_token"), nil), 200, "")
	if op := w.do("GET", "/v1/operations/"+deleted.field("id"), w.operator, nil); op.field("state") != "cancelled" {
		t.Error("the deletion:", op)
	}
}

// What was suspended comes back suspended; cancelling the operation is
// restoring.
func TestRestoredAsItWas(t *testing.T) {
	w := newWorld(t, retained(time.Hour))
	o := w.tenant()
	org := "/v1/organizations/" + o.slug
	w.expect(w.do("POST", org+"/suspend", w.operator, nil), 200, "")
	deleted := w.do("DELETE", org, w.operator, nil)
	w.expect(deleted, 202, "")
	cancelled := w.do("POST", "/v1/operations/"+deleted.field("id")+"/cancel", w.operator, nil)
	w.expect(cancelled, 200, "")
	if cancelled.field("state") != "cancelled" {
		t.Error("cancelled:", cancelled)
	}
	if a := w.do("GET", org, w.operator, nil); a.field("state") != "suspended" {
		t.Error("restored:", a)
	}
}

func TestRetentionEnds(t *testing.T) {
	w := newWorld(t, retained(time.Millisecond))
	o := w.tenant()
	w.expect(w.do("DELETE", "/v1/organizations/"+o.slug, o.token, nil), 202, "")
	w.eventually(func() bool {
		n, err := w.core.tenancy.Recover(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		return n == 1
	})
	w.expect(w.do("GET", "/v1/organizations/"+o.slug, w.operator, nil), 404, "organization_not_found")
	w.expect(w.do("POST", "/v1/organizations", "", map[string]any{
		"name": o.name, "owner": map[string]string{"email": o.email, "password": o.password}}), 201, "")
}

// An operator who deletes what is deleted does not wait for the retention.
func TestOperatorEndsRetention(t *testing.T) {
	w := newWorld(t, retained(time.Hour))
	o := w.tenant()
	w.expect(w.do("DELETE", "/v1/organizations/"+o.slug, o.token, nil), 202, "")
	w.expect(w.do("DELETE", "/v1/organizations/"+o.slug, w.operator, nil), 204, "")
	w.expect(w.do("POST", "/v1/organizations/"+o.id+"/restore", w.operator, nil), 404, "organization_not_found")
	if found := w.do("POST", "/v1/doctor", w.operator, map[string]any{}); found.field("findings.0.kind") != "" {
		t.Error("the doctor finds", found)
	}
}
