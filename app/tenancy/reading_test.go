package tenancy_test

import (
	"context"
	"testing"

	"tenantry/app"
	"tenantry/app/tenancy"
)

// unread is a registry of which nothing may be read one by one.
type unread struct {
	app.Registry
	reads *int
}

func (u unread) Organization(ctx context.Context, id app.OrganizationID) (app.Organization, error) {
	*u.reads++
	return u.Registry.Organization(ctx, id)
}

func (u unread) OrganizationBySlug(ctx context.Context, slug string) (app.Organization, error) {
	*u.reads++
	return u.Registry.OrganizationBySlug(ctx, slug)
}

func (u unread) Membership(ctx context.Context, org app.OrganizationID, user app.UserID) (app.Membership, error) {
	*u.reads++
	return u.Registry.Membership(ctx, org, user)
}

// What was read with a session need not be read again, unless it was changed
// while it was read.
func TestTheDirectoryKeepsWhatCameWithASession(t *testing.T) {
	h := newHouse(t)
	org, err := h.Create(h.ctx, anonymous, input("Acme"))
	h.ok(err)
	for _, changed := range []bool{false, true} {
		reads := 0
		d := tenancy.NewDirectory(unread{h.registry, &reads})
		keep := d.Reading(org.ID, org.OwnerID)
		stale := org
		if changed {
			suspended := app.StateSuspended
			org, err = h.registry.ChangeOrganization(h.ctx, app.OrganizationChange{OrganizationID: org.ID, State: &suspended, At: app.Now()})
			h.ok(err)
		}
		keep(stale, app.RoleOwner)
		got, err := d.BySlug(h.ctx, "acme")
		h.ok(err)
		role, err := d.Role(h.ctx, org.ID, org.OwnerID)
		h.ok(err)
		if got.State != org.State || role != app.RoleOwner {
			t.Errorf("changed %v: the organization is %s, the role %s", changed, got.State, role)
		}
		if (reads > 0) != changed {
			t.Errorf("changed %v: %d reads", changed, reads)
		}
	}
}
