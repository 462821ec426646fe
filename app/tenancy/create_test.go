package tenancy_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"tenantry/app"
	"tenantry/app/identity"
	"tenantry/app/tenancy"
)

func TestCreate(t *testing.T) {
	h := newHouse(t)
	in := input("  Acme, Inc. ")
	in.Owner.Email, in.Owner.Name = "Owner@Acme.Example", " Ada "
	in.ExternalID, in.Metadata = "crm/17", map[string]string{"plan": "pro", "empty": "", "Ünï": "a\nb"}
	org, err := h.Create(h.ctx, anonymous, in)
	h.ok(err)
	if org.Name != "Acme, Inc." || org.NameKey != "acme, inc." || org.Slug != "acme-inc" || org.State != app.StateActive ||
		org.Revision != 1 || org.ExternalID != "crm/17" || len(org.Metadata) != 3 || org.Placement.Collection != "org_acme_inc" ||
		org.Placement.Cluster != "default" || org.Placement.Isolation != app.IsolationCollection || !app.IsID(string(org.ID)) ||
		org.CreatedAt.IsZero() || !org.CreatedAt.Equal(org.UpdatedAt) {
		t.Errorf("%+v", org)
	}
	user, err := h.registry.User(h.ctx, org.OwnerID)
	if err != nil || user.Email != "Owner@Acme.Example" || user.Name != "Ada" {
		t.Errorf("%+v, %v", user, err)
	}
	email, err := h.OwnerEmail(h.ctx, org)
	if err != nil || email != user.Email {
		t.Errorf("%q, %v", email, err)
	}
	h.ok(h.login("owner@acme.EXAMPLE", password))
	h.tidy()
}

