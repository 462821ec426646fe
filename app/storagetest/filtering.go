package storagetest

import (
	"testing"

	"tenantry/app"
)

func filtering(s registrySuite) {
	s.test("ListOrganizations/FiltersByEachField", func(t *testing.T, w *world) {
		acme := w.tenant("acme")
		creating := w.creation("creating")
		w.begin(creating)
		elsewhere := w.creation("elsewhere")
		elsewhere.Organization.Placement.Cluster = "eu"
		elsewhere.Organization.Placement.Isolation = app.IsolationShared
		eu := w.create(elsewhere)
		suspended := w.tenant("suspended").org
		suspended, err := w.ChangeOrganization(w.ctx, app.OrganizationChange{
			OrganizationID: suspended.ID, State: ptr(app.StateSuspended), At: w.now()})
		must(t, err)

		n := w.neighbour.org
		for name, c := range map[string]struct {
			query app.OrganizationQuery
			want  []app.Organization
		}{
			"all":           {app.OrganizationQuery{}, []app.Organization{n, acme.org, creating.Organization, eu, suspended}},
			"external id":   {app.OrganizationQuery{ExternalID: "ext-acme"}, []app.Organization{acme.org}},
			"other case":    {app.OrganizationQuery{ExternalID: "EXT-acme"}, nil},
			"one state":     {app.OrganizationQuery{States: []app.OrganizationState{app.StateSuspended}}, []app.Organization{suspended}},
			"several":       {app.OrganizationQuery{States: []app.OrganizationState{app.StateCreating, app.StateSuspended}}, []app.Organization{creating.Organization, suspended}},
			"cluster":       {app.OrganizationQuery{Cluster: "eu"}, []app.Organization{eu}},
			"isolation":     {app.OrganizationQuery{Isolation: app.IsolationShared}, []app.Organization{eu}},
			"member":        {app.OrganizationQuery{Member: acme.owner.ID}, []app.Organization{acme.org}},
			"nobody":        {app.OrganizationQuery{Member: app.NewID[app.UserID]()}, nil},
			"all at once":   {app.OrganizationQuery{Text: "acme", ExternalID: "ext-acme", Cluster: "default", Member: acme.owner.ID}, []app.Organization{acme.org}},
			"contradiction": {app.OrganizationQuery{Text: "acme", Cluster: "eu"}, nil},
		} {
			c.query.Sort, c.query.Limit = app.SortCreated, 2
			equal(t, name, w.pages(c.query, nil), c.want)
			count, err := w.CountOrganizations(w.ctx, c.query)
			must(t, err)
			equal(t, "count of "+name, count, int64(len(c.want)))
		}
	})

	s.test("ListOrganizations/FindsText", func(t *testing.T, w *world) {
		c := w.creation("rocket-works")
		c.Organization.Name, c.Organization.NameKey = "Ünïted 100% _Fun_", "ünïted 100% _fun_"
		c.Organization.ExternalID = "CRM-4711"
		org := w.create(c)
		for text, want := range map[string][]app.Organization{
			"ünï": {org}, "ted 100": {org}, "rocket-w": {org}, "works": {org}, "crm-4": {org}, "4711": {org},
			"100%": {org}, "_fun_": {org},
			// Nothing is a pattern.
			"%": {org}, "100_": nil, "r%t": nil, "*": nil, ".*": nil, `\`: nil, "'": nil, "_un_": nil,
			"gibt es nicht": nil, "neighbour": {w.neighbour.org},
		} {
			q := app.OrganizationQuery{Text: text, Sort: app.SortCreated, Limit: 10}
			equal(t, "text "+text, w.pages(q, nil), want)
			count, err := w.CountOrganizations(w.ctx, q)
			must(t, err)
			equal(t, "count of text "+text, count, int64(len(want)))
		}
	})

	s.test("ListOrganizations/MemberOfSeveral", func(t *testing.T, w *world) {
		acme := w.tenant("acme")
		second := w.creation("second")
		second.Owner = nil
		second.Organization.OwnerID, second.Membership.UserID = acme.owner.ID, acme.owner.ID
		org := w.create(second)
		q := app.OrganizationQuery{Member: acme.owner.ID, Sort: app.SortCreatedDesc, Limit: 1}
		equal(t, "organizations of the user", w.pages(q, nil), []app.Organization{org, acme.org})
	})
}
