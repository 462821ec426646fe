package storagetest

import (
	"testing"

	"tenantry/app"
)

// rename is an operation that gives the organization another slug and, unless
// its Change is made larger, nothing else.
func (w *world) rename(org app.Organization, slug string) app.Operation {
	op := w.operation(app.OperationRename, org)
	op.Change = &app.OrganizationChange{
		OrganizationID: org.ID, Name: ptr("The " + slug), NameKey: ptr("the " + slug),
		Slug: ptr(slug), Collection: ptr(app.CollectionName(slug)), At: op.CreatedAt,
	}
	return op
}

func renaming(s registrySuite) {
	s.test("BeginRename/RecordsTheWholeChange", func(t *testing.T, w *world) {
		acme := w.tenant("acme")
		op := w.rename(acme.org, "bolt")
		op.Change.IfRevision = acme.org.Revision
		op.Change.ExternalID, op.Change.Metadata = ptr(""), map[string]string{}
		op.Change.State = ptr(app.StateActive)
		op.Change.User = &app.CredentialChange{UserID: acme.owner.ID, Email: ptr("N@x"), EmailKey: ptr("n@x"), PasswordHash: ptr("hash")}
		must(t, w.BeginRename(w.ctx, op))
		// DeepEqual tells nil from empty: the one leaves as is, the other takes away.
		equal(t, "operation", w.recorded(op.ID), op)

		bolt := w.tenant("carl")
		op = w.rename(bolt.org, "carlo")
		must(t, w.BeginRename(w.ctx, op))
		equal(t, "operation without the rest", w.recorded(op.ID), op)
	})

	s.test("BeginRename/TheOldNamesStayInForce", func(t *testing.T, w *world) {
		acme := w.tenant("acme")
		op := w.rename(acme.org, "bolt")
		op.Change.User = &app.CredentialChange{UserID: acme.owner.ID, Email: ptr("new@x"), EmailKey: ptr("new@x")}
		must(t, w.BeginRename(w.ctx, op))
		got, err := w.OrganizationBySlug(w.ctx, "acme")
		must(t, err)
		equal(t, "organization", got, acme.org)
		_, err = w.OrganizationBySlug(w.ctx, "bolt")
		is(t, err, app.ErrNotFound)
		_, err = w.UserByEmail(w.ctx, "new@x")
		is(t, err, app.ErrNotFound)
		u, err := w.UserByEmail(w.ctx, acme.owner.EmailKey)
		must(t, err)
		equal(t, "user", u, acme.owner)
	})

	s.test("BeginRename/OldAndNewNamesAreTaken", func(t *testing.T, w *world) {
		acme := w.tenant("acme")
		op := w.rename(acme.org, "bolt")
		op.Change.User = &app.CredentialChange{UserID: acme.owner.ID, Email: ptr("new@x"), EmailKey: ptr("new@x")}
		must(t, w.BeginRename(w.ctx, op))
		for _, slug := range []string{"acme", "bolt"} {
			c := w.creation("other")
			c.Organization.Slug = slug
			taken(t, w.BeginCreate(w.ctx, w.operation(app.OperationCreate, c.Organization), c), app.ConflictSlug)
		}
		for _, key := range []string{acme.owner.EmailKey, "new@x"} {
			c := w.creation("other")
			c.Owner.EmailKey = key
			taken(t, w.BeginCreate(w.ctx, w.operation(app.OperationCreate, c.Organization), c), app.ConflictEmail)
		}
		third := w.tenant("third")
		taken(t, w.BeginRename(w.ctx, w.rename(third.org, "bolt")), app.ConflictSlug)
		_, err := w.ChangeOrganization(w.ctx, app.OrganizationChange{OrganizationID: third.org.ID, At: w.now(),
			User: &app.CredentialChange{UserID: third.owner.ID, Email: ptr("new@x"), EmailKey: ptr("new@x")}})
		taken(t, err, app.ConflictEmail)
	})

	s.test("BeginRename/ATakenNameAppliesNothing", func(t *testing.T, w *world) {
		acme := w.tenant("acme")
		op := w.rename(acme.org, "neighbour")
		taken(t, w.BeginRename(w.ctx, op), app.ConflictSlug)
		_, err := w.Operation(w.ctx, op.ID)
		is(t, err, app.ErrNotFound)

		op = w.rename(acme.org, "bolt")
		op.Change.User = &app.CredentialChange{UserID: acme.owner.ID, Email: ptr("x"), EmailKey: &w.neighbour.owner.EmailKey}
		taken(t, w.BeginRename(w.ctx, op), app.ConflictEmail)
		equal(t, "organization", w.organization(acme.org.ID), acme.org)
		equal(t, "user", w.user(acme.owner.ID), acme.owner)
		w.create(w.creation("bolt")) // the slug of the refused one is free
	})

	s.test("BeginRename/OnesOwnEmailIsNotTaken", func(t *testing.T, w *world) {
		acme := w.tenant("acme")
		op := w.rename(acme.org, "bolt")
		op.Change.User = &app.CredentialChange{UserID: acme.owner.ID, Email: ptr("OWNER@acme.example"), EmailKey: &acme.owner.EmailKey}
		must(t, w.BeginRename(w.ctx, op))
		_, err := w.FinishRename(w.ctx, op, w.now())
		must(t, err)
		equal(t, "spelling", w.user(acme.owner.ID).Email, "OWNER@acme.example")
	})

	s.test("BeginRename/ASecondOpenOperationIsRefused", func(t *testing.T, w *world) {
		acme := w.tenant("acme")
		must(t, w.BeginRename(w.ctx, w.rename(acme.org, "bolt")))
		taken(t, w.BeginRename(w.ctx, w.rename(acme.org, "carl")), app.ConflictOpenChange)
		taken(t, w.BeginDelete(w.ctx, w.operation(app.OperationDelete, acme.org), app.AnyRevision), app.ConflictOpenChange)
		w.create(w.creation("carl")) // the slug of the refused one is free
		equal(t, "organization", w.organization(acme.org.ID), acme.org)
	})

	s.test("BeginRename/StaleAppliesNothing", func(t *testing.T, w *world) {
		acme := w.tenant("acme")
		op := w.rename(acme.org, "bolt")
		op.Change.IfRevision = acme.org.Revision + 1
		is(t, w.BeginRename(w.ctx, op), app.ErrStale)
		_, err := w.Operation(w.ctx, op.ID)
		is(t, err, app.ErrNotFound)
		w.create(w.creation("bolt"))
	})

	s.test("BeginRename/UnknownOrInvisibleIsNotFound", func(t *testing.T, w *world) {
		unknown := w.creation("unknown").Organization
		deleting := w.tenant("deleting")
		op := w.operation(app.OperationDelete, deleting.org)
		must(t, w.BeginDelete(w.ctx, op, app.AnyRevision))
		for _, org := range []app.Organization{unknown, deleting.org} {
			err := w.BeginRename(w.ctx, w.rename(org, "bolt"))
			if org.ID == unknown.ID {
				is(t, err, app.ErrNotFound)
			} else if err == nil {
				t.Fatal("an organization that is being deleted was renamed")
			}
		}
		w.create(w.creation("bolt"))
	})

	s.test("BeginRename/ConcurrentTakersOneWins", func(t *testing.T, w *world) {
		orgs := []tenant{w.tenant("a1"), w.tenant("a2"), w.tenant("a3"), w.tenant("a4")}
		ops := make([]app.Operation, len(orgs))
		for i, o := range orgs {
			ops[i] = w.rename(o.org, "prize")
		}
		c := w.creation("prize")
		create := w.operation(app.OperationCreate, c.Organization)
		oneWinner(t, race(len(orgs)+1, func(i int) error {
			if i == len(orgs) {
				return w.BeginCreate(w.ctx, create, c)
			}
			return w.BeginRename(w.ctx, ops[i])
		}), app.ErrConflict)
	})
}
