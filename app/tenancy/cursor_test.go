package tenancy

import (
	"testing"

	"tenantry/app"
)

func TestCursorGivesBackItsPlace(t *testing.T) {
	org := app.Organization{ID: app.NewID[app.OrganizationID](), NameKey: "ünï \"code\" \u2028"}
	for _, sort := range []app.OrganizationSort{app.SortCreated, app.SortCreatedDesc, app.SortName, app.SortNameDesc} {
		place, ok := decodeCursor(sort, encodeCursor(sort, org))
		byName := sort == app.SortName || sort == app.SortNameDesc
		if !ok || place.ID != org.ID || byName && place.Key != org.NameKey || !byName && place.Key != "" {
			t.Errorf("%s: %+v, %v", sort, place, ok)
		}
	}
}

// FuzzListCursor: whatever somebody sends is refused or names an id.
func FuzzListCursor(f *testing.F) {
	org := app.Organization{ID: "018f3c1e-7a2b-7c3d-8e4f-5a6b7c8d9e0f", NameKey: "acme"}
	for _, sort := range []app.OrganizationSort{app.SortCreated, app.SortName} {
		f.Add(string(sort), encodeCursor(sort, org))
	}
	f.Add("name", "e30")
	f.Add("", "")
	f.Fuzz(func(t *testing.T, sort, s string) {
		place, ok := decodeCursor(app.OrganizationSort(sort), s)
		if ok != (place != nil) || ok && !app.IsID(string(place.ID)) {
			t.Fatalf("%q gives %+v, %v", s, place, ok)
		}
	})
}
