package app_test

import (
	"testing"
	"time"

	"tenantry/app"
)

func TestRolesCan(t *testing.T) {
	all := []app.Permission{app.ReadOrganization, app.ReadDocuments, app.WriteDocuments, app.ReadPlacement, app.UpdateOrganization, app.DeleteOrganization}
	// In the order above.
	for role, may := range map[app.Role][]bool{
		app.RoleOwner:  {true, true, true, true, true, true},
		app.RoleAdmin:  {true, true, true, true, true, false},
		app.RoleMember: {true, true, true, false, false, false},
		app.RoleViewer: {true, true, false, false, false, false},
		"":             {false, false, false, false, false, false},
		"Owner":        {false, false, false, false, false, false},
		"superuser":    {false, false, false, false, false, false},
	} {
		for i, p := range all {
			if role.Can(p) != may[i] {
				t.Errorf("role %q, permission %d: %v", role, p, !may[i])
			}
		}
	}
}

func TestStates(t *testing.T) {
	for state, visible := range map[app.OrganizationState]bool{app.StateCreating: false, app.StateActive: true,
		app.StateSuspended: true, app.StateDeleting: false, "": false, "unknown": false} {
		if state.Visible() != visible {
			t.Errorf("an organization that is %q is visible: %v", state, !visible)
		}
	}
	for state, open := range map[app.OperationState]bool{app.OperationRunning: true, app.OperationAborting: true,
		app.OperationCompleted: false, app.OperationFailed: false, "": false} {
		if state.Open() != open {
			t.Errorf("an operation that is %q is open: %v", state, !open)
		}
	}
}

func TestCollectionNamesDiffer(t *testing.T) {
	seen := map[string]string{}
	for slug, want := range map[string]string{"acme": "org_acme", "a-b": "org_a_b", "ab": "org_ab", "a-b-c": "org_a_b_c", "a-bc": "org_a_bc", "org-a-b": "org_org_a_b"} {
		got := app.CollectionName(slug)
		if got != want || seen[got] != "" {
			t.Errorf("%q: %q, which %q has", slug, got, seen[got])
		}
		seen[got] = slug
	}
}

func TestClock(t *testing.T) {
	now := app.Now()
	if now.Location() != time.UTC || now.Nanosecond()%1e6 != 0 || time.Since(now) > time.Minute {
		t.Errorf("now is %v", now)
	}
	later := now.Add(time.Millisecond)
	if got := app.Later(later, now); !got.Equal(later) {
		t.Errorf("a clock that goes on: %v", got)
	}
	if got := app.Later(now, later); !got.Equal(later) {
		t.Errorf("a clock set back: %v", got)
	}
}

func TestActors(t *testing.T) {
	var nobody app.Actor
	if nobody.Operator() || nobody.Kind != app.Anonymous {
		t.Error("the zero actor is somebody")
	}
	if (app.Actor{Kind: app.AsUser, KeyID: "key"}).Operator() || !(app.Actor{Kind: app.AsOperator}).Operator() {
		t.Error("who is an operator is not decided by the kind")
	}
}
