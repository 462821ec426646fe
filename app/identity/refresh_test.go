package identity

import (
	"bytes"
	"encoding/base64"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tenantry/app"
)

func TestRefreshRotates(t *testing.T) {
	w := newWorld(t)
	acme := w.organization("acme")
	first := w.login("acme")
	w.pass(20 * time.Minute)
	second, err := w.service.Refresh(t.Context(), first.RefreshToken)
	if err != nil {
		t.Fatal(err)
	}
	if second.RefreshToken == first.RefreshToken || second.SessionID != first.SessionID ||
		second.Organization.ID != acme.ID || second.Role != app.RoleOwner || second.UserID != acme.OwnerID {
		t.Errorf("refreshed to %+v", second)
	}
	wantCode(t, w.authenticate(first.AccessToken), app.ErrUnauthenticated, "token_expired")
	if err := w.authenticate(second.AccessToken); err != nil {
		t.Error(err)
	}
	w.registry.mu.Lock()
	defer w.registry.mu.Unlock()
	s := w.registry.sessions[first.SessionID]
	if !s.LastUsedAt.Equal(w.now) || !s.ExpiresAt.Equal(w.now.Add(30*24*time.Hour)) {
		t.Errorf("session %+v", s)
	}
	if bytes.Contains(s.RefreshHash, []byte("tntr_")) || len(s.RefreshHash) != 32 {
		t.Error("the token itself is kept")
	}
}

// TestReuseEndsTheSession: whichever old token of a session is shown.
func TestReuseEndsTheSession(t *testing.T) {
	for reused := range 3 {
		w := newWorld(t)
		w.organization("acme")
		bystander := w.login("acme")
		chain := []SignIn{w.login("acme")}
		for range 3 {
			next, err := w.service.Refresh(t.Context(), chain[len(chain)-1].RefreshToken)
			if err != nil {
				t.Fatal(err)
			}
			chain = append(chain, next)
		}
		last := chain[3]
		if err := w.authenticate(last.AccessToken); err != nil {
			t.Fatal(err)
		}
		_, err := w.service.Refresh(t.Context(), chain[reused].RefreshToken)
		wantCode(t, err, app.ErrUnauthenticated, "refresh_reused")
		_, err = w.service.Refresh(t.Context(), last.RefreshToken)
		wantCode(t, err, app.ErrUnauthenticated, "session_ended")
		wantCode(t, w.authenticate(last.AccessToken), app.ErrUnauthenticated, "session_ended")
		if err := w.authenticate(bystander.AccessToken); err != nil {
			t.Errorf("another session of the same user ended too: %v", err)
		}
		if log := w.log.String(); !strings.Contains(log, "used twice") || strings.Contains(log, "tntr_") {
			t.Errorf("log: %s", log)
		}
	}
}

