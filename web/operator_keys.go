package web

import (
	"context"
	"time"

	"tenantry/app"
)

type operatorKeyView struct {
	ID         string  `json:"id" format:"uuid"`
	Name       string  `json:"name"`
	CreatedAt  string  `json:"created_at" format:"date-time"`
	ExpiresAt  *string `json:"expires_at,omitempty" format:"date-time" nullable:"false"`
	LastUsedAt *string `json:"last_used_at,omitempty" format:"date-time" nullable:"false"`
	RevokedAt  *string `json:"revoked_at,omitempty" format:"date-time" nullable:"false"`
}

func viewOperatorKey(k app.OperatorKey) operatorKeyView {
	return operatorKeyView{
		ID: string(k.ID), Name: k.Name, CreatedAt: formatTime(k.CreatedAt), ExpiresAt: formatOptional(k.ExpiresAt),
		LastUsedAt: formatOptional(k.LastUsedAt), RevokedAt: formatOptional(k.RevokedAt),
	}
}

type createOperatorKeyInput struct {
	Body struct {
		Name      string     `json:"name" doc:"Says whose it is or what for."`
		ExpiresAt *time.Time `json:"expires_at,omitempty" doc:"Default: never."`
	}
}

type newOperatorKeyView struct {
	ID        string  `json:"id" format:"uuid"`
	Name      string  `json:"name"`
	Key       string  `json:"key" doc:"The key. It is shown this once."`
	CreatedAt string  `json:"created_at" format:"date-time"`
	ExpiresAt *string `json:"expires_at,omitempty" format:"date-time" nullable:"false"`
}

type createdOperatorKey struct{ Body *newOperatorKeyView }

func (s *Server) createOperatorKey(ctx context.Context, in *createOperatorKeyInput) (*createdOperatorKey, error) {
	var expires time.Time
	if in.Body.ExpiresAt != nil {
		expires = *in.Body.ExpiresAt
	}
	k, secret, err := s.services.Identity.CreateOperatorKey(ctx, callOf(ctx).actor, in.Body.Name, expires)
	if err != nil {
		return nil, err
	}
	return &createdOperatorKey{&newOperatorKeyView{
		ID: string(k.ID), Name: k.Name, Key: secret,
		CreatedAt: formatTime(k.CreatedAt), ExpiresAt: formatOptional(k.ExpiresAt),
	}}, nil
}

type listOperatorKeysOutput struct {
	Body struct {
		Items []operatorKeyView `json:"items" nullable:"false"`
	}
}

func (s *Server) listOperatorKeys(ctx context.Context, _ *struct{}) (*listOperatorKeysOutput, error) {
	keys, err := s.services.Identity.ListOperatorKeys(ctx, callOf(ctx).actor)
	if err != nil {
		return nil, err
	}
	out := &listOperatorKeysOutput{}
	out.Body.Items = make([]operatorKeyView, len(keys))
	for i, k := range keys {
		out.Body.Items[i] = viewOperatorKey(k)
	}
	return out, nil
}

type operatorKeyRef struct {
	ID string `path:"id" doc:"The key's id."`
}

func (s *Server) revokeOperatorKey(ctx context.Context, in *operatorKeyRef) (*struct{}, error) {
	_, err := s.services.Identity.RevokeOperatorKey(ctx, callOf(ctx).actor, in.ID)
	return nil, err
}
