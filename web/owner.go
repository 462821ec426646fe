package web

import (
	"context"

	"tenantry/app"
)

type ownerView struct {
	ID    string `json:"id" format:"uuid"`
	Email string `json:"email"`
	Name  string `json:"name,omitempty"`
}

type ownerOutput struct{ Body *ownerView }

func ownerOut(user app.User, err error) (*ownerOutput, error) {
	if err != nil {
		return nil, err
	}
	return &ownerOutput{&ownerView{ID: string(user.ID), Email: user.Email, Name: user.Name}}, nil
}

func (s *Server) getOwner(ctx context.Context, in *organizationRef) (*ownerOutput, error) {
	return ownerOut(s.services.Tenancy.Owner(ctx, callOf(ctx).actor, in.Org))
}

type patchOwnerInput struct {
	Org  string `path:"org" doc:"The organization's id or slug."`
	Body struct {
		Email    *string `json:"email,omitempty" nullable:"false" doc:"The new address; unique in the installation."`
		Password *string `json:"password,omitempty" nullable:"false" doc:"The new password. It ends the owner's sign-ins; the present one given again changes nothing."`
	}
}

func (s *Server) patchOwner(ctx context.Context, in *patchOwnerInput) (*ownerOutput, error) {
	return ownerOut(s.services.Tenancy.UpdateOwner(ctx, callOf(ctx).actor, in.Org, in.Body.Email, in.Body.Password))
}
