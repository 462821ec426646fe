package tenancy_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"

	"tenantry/app"
	"tenantry/app/tenancy"
)

func slugs(list []app.Organization) []string {
	out := []string{}
	for _, o := range list {
		out = append(out, o.Slug)
	}
	return out
}

// all pages through a list and checks its total.
func (h *house) all(actor app.Actor, in tenancy.ListInput) []string {
	h.t.Helper()
	in.Count = true
	got := []string{}
	for {
		page, err := h.List(h.ctx, actor, in)
		h.ok(err)
		if len(page.Items) > in.Limit || page.NextCursor != "" && len(page.Items) != in.Limit {
			h.t.Fatalf("a page of %d has %d, next %q", in.Limit, len(page.Items), page.NextCursor)
		}
		got = append(got, slugs(page.Items)...)
		if page.NextCursor == "" {
			if page.Total == nil || int(*page.Total) != len(got) {
				h.t.Errorf("%d listed, total %v", len(got), page.Total)
			}
			return got
		}
		in.Cursor = page.NextCursor
	}
}

func TestListOrders(t *testing.T) {
	h := newHouse(t)
	// Some share a folded name, so that the id decides.
	for i, name := range []string{"delta", "Alpha", "charlie", "ALPHA", "Bravo", "älpha", "alpha", "Échos", "Zulu", "alpha "} {
		in := input(name)
		in.Slug = fmt.Sprintf("n%d", i)
		_, err := h.Create(h.ctx, anonymous, in)
		h.ok(err)
	}
	h.place("half-made", app.RoleOwner, app.StateCreating)
	h.place("going", app.RoleOwner, app.StateDeleting)
	created := []string{"n0", "n1", "n2", "n3", "n4", "n5", "n6", "n7", "n8", "n9"}
	named := []string{"n1", "n3", "n6", "n9", "n4", "n2", "n0", "n8", "n5", "n7"}
	reversed := func(list []string) []string {
		list = slices.Clone(list)
		slices.Reverse(list)
		return list
	}
	for sort, want := range map[string][]string{"": created, "created_at": created, "-created_at": reversed(created), "name": named, "-name": reversed(named)} {
		for _, limit := range []int{1, 2, 3, 9, 10, 11, 200} {
			if got := h.all(operator, tenancy.ListInput{Sort: sort, Limit: limit}); !slices.Equal(got, want) {
				t.Errorf("sort %q, limit %d: got %v, want %v", sort, limit, got, want)
			}
		}
	}
}

