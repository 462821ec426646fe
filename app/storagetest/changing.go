package storagetest

import (
	"testing"

	"tenantry/app"
)

func changing(s registrySuite) {
	s.test("ChangeOrganization/AppliesEachFieldAlone", func(t *testing.T, w *world) {
		acme := w.tenant("acme")
		want := acme.org
		for name, step := range map[string]struct {
			change app.OrganizationChange
			apply  func(o *app.Organization)
		}{
			"name": {app.OrganizationChange{Name: ptr("ACME!"), NameKey: ptr("acme!")},
				func(o *app.Organization) { o.Name, o.NameKey = "ACME!", "acme!" }},
			"external id": {app.OrganizationChange{ExternalID: ptr("new-ext")},
				func(o *app.Organization) { o.ExternalID = "new-ext" }},
			"metadata": {app.OrganizationChange{Metadata: map[string]string{"only": "this"}},
				func(o *app.Organization) { o.Metadata = map[string]string{"only": "this"} }},
			"state": {app.OrganizationChange{State: ptr(app.StateSuspended)},
				func(o *app.Organization) { o.State = app.StateSuspended }},
			"nothing": {app.OrganizationChange{}, func(*app.Organization) {}},
		} {
			change := step.change
			change.OrganizationID, change.IfRevision, change.At = acme.org.ID, want.Revision, w.now()
			got, err := w.ChangeOrganization(w.ctx, change)
			must(t, err)
			step.apply(&want)
			if name == "nothing" { // whether that counts as a change is the engine's
				want.Revision = got.Revision
			} else {
				want.Revision++
			}
			want.UpdatedAt = change.At
			if name == "nothing" {
				want.UpdatedAt = got.UpdatedAt
			}
			equal(t, name, got, want)
			equal(t, name+" as read", w.organization(acme.org.ID), want)
		}
		equal(t, "user", w.user(acme.owner.ID), acme.owner)
	})

	s.test("ChangeOrganization/TakesAway", func(t *testing.T, w *world) {
		acme := w.tenant("acme")
		got, err := w.ChangeOrganization(w.ctx, app.OrganizationChange{OrganizationID: acme.org.ID,
			ExternalID: ptr(""), Metadata: map[string]string{}, At: w.now()})
		must(t, err)
		equal(t, "external id", got.ExternalID, "")
		equal(t, "metadata", len(got.Metadata), 0)
		equal(t, "as read", w.organization(acme.org.ID), got)
		c := w.creation("bolt")
		c.Organization.ExternalID = acme.org.ExternalID
		w.create(c) // the external id is free
	})

	s.test("ChangeOrganization/SuspendsAndResumes", func(t *testing.T, w *world) {
		acme := w.tenant("acme")
		for _, state := range []app.OrganizationState{app.StateSuspended, app.StateActive} {
			_, err := w.ChangeOrganization(w.ctx, app.OrganizationChange{
				OrganizationID: acme.org.ID, State: ptr(state), At: w.now()})
			must(t, err)
			equal(t, "state", w.organization(acme.org.ID).State, state)
		}
	})

	s.test("ChangeOrganization/StaleAppliesNothing", func(t *testing.T, w *world) {
		acme := w.tenant("acme")
		for _, revision := range []int64{acme.org.Revision - 1, acme.org.Revision + 1, 99} {
			if revision == app.AnyRevision {
				continue
			}
			_, err := w.ChangeOrganization(w.ctx, app.OrganizationChange{OrganizationID: acme.org.ID,
				IfRevision: revision, Name: ptr("x"), NameKey: ptr("x"), At: w.now(),
				User: &app.CredentialChange{UserID: acme.owner.ID, PasswordHash: ptr("new")}})
			is(t, err, app.ErrStale)
		}
		equal(t, "organization", w.organization(acme.org.ID), acme.org)
		equal(t, "user", w.user(acme.owner.ID), acme.owner)
	})

	s.test("ChangeOrganization/UnknownOrInvisibleIsNotFound", func(t *testing.T, w *world) {
		creating := w.creation("creating")
		w.begin(creating)
		deleting := w.tenant("deleting")
		must(t, w.BeginDelete(w.ctx, w.operation(app.OperationDelete, deleting.org), app.AnyRevision))
		for _, id := range []app.OrganizationID{app.NewID[app.OrganizationID](), creating.Organization.ID, deleting.org.ID} {
			_, err := w.ChangeOrganization(w.ctx, app.OrganizationChange{
				OrganizationID: id, Metadata: map[string]string{"a": "b"}, At: w.now()})
			is(t, err, app.ErrNotFound)
		}
	})

	s.test("ChangeOrganization/ATakenExternalIDAppliesNothing", func(t *testing.T, w *world) {
		acme := w.tenant("acme")
		_, err := w.ChangeOrganization(w.ctx, app.OrganizationChange{OrganizationID: acme.org.ID,
			Name: ptr("x"), NameKey: ptr("x"), ExternalID: &w.neighbour.org.ExternalID, At: w.now()})
		taken(t, err, app.ConflictExternalID)
		equal(t, "organization", w.organization(acme.org.ID), acme.org)
	})

	s.test("ChangeOrganization/NothingThatAnOpenRenameOverwrites", func(t *testing.T, w *world) {
		acme := w.tenant("acme")
		op := w.rename(acme.org, "bolt")
		op.Change.Metadata = map[string]string{"of": "the rename"}
		must(t, w.BeginRename(w.ctx, op))
		for _, change := range []app.OrganizationChange{
			{Name: ptr("x"), NameKey: ptr("x")},
			{ExternalID: ptr("x")},
			{Metadata: map[string]string{"lost": "?"}},
			{User: &app.CredentialChange{UserID: acme.owner.ID, PasswordHash: ptr("lost?")}},
			{State: ptr(app.StateSuspended), Metadata: map[string]string{"lost": "?"}},
		} {
			change.OrganizationID, change.At = acme.org.ID, w.now()
			_, err := w.ChangeOrganization(w.ctx, change)
			taken(t, err, app.ConflictOpenChange)
		}
		equal(t, "organization", w.organization(acme.org.ID), acme.org)
		_, err := w.ChangeOrganization(w.ctx, app.OrganizationChange{
			OrganizationID: acme.org.ID, State: ptr(app.StateSuspended), At: w.now()})
		must(t, err)
		got, err := w.FinishRename(w.ctx, op, w.now())
		must(t, err)
		equal(t, "state", got.State, app.StateSuspended)
		equal(t, "metadata", got.Metadata, op.Change.Metadata)
		equal(t, "slug", got.Slug, "bolt")
	})

	s.test("ChangeOrganization/ConcurrentWritersOneWins", func(t *testing.T, w *world) {
		acme := w.tenant("acme")
		at := w.now()
		winner := oneWinner(t, race(16, func(i int) error {
			_, err := w.ChangeOrganization(w.ctx, app.OrganizationChange{OrganizationID: acme.org.ID,
				IfRevision: acme.org.Revision, Metadata: map[string]string{"writer": string(rune('a' + i))}, At: at})
			return err
		}), app.ErrStale)
		got := w.organization(acme.org.ID)
		equal(t, "revision", got.Revision, acme.org.Revision+1)
		equal(t, "metadata", got.Metadata, map[string]string{"writer": string(rune('a' + winner))})
	})

	s.test("ChangeOrganization/ConcurrentWritersOfAnyRevisionAllCount", func(t *testing.T, w *world) {
		acme := w.tenant("acme")
		at := w.now()
		for _, err := range race(16, func(i int) error {
			_, err := w.ChangeOrganization(w.ctx, app.OrganizationChange{OrganizationID: acme.org.ID,
				ExternalID: ptr(string(rune('a' + i))), At: at})
			return err
		}) {
			must(t, err)
		}
		equal(t, "revision", w.organization(acme.org.ID).Revision, acme.org.Revision+16)
	})
}
