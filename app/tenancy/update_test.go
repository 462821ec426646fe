package tenancy_test

import (
	"errors"
	"maps"
	"reflect"
	"strings"
	"testing"

	"tenantry/app"
	"tenantry/app/documents"
	"tenantry/app/tenancy"
)

func ptr[T any](v T) *T { return &v }

func (h *house) rename(o tenant, name string) (app.Organization, error) {
	return h.Update(h.ctx, o.owner, string(o.ID), tenancy.UpdateInput{Name: &name})
}

func (h *house) note(o tenant, id string) {
	h.t.Helper()
	_, err := h.documents.Create(h.ctx, o.owner, string(o.ID), documents.CreateInput{ID: id, Type: "note", Data: []byte(`{"of":"` + o.Name + `"}`)})
	h.ok(err)
}

// hasNotes checks that the organization has exactly these documents.
func (h *house) hasNotes(o tenant, ids ...string) {
	h.t.Helper()
	page, err := h.documents.List(h.ctx, o.owner, string(o.ID), documents.ListInput{})
	h.ok(err)
	var got []string
	for _, d := range page.Items {
		got = append(got, string(d.ID))
	}
	if !reflect.DeepEqual(got, ids) {
		h.t.Errorf("%s has the documents %q instead of %q", o.Slug, got, ids)
	}
}

func TestRename(t *testing.T) {
	h := newHouse(t)
	o, other := h.tenant("Acme Corp"), h.tenant("Other")
	h.note(o, "a")
	h.note(other, "b")
	steps := []struct {
		name, slug string
		generation int64
	}{
		{"ACME corp", "acme-corp", 1},          // only case
		{"«Acme» (Corp.)", "acme-corp", 1},     // only punctuation
		{"Bolt", "bolt", 2},                    // another
		{"Bolt", "bolt", 2},                    // the same
		{"Acme Corp", "acme-corp", 3},          // and back
		{"🎉", "org-6146299cd5", 4},             // nothing to transliterate
		{strings.Repeat("x", 100), "", 5},      // cut
		{strings.Repeat("x", 99) + "y", "", 6}, // differs where it is cut
	}
	for i, step := range steps {
		got, err := h.rename(o, step.name)
		h.ok(err)
		if got.Name != step.name || step.slug != "" && got.Slug != step.slug || got.Placement.Generation != step.generation ||
			got.Placement.Collection != app.CollectionName(got.Slug) || got.Revision != int64(i+2) {
			t.Errorf("%q: %+v", step.name, got)
		}
		if read := h.organization(o.ID); !reflect.DeepEqual(read, got) {
			t.Errorf("answered %+v and has %+v", got, read)
		}
		h.hasNotes(o, "a")
		h.tidy()
	}
	h.hasNotes(other, "b")
	_, err := h.Get(h.ctx, o.owner, "acme-corp")
	h.wantCode(err, "organization_not_found")
}

func TestTheSlugFollowsTheNameItWasMadeFrom(t *testing.T) {
	h := newHouse(t)
	made := h.tenant("Acme")
	in := input("Chosen")
	in.Slug = "my-slug"
	chosen, err := h.Create(h.ctx, operator, in)
	h.ok(err)
	update := func(id app.OrganizationID, change tenancy.UpdateInput, name, slug string) {
		t.Helper()
		got, err := h.Update(h.ctx, operator, string(id), change)
		if err != nil || got.Name != name || got.Slug != slug || got.Placement.Collection != app.CollectionName(slug) {
			t.Errorf("got %+v, %v", got, err)
		}
	}
	update(chosen.ID, tenancy.UpdateInput{Name: ptr("Renamed")}, "Renamed", "my-slug")
	update(chosen.ID, tenancy.UpdateInput{Slug: ptr("renamed")}, "Renamed", "renamed")
	update(chosen.ID, tenancy.UpdateInput{Name: ptr("Again")}, "Again", "again")
	update(chosen.ID, tenancy.UpdateInput{Name: ptr("Both"), Slug: ptr("other")}, "Both", "other")
	update(made.ID, tenancy.UpdateInput{Name: ptr("Bolt")}, "Bolt", "bolt")
	// A name whose own slug is reserved can be had with another slug only.
	_, err = h.Update(h.ctx, operator, string(made.ID), tenancy.UpdateInput{Name: ptr("Admin")})
	h.wantCode(err, "organization_name_reserved")
	update(chosen.ID, tenancy.UpdateInput{Name: ptr("Admin")}, "Admin", "other")
	h.tidy()
}

