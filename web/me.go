package web

import (
	"context"
	"errors"

	"tenantry/app"
)

type meView struct {
	ID             string           `json:"id" format:"uuid"`
	Email          string           `json:"email"`
	Name           string           `json:"name,omitempty"`
	CreatedAt      string           `json:"created_at" format:"date-time"`
	SessionID      string           `json:"session_id" format:"uuid" doc:"The sign-in that this token came of."`
	OrganizationID string           `json:"organization_id" format:"uuid" doc:"The organization that was signed in to."`
	Memberships    []membershipView `json:"memberships" nullable:"false"`
}

type membershipView struct {
	OrganizationID string `json:"organization_id" format:"uuid"`
	Name           string `json:"name,omitempty" doc:"Absent while the organization is suspended."`
	Slug           string `json:"slug,omitempty"`
	Role           string `json:"role" enum:"owner,admin,member,viewer"`
	CreatedAt      string `json:"created_at" format:"date-time"`
}

type meOutput struct{ Body *meView }

func (s *Server) me(ctx context.Context, _ *struct{}) (*meOutput, error) {
	actor := callOf(ctx).actor
	user, memberships, err := s.services.Identity.Me(ctx, actor)
	if err != nil {
		return nil, err
	}
	view := &meView{
		ID: string(user.ID), Email: user.Email, Name: user.Name, CreatedAt: formatTime(user.CreatedAt),
		SessionID: string(actor.SessionID), OrganizationID: string(actor.OrganizationID),
		Memberships: make([]membershipView, len(memberships)),
	}
	for i, m := range memberships {
		view.Memberships[i] = membershipView{
			OrganizationID: string(m.OrganizationID), Role: string(m.Role), CreatedAt: formatTime(m.CreatedAt),
		}
		org, err := s.services.Tenancy.Get(ctx, actor, string(m.OrganizationID))
		switch {
		case err == nil:
			view.Memberships[i].Name, view.Memberships[i].Slug = org.Name, org.Slug
		case errors.Is(err, app.ErrForbidden), errors.Is(err, app.ErrNotFound):
			// Suspended, or gone since the list was read.
		default:
			return nil, err
		}
	}
	return &meOutput{view}, nil
}
