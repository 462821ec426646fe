package identity

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"strings"
	"time"

	"github.com/google/uuid"

	"tenantry/app"
	"tenantry/app/seal"
)

// A refresh token is "tntr_" and 86 characters of base64url over
//
//	16  session id
//	32  secret, random, new with every token
//	16  mark: the beginning of HMAC-SHA256 over the two, under a key derived
//	    from the seal key
//
// The registry keeps the SHA-256 of the whole text. The mark proves that we
// made the token, so that any old one of a session, not only the last, is
// known as used before, and made-up ones are refused without a read.
const (
	refreshPrefix = "tntr_"
	refreshIDLen  = 16
	refreshSecret = 32
	refreshMark   = 16
	refreshSize   = refreshIDLen + refreshSecret + refreshMark
)

type refreshTokens struct{ key []byte }

func newRefreshTokens(key seal.Key) refreshTokens {
	return refreshTokens{key: key.Derive("refresh tokens")}
}

// open makes a session and its first refresh token.
func (r refreshTokens) open(user app.UserID, org app.OrganizationID, now time.Time, ttl time.Duration) (app.Session, string) {
	id := app.NewID[app.SessionID]()
	token := r.make(id)
	return app.Session{
		ID: id, UserID: user, OrganizationID: org, RefreshHash: hashToken(token),
		CreatedAt: now, LastUsedAt: now, ExpiresAt: now.Add(ttl),
	}, token
}

// make makes a new token for a session.
func (r refreshTokens) make(id app.SessionID) string {
	raw := make([]byte, refreshIDLen+refreshSecret, refreshSize)
	parsed := uuid.MustParse(string(id)) // our own id
	copy(raw, parsed[:])
	_, _ = rand.Read(raw[refreshIDLen:])
	return refreshPrefix + base64.RawURLEncoding.EncodeToString(append(raw, r.mark(raw)...))
}

// parse gives the session of a token that we made.
func (r refreshTokens) parse(token string) (app.SessionID, bool) {
	text, ok := strings.CutPrefix(token, refreshPrefix)
	if !ok || len(text) != base64.RawURLEncoding.EncodedLen(refreshSize) {
		return "", false
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(raw) != refreshSize { // line ends are passed over
		return "", false
	}
	body, mark := raw[:refreshIDLen+refreshSecret], raw[refreshIDLen+refreshSecret:]
	if !hmac.Equal(mark, r.mark(body)) {
		return "", false
	}
	return app.SessionID(uuid.UUID(body[:refreshIDLen]).String()), true
}

func (r refreshTokens) mark(body []byte) []byte {
	h := hmac.New(sha256.New, r.key)
	h.Write(body)
	return h.Sum(nil)[:refreshMark]
}

// hashToken is what the registry keeps of a token: it is random enough that a
// plain hash cannot be searched.
func hashToken(token string) []byte {
	sum := sha256.Sum256([]byte(token))
	return sum[:]
}

// Refresh exchanges a refresh token for a new one and a new access token.
// Errors: app.ErrUnauthenticated with code refresh_invalid (not one of ours),
// session_ended, or refresh_reused, which ends the session: a token that is
// shown twice has two holders. A client whose answer got lost on the way must
// sign in again. app.ErrForbidden with code organization_suspended leaves the
// token good.
func (s *Service) Refresh(ctx context.Context, refreshToken string) (SignIn, error) {
	id, ok := s.refresh.parse(refreshToken)
	if !ok {
		return SignIn{}, errRefreshInvalid()
	}
	session, err := s.registry.Session(ctx, id)
	if errors.Is(err, app.ErrNotFound) {
		return SignIn{}, errSessionEnded()
	}
	if err != nil {
		return SignIn{}, err
	}
	old := hashToken(refreshToken)
	if subtle.ConstantTimeCompare(old, session.RefreshHash) != 1 {
		return SignIn{}, s.reused(ctx, session.Session)
	}
	switch {
	case !s.clock().Before(session.ExpiresAt):
		return SignIn{}, errSessionEnded()
	case session.Organization.State == app.StateSuspended:
		return SignIn{}, errSuspended()
	}
	next := s.refresh.make(id)
	now := s.clock()
	err = s.registry.RotateSession(ctx, id, old, hashToken(next),
		app.Later(now, session.LastUsedAt), now.Add(s.cfg.RefreshTokenTTL))
	switch {
	case errors.Is(err, app.ErrStale): // somebody else used it at this moment
		return SignIn{}, s.reused(ctx, session.Session)
	case errors.Is(err, app.ErrNotFound):
		return SignIn{}, errSessionEnded()
	case err != nil:
		return SignIn{}, err
	}
	s.sessions.sessions.Drop(id) // it expires later now
	return s.signIn(session.Session, next, session.Organization, session.Role)
}

// reused ends a session of which an old token was shown.
func (s *Service) reused(ctx context.Context, session app.Session) error {
	s.log.Warn("a refresh token was used twice; its session ends",
		"session_id", session.ID, "user_id", session.UserID, "org_id", session.OrganizationID)
	if err := s.end(ctx, session.ID); err != nil {
		return err
	}
	return errRefreshReused()
}

// Logout ends the session of a refresh token. As RFC 7009 wants it, what is
// not or no longer a good token is no error: there is nothing left to end.
func (s *Service) Logout(ctx context.Context, refreshToken string) error {
	id, ok := s.refresh.parse(refreshToken)
	if !ok {
		return nil
	}
	return s.end(ctx, id)
}

func (s *Service) end(ctx context.Context, id app.SessionID) error {
	err := s.registry.DeleteSession(ctx, id)
	s.sessions.sessions.Drop(id)
	return err
}
