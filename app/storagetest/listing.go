package storagetest

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"

	"tenantry/app"
)

func listing(s registrySuite) {
	orders := []struct {
		sort app.OrganizationSort
		less func(a, b app.Organization) int
	}{
		{app.SortCreated, func(a, b app.Organization) int { return cmp.Compare(a.ID, b.ID) }},
		{app.SortCreatedDesc, func(a, b app.Organization) int { return cmp.Compare(b.ID, a.ID) }},
		{app.SortName, func(a, b app.Organization) int {
			return cmp.Or(cmp.Compare(a.NameKey, b.NameKey), cmp.Compare(a.ID, b.ID))
		}},
		{app.SortNameDesc, func(a, b app.Organization) int {
			return cmp.Or(cmp.Compare(b.NameKey, a.NameKey), cmp.Compare(b.ID, a.ID))
		}},
	}
	for _, order := range orders {
		s.test("ListOrganizations/PagesInOrderOf"+string(order.sort), func(t *testing.T, w *world) {
			all := []app.Organization{w.neighbour.org}
			// Two share each folded name, so that the id has to break ties.
			for i, key := range []string{"beta", "alpha", "Gamma", "beta", "ölig", "alpha", "%", "z"} {
				all = append(all, w.named(fmt.Sprintf("org-%d", i), key))
			}
			slices.SortFunc(all, order.less)
			for limit := 1; limit <= len(all)+1; limit++ {
				equal(t, fmt.Sprintf("pages of %d", limit), w.pages(app.OrganizationQuery{Sort: order.sort, Limit: limit}, nil), all)
			}
		})

		s.test("ListOrganizations/LeavesNothingOutWhileOthersComeInOrderOf"+string(order.sort), func(t *testing.T, w *world) {
			all := []app.Organization{w.neighbour.org}
			for i := range 6 {
				all = append(all, w.named(fmt.Sprintf("org-%d", i), fmt.Sprintf("key-%d", i%3)))
			}
			slices.SortFunc(all, order.less)
			n := 0
			got := w.pages(app.OrganizationQuery{Sort: order.sort, Limit: 2}, func() {
				n++
				w.named(fmt.Sprintf("late-%d", n), fmt.Sprintf("key-%d", n%3))
			})
			seen := map[app.OrganizationID]bool{}
			for _, org := range got {
				if seen[org.ID] {
					t.Fatalf("%s was listed twice", org.Slug)
				}
				seen[org.ID] = true
			}
			got = slices.DeleteFunc(got, func(o app.Organization) bool { return strings.HasPrefix(o.Slug, "late-") })
			equal(t, "those that were there all the time", got, all)
		})
	}

	s.test("ListOrganizations/AfterTheLastIsEmpty", func(t *testing.T, w *world) {
		last := w.neighbour.org
		for _, q := range []app.OrganizationQuery{
			{Sort: app.SortCreated, Limit: 5, After: &app.OrganizationCursor{ID: last.ID}},
			{Sort: app.SortName, Limit: 5, After: &app.OrganizationCursor{Key: last.NameKey, ID: last.ID}},
		} {
			got, err := w.ListOrganizations(w.ctx, q)
			must(t, err)
			equal(t, "after the last", got, []app.Organization{})
		}
	})

	s.test("ListOrganizations/ACursorOutlivesItsOrganization", func(t *testing.T, w *world) {
		a, b := w.tenant("acme"), w.tenant("bolt")
		op := w.operation(app.OperationDelete, a.org)
		must(t, w.BeginDelete(w.ctx, op, app.AnyRevision))
		must(t, w.FinishDelete(w.ctx, op, w.now()))
		got, err := w.ListOrganizations(w.ctx, app.OrganizationQuery{
			Sort: app.SortCreated, Limit: 5, After: &app.OrganizationCursor{ID: a.org.ID}})
		must(t, err)
		equal(t, "after the one that is gone", got, []app.Organization{b.org})
	})

	s.test("CountOrganizations/CountsWithoutAfterAndLimit", func(t *testing.T, w *world) {
		for i := range 4 {
			w.tenant(fmt.Sprintf("org-%d", i))
		}
		n, err := w.CountOrganizations(w.ctx, app.OrganizationQuery{Sort: app.SortCreated, Limit: 1,
			After: &app.OrganizationCursor{ID: w.neighbour.org.ID}})
		must(t, err)
		equal(t, "count", n, int64(5))
	})

	filtering(s)
}

// named creates an organization with a folded name.
func (w *world) named(slug, key string) app.Organization {
	w.t.Helper()
	c := w.creation(slug)
	c.Organization.Name, c.Organization.NameKey = key, key
	return w.create(c)
}

// pages lists a query to its end, calling between after each page.
func (w *world) pages(q app.OrganizationQuery, between func()) []app.Organization {
	w.t.Helper()
	var all []app.Organization
	for range 1000 {
		page, err := w.ListOrganizations(w.ctx, q)
		must(w.t, err)
		if len(page) > q.Limit {
			w.t.Fatalf("a page of %d where at most %d were asked for", len(page), q.Limit)
		}
		all = append(all, page...)
		if len(page) < q.Limit {
			return all
		}
		last := page[len(page)-1]
		q.After = &app.OrganizationCursor{ID: last.ID}
		if q.Sort == app.SortName || q.Sort == app.SortNameDesc {
			q.After.Key = last.NameKey
		}
		if between != nil && len(all) < 40 {
			between()
		}
	}
	w.t.Fatal("the list has no end")
	return nil
}
