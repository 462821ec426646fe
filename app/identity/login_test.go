package identity

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"tenantry/app"
)

func TestLogin(t *testing.T) {
	w := newWorld(t)
	acme, other := w.organization("acme"), w.organization("other")
	tests := []struct {
		name string
		in   LoginInput
		code string
		kind error
	}{
		{"right", LoginInput{"owner@acme.example", goodPassword, ""}, "", nil},
		{"email in another case", LoginInput{"  OWNER@Acme.Example ", goodPassword, ""}, "", nil},
		{"organization by slug", LoginInput{"owner@acme.example", goodPassword, "acme"}, "", nil},
		{"organization by id", LoginInput{"owner@acme.example", goodPassword, string(acme.ID)}, "", nil},
		{"wrong password", LoginInput{"owner@acme.example", "wrong", ""}, "credentials_invalid", app.ErrUnauthenticated},
		{"password in another case", LoginInput{"owner@acme.example", strings.ToUpper(goodPassword), ""}, "credentials_invalid", app.ErrUnauthenticated},
		{"empty password", LoginInput{"owner@acme.example", "", ""}, "credentials_invalid", app.ErrUnauthenticated},
		{"unknown email", LoginInput{"nobody@acme.example", goodPassword, ""}, "credentials_invalid", app.ErrUnauthenticated},
		{"no email", LoginInput{"", goodPassword, ""}, "credentials_invalid", app.ErrUnauthenticated},
		{"no address", LoginInput{"acme' OR 1=1 --", goodPassword, ""}, "credentials_invalid", app.ErrUnauthenticated},
		{"NUL", LoginInput{"owner@acme.example\x00", goodPassword, ""}, "credentials_invalid", app.ErrUnauthenticated},
		{"invalid UTF-8 in the password", LoginInput{"owner@acme.example", "\xff\xfe", ""}, "credentials_invalid", app.ErrUnauthenticated},
		{"huge password", LoginInput{"owner@acme.example", strings.Repeat("x", 1<<20), ""}, "credentials_invalid", app.ErrUnauthenticated},
		{"another's organization", LoginInput{"owner@acme.example", goodPassword, string(other.ID)}, "organization_not_found", app.ErrNotFound},
		{"no organization", LoginInput{"owner@acme.example", goodPassword, "absent"}, "organization_not_found", app.ErrNotFound},
		{"another's, wrong password", LoginInput{"owner@acme.example", "wrong", "other"}, "credentials_invalid", app.ErrUnauthenticated},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := w.service.Login(t.Context(), tt.in)
			if tt.kind != nil {
				wantCode(t, err, tt.kind, tt.code)
				if got.AccessToken != "" || got.RefreshToken != "" {
					t.Error("a refusal comes with a token")
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got.Organization.ID != acme.ID || got.UserID != acme.OwnerID || got.Role != app.RoleOwner ||
				got.ExpiresIn != 15*time.Minute || got.RefreshToken == "" {
				t.Errorf("sign-in %+v", got)
			}
			actor, err := w.service.Authenticate(t.Context(), got.AccessToken)
			want := app.Actor{Kind: app.AsUser, UserID: acme.OwnerID, OrganizationID: acme.ID, SessionID: got.SessionID}
			if err != nil || actor != want {
				t.Errorf("Authenticate = %+v, %v", actor, err)
			}
		})
	}
}

func TestWrongPasswordAndUnknownEmailGiveOneAnswer(t *testing.T) {
	w := newWorld(t)
	w.organization("acme")
	_, wrong := w.service.Login(t.Context(), LoginInput{Email: "owner@acme.example", Password: "wrong"})
	_, unknown := w.service.Login(t.Context(), LoginInput{Email: "nobody@acme.example", Password: "wrong"})
	w.setState(w.organization("closed").ID, app.StateSuspended)
	_, closed := w.service.Login(t.Context(), LoginInput{Email: "owner@closed.example", Password: "wrong"})
	if wrong == nil || wrong.Error() != unknown.Error() || closed.Error() != wrong.Error() {
		t.Errorf("%v / %v / %v", wrong, unknown, closed)
	}
}

// However soon the registry answers that there is nobody, nobody learns it from
// the clock.
func TestTheSearchTakesAsLongForNobody(t *testing.T) {
	w := newWorld(t)
	w.organization("acme")
	for _, email := range []string{"owner@acme.example", "nobody@acme.example", "no address"} {
		began := time.Now()
		_, err := w.service.Login(t.Context(), LoginInput{Email: email, Password: "wrong"})
		wantCode(t, err, app.ErrUnauthenticated, "credentials_invalid")
		if took := time.Since(began); took < readFloor {
			t.Errorf("%s: refused after %s", email, took)
		}
	}
}

func TestLoginWithSeveralOrganizations(t *testing.T) {
	w := newWorld(t)
	one := w.organization("one")
	two := w.organizationOf("two", one.OwnerID)
	in := LoginInput{Email: "owner@one.example", Password: goodPassword}

	_, err := w.service.Login(t.Context(), in)
	var choose *ChooseOrganizationError
	if !errors.As(err, &choose) || len(choose.Choices) != 2 || choose.Choices[0].ID != one.ID || choose.Choices[1].ID != two.ID {
		t.Fatalf("Login = %v", err)
	}
	wantCode(t, err, app.ErrConflict, "organization_required")

	in.Password = "wrong"
	_, err = w.service.Login(t.Context(), in)
	wantCode(t, err, app.ErrUnauthenticated, "credentials_invalid")

	in.Password, in.Organization = goodPassword, "two"
	got, err := w.service.Login(t.Context(), in)
	if err != nil || got.Organization.ID != two.ID {
		t.Fatalf("Login = %+v, %v", got, err)
	}
	w.setState(two.ID, app.StateDeleting)
	in.Organization = ""
	if got, err = w.service.Login(t.Context(), in); err != nil || got.Organization.ID != one.ID {
		t.Errorf("with one left: %+v, %v", got, err)
	}
	w.setState(one.ID, app.StateDeleting)
	_, err = w.service.Login(t.Context(), in)
	wantCode(t, err, app.ErrUnauthenticated, "membership_required")
}

