package storagetest

import (
	"testing"

	"tenantry/app"
)

func changingCredentials(s registrySuite) {
	s.test("ChangeOrganization/ChangesTheUsersEmail", func(t *testing.T, w *world) {
		acme := w.tenant("acme")
		at := w.now()
		_, err := w.ChangeOrganization(w.ctx, app.OrganizationChange{OrganizationID: acme.org.ID, At: at,
			User: &app.CredentialChange{UserID: acme.owner.ID, Email: ptr("New@Acme.Example"), EmailKey: ptr("new@acme.example")}})
		must(t, err)
		want := acme.owner
		want.Email, want.EmailKey, want.Revision, want.UpdatedAt = "New@Acme.Example", "new@acme.example", want.Revision+1, at
		equal(t, "user", w.user(want.ID), want)
		got, err := w.UserByEmail(w.ctx, "new@acme.example")
		must(t, err)
		equal(t, "user by new email", got, want)
		_, err = w.UserByEmail(w.ctx, acme.owner.EmailKey)
		is(t, err, app.ErrNotFound)
		s, err := w.Session(w.ctx, acme.session.ID)
		must(t, err)
		equal(t, "session", s.Session, acme.session) // only a new password ends it
		c := w.creation("bolt")
		c.Owner.EmailKey = acme.owner.EmailKey
		w.create(c) // the old address is free
	})

	s.test("ChangeOrganization/OnesOwnEmailIsNotTaken", func(t *testing.T, w *world) {
		acme := w.tenant("acme")
		_, err := w.ChangeOrganization(w.ctx, app.OrganizationChange{OrganizationID: acme.org.ID, At: w.now(),
			User: &app.CredentialChange{UserID: acme.owner.ID, Email: ptr("OWNER@ACME.example"), EmailKey: &acme.owner.EmailKey}})
		must(t, err)
		equal(t, "spelling", w.user(acme.owner.ID).Email, "OWNER@ACME.example")
	})

	s.test("ChangeOrganization/ATakenEmailAppliesNothing", func(t *testing.T, w *world) {
		acme := w.tenant("acme")
		_, err := w.ChangeOrganization(w.ctx, app.OrganizationChange{OrganizationID: acme.org.ID, At: w.now(),
			Name: ptr("x"), NameKey: ptr("x"), ExternalID: ptr("x"), Metadata: map[string]string{}, State: ptr(app.StateSuspended),
			User: &app.CredentialChange{UserID: acme.owner.ID, Email: ptr("x"), EmailKey: &w.neighbour.owner.EmailKey, PasswordHash: ptr("x")}})
		taken(t, err, app.ConflictEmail)
		equal(t, "organization", w.organization(acme.org.ID), acme.org)
		equal(t, "user", w.user(acme.owner.ID), acme.owner)
		s, err := w.Session(w.ctx, acme.session.ID)
		must(t, err)
		equal(t, "session", s.Session, acme.session)
	})

	s.test("ChangeOrganization/ANewPasswordEndsAllTheUsersSessions", func(t *testing.T, w *world) {
		acme := w.tenant("acme")
		c := w.creation("second")
		c.Owner = nil
		c.Organization.OwnerID, c.Membership.UserID = acme.owner.ID, acme.owner.ID
		elsewhere := w.signIn(w.create(c), acme.owner)
		_, err := w.ChangeOrganization(w.ctx, app.OrganizationChange{OrganizationID: acme.org.ID, At: w.now(),
			User: &app.CredentialChange{UserID: acme.owner.ID, PasswordHash: ptr("$2a$04$new")}})
		must(t, err)
		equal(t, "hash", w.user(acme.owner.ID).PasswordHash, "$2a$04$new")
		for _, id := range []app.SessionID{acme.session.ID, elsewhere.ID} {
			_, err = w.Session(w.ctx, id)
			is(t, err, app.ErrNotFound)
		}
	})

	s.test("ChangeOrganization/AnUnknownUserAppliesNothing", func(t *testing.T, w *world) {
		acme := w.tenant("acme")
		_, err := w.ChangeOrganization(w.ctx, app.OrganizationChange{OrganizationID: acme.org.ID, At: w.now(),
			Name: ptr("x"), NameKey: ptr("x"),
			User: &app.CredentialChange{UserID: app.NewID[app.UserID](), PasswordHash: ptr("x")}})
		is(t, err, app.ErrNotFound)
		equal(t, "organization", w.organization(acme.org.ID), acme.org)
	})

	s.test("ChangeOrganization/ConcurrentTakersOfAnEmailOneWins", func(t *testing.T, w *world) {
		people := []tenant{w.tenant("a1"), w.tenant("a2"), w.tenant("a3"), w.tenant("a4")}
		at := w.now()
		winner := oneWinner(t, race(len(people), func(i int) error {
			_, err := w.ChangeOrganization(w.ctx, app.OrganizationChange{OrganizationID: people[i].org.ID, At: at,
				User: &app.CredentialChange{UserID: people[i].owner.ID, Email: ptr("one@x"), EmailKey: ptr("one@x")}})
			return err
		}), app.ErrConflict)
		got, err := w.UserByEmail(w.ctx, "one@x")
		must(t, err)
		equal(t, "user", got.ID, people[winner].owner.ID)
	})
}