// TestCreateRefuses has everything that is refused before anything is made,
// and checks that nothing was.
func TestCreateRefuses(t *testing.T) {
	h := newHouse(t)
	o := h.tenant("Taken Name")
	external := "taken-id"
	_, err := h.Update(h.ctx, o.owner, o.Slug, tenancy.UpdateInput{ExternalID: &external})
	h.ok(err)
	tests := []struct {
		name   string
		change func(in *tenancy.CreateInput)
		code   string
	}{
		{"no name", func(in *tenancy.CreateInput) { in.Name = " " }, "required"},
		{"long name", func(in *tenancy.CreateInput) { in.Name = strings.Repeat("x", 10_000) }, "too_long"},
		{"NUL", func(in *tenancy.CreateInput) { in.Name = "a\x00b" }, "control_character"},
		{"reserved", func(in *tenancy.CreateInput) { in.Name = "Admin" }, "organization_name_reserved"},
		{"reserved name, slug of its own", func(in *tenancy.CreateInput) { in.Name, in.Slug = "Admin", "admin" }, "organization_name_reserved"},
		{"an id for a name", func(in *tenancy.CreateInput) { in.Name = string(app.NewID[app.OrganizationID]()) }, "organization_name_reserved"},
		{"bad slug", func(in *tenancy.CreateInput) { in.Slug = "A b" }, "invalid_slug"},
		{"taken", func(in *tenancy.CreateInput) { in.Name = "taken name" }, "organization_name_taken"},
		{"taken but for punctuation", func(in *tenancy.CreateInput) { in.Name = "«TAKEN_name!»" }, "organization_name_taken"},
		{"taken slug", func(in *tenancy.CreateInput) { in.Slug = "taken-name" }, "organization_name_taken"},
		{"taken external id", func(in *tenancy.CreateInput) { in.ExternalID = external }, "external_id_taken"},
		{"taken email", func(in *tenancy.CreateInput) { in.Owner.Email = strings.ToUpper(o.email) }, "email_taken"},
		{"no email", func(in *tenancy.CreateInput) { in.Owner.Email = "" }, "invalid_email"},
		{"bad email", func(in *tenancy.CreateInput) { in.Owner.Email = "a@b@c" }, "invalid_email"},
		{"short password", func(in *tenancy.CreateInput) { in.Owner.Password = "short" }, "password_too_short"},
		{"73 bytes", func(in *tenancy.CreateInput) { in.Owner.Password = strings.Repeat("pq", 36) + "r" }, "password_too_long"},
		{"owner's name", func(in *tenancy.CreateInput) { in.Owner.Name = "a\nb" }, "control_character"},
		{"no owner", func(in *tenancy.CreateInput) { in.Owner = nil }, "required"},
		{"long external id", func(in *tenancy.CreateInput) { in.ExternalID = strings.Repeat("é", 256) }, "invalid_external_id"},
		{"control in external id", func(in *tenancy.CreateInput) { in.ExternalID = "a\tb" }, "invalid_external_id"},
		{"placement", func(in *tenancy.CreateInput) { in.Cluster = "default" }, "operator_only"},
		{"isolation", func(in *tenancy.CreateInput) { in.Isolation = app.IsolationCollection }, "operator_only"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := input("Free Name")
			tt.change(&in)
			org, err := h.Create(h.ctx, anonymous, in)
			if codeOf(err) != tt.code || org.ID != "" {
				t.Errorf("got %+v, %v, want %s", org, err, tt.code)
			}
		})
	}
	for name, change := range map[string]func(in *tenancy.CreateInput){
		"unknown_cluster":       func(in *tenancy.CreateInput) { in.Cluster = "mars" },
		"isolation_unsupported": func(in *tenancy.CreateInput) { in.Isolation = "vacuum" },
	} {
		in := input("Free Name")
		change(&in)
		if _, err := h.Create(h.ctx, operator, in); !errors.Is(err, app.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	page, err := h.List(h.ctx, operator, tenancy.ListInput{})
	if err != nil || len(page.Items) != 1 {
		t.Errorf("refused creations left %+v, %v", page.Items, err)
	}
	h.tidy()
	_, err = h.Create(h.ctx, anonymous, input("Free Name"))
	h.ok(err)
}

func TestCreateNamesAllThatIsWrong(t *testing.T) {
	h := newHouse(t)
	_, err := h.Create(h.ctx, anonymous, tenancy.CreateInput{
		Name: "", Slug: "A", ExternalID: "\n", Metadata: map[string]string{"": "x"},
		Owner: &tenancy.OwnerInput{Email: "x", Password: "y", Name: "\n"},
	})
	var fields app.FieldErrors
	if !errors.As(err, &fields) {
		t.Fatal(err)
	}
	var where []string
	for _, f := range fields {
		where = append(where, f.Location)
	}
	want := "name slug external_id metadata owner.email owner.password owner.name"
	if got := strings.Join(where, " "); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestMetadataBounds(t *testing.T) {
	h := newHouse(t)
	many := func(n int) map[string]string {
		m := map[string]string{}
		for i := range n {
			m[fmt.Sprintf("k%d", i)] = "v"
		}
		return m
	}
	tests := []struct {
		name     string
		metadata map[string]string
		code     string
	}{
		{"50 keys", many(50), ""},
		{"51 keys", many(51), "too_many"},
		{"key of 40", map[string]string{strings.Repeat("ü", 40): "v"}, ""},
		{"key of 41", map[string]string{strings.Repeat("ü", 41): "v"}, "invalid_key"},
		{"value of 600", map[string]string{"k": strings.Repeat("ü", 600)}, ""},
		{"value of 601", map[string]string{"k": strings.Repeat("ü", 601)}, "too_long"},
		{"no key", map[string]string{"": "v"}, "invalid_key"},
		{"control in key", map[string]string{"a\nb": "v"}, "invalid_key"},
		{"NUL in value", map[string]string{"k": "a\x00b"}, ""},
		{"broken value", map[string]string{"k": "\xff"}, "too_long"},
		{"broken key", map[string]string{"\xff": "v"}, "invalid_key"},
	}
	for i, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := input(fmt.Sprintf("Metadata %d", i))
			in.Metadata = tt.metadata
			org, err := h.Create(h.ctx, anonymous, in)
			if tt.code != "" {
				if codeOf(err) != tt.code {
					t.Errorf("got %v", err)
				}
				return
			}
			if err != nil || fmt.Sprint(h.organization(org.ID).Metadata) != fmt.Sprint(tt.metadata) {
				t.Errorf("got %v, %v", org.Metadata, err)
			}
		})
	}
}

func TestSignupClosed(t *testing.T) {
	h := newHouse(t)
	user := h.tenant("Acme").owner
	closed := openHouse
	closed.SignupOpen = false
	s := h.serve(h.registry, h.cluster, closed)
	for _, actor := range []app.Actor{anonymous, user} {
		_, err := s.Create(h.ctx, actor, input("Other"))
		h.wantCode(err, "signup_closed")
	}
	in := input("Other")
	in.Cluster, in.Isolation = "default", app.IsolationCollection
	_, err := s.Create(h.ctx, operator, in)
	h.ok(err)
}

