package tenancy_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"tenantry/app"
	"tenantry/app/tenancy"
)

// place makes an organization whose only member has the role, in the state.
func (h *house) place(slug string, role app.Role, state app.OrganizationState) (app.Organization, app.Actor) {
	h.t.Helper()
	at := app.Now()
	org := app.Organization{
		ID: app.NewID[app.OrganizationID](), Name: slug, NameKey: slug, Slug: slug, State: app.StateCreating, Revision: 1,
		Placement: app.Placement{Cluster: "default", Isolation: app.IsolationCollection, Database: "shard-00",
			Collection: app.CollectionName(slug), Generation: 1},
		CreatedAt: at, UpdatedAt: at,
	}
	user := app.User{ID: app.NewID[app.UserID](), Email: slug + "@x", EmailKey: slug + "@x", PasswordHash: "-", Revision: 1, CreatedAt: at, UpdatedAt: at}
	org.OwnerID = user.ID
	op := app.Operation{ID: app.NewID[app.OperationID](), Kind: app.OperationCreate, OrganizationID: org.ID,
		State: app.OperationRunning, Placement: org.Placement, CreatedAt: at, UpdatedAt: at}
	h.ok(h.registry.BeginCreate(h.ctx, op, app.Creation{Organization: org, Owner: &user,
		Membership: app.Membership{OrganizationID: org.ID, UserID: user.ID, Role: role, CreatedAt: at}}))
	actor := app.Actor{Kind: app.AsUser, UserID: user.ID, OrganizationID: org.ID}
	if state == app.StateCreating {
		return org, actor
	}
	_, err := h.registry.FinishCreate(h.ctx, op, at)
	h.ok(err)
	switch state {
	case app.StateSuspended:
		_, err := h.registry.ChangeOrganization(h.ctx, app.OrganizationChange{OrganizationID: org.ID, State: &state, At: at})
		h.ok(err)
	case app.StateDeleted, app.StateDeleting:
		op.ID, op.Kind = app.NewID[app.OperationID](), app.OperationDelete
		if state == app.StateDeleted {
			op.DueAt = at.Add(time.Hour)
		}
		h.ok(h.registry.BeginDelete(h.ctx, op, app.AnyRevision))
	}
	return h.organization(org.ID), actor
}

// permissions in words, with who has them.
var permissions = map[string]struct {
	p     app.Permission
	roles []app.Role
}{
	"read organization":   {app.ReadOrganization, []app.Role{app.RoleOwner, app.RoleAdmin, app.RoleMember, app.RoleViewer}},
	"read documents":      {app.ReadDocuments, []app.Role{app.RoleOwner, app.RoleAdmin, app.RoleMember, app.RoleViewer}},
	"write documents":     {app.WriteDocuments, []app.Role{app.RoleOwner, app.RoleAdmin, app.RoleMember}},
	"read placement":      {app.ReadPlacement, []app.Role{app.RoleOwner, app.RoleAdmin}},
	"read operations":     {app.ReadOperations, []app.Role{app.RoleOwner, app.RoleAdmin}},
	"update organization": {app.UpdateOrganization, []app.Role{app.RoleOwner, app.RoleAdmin}},
	"delete organization": {app.DeleteOrganization, []app.Role{app.RoleOwner}},
}

// TestResolve holds the whole matrix: who, in which role, may do what to an
// organization in which state.
func TestResolve(t *testing.T) {
	h := newHouse(t)
	stranger := h.tenant("Stranger").owner
	ghost := app.Actor{Kind: app.AsUser, UserID: app.NewID[app.UserID]()}
	nobody := app.Actor{Kind: app.AsUser}
	roles := []app.Role{app.RoleOwner, app.RoleAdmin, app.RoleMember, app.RoleViewer, "invented"}
	states := []app.OrganizationState{app.StateActive, app.StateSuspended, app.StateCreating, app.StateDeleted, app.StateDeleting}
	for _, role := range roles {
		for _, state := range states {
			slug := fmt.Sprintf("%s-%s", role, state)
			org, member := h.place(slug, role, state)
			// A token for one organization is no better and no worse in another.
			elsewhere := member
			elsewhere.OrganizationID = stranger.OrganizationID
			for word, permission := range permissions {
				want := func(who string, actor app.Actor, code string) {
					t.Helper()
					for range 2 { // the second time out of the caches
						for _, ref := range []string{string(org.ID), slug} {
							got, err := h.Resolve(h.ctx, actor, ref, permission.p)
							if code == "" && (err != nil || got.ID != org.ID || got.State != state) {
								t.Errorf("%s may not %s of %s: %v", who, word, slug, err)
							}
							if code != "" && (codeOf(err) != code || got.ID != "") {
								t.Errorf("%s, %s of %s: got %v, want %s", who, word, slug, err, code)
							}
						}
					}
				}
				allowed := false
				for _, r := range permission.roles {
					allowed = allowed || r == role
				}
				asMember, asOperator := "", ""
				switch {
				case state == app.StateDeleted: // operators alone see what they can restore
					asMember = "organization_not_found"
				case !state.Visible():
					asMember, asOperator = "organization_not_found", "organization_not_found"
				case state == app.StateSuspended:
					asMember = "organization_suspended"
				case !allowed:
					asMember = "role_insufficient"
				}
				documents := permission.p == app.ReadDocuments || permission.p == app.WriteDocuments
				switch {
				case asOperator == "" && documents:
					asOperator = "operator_not_member"
				case state == app.StateDeleted && permission.p == app.UpdateOrganization:
					asOperator = "organization_deleted"
				}
				want("its "+string(role), member, asMember)
				want("its "+string(role)+" signed in elsewhere", elsewhere, asMember)
				want("an operator", operator, asOperator)
				want("anonymous", anonymous, "token_required")
				for who, actor := range map[string]app.Actor{"a stranger": stranger, "a ghost": ghost, "nobody": nobody} {
					want(who, actor, "organization_not_found")
				}
			}
		}
	}
}

