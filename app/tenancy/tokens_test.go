package tenancy_test

import (
	"strings"
	"testing"
	"time"

	"tenantry/app"
	"tenantry/app/documents"
	"tenantry/app/identity"
	"tenantry/app/tenancy"
)

func (h *house) signIn(o tenant) identity.SignIn {
	h.t.Helper()
	in, err := h.identity.Login(h.ctx, identity.LoginInput{Email: o.email, Password: password})
	h.ok(err)
	_, err = h.identity.Authenticate(h.ctx, in.AccessToken)
	h.ok(err)
	return in
}

// refused fails unless both tokens of a sign-in are worth nothing, on a server
// that knew them and on one that has just started.
func (h *house) refused(in identity.SignIn, code string) {
	h.t.Helper()
	_, err := h.identity.Authenticate(h.ctx, in.AccessToken)
	h.wantCode(err, code)
	if _, err := h.identity.Refresh(h.ctx, in.RefreshToken); err == nil {
		h.t.Error("the refresh token is still good")
	}
}

func TestTokensFromBeforeADeletion(t *testing.T) {
	h := newHouse(t)
	o := h.tenant("Acme")
	old := h.signIn(o)
	h.ok(h.Delete(h.ctx, o.owner, o.Slug, app.AnyRevision))
	h.refused(old, "session_ended")
	// Name, email and password come back, with an organization of their own.
	in := input("Acme")
	in.Owner.Email = o.email
	again, err := h.Create(h.ctx, anonymous, in)
	h.ok(err)
	if again.ID == o.ID || again.OwnerID == o.OwnerID {
		t.Errorf("an id was given twice: %+v", again)
	}
	h.refused(old, "session_ended")
	_, err = h.Get(h.ctx, o.owner, "acme")
	h.wantCode(err, "organization_not_found")
}

func TestTokensFromBeforeARename(t *testing.T) {
	h := newHouse(t)
	o := h.tenant("Acme")
	in := h.signIn(o)
	h.note(o, "a")
	_, err := h.rename(o, "Bolt")
	h.ok(err)
	taker := h.tenant("Acme")
	actor, err := h.identity.Authenticate(h.ctx, in.AccessToken)
	if err != nil || actor.OrganizationID != o.ID {
		t.Fatalf("%+v, %v", actor, err)
	}
	_, err = h.Get(h.ctx, actor, "acme")
	h.wantCode(err, "organization_not_found")
	_, err = h.documents.List(h.ctx, actor, "acme", documents.ListInput{})
	h.wantCode(err, "organization_not_found")
	if got, err := h.Get(h.ctx, actor, "bolt"); err != nil || got.ID != o.ID {
		t.Errorf("%+v, %v", got, err)
	}
	h.wantCode(h.Delete(h.ctx, actor, string(taker.ID), app.AnyRevision), "organization_not_found")
}

func TestTokensFromBeforeANewPassword(t *testing.T) {
	h := newHouse(t)
	o, other := h.tenant("Acme"), h.tenant("Other")
	in, bystander := h.signIn(o), h.signIn(other)
	// The present password given again, and a new address, are no reason.
	_, err := h.Update(h.ctx, o.owner, "acme", tenancy.UpdateInput{Name: ptr("Acme!"), Email: ptr("new@house.example"), Password: ptr(password)})
	h.ok(err)
	_, err = h.identity.Authenticate(h.ctx, in.AccessToken)
	h.ok(err)
	_, err = h.Update(h.ctx, o.owner, "acme", tenancy.UpdateInput{Name: ptr("Bolt"), Password: ptr("another staple entirely")})
	h.ok(err)
	h.refused(in, "session_ended")
	_, err = h.identity.Authenticate(h.ctx, bystander.AccessToken)
	h.ok(err)
	h.wantCode(h.login("new@house.example", password), "credentials_invalid")
	h.ok(h.login("NEW@house.EXAMPLE", "another staple entirely"))
}

func TestTokensOfWhatIsSuspended(t *testing.T) {
	h := newHouse(t)
	o := h.tenant("Acme")
	in := h.signIn(o)
	_, err := h.Suspend(h.ctx, operator, "acme")
	h.ok(err)
	_, err = h.identity.Authenticate(h.ctx, in.AccessToken)
	h.wantCode(err, "organization_suspended")
	h.wantCode(h.login(o.email, password), "organization_suspended")
	_, err = h.Resume(h.ctx, operator, "acme")
	h.ok(err)
	_, err = h.identity.Authenticate(h.ctx, in.AccessToken)
	h.ok(err)
}

func TestLongestPassword(t *testing.T) {
	h := newHouse(t)
	longest := strings.Repeat("ab3é!", 12) // 72 bytes
	in := input("Acme")
	in.Owner.Password = longest
	_, err := h.Create(h.ctx, anonymous, in)
	h.ok(err)
	h.ok(h.login(in.Owner.Email, longest))
	for _, wrong := range []string{longest + "x", longest[:71], longest + longest, longest[:70] + "?!"} {
		h.wantCode(h.login(in.Owner.Email, wrong), "credentials_invalid")
	}
	_, err = h.Update(h.ctx, operator, "acme", tenancy.UpdateInput{Password: ptr(longest + "x")})
	h.wantCode(err, "password_too_long")
}

// TestClockSetBack: nothing is changed before it was made.
func TestClockSetBack(t *testing.T) {
	h := newHouse(t)
	o := h.tenant("Acme")
	h.note(o, "a")
	yesterday := func() time.Time { return app.Now().Add(-24 * time.Hour) }
	s, err := tenancy.New(h.registry, tenancy.NewDirectory(h.registry), tenancy.Unlimited(map[string]app.Cluster{"default": h.cluster}),
		h.identity, openHouse, yesterday, discard)
	h.ok(err)
	docs := documents.New(s, yesterday)
	for _, change := range []tenancy.UpdateInput{{Metadata: map[string]*string{"k": ptr("v")}}, {Name: ptr("Bolt")}} {
		got, err := s.Update(h.ctx, o.owner, string(o.ID), change)
		if err != nil || got.UpdatedAt.Before(o.UpdatedAt) || !got.CreatedAt.Equal(o.CreatedAt) {
			t.Errorf("%+v, %v", got, err)
		}
	}
	if got, err := s.Suspend(h.ctx, operator, string(o.ID)); err != nil || got.UpdatedAt.Before(o.UpdatedAt) {
		t.Errorf("%+v, %v", got, err)
	}
	_, err = s.Resume(h.ctx, operator, string(o.ID))
	h.ok(err)
	d, err := docs.Put(h.ctx, o.owner, string(o.ID), "a", documents.PutInput{Data: []byte("{}")})
	if err != nil || d.UpdatedAt.Before(d.CreatedAt) {
		t.Errorf("%+v, %v", d, err)
	}
	next, err := s.Create(h.ctx, anonymous, input("From yesterday"))
	h.ok(err)
	page, err := s.List(h.ctx, operator, tenancy.ListInput{})
	if err != nil || len(page.Items) != 2 || page.Items[1].ID != next.ID {
		t.Errorf("%v, %v", slugs(page.Items), err)
	}
	gone, err := s.Delete(h.ctx, o.owner, string(o.ID), app.AnyRevision)
	if err != nil || !gone.Done {
		t.Errorf("%+v, %v", gone, err)
	}
	h.tidy()
}