// TestRefreshAtOnce: of many who show one token at the same moment at most one
// is served, and the session ends, since they cannot all be its owner.
func TestRefreshAtOnce(t *testing.T) {
	w := newWorld(t)
	w.organization("acme")
	in := w.login("acme")
	var served atomic.Int64
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			_, err := w.service.Refresh(t.Context(), in.RefreshToken)
			if err == nil {
				served.Add(1)
			} else if !errors.Is(err, app.ErrUnauthenticated) {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if served.Load() > 1 {
		t.Errorf("%d were served", served.Load())
	}
	wantCode(t, w.authenticate(in.AccessToken), app.ErrUnauthenticated, "session_ended")
}

func TestForgedRefreshTokensEndNothing(t *testing.T) {
	w := newWorld(t)
	w.organization("acme")
	in := w.login("acme")
	raw, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(in.RefreshToken, refreshPrefix))
	if err != nil || len(raw) != refreshSize {
		t.Fatalf("%d bytes, %v", len(raw), err)
	}
	encode := func(b []byte) string { return refreshPrefix + base64.RawURLEncoding.EncodeToString(b) }
	otherSecret := bytes.Clone(raw)
	otherSecret[20] ^= 1
	otherSession := bytes.Clone(raw)
	otherSession[0] ^= 1
	otherMark := bytes.Clone(raw)
	otherMark[refreshSize-1] ^= 1
	stranger := newWorld(t)
	stranger.service.refresh.key = []byte("another key")
	reads := w.registry.reads
	for name, token := range map[string]string{
		"empty":               "",
		"prefix":              refreshPrefix,
		"nonsense":            "nonsense",
		"no prefix":           strings.TrimPrefix(in.RefreshToken, refreshPrefix),
		"short":               in.RefreshToken[:len(in.RefreshToken)-1],
		"long":                in.RefreshToken + "A",
		"huge":                refreshPrefix + strings.Repeat("A", 1<<20),
		"line end":            in.RefreshToken[:50] + "\n" + in.RefreshToken[51:],
		"another secret":      encode(otherSecret),
		"another session":     encode(otherSession),
		"another mark":        encode(otherMark),
		"another seal key":    stranger.service.refresh.make(in.SessionID),
		"an access token":     in.AccessToken,
		"the session's id":    refreshPrefix + string(in.SessionID),
		"bits that are spare": in.RefreshToken[:len(in.RefreshToken)-1] + other(in.RefreshToken[len(in.RefreshToken)-1]),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := w.service.Refresh(t.Context(), token)
			wantCode(t, err, app.ErrUnauthenticated, "refresh_invalid")
			if err := w.service.Logout(t.Context(), token); err != nil {
				t.Errorf("Logout: %v", err)
			}
		})
	}
	if w.registry.reads != reads {
		t.Errorf("%d reads for forgeries", w.registry.reads-reads)
	}
	if _, err := w.service.Refresh(t.Context(), in.RefreshToken); err != nil {
		t.Errorf("the good token was harmed: %v", err)
	}
}

func TestRefreshTokenExpires(t *testing.T) {
	w := newWorld(t)
	w.organization("acme")
	in := w.login("acme")
	w.pass(30*24*time.Hour - time.Second)
	in, err := w.service.Refresh(t.Context(), in.RefreshToken)
	if err != nil {
		t.Fatalf("a second before its time: %v", err)
	}
	w.pass(30 * 24 * time.Hour)
	_, err = w.service.Refresh(t.Context(), in.RefreshToken)
	wantCode(t, err, app.ErrUnauthenticated, "session_ended")
	if len(w.registry.sessions) != 1 {
		t.Fatal("the session is not there to be pruned")
	}
	w.pass(time.Millisecond)
	w.service.prune(t.Context())
	if len(w.registry.sessions) != 0 {
		t.Error("an expired session was not pruned")
	}
}

// TestRefreshedSessionOutlivesWhatTheCacheKnew: the cache learns that the
// session got longer.
func TestRefreshedSessionOutlivesWhatTheCacheKnew(t *testing.T) {
	w := newWorld(t)
	w.organization("acme")
	s := w.start(Config{RefreshTokenTTL: time.Hour, AccessTokenTTL: 40 * time.Minute})
	in, err := s.Login(t.Context(), LoginInput{Email: "owner@acme.example", Password: goodPassword})
	if err != nil {
		t.Fatal(err)
	}
	for range 4 {
		w.pass(35 * time.Minute)
		if _, err := s.Authenticate(t.Context(), in.AccessToken); err != nil {
			t.Fatal(err)
		}
		if in, err = s.Refresh(t.Context(), in.RefreshToken); err != nil {
			t.Fatal(err)
		}
	}
}

func TestLogoutEndsTheSessionAndIsIdempotent(t *testing.T) {
	w := newWorld(t)
	w.organization("acme")
	in := w.login("acme")
	if err := w.authenticate(in.AccessToken); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := w.service.Logout(t.Context(), in.RefreshToken); err != nil {
			t.Fatal(err)
		}
		wantCode(t, w.authenticate(in.AccessToken), app.ErrUnauthenticated, "session_ended")
	}
	_, err := w.service.Refresh(t.Context(), in.RefreshToken)
	wantCode(t, err, app.ErrUnauthenticated, "session_ended")

	in = w.login("acme")
	w.registry.fails["DeleteSession"] = app.Unavailable("The registry", nil)
	if err := w.service.Logout(t.Context(), in.RefreshToken); !errors.Is(err, app.ErrUnavailable) {
		t.Errorf("a logout that did not happen: %v", err)
	}
}
