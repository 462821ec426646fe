package storagetest

import (
	"testing"

	"tenantry/app"
)

func organizations(s registrySuite) {
	s.test("Organization/UnknownIsNotFound", func(t *testing.T, w *world) {
		_, err := w.Organization(w.ctx, app.NewID[app.OrganizationID]())
		is(t, err, app.ErrNotFound)
	})

	s.test("Organization/RoundTripsEveryField", func(t *testing.T, w *world) {
		c := w.creation("acme")
		op := w.begin(c)
		equal(t, "organization being created", w.organization(c.Organization.ID), c.Organization)
		org, err := w.FinishCreate(w.ctx, op, w.now())
		must(t, err)
		equal(t, "organization", w.organization(org.ID), org)
		want := c.Organization
		want.State, want.Revision, want.UpdatedAt = app.StateActive, org.Revision, org.UpdatedAt
		equal(t, "finished organization", org, want)
	})

	s.test("Organization/RoundTripsEmptyFields", func(t *testing.T, w *world) {
		c := w.creation("acme")
		c.Organization.ExternalID, c.Organization.Metadata, c.Owner.Name = "", nil, ""
		w.begin(c)
		equal(t, "organization", w.organization(c.Organization.ID), c.Organization)
		equal(t, "owner", w.user(c.Owner.ID), *c.Owner)

		c = w.creation("bolt")
		c.Organization.ExternalID, c.Organization.Metadata = "", map[string]string{}
		w.begin(c) // a second one without an external id is no conflict
		equal(t, "organization", w.organization(c.Organization.ID), c.Organization)
	})

	s.test("Organization/KeepsTheUsersSpelling", func(t *testing.T, w *world) {
		for slug, name := range map[string]string{
			"emoji": "🚀 Rocket\u200d", "quotes": `O'Neil "&" <Söhne>; DROP TABLE organizations;--`,
			"percent": "100% _under_ \\ back", "arabic": "شركة", "spaces": "a  b", "nul-like": `a\x00b`,
		} {
			c := w.creation(slug)
			c.Organization.Name, c.Organization.NameKey = name, name
			w.create(c)
			equal(t, slug, w.organization(c.Organization.ID).Name, name)
		}
	})

	s.test("Organization/ReadsEveryState", func(t *testing.T, w *world) {
		c := w.creation("acme")
		op := w.begin(c)
		id := c.Organization.ID
		equal(t, "begun", w.organization(id).State, app.StateCreating)
		_, err := w.FinishCreate(w.ctx, op, w.now())
		must(t, err)
		equal(t, "finished", w.organization(id).State, app.StateActive)
		_, err = w.ChangeOrganization(w.ctx, app.OrganizationChange{
			OrganizationID: id, State: ptr(app.StateSuspended), At: w.now()})
		must(t, err)
		equal(t, "suspended", w.organization(id).State, app.StateSuspended)
		must(t, w.BeginDelete(w.ctx, w.operation(app.OperationDelete, c.Organization), app.AnyRevision))
		equal(t, "deleting", w.organization(id).State, app.StateDeleting)
	})

	s.test("OrganizationBySlug/UnknownIsNotFound", func(t *testing.T, w *world) {
		for _, slug := range []string{"", "acme", "neighbour ", "neighbou", "neighbour\x00", "neighbour2"} {
			_, err := w.OrganizationBySlug(w.ctx, slug)
			is(t, err, app.ErrNotFound)
		}
	})

	s.test("OrganizationBySlug/ComparesBytes", func(t *testing.T, w *world) {
		for _, slug := range []string{"NEIGHBOUR", "Neighbour", "neıghbour", "neighbo\u0075\u0308r", "ｎeighbour"} {
			_, err := w.OrganizationBySlug(w.ctx, slug)
			is(t, err, app.ErrNotFound)
		}
		org, err := w.OrganizationBySlug(w.ctx, "neighbour")
		must(t, err)
		equal(t, "organization", org, w.neighbour.org)
	})

	s.test("OrganizationBySlug/ReadsEveryState", func(t *testing.T, w *world) {
		c := w.creation("acme")
		w.begin(c)
		org, err := w.OrganizationBySlug(w.ctx, "acme")
		must(t, err)
		equal(t, "organization", org, c.Organization)
	})

	s.test("Health/IsWell", func(t *testing.T, w *world) {
		must(t, w.Health(w.ctx))
	})
}
