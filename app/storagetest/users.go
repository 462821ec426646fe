package storagetest

import (
	"fmt"
	"testing"

	"tenantry/app"
)

func users(s registrySuite) {
	s.test("User/UnknownIsNotFound", func(t *testing.T, w *world) {
		_, err := w.User(w.ctx, app.NewID[app.UserID]())
		is(t, err, app.ErrNotFound)
	})

	s.test("User/RoundTripsEveryField", func(t *testing.T, w *world) {
		c := w.creation("acme")
		c.Owner.Name = "Zoë 'Ünïcode' 🚀"
		w.create(c)
		equal(t, "user", w.user(c.Owner.ID), *c.Owner)
	})

	s.test("UserByEmail/FindsByTheKeyInForce", func(t *testing.T, w *world) {
		acme := w.tenant("acme")
		got, err := w.UserByEmail(w.ctx, acme.owner.EmailKey)
		must(t, err)
		equal(t, "user", got, acme.owner)
		for _, key := range []string{"", acme.owner.Email, "OWNER@ACME.EXAMPLE", "owner@acme.example ", "owner@acm_.example", "nobody@x"} {
			_, err = w.UserByEmail(w.ctx, key)
			is(t, err, app.ErrNotFound)
		}
	})

	s.test("ReplacePasswordHash/SwapsAndKeepsSessions", func(t *testing.T, w *world) {
		acme := w.tenant("acme")
		must(t, w.ReplacePasswordHash(w.ctx, acme.owner.ID, acme.owner.PasswordHash, "$2a$12$better"))
		got := w.user(acme.owner.ID)
		equal(t, "hash", got.PasswordHash, "$2a$12$better")
		equal(t, "email", got.EmailKey, acme.owner.EmailKey)
		s, err := w.Session(w.ctx, acme.session.ID)
		must(t, err)
		equal(t, "session", s.Session, acme.session)
	})

	s.test("ReplacePasswordHash/LeavesANewerOne", func(t *testing.T, w *world) {
		acme := w.tenant("acme")
		must(t, w.ReplacePasswordHash(w.ctx, acme.owner.ID, "$2a$04$another", "$2a$12$better"))
		equal(t, "user", w.user(acme.owner.ID), acme.owner)
	})

	s.test("Memberships/OldestFirstInVisibleOrganizations", func(t *testing.T, w *world) {
		acme := w.tenant("acme")
		want := []app.Membership{acme.membership}
		for i := range 4 {
			c := w.creation(fmt.Sprintf("org-%d", i))
			c.Owner = nil
			c.Organization.OwnerID, c.Membership.UserID = acme.owner.ID, acme.owner.ID
			c.Membership.Role = []app.Role{app.RoleOwner, app.RoleAdmin, app.RoleMember, app.RoleViewer}[i]
			if i == 2 {
				w.begin(c) // not visible yet
				continue
			}
			org := w.create(c)
			if i == 1 { // suspended is visible
				_, err := w.ChangeOrganization(w.ctx, app.OrganizationChange{
					OrganizationID: org.ID, State: ptr(app.StateSuspended), At: w.now()})
				must(t, err)
			}
			want = append(want, c.Membership)
		}
		got, err := w.Memberships(w.ctx, acme.owner.ID)
		must(t, err)
		equal(t, "memberships", got, want)
	})

	s.test("Memberships/UnknownHasNone", func(t *testing.T, w *world) {
		got, err := w.Memberships(w.ctx, app.NewID[app.UserID]())
		must(t, err)
		equal(t, "memberships", len(got), 0)
	})

	s.test("Membership/OtherTenantIsNotFound", func(t *testing.T, w *world) {
		acme := w.tenant("acme")
		for _, pair := range []app.Membership{
			{OrganizationID: acme.org.ID, UserID: w.neighbour.owner.ID},
			{OrganizationID: w.neighbour.org.ID, UserID: acme.owner.ID},
			{OrganizationID: acme.org.ID, UserID: app.NewID[app.UserID]()},
			{OrganizationID: app.NewID[app.OrganizationID](), UserID: acme.owner.ID},
			{OrganizationID: app.OrganizationID(acme.owner.ID), UserID: app.UserID(acme.org.ID)},
		} {
			_, err := w.Membership(w.ctx, pair.OrganizationID, pair.UserID)
			is(t, err, app.ErrNotFound)
		}
		got, err := w.Membership(w.ctx, acme.org.ID, acme.owner.ID)
		must(t, err)
		equal(t, "membership", got, acme.membership)
	})
}
