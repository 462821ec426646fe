package identity

import (
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tenantry/app"
)

func (w *world) authenticate(token string) error {
	_, err := w.service.Authenticate(w.t.Context(), token)
	return err
}

func TestDeletionIsInForceAtOnce(t *testing.T) {
	w := newWorld(t)
	acme := w.organization("acme")
	in := w.login("acme")
	if err := w.authenticate(in.AccessToken); err != nil {
		t.Fatal(err)
	}
	w.setState(acme.ID, app.StateDeleting)
	wantCode(t, w.authenticate(in.AccessToken), app.ErrUnauthenticated, "session_ended")
	w.remove(acme.ID)
	wantCode(t, w.authenticate(in.AccessToken), app.ErrUnauthenticated, "session_ended")
	_, err := w.service.Refresh(t.Context(), in.RefreshToken)
	wantCode(t, err, app.ErrUnauthenticated, "session_ended")

	// Who takes the name next inherits nothing, also not from the same person.
	again := w.organization("acme")
	wantCode(t, w.authenticate(in.AccessToken), app.ErrUnauthenticated, "session_ended")
	if got := w.login("acme"); got.Organization.ID != again.ID {
		t.Errorf("signed in to %s", got.Organization.ID)
	}
}

func TestPasswordChangeIsInForceAtOnce(t *testing.T) {
	w := newWorld(t)
	acme := w.organization("acme")
	one, two := w.login("acme"), w.login("acme")
	for _, in := range []SignIn{one, two} {
		if err := w.authenticate(in.AccessToken); err != nil {
			t.Fatal(err)
		}
	}
	w.setPassword(acme.OwnerID, hashOf(t, "another password", minCost))
	for _, in := range []SignIn{one, two} {
		wantCode(t, w.authenticate(in.AccessToken), app.ErrUnauthenticated, "session_ended")
		_, err := w.service.Refresh(t.Context(), in.RefreshToken)
		wantCode(t, err, app.ErrUnauthenticated, "session_ended")
	}
}

func TestSuspensionIsInForceAtOnceAndEnds(t *testing.T) {
	w := newWorld(t)
	acme := w.organization("acme")
	in := w.login("acme")
	if err := w.authenticate(in.AccessToken); err != nil {
		t.Fatal(err)
	}
	w.setState(acme.ID, app.StateSuspended)
	wantCode(t, w.authenticate(in.AccessToken), app.ErrForbidden, "organization_suspended")
	_, err := w.service.Refresh(t.Context(), in.RefreshToken)
	wantCode(t, err, app.ErrForbidden, "organization_suspended")
	w.setState(acme.ID, app.StateActive)
	if err := w.authenticate(in.AccessToken); err != nil {
		t.Errorf("after it was resumed: %v", err)
	}
	if _, err := w.service.Refresh(t.Context(), in.RefreshToken); err != nil {
		t.Errorf("the refresh token was lost to the suspension: %v", err)
	}
}

func TestLostMembershipIsInForceAtOnce(t *testing.T) {
	w := newWorld(t)
	acme := w.organization("acme")
	in := w.login("acme")
	if err := w.authenticate(in.AccessToken); err != nil {
		t.Fatal(err)
	}
	w.registry.mu.Lock()
	w.registry.members = nil
	w.registry.mu.Unlock()
	w.registry.tell(app.Invalidation{Organization: acme.ID, User: acme.OwnerID})
	wantCode(t, w.authenticate(in.AccessToken), app.ErrUnauthenticated, "session_ended")
}

// TestChangeWhileASessionIsRead: what was read before a change must not be
// kept after it.
func TestChangeWhileASessionIsRead(t *testing.T) {
	for name, hooks := range map[string]func(*fakeRegistry) map[string]func(){
		"before": func(f *fakeRegistry) map[string]func() { return f.before },
		"after":  func(f *fakeRegistry) map[string]func() { return f.after },
	} {
		w := newWorld(t)
		acme := w.organization("acme")
		in := w.login("acme")
		hash := hashOf(t, "another password", minCost)
		changed := false
		hooks(w.registry)["Session"] = func() {
			if !changed {
				changed = true
				w.setPassword(acme.OwnerID, hash)
			}
		}
		_ = w.authenticate(in.AccessToken) // either answer is right: the two are simultaneous
		if !changed {
			t.Fatalf("%s: the session was not read", name)
		}
		wantCode(t, w.authenticate(in.AccessToken), app.ErrUnauthenticated, "session_ended")
	}
}