func TestCreateBySomebodySignedIn(t *testing.T) {
	h := newHouse(t)
	acme := h.tenant("Acme")
	in := tenancy.CreateInput{Name: "Second"}
	second, err := h.Create(h.ctx, acme.owner, in)
	h.ok(err)
	if second.OwnerID != acme.owner.UserID {
		t.Errorf("%+v", second)
	}
	_, err = h.Get(h.ctx, acme.owner, "second")
	h.ok(err)
	// The user outlives each of the two, and goes with the last.
	h.ok(h.Delete(h.ctx, acme.owner, "acme", app.AnyRevision))
	_, err = h.Get(h.ctx, acme.owner, "second")
	h.ok(err)
	h.ok(h.login(acme.email, password))
	h.ok(h.Delete(h.ctx, acme.owner, "second", app.AnyRevision))
	_, err = h.Create(h.ctx, acme.owner, tenancy.CreateInput{Name: "Third"})
	h.wantCode(err, "session_ended")
	_, err = h.Create(h.ctx, operator, tenancy.CreateInput{Name: "Third"})
	h.wantCode(err, "required")
	h.tidy()
}

// busy are credentials whose hashing is refused, as in a storm of sign-ins.
type busy struct{ *identity.Service }

func (busy) HashPassword(context.Context, string) (string, error) {
	return "", app.Fail(app.ErrLimit, "busy", "Too many wait.")
}

func TestAPasswordRefusedLateLeavesNothing(t *testing.T) {
	h := newHouse(t)
	s, err := tenancy.New(h.registry, tenancy.NewDirectory(h.registry), tenancy.Unlimited(map[string]app.Cluster{"default": h.cluster}),
		busy{h.identity}, openHouse, app.Now, discard)
	h.ok(err)
	in := input("Acme")
	_, err = s.Create(h.ctx, anonymous, in)
	if !errors.Is(err, app.ErrLimit) {
		t.Fatal(err)
	}
	h.tidy()
	_, err = h.Create(h.ctx, anonymous, in)
	h.ok(err)
}

// TestOneSlugFrom64 has names that differ and share a slug, all at once.
func TestOneSlugFrom64(t *testing.T) {
	h := newHouse(t)
	signs := "-_.,;:!?/|+*~#"
	oneSlug := func(i int) string {
		name := "prize " + "cup"
		if i%2 == 1 {
			name = strings.ToUpper(name)
		}
		return strings.Replace(name, " ", strings.Repeat(string(signs[i%len(signs)]), 1+i/len(signs)), 1)
	}
	winners(t, atOnce(64, func(i int) error {
		_, err := h.Create(h.ctx, anonymous, input(oneSlug(i)))
		return err
	}), "organization_name_taken")
	h.tidy()

	email := "one@house.example"
	winners(t, atOnce(32, func(i int) error {
		in := input(fmt.Sprintf("Email %d", i))
		in.Owner.Email = email
		if i%2 == 1 {
			in.Owner.Email = "One@House.EXAMPLE"
		}
		_, err := h.Create(h.ctx, anonymous, in)
		return err
	}), "email_taken")
	h.ok(h.login(email, password))

	winners(t, atOnce(32, func(i int) error {
		in := input(fmt.Sprintf("External %d", i))
		in.ExternalID = "one"
		_, err := h.Create(h.ctx, anonymous, in)
		return err
	}), "external_id_taken")
	h.tidy()
	page, err := h.List(h.ctx, operator, tenancy.ListInput{Count: true})
	if err != nil || *page.Total != 3 {
		t.Errorf("%d organizations, %v", *page.Total, err)
	}
}

// winners fails unless exactly one won and all others had the code.
func winners(t *testing.T, errs []error, code string) {
	t.Helper()
	won := 0
	for _, err := range errs {
		switch {
		case err == nil:
			won++
		case codeOf(err) != code || !errors.Is(err, app.ErrConflict):
			t.Errorf("got %v, want %s", err, code)
		}
	}
	if won != 1 {
		t.Errorf("%d won", won)
	}
}

func TestClusterThatIsNotConfigured(t *testing.T) {
	h := newHouse(t)
	o := h.tenant("Acme")
	cfg := openHouse
	cfg.Clusters = []string{"other"}
	if _, err := tenancy.New(h.registry, tenancy.NewDirectory(h.registry), tenancy.Unlimited(map[string]app.Cluster{"default": h.cluster}),
		h.identity, cfg, app.Now, discard); err == nil {
		t.Error("a configuration whose cluster is not there was taken")
	}
	s, err := tenancy.New(h.registry, tenancy.NewDirectory(h.registry), tenancy.Unlimited(map[string]app.Cluster{"other": h.cluster}),
		h.identity, cfg, app.Now, discard)
	h.ok(err)
	_, _, err = s.Located(h.ctx, o.Organization)
	if !errors.Is(err, app.ErrUnavailable) || !strings.Contains(err.Error(), `"default"`) {
		t.Errorf("%v does not name the cluster", err)
	}
	if _, err := s.Placement(h.ctx, operator, "acme"); !errors.Is(err, app.ErrUnavailable) {
		t.Error(err)
	}
	if _, err := s.Get(h.ctx, operator, "acme"); err != nil {
		t.Error(err)
	}
}
