package web

import (
	"context"

	"tenantry/app"
	"tenantry/app/tenancy"
)

type createOrganizationInput struct {
	Body struct {
		Name       string            `json:"name" maxLength:"400" doc:"The display name: 1 to 100 characters of any script."`
		Slug       string            `json:"slug,omitempty" doc:"2 to 63 lower-case letters, digits and hyphens. Default: made from the name."`
		ExternalID string            `json:"external_id,omitempty" doc:"Your own id for it; unique."`
		Metadata   map[string]string `json:"metadata,omitempty" nullable:"false" doc:"At most 50 keys of 40 characters, values of 600."`
		Owner      *ownerInput       `json:"owner,omitempty" doc:"The user who will own it. With a user's token and no owner, that user does."`
		Placement  *placementInput   `json:"placement,omitempty" doc:"Where its data will live. For operators."`
	}
}

type ownerInput struct {
	Email    string `json:"email"`
	Password string `json:"password" doc:"8 characters to 72 bytes."`
	Name     string `json:"name,omitempty"`
}

type placementInput struct {
	Cluster   string `json:"cluster,omitempty"`
	Isolation string `json:"isolation,omitempty" enum:"collection,shared,database"`
}

type createdOrganization struct {
	Location string `header:"Location"`
	ETag     string `header:"ETag"`
	Body     *organizationAnswer
}

func (s *Server) createOrganization(ctx context.Context, in *createOrganizationInput) (*createdOrganization, error) {
	b := &in.Body
	create := tenancy.CreateInput{Name: b.Name, Slug: b.Slug, ExternalID: b.ExternalID, Metadata: b.Metadata}
	if b.Owner != nil {
		create.Owner = &tenancy.OwnerInput{Email: b.Owner.Email, Password: b.Owner.Password, Name: b.Owner.Name}
	}
	if b.Placement != nil {
		create.Cluster, create.Isolation = b.Placement.Cluster, app.Isolation(b.Placement.Isolation)
	}
	c := callOf(ctx)
	create.IdempotencyKey, create.Request = c.repeatable()
	org, err := s.services.Tenancy.Create(ctx, c.actor, create)
	if err != nil {
		return nil, c.goesOn(err)
	}
	return &createdOrganization{
		Location: s.opts.PublicURL + "/v1/organizations/" + string(org.ID),
		ETag:     etag(org.Revision), Body: (*organizationAnswer)(&org),
	}, nil
}

// organizationRef is the {org} of a path.
type organizationRef struct {
	Org string `path:"org" doc:"The organization's id or slug."`
}

type organizationOutput struct {
	ETag string `header:"ETag"`
	Body *organizationAnswer
}

func organizationOut(org app.Organization, err error) (*organizationOutput, error) {
	if err != nil {
		return nil, err
	}
	return &organizationOutput{ETag: etag(org.Revision), Body: (*organizationAnswer)(&org)}, nil
}

func (s *Server) getOrganization(ctx context.Context, in *organizationRef) (*organizationOutput, error) {
	c := callOf(ctx)
	org, err := s.services.Tenancy.Get(ctx, c.actor, in.Org)
	if err != nil {
		return nil, err
	}
	out := &organizationOutput{ETag: etag(org.Revision), Body: (*organizationAnswer)(&org)}
	if c.unchanged(out.ETag) {
		return nil, &notModified{out.ETag}
	}
	return out, nil
}

type listOrganizationsInput struct {
	Limit      int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
	Cursor     string `query:"cursor" doc:"The next_cursor of the page before."`
	Text       string `query:"q" doc:"Part of the name, the slug or the external id."`
	ExternalID string `query:"external_id" doc:"Exactly this one."`
	State      string `query:"state" enum:"active,suspended,deleted" doc:"Default: active and suspended ones. Operators alone see deleted ones, which can still be restored."`
	Cluster    string `query:"cluster"`
	Isolation  string `query:"isolation" enum:"collection,shared,database"`
	Sort       string `query:"sort" enum:"created_at,-created_at,name,-name" default:"created_at"`
	Count      bool   `query:"count" doc:"Also say how many there are in all."`
}

type listOrganizationsOutput struct{ Body *organizationPage }

func (s *Server) listOrganizations(ctx context.Context, in *listOrganizationsInput) (*listOrganizationsOutput, error) {
	page, err := s.services.Tenancy.List(ctx, callOf(ctx).actor, tenancy.ListInput{
		Text: in.Text, ExternalID: in.ExternalID, State: in.State, Cluster: in.Cluster, Isolation: in.Isolation,
		Sort: in.Sort, Cursor: in.Cursor, Limit: in.Limit, Count: in.Count,
	})
	if err != nil {
		return nil, err
	}
	return &listOrganizationsOutput{(*organizationPage)(&page)}, nil
}

