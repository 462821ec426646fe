package tenancy

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"tenantry/app"
)

const (
	// repetitionKept is how long a request with an idempotency key is answered
	// as the first one was.
	repetitionKept = 24 * time.Hour
	maxRepetition  = 255
	retryRepeated  = time.Second
)

// repetition is one request with an idempotency key; nil without one.
type repetition struct {
	key         string
	fingerprint []byte
}

// repetition reads the idempotency key of a request. A key is good for who
// uses it: somebody else's same key is another.
func (s *Service) repetition(actor app.Actor, in CreateInput) (*repetition, error) {
	if in.IdempotencyKey == "" {
		return nil, nil
	}
	if len(in.IdempotencyKey) > maxRepetition || !plainText(in.IdempotencyKey) {
		return nil, app.Invalid("Idempotency-Key", "invalid_idempotency_key",
			"An idempotency key is at most 255 bytes of text without control characters.")
	}
	who := "anybody"
	switch actor.Kind {
	case app.AsOperator:
		who = "operator " + string(actor.KeyID) // none over the data folder's socket
	case app.AsUser:
		who = "user " + string(actor.UserID)
	case app.Anonymous:
	}
	return &repetition{
		key:         base64.RawURLEncoding.EncodeToString(s.mark("create\x00" + who + "\x00" + in.IdempotencyKey)),
		fingerprint: s.mark("request\x00" + string(in.Request)),
	}, nil
}

func (s *Service) mark(text string) []byte {
	h := hmac.New(sha256.New, s.cfg.FingerprintKey)
	_, _ = h.Write([]byte(text)) // never fails
	return h.Sum(nil)
}

// of is what is recorded with the creation of the organization.
func (r *repetition) of(org app.Organization, now time.Time) *app.Repetition {
	if r == nil {
		return nil
	}
	org.State = app.StateActive // as it will be answered
	return &app.Repetition{Key: r.key, Fingerprint: r.fingerprint, ExpiresAt: now.Add(repetitionKept), Organization: org}
}

// repeated gives the answer of the first request under the key, or nil where
// there was none. The error says that the first is still on its way, or that
// it was another request.
func (s *Service) repeated(ctx context.Context, r *repetition) (*app.Organization, error) {
	if r == nil {
		return nil, nil
	}
	first, err := s.registry.Repetition(ctx, r.key)
	switch {
	case errors.Is(err, app.ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, err
	case !first.ExpiresAt.After(s.clock()):
		return nil, nil
	case !hmac.Equal(first.Fingerprint, r.fingerprint):
		return nil, app.Fail(app.ErrInvalid, "idempotency_key_reused",
			"This idempotency key was used for another request. Use a new key for each new request.")
	}
	// Past the directory's cache, which need not know of one just recorded.
	org, err := s.registry.Organization(ctx, first.Organization.ID)
	switch {
	case errors.Is(err, app.ErrNotFound):
		made, err := s.wasMade(ctx, first.Organization.ID)
		if err != nil {
			return nil, err
		}
		if !made {
			return nil, errKeyInUse()
		}
	case err != nil:
		return nil, err
	case org.State == app.StateCreating:
		return nil, errKeyInUse()
	}
	return &first.Organization, nil
}

// wasMade tells an organization that was deleted since from one that was never
// made: whose creation is being undone at this moment, or is seen in part. An
// operation is kept for longer than a key.
func (s *Service) wasMade(ctx context.Context, org app.OrganizationID) (bool, error) {
	list, err := s.registry.ListOperations(ctx, app.OperationQuery{Organization: org, Kind: app.OperationCreate,
		States: []app.OperationState{app.OperationCompleted}, Limit: 1})
	if err != nil {
		return false, fmt.Errorf("find the creation of organization %s: %w", org, err)
	}
	return len(list) > 0, nil
}

func errKeyInUse() error {
	return &app.Error{Kind: app.ErrConflict, Code: "idempotency_key_in_use", RetryAfter: retryRepeated,
		Detail: "The first request with this idempotency key is still on its way. Try again in a second."}
}

// foreseen is for a creation that is bound to fail: it gives the answer of the
// first request under its key, or the refusal. Neither where a name is taken and
// there is no first request to be seen: it may have taken that name, and be
// undone at this moment, or be seen in part. Only who records the creation knows.
func (s *Service) foreseen(ctx context.Context, r *repetition, refusal error) (*app.Organization, error) {
	var t *app.TakenError
	if r == nil || !errors.As(refusal, &t) {
		return nil, taken(refusal)
	}
	return s.repeated(ctx, r)
}

// firstAnswer is for a request that was refused: if that is because the first
// one under its key was faster, it is answered as that one was.
func (s *Service) firstAnswer(ctx context.Context, r *repetition, refusal error) (app.Organization, error) {
	first, err := s.repeated(ctx, r)
	if first == nil && err == nil {
		err = refusal
		var t *app.TakenError
		if errors.As(refusal, &t) && t.Field == app.ConflictRepetition {
			err = errKeyInUse() // it was, and has just been undone
		}
	}
	return answerOf(first), err
}

func answerOf(first *app.Organization) app.Organization {
	if first == nil {
		return app.Organization{}
	}
	return *first
}
