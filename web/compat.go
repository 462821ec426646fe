package web

import (
	"context"
	"errors"

	"tenantry/app"
	"tenantry/app/identity"
	"tenantry/app/tenancy"
)

// The routes of the first system, for its clients. Names that they do not
// know they pass over, as that system did.

type seedOrganizationView struct {
	ID             string `json:"id" format:"uuid"`
	Name           string `json:"organization_name"`
	Slug           string `json:"slug"`
	CollectionName string `json:"collection_name"`
	AdminEmail     string `json:"admin_email,omitempty" doc:"Only with a token of this organization."`
	CreatedAt      string `json:"created_at" format:"date-time"`
	UpdatedAt      string `json:"updated_at" format:"date-time"`
}

func viewSeedOrganization(org app.Organization, adminEmail string) *seedOrganizationView {
	return &seedOrganizationView{
		ID: string(org.ID), Name: org.Name, Slug: org.Slug, CollectionName: org.Placement.Collection,
		AdminEmail: adminEmail, CreatedAt: formatTime(org.CreatedAt), UpdatedAt: formatTime(org.UpdatedAt),
	}
}

type seedOrganizationOutput struct{ Body *seedOrganizationView }

// seedOutput shows the organization with its administrator's address.
func (s *Server) seedOutput(ctx context.Context, org app.Organization) (*seedOrganizationOutput, error) {
	email, err := s.services.Tenancy.OwnerEmail(ctx, org)
	if err != nil && !errors.Is(err, app.ErrNotFound) {
		return nil, err
	}
	return &seedOrganizationOutput{viewSeedOrganization(org, email)}, nil
}

type seedCreateInput struct {
	Body struct {
		_        struct{} `additionalProperties:"true"`
		Name     string   `json:"organization_name"`
		Email    string   `json:"email"`
		Password string   `json:"password"`
	}
}

func (s *Server) seedCreate(ctx context.Context, in *seedCreateInput) (*seedOrganizationOutput, error) {
	c := callOf(ctx)
	create := tenancy.CreateInput{
		Name:  in.Body.Name,
		Owner: &tenancy.OwnerInput{Email: in.Body.Email, Password: in.Body.Password},
	}
	create.IdempotencyKey, create.Request = c.repeatable()
	org, err := s.services.Tenancy.Create(ctx, c.actor, create)
	if err != nil {
		return nil, c.goesOn(seedFields(err, "organization_name"))
	}
	// As it was given, not as it is now: this may be the answer once more.
	email, _, err := identity.ParseEmail(in.Body.Email)
	if err != nil {
		return nil, err
	}
	return &seedOrganizationOutput{viewSeedOrganization(org, email)}, nil
}

// seedFields gives fields the names that they have on these routes; name is
// the one that the organization's stands in.
func seedFields(err error, name string) error {
	var fields app.FieldErrors
	if !errors.As(err, &fields) {
		return err
	}
	out := make(app.FieldErrors, len(fields))
	for i, f := range fields {
		switch f.Location {
		case "name":
			f.Location = name
		case "owner.email":
			f.Location = "email"
		case "owner.password":
			f.Location = "password"
		}
		out[i] = f
	}
	return out
}

type seedGetInput struct {
	Name string `query:"organization_name" required:"true"`
}

func (s *Server) seedGet(ctx context.Context, in *seedGetInput) (*seedOrganizationOutput, error) {
	org, err := s.services.Tenancy.Lookup(ctx, in.Name)
	if err != nil {
		return nil, seedFields(err, "organization_name")
	}
	actor := callOf(ctx).actor
	if actor.Operator() || actor.OrganizationID == org.ID {
		return s.seedOutput(ctx, org)
	}
	return &seedOrganizationOutput{viewSeedOrganization(org, "")}, nil
}

type seedUpdateInput struct {
	Body struct {
		_        struct{} `additionalProperties:"true"`
		Name     string   `json:"organization_name" doc:"The current name, with new_organization_name; without, the name that it shall have."`
		NewName  *string  `json:"new_organization_name,omitempty" doc:"The name that it shall have."`
		Email    *string  `json:"email,omitempty" doc:"The administrator's new address."`
		Password *string  `json:"password,omitempty" doc:"The administrator's new password."`
	}
}

