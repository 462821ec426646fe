package storagetest

import (
	"fmt"
	"testing"

	"tenantry/app"
)

func accounts(s registrySuite) {
	all := func(emailKey string) app.AccountQuery { return app.AccountQuery{EmailKey: emailKey, Limit: 100} }

	s.test("Account/UnknownIsNotFound", func(t *testing.T, w *world) {
		acme := w.tenant("acme")
		for _, key := range []string{
			"", acme.owner.Email, "OWNER@ACME.EXAMPLE", "owner@acme.example ", "owner@acme.exampl", "owner@acm_.example",
			"nobody@x", "\x00", "!before all", "~after all", "\U0010ffff",
		} {
			for _, org := range []string{"", "acme", string(acme.org.ID), "nowhere"} {
				_, err := w.Account(w.ctx, app.AccountQuery{EmailKey: key, Organization: org, Limit: 1})
				is(t, err, app.ErrNotFound)
			}
		}
	})

	s.test("Account/FindsByTheKeyInForce", func(t *testing.T, w *world) {
		acme := w.tenant("acme")
		op := w.rename(acme.org, "bolt")
		op.Change.User = &app.CredentialChange{UserID: acme.owner.ID, Email: ptr("New@x"), EmailKey: ptr("new@x")}
		must(t, w.BeginRename(w.ctx, op))
		_, err := w.Account(w.ctx, all("new@x"))
		is(t, err, app.ErrNotFound)
		got, err := w.Account(w.ctx, all(acme.owner.EmailKey))
		must(t, err)
		equal(t, "user", got.User, acme.owner)
		org, err := w.FinishRename(w.ctx, op, w.now())
		must(t, err)
		_, err = w.Account(w.ctx, all(acme.owner.EmailKey))
		is(t, err, app.ErrNotFound)
		got, err = w.Account(w.ctx, all("new@x"))
		must(t, err)
		equal(t, "user", got.User, w.user(acme.owner.ID))
		equal(t, "number of places", len(got.Places), 1)
		equal(t, "organization", got.Places[0].Organization, org)
	})

	s.test("Account/ListsPlacesOldestFirst", func(t *testing.T, w *world) {
		acme := w.tenant("acme")
		orgs, roles := []app.Organization{acme.org}, []app.Role{app.RoleOwner}
		for i := range 5 {
			c := w.creation(fmt.Sprintf("org-%d", 9-i))
			c.Owner = nil
			c.Organization.OwnerID, c.Membership.UserID = acme.owner.ID, acme.owner.ID
			c.Membership.Role = []app.Role{app.RoleOwner, app.RoleAdmin, app.RoleMember, app.RoleViewer, app.RoleMember}[i]
			if i == 2 {
				w.begin(c) // not visible yet
				continue
			}
			org := w.create(c)
			switch i {
			case 1: // suspended is visible
				var err error
				org, err = w.ChangeOrganization(w.ctx, app.OrganizationChange{
					OrganizationID: org.ID, State: ptr(app.StateSuspended), At: w.now()})
				must(t, err)
			case 4: // not any more
				w.retained(org)
				continue
			}
			orgs, roles = append(orgs, org), append(roles, c.Membership.Role)
		}
		for limit := 1; limit <= len(orgs)+1; limit++ {
			got, err := w.Account(w.ctx, app.AccountQuery{EmailKey: acme.owner.EmailKey, Limit: limit})
			must(t, err)
			equal(t, "user", got.User, acme.owner)
			equal(t, "number of places", len(got.Places), min(limit, len(orgs)))
			for i, p := range got.Places {
				equal(t, "organization", p.Organization, orgs[i])
				equal(t, "role", p.Role, roles[i])
				equal(t, "hash", p.Proof.PasswordHash, acme.owner.PasswordHash)
				must(t, w.CreateSession(w.ctx, w.newSession(p.Organization.ID, acme.owner.ID), p.Proof))
			}
		}
	})

	s.test("Account/OfOneOrganizationByIDOrSlug", func(t *testing.T, w *world) {
		acme := w.tenant("acme")
		c := w.creation("second")
		c.Owner = nil
		c.Organization.OwnerID, c.Membership.UserID = acme.owner.ID, acme.owner.ID
		second := w.create(c)
		for _, org := range []app.Organization{acme.org, second} {
			for _, name := range []string{org.Slug, string(org.ID)} {
				got, err := w.Account(w.ctx, app.AccountQuery{EmailKey: acme.owner.EmailKey, Organization: name, Limit: 100})
				must(t, err)
				equal(t, "user", got.User, acme.owner)
				equal(t, "number of places", len(got.Places), 1)
				equal(t, "organization", got.Places[0].Organization, org)
			}
		}
		for _, name := range []string{"nowhere", "ACME", "$slug", "acme\x00", w.neighbour.org.Slug, string(w.neighbour.org.ID), string(app.NewID[app.OrganizationID]()), string(acme.owner.ID)} {
			got, err := w.Account(w.ctx, app.AccountQuery{EmailKey: acme.owner.EmailKey, Organization: name, Limit: 100})
			must(t, err)
			equal(t, "user", got.User, acme.owner)
			equal(t, "number of places in "+name, len(got.Places), 0)
		}
	})

	s.test("Account/WhoCanSignInNowhereHasNoPlaces", func(t *testing.T, w *world) {
		c := w.creation("acme")
		op := w.begin(c)
		got, err := w.Account(w.ctx, all(c.Owner.EmailKey))
		must(t, err)
		equal(t, "user", got.User, *c.Owner)
		equal(t, "number of places", len(got.Places), 0)
		must(t, w.AbandonCreate(w.ctx, op, "no", w.now()))
		_, err = w.Account(w.ctx, all(c.Owner.EmailKey))
		is(t, err, app.ErrNotFound)
	})
}
