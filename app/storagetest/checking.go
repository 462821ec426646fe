package storagetest

import (
	"testing"
	"time"

	"tenantry/app"
)

func checking(s registrySuite) {
	// both checks that a creation is refused, first by the look before it.
	both := func(t *testing.T, w *world, c app.Creation, field app.ConflictField) {
		t.Helper()
		at := w.now()
		taken(t, w.CheckCreate(w.ctx, c, at), field)
		op := w.operation(app.OperationCreate, c.Organization)
		op.CreatedAt = at
		taken(t, w.BeginCreate(w.ctx, op, c), field)
	}

	s.test("CheckCreate/RefusesWhatBeginCreateWould", func(t *testing.T, w *world) {
		acme := w.tenant("acme")
		for field, conflict := range map[app.ConflictField]func(*app.Creation){
			app.ConflictSlug:       func(c *app.Creation) { c.Organization.Slug = acme.org.Slug },
			app.ConflictExternalID: func(c *app.Creation) { c.Organization.ExternalID = acme.org.ExternalID },
			app.ConflictCollection: func(c *app.Creation) { c.Organization.Placement.Collection = acme.org.Placement.Collection },
			app.ConflictEmail:      func(c *app.Creation) { c.Owner.EmailKey = acme.owner.EmailKey },
		} {
			c := w.creation("bolt")
			conflict(&c)
			both(t, w, c, field)
		}
	})

	s.test("CheckCreate/KnowsWhatARenameReserves", func(t *testing.T, w *world) {
		acme := w.tenant("acme")
		op := w.rename(acme.org, "bolt")
		op.Change.User = &app.CredentialChange{UserID: acme.owner.ID, Email: ptr("new@x"), EmailKey: ptr("new@x")}
		must(t, w.BeginRename(w.ctx, op))
		c := w.creation("carl")
		c.Organization.Slug = "bolt"
		both(t, w, c, app.ConflictSlug)
		c = w.creation("carl")
		c.Owner.EmailKey = "new@x"
		both(t, w, c, app.ConflictEmail)
	})

	s.test("CheckCreate/AKeyIsTakenBeforeAnyNameUntilItExpires", func(t *testing.T, w *world) {
		expires := beginning.Add(time.Hour)
		w.create(w.repeatable("acme", "k", expires))
		taken(t, w.CheckCreate(w.ctx, w.repeatable("acme", "k", expires), expires.Add(-time.Millisecond)), app.ConflictRepetition)
		taken(t, w.CheckCreate(w.ctx, w.repeatable("acme", "k", expires), expires), app.ConflictSlug)
		must(t, w.CheckCreate(w.ctx, w.repeatable("bolt", "k", expires), expires))
		must(t, w.CheckCreate(w.ctx, w.repeatable("bolt", "another", expires), beginning))
	})

	s.test("CheckCreate/RecordsNothing", func(t *testing.T, w *world) {
		c := w.repeatable("acme", "k", beginning.Add(time.Hour))
		for range 2 {
			must(t, w.CheckCreate(w.ctx, c, beginning))
		}
		other := w.repeatable("acme", "k", beginning.Add(time.Hour))
		w.create(other) // nothing of it was taken
		_, err := w.Organization(w.ctx, c.Organization.ID)
		is(t, err, app.ErrNotFound)
	})

	s.test("CheckCreate/WithoutANewOwner", func(t *testing.T, w *world) {
		acme := w.tenant("acme")
		c := w.creation("second")
		c.Owner = nil
		c.Organization.OwnerID, c.Membership.UserID = acme.owner.ID, acme.owner.ID
		must(t, w.CheckCreate(w.ctx, c, w.now()))
		c.Organization.Placement = app.Placement{} // not decided yet
		must(t, w.CheckCreate(w.ctx, c, w.now()))
		c.Organization.Slug = acme.org.Slug
		both(t, w, c, app.ConflictSlug)
	})
}