func TestLoginToASuspendedOrganization(t *testing.T) {
	w := newWorld(t)
	acme := w.organization("acme")
	w.setState(acme.ID, app.StateSuspended)
	in := LoginInput{Email: "owner@acme.example", Password: goodPassword}
	_, err := w.service.Login(t.Context(), in)
	wantCode(t, err, app.ErrForbidden, "organization_suspended")
	in.Password = "wrong"
	_, err = w.service.Login(t.Context(), in)
	wantCode(t, err, app.ErrUnauthenticated, "credentials_invalid")
	w.setState(acme.ID, app.StateActive)
	w.login("acme")
}

func TestPasswordChangeWhileSomebodySignsIn(t *testing.T) {
	w := newWorld(t)
	acme := w.organization("acme")
	other := hashOf(t, "another password", minCost)
	w.registry.before["CreateSession"] = func() { w.setPassword(acme.OwnerID, other) }
	_, err := w.service.Login(t.Context(), LoginInput{Email: "owner@acme.example", Password: goodPassword})
	wantCode(t, err, app.ErrUnauthenticated, "credentials_invalid")
	if len(w.registry.sessions) != 0 {
		t.Error("the old password opened a session")
	}
}

func TestRehashWhileSomebodySignsIn(t *testing.T) {
	w := newWorld(t)
	acme := w.organization("acme")
	once := false
	w.registry.before["CreateSession"] = func() {
		if !once {
			once = true
			w.setPassword(acme.OwnerID, hashOf(t, goodPassword, minCost)) // the same one, hashed again
		}
	}
	w.login("acme")
}

func TestOrganizationDeletedWhileSomebodySignsIn(t *testing.T) {
	w := newWorld(t)
	acme := w.organization("acme")
	w.registry.before["CreateSession"] = func() { w.remove(acme.ID) }
	_, err := w.service.Login(t.Context(), LoginInput{Email: "owner@acme.example", Password: goodPassword})
	wantCode(t, err, app.ErrUnauthenticated, "credentials_invalid")
}

func TestHashOfAnotherCostIsReplaced(t *testing.T) {
	for _, stored := range []int{minCost, minCost + 2} {
		w := newWorld(t)
		s := w.start(Config{BcryptCost: minCost + 1})
		user := w.user("owner@acme.example", goodPassword, stored)
		w.organizationOf("acme", user.ID)
		in := LoginInput{Email: "owner@acme.example", Password: goodPassword}
		signed, err := s.Login(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		eventually(t, func() bool {
			u, _ := w.registry.User(t.Context(), user.ID)
			return costOf(u.PasswordHash) == minCost+1
		})
		if _, err := s.Authenticate(t.Context(), signed.AccessToken); err != nil {
			t.Errorf("the session did not survive it: %v", err)
		}
		if _, err := s.Login(t.Context(), in); err != nil {
			t.Errorf("the password does not work any more: %v", err)
		}
	}
}

func TestComposedAndDecomposedPasswordsAreOne(t *testing.T) {
	w := newWorld(t)
	hash, err := w.service.NewPassword(t.Context(), "cafe\u0301 au lait")
	if err != nil {
		t.Fatal(err)
	}
	acme := w.organization("acme")
	w.setPassword(acme.OwnerID, hash)
	for _, p := range []string{"cafe\u0301 au lait", "caf\u00e9 au lait"} {
		if _, err := w.service.Login(t.Context(), LoginInput{Email: "owner@acme.example", Password: p}); err != nil {
			t.Errorf("%+q: %v", p, err)
		}
	}
}

// TestLoginIsRefusedBeforeAnythingIsRead: a storm must cost no reads.
func TestLoginIsRefusedBeforeAnythingIsRead(t *testing.T) {
	w := newWorld(t)
	w.organization("acme")
	h := w.service.hasher
	h.mu.Lock()
	h.hold = 0
	h.average = time.Hour
	h.mu.Unlock()
	release, started := make(chan struct{}), make(chan struct{})
	for range h.workers {
		go func() { _ = h.run(context.Background(), func() { started <- struct{}{}; <-release }) }()
		<-started
	}
	defer close(release)
	reads := w.registry.reads
	_, err := w.service.Login(t.Context(), LoginInput{Email: "owner@acme.example", Password: goodPassword})
	wantBusy(t, err)
	if w.registry.reads != reads {
		t.Errorf("%d reads for a refusal", w.registry.reads-reads)
	}
	if _, err := w.service.NewPassword(t.Context(), goodPassword); err == nil {
		t.Error("a new password is not refused")
	} else {
		wantBusy(t, err)
	}
	if s := w.service.HashStats(); s.Refused != 2 || s.Running != h.workers {
		t.Errorf("stats %+v", s)
	}
}

func TestLoginPassesTheRegistrysFailureOn(t *testing.T) {
	for _, method := range []string{"Account", "CreateSession"} {
		w := newWorld(t)
		w.organization("acme")
		w.registry.fails[method] = app.Unavailable("The registry", nil)
		_, err := w.service.Login(t.Context(), LoginInput{Email: "owner@acme.example", Password: goodPassword})
		if !errors.Is(err, app.ErrUnavailable) {
			t.Errorf("%s fails: %v", method, err)
		}
	}
}
