package identity

import (
	"testing"

	"tenantry/app"
)

func TestMe(t *testing.T) {
	w := newWorld(t)
	acme := w.organization("acme")
	w.organization("other")
	second := w.organizationOf("second", acme.OwnerID)
	hidden := w.organizationOf("hidden", acme.OwnerID)
	w.setState(hidden.ID, app.StateDeleting)
	me := app.Actor{Kind: app.AsUser, UserID: acme.OwnerID, OrganizationID: acme.ID}

	user, memberships, err := w.service.Me(t.Context(), me)
	if err != nil || user.ID != acme.OwnerID || user.Email != "owner@acme.example" {
		t.Errorf("%+v, %v", user, err)
	}
	if len(memberships) != 2 || memberships[0].OrganizationID != acme.ID || memberships[1].OrganizationID != second.ID {
		t.Errorf("%+v", memberships)
	}
	_, _, err = w.service.Me(t.Context(), anybody)
	wantCode(t, err, app.ErrUnauthenticated, "token_required")
	_, _, err = w.service.Me(t.Context(), operator)
	wantCode(t, err, app.ErrForbidden, "user_required")
	w.remove(acme.ID)
	_, _, err = w.service.Me(t.Context(), me)
	wantCode(t, err, app.ErrUnauthenticated, "session_ended")
}
