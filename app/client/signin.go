package client

import (
	"context"
	"net/http"
	"time"
)

// Tokens is a sign-in.
type Tokens struct {
	AccessToken  string             `json:"access_token"`
	RefreshToken string             `json:"refresh_token"` // good once
	ExpiresIn    int                `json:"expires_in"`    // seconds that the access token lives
	UserID       string             `json:"user_id"`
	SessionID    string             `json:"session_id"`
	Role         string             `json:"role"`
	Organization OrganizationChoice `json:"organization"`
}

// Me is who a token stands for.
type Me struct {
	ID             string       `json:"id"`
	Email          string       `json:"email"`
	Name           string       `json:"name"`
	SessionID      string       `json:"session_id"`
	OrganizationID string       `json:"organization_id"` // the one signed in to
	Memberships    []Membership `json:"memberships"`
}

// Membership is a user's role in one organization. Name and Slug are "" while
// it is suspended.
type Membership struct {
	OrganizationID string `json:"organization_id"`
	Name           string `json:"name"`
	Slug           string `json:"slug"`
	Role           string `json:"role"`
}

// Login signs in. organization, an id or a slug, may be "" for who is a member
// of one alone; else the error has the code organization_required and the
// choices.
func (c *Client) Login(ctx context.Context, email, password, organization string) (Tokens, error) {
	body := struct {
		Email        string `json:"email"`
		Password     string `json:"password"`
		Organization string `json:"organization,omitempty"`
	}{email, password, organization}
	var out Tokens
	_, err := c.do(ctx, call{method: http.MethodPost, path: "/v1/auth/login", body: body}, &out)
	return out, err
}

type refreshToken struct {
	RefreshToken string `json:"refresh_token"`
}

// Refresh gives new tokens for a refresh token, which is worth nothing after.
func (c *Client) Refresh(ctx context.Context, token string) (Tokens, error) {
	var out Tokens
	_, err := c.do(ctx, call{method: http.MethodPost, path: "/v1/auth/refresh", body: refreshToken{token}}, &out)
	return out, err
}

// Logout ends the sign-in that the refresh token belongs to.
func (c *Client) Logout(ctx context.Context, token string) error {
	_, err := c.do(ctx, call{method: http.MethodPost, path: "/v1/auth/logout", body: refreshToken{token}}, nil)
	return err
}

// Me says who the client's access token stands for.
func (c *Client) Me(ctx context.Context) (Me, error) {
	var out Me
	_, err := c.do(ctx, call{method: http.MethodGet, path: "/v1/me"}, &out)
	return out, err
}

// OperatorKey is a key without its secret.
type OperatorKey struct {
	ID         string     `json:"id"`
	Name       string     `json:"name"`
	CreatedAt  time.Time  `json:"created_at"`
	ExpiresAt  *time.Time `json:"expires_at,omitempty"`
	LastUsedAt *time.Time `json:"last_used_at,omitempty"`
	RevokedAt  *time.Time `json:"revoked_at,omitempty"`
}

// NewOperatorKey is a key just made, with its secret, which is never shown
// again.
type NewOperatorKey struct {
	ID        string     `json:"id"`
	Name      string     `json:"name"`
	Key       string     `json:"key"`
	CreatedAt time.Time  `json:"created_at"`
	ExpiresAt *time.Time `json:"expires_at,omitempty"`
}

const operatorKeys = "/v1/operator-keys"

// CreateOperatorKey makes a key; a zero time never expires. For operators.
func (c *Client) CreateOperatorKey(ctx context.Context, name string, expires time.Time) (NewOperatorKey, error) {
	body := struct {
		Name      string     `json:"name"`
		ExpiresAt *time.Time `json:"expires_at,omitempty"`
	}{Name: name}
	if !expires.IsZero() {
		body.ExpiresAt = &expires
	}
	var out NewOperatorKey
	_, err := c.do(ctx, call{method: http.MethodPost, path: operatorKeys, body: body}, &out)
	return out, err
}

// OperatorKeys lists all keys, the revoked ones too. For operators.
func (c *Client) OperatorKeys(ctx context.Context) ([]OperatorKey, error) {
	var out struct {
		Items []OperatorKey `json:"items"`
	}
	_, err := c.do(ctx, call{method: http.MethodGet, path: operatorKeys}, &out)
	return out.Items, err
}

// RevokeOperatorKey makes the key with this id worthless at once. For
// operators.
func (c *Client) RevokeOperatorKey(ctx context.Context, id string) error {
	_, err := c.do(ctx, call{method: http.MethodDelete, path: operatorKeys + "/" + segment(id)}, nil)
	return err
}
