package identity

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"

	"tenantry/app"
	"tenantry/app/cache"
)

// maxToken is longer than any token of ours, in bytes, and short enough to be
// parsed for everybody who sends one.
const maxToken = 4096

// keptTokens is how many verified tokens are remembered, at about a kilobyte
// each.
const keptTokens = 16_384

// claims are those of an access token. Role is for others who verify offline;
// here the membership decides.
type claims struct {
	jwt.RegisteredClaims
	Organization app.OrganizationID `json:"org"`
	Role         app.Role           `json:"role"`
	Session      app.SessionID      `json:"sid"`
}

// verified is what is kept of a token whose signature was checked.
type verified struct {
	session app.SessionID
	user    app.UserID
	org     app.OrganizationID
	expires int64 // Unix milliseconds
}

// tokenCache remembers verified tokens until they expire, since a check of a
// signature costs more than all the rest of a request. Only tokens that were
// good get in, so nobody can crowd it with made-up ones. Being in it proves the
// signature alone; the session is asked each time.
type tokenCache struct {
	kept *cache.Cache[string, verified]
}

func newTokenCache() *tokenCache {
	return &tokenCache{kept: cache.New[string, verified](keptTokens, always)}
}

// always is trusted: that a signature was right never changes.
func always() bool { return true }

// dropExpired forgets tokens that nobody showed again after their time.
func (c *tokenCache) dropExpired(now time.Time) {
	c.kept.DropIf(func(_ string, v verified) bool { return v.expires <= now.UnixMilli() })
}

// issue signs an access token for a session.
func (s *Service) issue(session app.Session, role app.Role) (string, error) {
	now := s.clock()
	id, err := uuid.NewRandom()
	if err != nil {
		return "", fmt.Errorf("issue a token: %w", err)
	}
	k := s.keys.now.Load()
	token := jwt.NewWithClaims(jwt.SigningMethodEdDSA, claims{
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer:    s.cfg.Issuer,
			Audience:  jwt.ClaimStrings{s.cfg.Audience},
			Subject:   string(session.UserID),
			ID:        id.String(),
			IssuedAt:  jwt.NewNumericDate(now),
			NotBefore: jwt.NewNumericDate(now),
			ExpiresAt: jwt.NewNumericDate(now.Add(s.cfg.AccessTokenTTL)),
		},
		Organization: session.OrganizationID,
		Role:         role,
		Session:      session.ID,
	})
	token.Header["kid"] = k.current
	signed, err := token.SignedString(k.private)
	if err != nil {
		return "", fmt.Errorf("sign a token: %w", err)
	}
	return signed, nil
}

// verify says what a token of ours stands for: token_invalid for what is not
// one, token_expired after its time.
//
// The algorithm is Ed25519 whatever the header says, and the key is one of
// ours whatever it names. iat and nbf are not looked at: only we sign, so a
// token cannot have been made ahead of time, and when the clock is set back
// everybody who is signed in would be locked out.
func (s *Service) verify(ctx context.Context, token string) (verified, error) {
	now := s.clock()
	if v, kept := s.tokens.kept.Peek(token); kept {
		if v.expires <= now.UnixMilli() {
			s.tokens.kept.Drop(token)
			return verified{}, errTokenExpired()
		}
		return v, nil
	}
	if len(token) > maxToken || strings.ContainsAny(token, "\r\n") { // base64 passes over line ends
		return verified{}, errTokenInvalid()
	}
	var c claims
	_, err := jwt.NewParser(
		jwt.WithValidMethods([]string{jwt.SigningMethodEdDSA.Alg()}),
		jwt.WithStrictDecoding(),
		jwt.WithoutClaimsValidation(), // done below
	).ParseWithClaims(token, &c, func(t *jwt.Token) (any, error) {
		kid, _ := t.Header["kid"].(string)
		public, ok := s.keys.lookup(ctx, kid)
		if !ok || t.Header["typ"] != "JWT" {
			return nil, jwt.ErrTokenUnverifiable
		}
		return public, nil
	})
	switch {
	case err != nil,
		c.Issuer != s.cfg.Issuer,
		!slices.Contains(c.Audience, s.cfg.Audience),
		c.ExpiresAt == nil,
		!app.IsID(c.Subject) || !app.IsID(string(c.Organization)) || !app.IsID(string(c.Session)):
		return verified{}, errTokenInvalid()
	case !now.Before(c.ExpiresAt.Time):
		return verified{}, errTokenExpired()
	}
	v := verified{
		session: c.Session, user: app.UserID(c.Subject), org: c.Organization,
		expires: c.ExpiresAt.UnixMilli(),
	}
	s.tokens.kept.Put(strings.Clone(token), v) // the caller's may be part of a larger buffer
	return v, nil
}