func TestListSelects(t *testing.T) {
	h := newHouse(t)
	for _, o := range []struct{ name, slug, external string }{
		{"Acme Corp", "", "crm-1"},
		{"100% Wool", "", "CRM_2"},
		{"Snake_Case", "", ""},
		{`Back\slash`, "", ""},
		{"Straße 9", "", ""},
		{"ქართული", "georgia", ""},
		{"Plain", "chosen-slug", "a'b\"c"},
	} {
		in := input(o.name)
		in.Slug, in.ExternalID = o.slug, o.external
		_, err := h.Create(h.ctx, anonymous, in)
		h.ok(err)
	}
	_, err := h.Suspend(h.ctx, operator, "chosen-slug")
	h.ok(err)
	h.place("half-made", app.RoleOwner, app.StateCreating)
	all := []string{"acme-corp", "100-wool", "snake-case", "back-slash", "strasse-9", "georgia", "chosen-slug"}
	tests := []struct {
		name string
		in   tenancy.ListInput
		want []string
	}{
		{"everything", tenancy.ListInput{}, all},
		{"part of a name", tenancy.ListInput{Text: "cme c"}, []string{"acme-corp"}},
		{"another case", tenancy.ListInput{Text: "ACME"}, []string{"acme-corp"}},
		{"folded", tenancy.ListInput{Text: "STRASSE"}, []string{"strasse-9"}},
		{"capitals of another script", tenancy.ListInput{Text: "ᲥᲐᲠᲗ"}, []string{"georgia"}},
		{"blanks around", tenancy.ListInput{Text: "  plain "}, []string{"chosen-slug"}},
		{"nothing but blanks", tenancy.ListInput{Text: "  "}, all},
		{"part of a slug", tenancy.ListInput{Text: "osen-sl"}, []string{"chosen-slug"}},
		{"part of an external id", tenancy.ListInput{Text: "crm"}, []string{"acme-corp", "100-wool"}},
		{"percent", tenancy.ListInput{Text: "%"}, []string{"100-wool"}},
		{"underscore", tenancy.ListInput{Text: "_"}, []string{"100-wool", "snake-case"}},
		{"backslash", tenancy.ListInput{Text: `\`}, []string{"back-slash"}},
		{"quote", tenancy.ListInput{Text: "'"}, []string{"chosen-slug"}},
		{"star", tenancy.ListInput{Text: "*"}, nil},
		{"NUL", tenancy.ListInput{Text: "\x00"}, nil},
		{"statement", tenancy.ListInput{Text: "' OR 1=1 --"}, nil},
		{"external id", tenancy.ListInput{ExternalID: "CRM_2"}, []string{"100-wool"}},
		{"external id in another case", tenancy.ListInput{ExternalID: "crm_2"}, nil},
		{"external id with quotes", tenancy.ListInput{ExternalID: "a'b\"c"}, []string{"chosen-slug"}},
		{"active", tenancy.ListInput{State: "active"}, all[:6]},
		{"suspended", tenancy.ListInput{State: "suspended"}, []string{"chosen-slug"}},
		{"cluster", tenancy.ListInput{Cluster: "default"}, all},
		{"another cluster", tenancy.ListInput{Cluster: "mars"}, nil},
		{"isolation", tenancy.ListInput{Isolation: "collection"}, all},
		{"another isolation", tenancy.ListInput{Isolation: "database"}, nil},
		{"all together", tenancy.ListInput{Text: "c", State: "active", Cluster: "default", Isolation: "collection", ExternalID: "crm-1"}, []string{"acme-corp"}},
		{"what excludes each other", tenancy.ListInput{Text: "acme", State: "suspended"}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, limit := range []int{2, 200} {
				tt.in.Limit = limit
				if got := h.all(operator, tt.in); !slices.Equal(got, tt.want) {
					t.Errorf("got %v, want %v", got, tt.want)
				}
			}
		})
	}
}

func TestListRefuses(t *testing.T) {
	h := newHouse(t)
	for range 3 {
		h.tenant(fmt.Sprint("Org ", people.Load()))
	}
	byName, err := h.List(h.ctx, operator, tenancy.ListInput{Sort: "name", Limit: 1})
	h.ok(err)
	made := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	for name, tt := range map[string]struct {
		in   tenancy.ListInput
		code string
	}{
		"limit too small":       {tenancy.ListInput{Limit: -1}, "invalid_limit"},
		"limit too large":       {tenancy.ListInput{Limit: 201}, "invalid_limit"},
		"state that is hidden":  {tenancy.ListInput{State: "creating"}, "invalid_state"},
		"unknown state":         {tenancy.ListInput{State: "x"}, "invalid_state"},
		"unknown isolation":     {tenancy.ListInput{Isolation: "x"}, "invalid_isolation"},
		"unknown sort":          {tenancy.ListInput{Sort: "id; DROP TABLE x"}, "invalid_sort"},
		"cursor, other sort":    {tenancy.ListInput{Sort: "-name", Cursor: byName.NextCursor}, "invalid_cursor"},
		"cursor, no sort":       {tenancy.ListInput{Cursor: byName.NextCursor}, "invalid_cursor"},
		"cursor, garbage":       {tenancy.ListInput{Cursor: "!"}, "invalid_cursor"},
		"cursor, no JSON":       {tenancy.ListInput{Cursor: made("x")}, "invalid_cursor"},
		"cursor, empty":         {tenancy.ListInput{Cursor: made("{}")}, "invalid_cursor"},
		"cursor, not an id":     {tenancy.ListInput{Cursor: made(`{"s":"created_at","i":"x' OR 1=1"}`)}, "invalid_cursor"},
		"cursor, wrong of kind": {tenancy.ListInput{Cursor: made(`{"s":"created_at","i":7}`)}, "invalid_cursor"},
	} {
		page, err := h.List(h.ctx, operator, tt.in)
		if codeOf(err) != tt.code || !errors.Is(err, app.ErrInvalid) || len(page.Items) > 0 {
			t.Errorf("%s: %+v, %v", name, page, err)
		}
	}
	if _, err := h.List(h.ctx, anonymous, tenancy.ListInput{}); !errors.Is(err, app.ErrUnauthenticated) {
		t.Errorf("anonymous: %v", err)
	}
}

// TestUsersListTheirOwn: whatever a user asks for, and with whose cursor ever.
func TestUsersListTheirOwn(t *testing.T) {
	h := newHouse(t)
	mine, other := h.tenant("Mine"), h.tenant("Other")
	for i := range 4 {
		h.tenant(fmt.Sprint("Beside ", i))
	}
	second, err := h.Create(h.ctx, mine.owner, tenancy.CreateInput{Name: "Mine, too"})
	h.ok(err)
	want := []string{"mine", second.Slug}
	operators, err := h.List(h.ctx, operator, tenancy.ListInput{Limit: 1})
	h.ok(err)
	for _, limit := range []int{1, 2, 50} {
		if got := h.all(mine.owner, tenancy.ListInput{Limit: limit}); !slices.Equal(got, want) {
			t.Errorf("got %v", got)
		}
	}
	for _, in := range []tenancy.ListInput{{Text: "other"}, {Text: "beside"}, {Cursor: operators.NextCursor}, {Sort: "-name"}, {State: "active"}} {
		page, err := h.List(h.ctx, mine.owner, in)
		h.ok(err)
		for _, slug := range slugs(page.Items) {
			if !slices.Contains(want, slug) {
				t.Errorf("%+v shows %s", in, slug)
			}
		}
	}
	h.ok(h.Delete(h.ctx, operator, second.Slug, app.AnyRevision))
	if got := h.all(mine.owner, tenancy.ListInput{Limit: 5}); !slices.Equal(got, want[:1]) {
		t.Errorf("after the deletion: %v", got)
	}
	if got := h.all(other.owner, tenancy.ListInput{Limit: 5}); !slices.Equal(got, []string{"other"}) {
		t.Errorf("the other has %v", got)
	}
	ghost := app.Actor{Kind: app.AsUser, UserID: app.NewID[app.UserID]()}
	if got := h.all(ghost, tenancy.ListInput{Limit: 5}); len(got) > 0 {
		t.Errorf("a user that is gone has %v", got)
	}
}

// TestListWhileOthersComeAndGo: what is there all the time is listed exactly
// once, in every order.
func TestListWhileOthersComeAndGo(t *testing.T) {
	h := newHouse(t)
	var stay []string
	for i := range 15 {
		stay = append(stay, h.tenant(fmt.Sprintf("%02d stays", i)).Slug)
	}
	var stop atomic.Bool
	for _, err := range atOnce(3, func(i int) error {
		if i == 0 {
			defer stop.Store(true)
			for round := range 20 {
				sort := []string{"created_at", "-created_at", "name", "-name"}[round%4]
				in := tenancy.ListInput{Sort: sort, Limit: 4}
				var got []string
				for {
					page, err := h.List(h.ctx, operator, in)
					if err != nil {
						return err
					}
					got = append(got, slugs(page.Items)...)
					if in.Cursor = page.NextCursor; in.Cursor == "" {
						break
					}
				}
				got = slices.DeleteFunc(got, func(slug string) bool { return !slices.Contains(stay, slug) })
				if sort[0] == '-' {
					slices.Reverse(got)
				}
				if !slices.Equal(got, stay) {
					return fmt.Errorf("%s: %v", sort, got)
				}
			}
			return nil
		}
		for n := 0; !stop.Load(); n++ {
			org, err := h.Create(h.ctx, anonymous, input(fmt.Sprintf("%02d goes %d", n%15, i)))
			if err != nil {
				return err
			}
			if err := h.Delete(h.ctx, operator, string(org.ID), app.AnyRevision); err != nil {
				return err
			}
		}
		return nil
	}) {
		h.ok(err)
	}
	h.tidy()
}