func (s *Server) seedUpdate(ctx context.Context, in *seedUpdateInput) (*seedOrganizationOutput, error) {
	b := &in.Body
	update := tenancy.UpdateInput{Name: b.NewName, Email: b.Email, Password: b.Password}
	org, err := s.seedTarget(ctx, b.Name, b.NewName != nil)
	if err != nil {
		return nil, seedFields(err, "organization_name")
	}
	if b.NewName == nil {
		name, err := tenancy.ParseName(b.Name)
		if err != nil {
			return nil, seedFields(err, "organization_name")
		}
		if name != org.Name {
			update.Name = &name
		}
	}
	c := callOf(ctx)
	changed, err := s.services.Tenancy.Update(ctx, c.actor, string(org.ID), update)
	if err != nil {
		field := "organization_name"
		if b.NewName != nil {
			field = "new_organization_name"
		}
		return nil, c.goesOn(seedFields(err, field))
	}
	return s.seedOutput(ctx, changed)
}

// seedTarget finds the organization that an update is about: the token's, or
// for an operator the one that is named. named says that the name must be the
// present one.
func (s *Server) seedTarget(ctx context.Context, name string, named bool) (app.Organization, error) {
	actor := callOf(ctx).actor
	if actor.Operator() {
		return s.services.Tenancy.Lookup(ctx, name)
	}
	org, err := s.services.Tenancy.Get(ctx, actor, string(actor.OrganizationID))
	if err == nil && named && !goesBy(org, name) {
		err = errNotYours()
	}
	return org, err
}

// goesBy reports whether the name is the organization's, as these routes
// understand names.
func goesBy(org app.Organization, name string) bool {
	name, err := tenancy.ParseName(name)
	if err != nil {
		return false
	}
	slug, err := tenancy.Slugify(name)
	return err == nil && slug == org.Slug || tenancy.FoldName(name) == org.NameKey
}

func errNotYours() error {
	return app.Fail(app.ErrForbidden, "not_your_organization",
		"Your token is not one of an organization with this name. Sign in to that organization.")
}

// seedDeleteView documents the body of DELETE /org/delete.
type seedDeleteView struct {
	Name string `json:"organization_name"`
}

type seedDeleteInput struct {
	Name string `query:"organization_name" doc:"The organization; it may also stand in the body."`
}

type messageView struct {
	Message string `json:"message"`
}

type messageOutput struct{ Body *messageView }

func (s *Server) seedDelete(ctx context.Context, in *seedDeleteInput) (*messageOutput, error) {
	c := callOf(ctx)
	name, given := in.Name, c.fiber.Request().URI().QueryArgs().Has("organization_name")
	if body := c.fiber.Request().Body(); !given && len(body) > 0 {
		var view struct {
			Name *string `json:"organization_name"`
		}
		if err := readLoose(body, &view); err != nil {
			return nil, err
		}
		if view.Name != nil {
			name, given = *view.Name, true
		}
	}
	if !given {
		return nil, app.Invalid("organization_name", "required", "Say which organization: organization_name is required.")
	}
	org, err := s.seedDoomed(ctx, name)
	if err != nil {
		return nil, seedFields(err, "organization_name")
	}
	// One whose data is removed later is deleted as far as these clients see.
	if _, err := s.services.Tenancy.Delete(ctx, c.actor, string(org.ID), app.AnyRevision); err != nil {
		return nil, err
	}
	return &messageOutput{&messageView{Message: "Organization deleted successfully"}}, nil
}

// seedDoomed finds the organization to delete: the token's, if it is that.
// Another's is 403 and nobody's 404, as everybody may look names up here.
func (s *Server) seedDoomed(ctx context.Context, name string) (app.Organization, error) {
	actor := callOf(ctx).actor
	if !actor.Operator() {
		org, err := s.services.Tenancy.Get(ctx, actor, string(actor.OrganizationID))
		if err != nil || goesBy(org, name) {
			return org, err
		}
	}
	org, err := s.services.Tenancy.Lookup(ctx, name)
	if err == nil && !actor.Operator() {
		err = errNotYours()
	}
	return org, err
}

type statusView struct {
	Status string `json:"status"`
}

type seedHealthOutput struct{ Body *statusView }

func (s *Server) seedHealth(context.Context, *struct{}) (*seedHealthOutput, error) {
	return &seedHealthOutput{&statusView{Status: "healthy"}}, nil
}