// TestUpdateRefuses has updates of many parts of which one is refused: nothing
// of the others is applied.
func TestUpdateRefuses(t *testing.T) {
	h := newHouse(t)
	o, other := h.tenant("Acme"), h.tenant("Other")
	_, err := h.Update(h.ctx, other.owner, other.Slug, tenancy.UpdateInput{ExternalID: ptr("ext")})
	h.ok(err)
	h.note(o, "a")
	tests := []struct {
		name   string
		change func(in *tenancy.UpdateInput)
		code   string
	}{
		{"taken name", func(in *tenancy.UpdateInput) { in.Name = ptr("OTHER!") }, "organization_name_taken"},
		{"taken slug", func(in *tenancy.UpdateInput) { in.Slug = ptr("other") }, "organization_name_taken"},
		{"taken email", func(in *tenancy.UpdateInput) { in.Email = ptr(strings.ToUpper(other.email)) }, "email_taken"},
		{"taken email without a rename", func(in *tenancy.UpdateInput) { in.Name, in.Email = nil, &other.email }, "email_taken"},
		{"taken external id", func(in *tenancy.UpdateInput) { in.ExternalID = ptr("ext") }, "external_id_taken"},
		{"bad name", func(in *tenancy.UpdateInput) { in.Name = ptr("") }, "required"},
		{"reserved name", func(in *tenancy.UpdateInput) { in.Name = ptr("admin") }, "organization_name_reserved"},
		{"bad slug", func(in *tenancy.UpdateInput) { in.Slug = ptr("") }, "invalid_slug"},
		{"bad email", func(in *tenancy.UpdateInput) { in.Email = ptr("nobody") }, "invalid_email"},
		{"bad password", func(in *tenancy.UpdateInput) { in.Password = ptr("short") }, "password_too_short"},
		{"bad external id", func(in *tenancy.UpdateInput) { in.ExternalID = ptr("\x00") }, "invalid_external_id"},
		{"bad metadata", func(in *tenancy.UpdateInput) { in.Metadata = map[string]*string{"": ptr("x")} }, "invalid_key"},
		{"stale", func(in *tenancy.UpdateInput) { in.IfRevision = 7 }, "revision_mismatch"},
		{"stale without a rename", func(in *tenancy.UpdateInput) { in.Name, in.IfRevision = nil, 7 }, "revision_mismatch"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := tenancy.UpdateInput{Name: ptr("Bolt"), Email: ptr("new@house.example"), Password: ptr("another staple entirely"),
				ExternalID: ptr("new"), Metadata: map[string]*string{"new": ptr("x")}}
			tt.change(&in)
			got, err := h.Update(h.ctx, o.owner, o.Slug, in)
			if codeOf(err) != tt.code || got.ID != "" {
				t.Errorf("got %+v, %v, want %s", got, err, tt.code)
			}
			if got := h.organization(o.ID); !reflect.DeepEqual(got, o.Organization) {
				t.Errorf("it has become %+v", got)
			}
			h.ok(h.login(o.email, password))
			h.wantCode(h.login("new@house.example", "another staple entirely"), "credentials_invalid")
		})
	}
	h.hasNotes(o, "a")
	h.tidy()
	free := input("Bolt")
	free.ExternalID, free.Owner.Email = "new", "new@house.example"
	_, err = h.Create(h.ctx, anonymous, free)
	h.ok(err)
}

func TestUpdateNamesAllThatIsWrong(t *testing.T) {
	h := newHouse(t)
	o := h.tenant("Acme")
	_, err := h.Update(h.ctx, o.owner, o.Slug, tenancy.UpdateInput{Name: ptr(""), Slug: ptr("A"), ExternalID: ptr("\n"),
		Metadata: map[string]*string{"": ptr("x")}, Email: ptr("x"), Password: ptr("y")})
	var fields app.FieldErrors
	if !errors.As(err, &fields) {
		t.Fatal(err)
	}
	var where []string
	for _, f := range fields {
		where = append(where, f.Location)
	}
	if got, want := strings.Join(where, " "), "name slug external_id metadata email password"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestUpdateOfEverything(t *testing.T) {
	h := newHouse(t)
	o := h.tenant("Acme")
	h.note(o, "a")
	got, err := h.Update(h.ctx, o.owner, o.Slug, tenancy.UpdateInput{IfRevision: 1, Name: ptr("Bolt"), ExternalID: ptr("ext"),
		Metadata: map[string]*string{"k": ptr("v"), "not there": nil}, Email: ptr("New@House.example"), Password: ptr("another staple entirely")})
	if err != nil || got.Revision != 2 || got.Slug != "bolt" || got.ExternalID != "ext" || !maps.Equal(got.Metadata, map[string]string{"k": "v"}) {
		t.Fatalf("%+v, %v", got, err)
	}
	h.ok(h.login("new@house.example", "another staple entirely"))
	h.wantCode(h.login(o.email, password), "credentials_invalid")
	h.hasNotes(o, "a")
	// The old address and name are somebody else's now, and no rights with them.
	in := input("Acme")
	in.Owner.Email = o.email
	next, err := h.Create(h.ctx, anonymous, in)
	h.ok(err)
	_, err = h.Get(h.ctx, o.owner, "acme")
	h.wantCode(err, "organization_not_found")
	_, err = h.Get(h.ctx, app.Actor{Kind: app.AsUser, UserID: next.OwnerID}, "bolt")
	h.wantCode(err, "organization_not_found")
	h.hasNotes(tenant{next, app.Actor{Kind: app.AsUser, UserID: next.OwnerID}, o.email})
	// External id and metadata are taken away.
	got, err = h.Update(h.ctx, o.owner, "bolt", tenancy.UpdateInput{ExternalID: ptr(""), ClearMetadata: true, Metadata: map[string]*string{"only": ptr("")}})
	if err != nil || got.ExternalID != "" || !maps.Equal(got.Metadata, map[string]string{"only": ""}) {
		t.Errorf("%+v, %v", got, err)
	}
	h.tidy()
}

func TestCredentialsAreThoseOfWhoAsks(t *testing.T) {
	h := newHouse(t)
	o := h.tenant("Acme")
	_, admin := h.place("by-admin", app.RoleAdmin, app.StateActive)
	_, err := h.Update(h.ctx, admin, "by-admin", tenancy.UpdateInput{Email: ptr("admin@house.example")})
	h.ok(err)
	user, err := h.registry.User(h.ctx, admin.UserID)
	if err != nil || user.Email != "admin@house.example" {
		t.Errorf("%+v, %v", user, err)
	}
	_, err = h.Update(h.ctx, operator, "acme", tenancy.UpdateInput{Email: ptr("set@house.example"), Password: ptr("another staple entirely")})
	h.ok(err)
	h.ok(h.login("set@house.example", "another staple entirely"))
	if got, err := h.OwnerEmail(h.ctx, o.Organization); err != nil || got != "set@house.example" {
		t.Errorf("%q, %v", got, err)
	}
}