func TestAnOutageIsNoRefusal(t *testing.T) {
	for _, method := range []string{"Session", "Organization"} {
		w := newWorld(t)
		w.organization("acme")
		in := w.login("acme")
		if method == "Organization" { // which is asked for when the session is remembered
			if err := w.authenticate(in.AccessToken); err != nil {
				t.Fatal(err)
			}
		}
		w.registry.fails[method] = app.Unavailable("The registry", nil)
		if err := w.authenticate(in.AccessToken); !errors.Is(err, app.ErrUnavailable) {
			t.Errorf("%s fails: %v", method, err)
		}
		delete(w.registry.fails, method)
		if err := w.authenticate(in.AccessToken); err != nil {
			t.Errorf("%s works again: %v", method, err)
		}
	}
}

func TestWarmTokensCostNoReads(t *testing.T) {
	w := newWorld(t)
	w.organization("acme")
	in := w.login("acme")
	for range 2 {
		if err := w.authenticate(in.AccessToken); err != nil {
			t.Fatal(err)
		}
	}
	before := w.registry.reads
	if err := w.authenticate(in.AccessToken); err != nil {
		t.Fatal(err)
	}
	if n := w.registry.reads - before; n != 1 { // the organization: the real directory keeps that
		t.Errorf("%d reads", n)
	}
}

// TestCachesNeverDisagreeWithTheRegistry does things in random order and asks
// a server that remembers and one that has just started the same question.
func TestCachesNeverDisagreeWithTheRegistry(t *testing.T) {
	base := newWorld(t)
	warm := base.service
	cold := func() *Service { // without threads and background: nothing is hashed here
		return &Service{
			cfg: warm.cfg, registry: warm.registry, organizations: warm.organizations, clock: warm.clock, log: warm.log,
			keys: warm.keys, tokens: newTokenCache(), sessions: newLiveSessions(base.registry, base.registry),
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		w := base
		var slugs []app.OrganizationID
		for range 2 {
			slugs = append(slugs, w.organization(string(app.NewID[app.OrganizationID]())).ID)
		}
		var tokens, refreshes []string
		pick := func(what string, n int) int { return rapid.IntRange(0, n-1).Draw(t, what) }
		owner := func(org app.OrganizationID) app.UserID {
			w.registry.mu.Lock()
			defer w.registry.mu.Unlock()
			return w.registry.orgs[org].OwnerID
		}
		t.Repeat(map[string]func(*rapid.T){
			"sign in": func(*rapid.T) {
				org := slugs[pick("org", 2)]
				user, err := w.registry.User(base.t.Context(), owner(org))
				if err != nil {
					return
				}
				session, refresh := warm.refresh.open(user.ID, org, w.clock(), warm.cfg.RefreshTokenTTL)
				if w.registry.CreateSession(base.t.Context(), session, app.Proof{PasswordHash: user.PasswordHash}) != nil {
					return
				}
				token, err := warm.issue(session, app.RoleOwner)
				if err != nil {
					t.Fatal(err)
				}
				tokens, refreshes = append(tokens, token), append(refreshes, refresh)
			},
			"refresh": func(t *rapid.T) {
				if len(refreshes) == 0 {
					t.Skip()
				}
				if in, err := warm.Refresh(base.t.Context(), refreshes[pick("refresh", len(refreshes))]); err == nil {
					tokens, refreshes = append(tokens, in.AccessToken), append(refreshes, in.RefreshToken)
				}
			},
			"log out": func(t *rapid.T) {
				if len(refreshes) == 0 {
					t.Skip()
				}
				if err := warm.Logout(base.t.Context(), refreshes[pick("refresh", len(refreshes))]); err != nil {
					t.Fatal(err)
				}
			},
			"new password": func(*rapid.T) {
				if user := owner(slugs[pick("org", 2)]); user != "" {
					w.setPassword(user, string(app.NewID[app.UserID]()))
				}
			},
			"suspend or resume": func(*rapid.T) {
				org := slugs[pick("org", 2)]
				if owner(org) != "" {
					w.setState(org, []app.OrganizationState{app.StateActive, app.StateSuspended}[pick("state", 2)])
				}
			},
			"delete": func(*rapid.T) {
				if pick("really", 4) == 0 {
					w.remove(slugs[pick("org", 2)])
				}
			},
			"time": func(*rapid.T) { w.pass(time.Duration(pick("seconds", 600)) * time.Second) },
			"": func(t *rapid.T) {
				fresh := cold()
				for _, token := range tokens {
					got, gotErr := warm.Authenticate(base.t.Context(), token)
					want, wantErr := fresh.Authenticate(base.t.Context(), token)
					if got != want || (gotErr == nil) != (wantErr == nil) || gotErr != nil && gotErr.Error() != wantErr.Error() {
						t.Fatalf("remembering: %+v, %v; reading: %+v, %v", got, gotErr, want, wantErr)
					}
				}
			},
		})
	})
}