func TestResolveOfWhatIsNoReference(t *testing.T) {
	h := newHouse(t)
	o := h.tenant("Acme")
	for _, ref := range []string{"", "ACME", "Acme", "acme ", " acme", "acme\x00", "acm", "acme%", "%", "org_acme", "acme'--", "..",
		string(app.NewID[app.OrganizationID]()), string(o.owner.UserID), "{" + string(o.ID) + "}"} {
		for _, actor := range []app.Actor{o.owner, operator} {
			if org, err := h.Get(h.ctx, actor, ref); codeOf(err) != "organization_not_found" || !errors.Is(err, app.ErrNotFound) {
				t.Errorf("%q: %+v, %v", ref, org, err)
			}
		}
	}
}

func TestLookup(t *testing.T) {
	h := newHouse(t)
	acme := h.tenant("Acme Corp")
	for _, name := range []string{"Acme Corp", "ACME corp", "acme-corp", " acme, corp! ", "Ａｃｍｅ Ｃｏｒｐ"} {
		org, err := h.Lookup(h.ctx, name)
		if err != nil || org.ID != acme.ID {
			t.Errorf("%q: %+v, %v", name, org, err)
		}
	}
	for name, code := range map[string]string{"Acme": "organization_not_found", "admin": "organization_not_found",
		string(acme.ID): "organization_not_found", "": "required", "a\x00b": "control_character"} {
		_, err := h.Lookup(h.ctx, name)
		h.wantCode(err, code)
	}
	creating, _ := h.place("half-made", app.RoleOwner, app.StateCreating)
	_, err := h.Lookup(h.ctx, creating.Name)
	h.wantCode(err, "organization_not_found")
	h.ok(h.Delete(h.ctx, operator, acme.Slug, app.AnyRevision))
	_, err = h.Lookup(h.ctx, "Acme Corp")
	h.wantCode(err, "organization_not_found")
}

func TestOperatorsActs(t *testing.T) {
	h := newHouse(t)
	o, other := h.tenant("Acme"), h.tenant("Other")
	for _, act := range []func(context.Context, app.Actor, string) (app.Organization, error){h.Suspend, h.Resume} {
		for who, code := range map[string]string{"owner": "operator_only", "stranger": "operator_only", "anonymous": "token_required"} {
			actor := map[string]app.Actor{"owner": o.owner, "stranger": other.owner, "anonymous": anonymous}[who]
			_, err := act(h.ctx, actor, o.Slug)
			h.wantCode(err, code)
		}
		_, err := act(h.ctx, operator, "unknown")
		h.wantCode(err, "organization_not_found")
	}
	if got := h.organization(o.ID); got.State != app.StateActive || got.Revision != 1 {
		t.Errorf("refused acts made %+v", got)
	}
	for range 2 { // the second changes nothing
		got, err := h.Suspend(h.ctx, operator, o.Slug)
		if err != nil || got.State != app.StateSuspended || got.Revision != 2 {
			t.Errorf("suspend: %+v, %v", got, err)
		}
	}
	_, err := h.Get(h.ctx, o.owner, o.Slug)
	h.wantCode(err, "organization_suspended")
	name := "New Name"
	_, err = h.Update(h.ctx, o.owner, o.Slug, tenancy.UpdateInput{Name: &name})
	h.wantCode(err, "organization_suspended")
	h.wantCode(h.Delete(h.ctx, o.owner, o.Slug, app.AnyRevision), "organization_suspended")
	if _, err := h.Create(h.ctx, anonymous, input("ACME")); codeOf(err) != "organization_name_taken" {
		t.Errorf("the name of a suspended organization: %v", err)
	}
	// An operator may rename what is suspended, and it stays so.
	got, err := h.Update(h.ctx, operator, o.Slug, tenancy.UpdateInput{Name: &name})
	if err != nil || got.State != app.StateSuspended || got.Slug != "new-name" {
		t.Errorf("rename by an operator: %+v, %v", got, err)
	}
	for range 2 {
		got, err = h.Resume(h.ctx, operator, "new-name")
		if err != nil || got.State != app.StateActive || got.Revision != 4 {
			t.Errorf("resume: %+v, %v", got, err)
		}
	}
	_, err = h.Get(h.ctx, o.owner, "new-name")
	h.ok(err)
	h.tidy()
}

func TestPlacement(t *testing.T) {
	h := newHouse(t)
	o, other := h.tenant("Acme"), h.tenant("Other")
	for _, actor := range []app.Actor{o.owner, operator} {
		view, err := h.Placement(h.ctx, actor, o.Slug)
		if err != nil || view.Collection != "org_acme" || view.Cluster != "default" || view.Documents != 0 {
			t.Errorf("%+v, %v", view, err)
		}
	}
	_, err := h.Placement(h.ctx, other.owner, o.Slug)
	h.wantCode(err, "organization_not_found")
	_, member := h.place("members", app.RoleMember, app.StateActive)
	_, err = h.Placement(h.ctx, member, "members")
	h.wantCode(err, "role_insufficient")
}
