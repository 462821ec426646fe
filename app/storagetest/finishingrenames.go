package storagetest

import (
	"testing"

	"tenantry/app"
)

func finishingRenames(s registrySuite) {
	s.test("FinishRename/AppliesTheWholeChange", func(t *testing.T, w *world) {
		acme := w.tenant("acme")
		op := w.rename(acme.org, "bolt")
		op.Change.ExternalID, op.Change.Metadata = ptr("ext-2"), map[string]string{"new": "one"}
		op.Change.User = &app.CredentialChange{UserID: acme.owner.ID, Email: ptr("N@x"), EmailKey: ptr("n@x"), PasswordHash: ptr("hash")}
		must(t, w.BeginRename(w.ctx, op))
		org, err := w.FinishRename(w.ctx, op, w.now())
		must(t, err)
		want := acme.org
		want.Name, want.NameKey, want.Slug = "The bolt", "the bolt", "bolt"
		want.ExternalID, want.Metadata = "ext-2", map[string]string{"new": "one"}
		want.Placement.Collection, want.Placement.Generation = "org_bolt", want.Placement.Generation+1
		want.Revision, want.UpdatedAt = want.Revision+1, org.UpdatedAt
		equal(t, "organization", org, want)
		equal(t, "as read", w.organization(org.ID), want)
		bySlug, err := w.OrganizationBySlug(w.ctx, "bolt")
		must(t, err)
		equal(t, "by slug", bySlug, want)
		user := w.user(acme.owner.ID)
		equal(t, "credentials", [3]string{user.Email, user.EmailKey, user.PasswordHash}, [3]string{"N@x", "n@x", "hash"})
		_, err = w.Session(w.ctx, acme.session.ID)
		is(t, err, app.ErrNotFound)
		w.ended(op.ID, app.OperationCompleted)
	})

	s.test("FinishRename/GivesTheOldNamesBack", func(t *testing.T, w *world) {
		acme := w.tenant("acme")
		op := w.rename(acme.org, "bolt")
		op.Change.ExternalID = ptr("ext-2")
		op.Change.User = &app.CredentialChange{UserID: acme.owner.ID, Email: ptr("n@x"), EmailKey: ptr("n@x")}
		must(t, w.BeginRename(w.ctx, op))
		renamed, err := w.FinishRename(w.ctx, op, w.now())
		must(t, err)
		_, err = w.OrganizationBySlug(w.ctx, "acme")
		is(t, err, app.ErrNotFound)
		next := w.tenant("acme") // with the old slug, collection, external id and email
		equal(t, "the renamed one", w.organization(acme.org.ID), renamed)
		_, err = w.Membership(w.ctx, next.org.ID, acme.owner.ID)
		is(t, err, app.ErrNotFound)
	})

	s.test("FinishRename/KeepsWhatWasChangedMeanwhile", func(t *testing.T, w *world) {
		acme := w.tenant("acme")
		op := w.rename(acme.org, "bolt")
		must(t, w.BeginRename(w.ctx, op))
		_, err := w.ChangeOrganization(w.ctx, app.OrganizationChange{OrganizationID: acme.org.ID, At: w.now(),
			Metadata: map[string]string{"mean": "while"}, State: ptr(app.StateSuspended)})
		must(t, err)
		org, err := w.FinishRename(w.ctx, op, w.now())
		must(t, err)
		equal(t, "metadata", org.Metadata, map[string]string{"mean": "while"})
		equal(t, "state", org.State, app.StateSuspended)
	})

	for field, change := range map[app.ConflictField]func(c *app.OrganizationChange, n tenant){
		app.ConflictExternalID: func(c *app.OrganizationChange, n tenant) { c.ExternalID = &n.org.ExternalID },
		app.ConflictCollection: func(c *app.OrganizationChange, n tenant) { c.Collection = &n.org.Placement.Collection },
	} {
		// When it is noticed is the engine's; that nothing is applied is not.
		s.test("FinishRename/AppliesNothingOfATaken_"+string(field), func(t *testing.T, w *world) {
			acme := w.tenant("acme")
			op := w.rename(acme.org, "bolt")
			change(op.Change, w.neighbour)
			err := w.BeginRename(w.ctx, op)
			if err == nil {
				_, err = w.FinishRename(w.ctx, op, w.now())
				must(t, w.AbandonRename(w.ctx, op, "taken", w.now()))
			}
			taken(t, err, field)
			equal(t, "organization", w.organization(acme.org.ID), acme.org)
		})
	}

	s.test("FinishRename/OfTwoThatChangeOneUser", func(t *testing.T, w *world) {
		acme := w.tenant("acme")
		second := w.creation("second")
		second.Owner, second.Organization.OwnerID, second.Membership.UserID = nil, acme.owner.ID, acme.owner.ID
		org := w.create(second)
		first, last := w.rename(acme.org, "bolt"), w.rename(org, "carl")
		for i, op := range []app.Operation{first, last} {
			key := []string{"first@x", "last@x"}[i]
			op.Change.User = &app.CredentialChange{UserID: acme.owner.ID, Email: &key, EmailKey: &key}
			must(t, w.BeginRename(w.ctx, op))
		}
		for _, op := range []app.Operation{first, last} {
			_, err := w.FinishRename(w.ctx, op, w.now())
			must(t, err)
		}
		equal(t, "email", w.user(acme.owner.ID).EmailKey, "last@x")
		c := w.creation("other")
		c.Owner.EmailKey = "last@x"
		taken(t, w.BeginCreate(w.ctx, w.operation(app.OperationCreate, c.Organization), c), app.ConflictEmail)
		for i, key := range []string{"first@x", acme.owner.EmailKey} { // which are free
			c := w.creation([]string{"one", "two"}[i])
			c.Owner.EmailKey = key
			w.create(c)
		}
	})

	s.test("FinishRename/TwiceChangesNothing", func(t *testing.T, w *world) {
		acme := w.tenant("acme")
		op := w.rename(acme.org, "bolt")
		must(t, w.BeginRename(w.ctx, op))
		org, err := w.FinishRename(w.ctx, op, w.now())
		must(t, err)
		_, _ = w.FinishRename(w.ctx, op, w.now()) // refused or not
		equal(t, "organization", w.organization(org.ID), org)
	})

	s.test("FinishRename/ThereAndBack", func(t *testing.T, w *world) {
		acme := w.tenant("acme")
		org := acme.org
		for _, slug := range []string{"bolt", "acme", "bolt"} {
			op := w.rename(org, slug)
			must(t, w.BeginRename(w.ctx, op))
			var err error
			org, err = w.FinishRename(w.ctx, op, w.now())
			must(t, err)
			equal(t, "slug", org.Slug, slug)
		}
		equal(t, "generation", org.Placement.Generation, acme.org.Placement.Generation+3)
	})

	s.test("AbandonRename/GivesTheNewNamesBack", func(t *testing.T, w *world) {
		acme := w.tenant("acme")
		op := w.rename(acme.org, "bolt")
		op.Change.User = &app.CredentialChange{UserID: acme.owner.ID, Email: ptr("owner@bolt.example"), EmailKey: ptr("owner@bolt.example")}
		must(t, w.BeginRename(w.ctx, op))
		must(t, w.AbortOperation(w.ctx, op.ID, app.OperationAborting, "no room", w.now()))
		must(t, w.AbandonRename(w.ctx, op, "no room", w.now()))
		equal(t, "organization", w.organization(acme.org.ID), acme.org)
		equal(t, "user", w.user(acme.owner.ID), acme.owner)
		equal(t, "reason", w.recorded(op.ID).Error, "no room")
		w.ended(op.ID, app.OperationFailed)
		w.tenant("bolt")
	})

	s.test("AbandonRename/TwiceIsOnce", func(t *testing.T, w *world) {
		acme := w.tenant("acme")
		op := w.rename(acme.org, "bolt")
		must(t, w.BeginRename(w.ctx, op))
		must(t, w.AbandonRename(w.ctx, op, "first", w.now()))
		next := w.tenant("bolt")
		must(t, w.AbandonRename(w.ctx, op, "second", w.now()))
		equal(t, "the next taker", w.organization(next.org.ID), next.org)
		taken(t, w.BeginRename(w.ctx, w.rename(acme.org, "bolt")), app.ConflictSlug)
		must(t, w.BeginRename(w.ctx, w.rename(acme.org, "carl"))) // nothing is open
	})

	s.test("AbandonRename/AfterFinishUndoesNothing", func(t *testing.T, w *world) {
		acme := w.tenant("acme")
		op := w.rename(acme.org, "bolt")
		must(t, w.BeginRename(w.ctx, op))
		org, err := w.FinishRename(w.ctx, op, w.now())
		must(t, err)
		_ = w.AbandonRename(w.ctx, op, "late", w.now()) // refused or not
		equal(t, "organization", w.organization(org.ID), org)
		w.ended(op.ID, app.OperationCompleted)
	})
}
