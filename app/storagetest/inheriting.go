package storagetest

import (
	"testing"

	"tenantry/app"
)

// inheriting tests that who takes a name next gets the name and nothing else.
func inheriting(s registrySuite) {
	s.test("FinishDelete/TheNextTakerInheritsNothing", func(t *testing.T, w *world) {
		first := w.tenant("acme")
		op := w.operation(app.OperationDelete, first.org)
		must(t, w.BeginDelete(w.ctx, op, app.AnyRevision))
		must(t, w.FinishDelete(w.ctx, op, w.now()))
		next := w.tenant("acme") // slug, collection, external id, email: all the same
		w.inheritedNothing(first, next)
		equal(t, "the next one", w.organization(next.org.ID), next.org)
	})

	s.test("FinishRename/TheNextTakerInheritsNothing", func(t *testing.T, w *world) {
		first := w.tenant("acme")
		op := w.rename(first.org, "bolt")
		op.Change.ExternalID = ptr("ext-bolt")
		op.Change.User = &app.CredentialChange{UserID: first.owner.ID, Email: ptr("b@x"), EmailKey: ptr("b@x")}
		must(t, w.BeginRename(w.ctx, op))
		_, err := w.FinishRename(w.ctx, op, w.now())
		must(t, err)
		next := w.tenant("acme")
		w.inheritedNothing(first, next)
		got, err := w.Session(w.ctx, first.session.ID)
		must(t, err)
		equal(t, "organization of the first one's session", got.OrganizationID, first.org.ID)
	})
}

// inheritedNothing checks that first's people have no way into next.
func (w *world) inheritedNothing(first, next tenant) {
	w.t.Helper()
	_, err := w.Membership(w.ctx, next.org.ID, first.owner.ID)
	is(w.t, err, app.ErrNotFound)
	is(w.t, w.CreateSession(w.ctx, w.newSession(next.org.ID, first.owner.ID), w.proof(first.org.ID, first.owner)), app.ErrUnauthenticated)
	list, err := w.ListOrganizations(w.ctx, app.OrganizationQuery{Member: first.owner.ID, Sort: app.SortCreated, Limit: 10})
	must(w.t, err)
	for _, org := range list {
		if org.ID == next.org.ID {
			w.t.Fatal("the former owner is listed as a member of the next taker")
		}
	}
	list, err = w.ListOrganizations(w.ctx, app.OrganizationQuery{Member: next.owner.ID, Sort: app.SortCreated, Limit: 10})
	must(w.t, err)
	equal(w.t, "organizations of the next owner", list, []app.Organization{next.org})
	memberships, err := w.Memberships(w.ctx, next.owner.ID)
	must(w.t, err)
	equal(w.t, "memberships of the next owner", memberships, []app.Membership{next.membership})
}