// organizationPatchView documents organizationPatch.
type organizationPatchView struct {
	Name       string             `json:"name,omitempty"`
	Slug       string             `json:"slug,omitempty" doc:"Without one, the slug follows the name if it was made from it."`
	ExternalID *string            `json:"external_id,omitempty" doc:"null takes it away."`
	Metadata   map[string]*string `json:"metadata,omitempty" doc:"Merged: null removes a key; null for the whole removes all."`
}

// organizationPatch is a JSON merge patch (RFC 7396).
type organizationPatch struct {
	Name       maybe[string]             `json:"name"`
	Slug       maybe[string]             `json:"slug"`
	ExternalID maybe[string]             `json:"external_id"`
	Metadata   maybe[map[string]*string] `json:"metadata"`
}

func (s *Server) patchOrganization(ctx context.Context, in *organizationRef) (*organizationOutput, error) {
	c := callOf(ctx)
	var patch organizationPatch
	if err := readBody(c.fiber.Request().Body(), &patch); err != nil {
		return nil, err
	}
	update := tenancy.UpdateInput{
		Name: patch.Name.value, Slug: patch.Slug.value, ExternalID: patch.ExternalID.value,
		ClearMetadata: patch.Metadata.null,
	}
	switch {
	case patch.Name.null:
		return nil, invalidField("name", "required", "An organization has a name. It cannot be removed.")
	case patch.Slug.null:
		return nil, invalidField("slug", "required", "An organization has a slug. It cannot be removed.")
	}
	if patch.ExternalID.null {
		update.ExternalID = new(string)
	}
	if patch.Metadata.value != nil {
		update.Metadata = *patch.Metadata.value
	}
	var err error
	if update.IfRevision, err = c.expected(s.organizationRevision(ctx, in.Org)); err != nil {
		return nil, err
	}
	out, err := organizationOut(s.services.Tenancy.Update(ctx, c.actor, in.Org, update))
	return out, c.goesOn(err)
}

func (s *Server) organizationRevision(ctx context.Context, ref string) func() (int64, error) {
	return func() (int64, error) {
		org, err := s.services.Tenancy.Get(ctx, callOf(ctx).actor, ref)
		return org.Revision, err
	}
}

func (s *Server) deleteOrganization(ctx context.Context, in *organizationRef) (*struct{}, error) {
	c := callOf(ctx)
	revision, err := c.expected(s.organizationRevision(ctx, in.Org))
	if err != nil {
		return nil, err
	}
	deletion, err := s.services.Tenancy.Delete(ctx, c.actor, in.Org, revision)
	if err != nil || deletion.Done {
		return nil, err
	}
	return nil, c.acceptedAs(deletion.Operation)
}

func (s *Server) restoreOrganization(ctx context.Context, in *organizationRef) (*organizationOutput, error) {
	return organizationOut(s.services.Tenancy.Restore(ctx, callOf(ctx).actor, in.Org))
}

func (s *Server) suspendOrganization(ctx context.Context, in *organizationRef) (*organizationOutput, error) {
	return organizationOut(s.services.Tenancy.Suspend(ctx, callOf(ctx).actor, in.Org))
}

func (s *Server) resumeOrganization(ctx context.Context, in *organizationRef) (*organizationOutput, error) {
	return organizationOut(s.services.Tenancy.Resume(ctx, callOf(ctx).actor, in.Org))
}

type placementView struct {
	Cluster    string `json:"cluster"`
	Isolation  string `json:"isolation" enum:"collection,shared,database"`
	Database   string `json:"database"`
	Collection string `json:"collection"`
	Generation int64  `json:"generation" doc:"Goes up with every change of the placement."`
	Documents  int64  `json:"documents"`
	Bytes      int64  `json:"bytes"`
}

type placementOutput struct{ Body *placementView }

func (s *Server) getPlacement(ctx context.Context, in *organizationRef) (*placementOutput, error) {
	p, err := s.services.Tenancy.Placement(ctx, callOf(ctx).actor, in.Org)
	if err != nil {
		return nil, err
	}
	return &placementOutput{&placementView{
		Cluster: p.Cluster, Isolation: string(p.Isolation), Database: p.Database, Collection: p.Collection,
		Generation: p.Generation, Documents: p.Documents, Bytes: p.Bytes,
	}}, nil
}
