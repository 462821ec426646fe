package identity

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"tenantry/app"
)

// An operator key is "tnt_op_", 43 characters of base64url over 32 random
// bytes, and 6 over the CRC-32 of all before: a scanner for leaked secrets can
// tell a real one, and a typing error is refused without a read. The registry
// keeps its SHA-256.
const (
	operatorKeyPrefix = "tnt_op_"
	operatorKeyBody   = len(operatorKeyPrefix) + 43
	operatorKeyLen    = operatorKeyBody + 6
)

const maxOperatorKeyName = 100

// firstOperatorKeyName is that of the key made at the first start.
const firstOperatorKeyName = "first"

func newOperatorSecret() string {
	var random [32]byte
	_, _ = rand.Read(random[:])
	body := operatorKeyPrefix + base64.RawURLEncoding.EncodeToString(random[:])
	return body + checksum(body)
}

func checksum(body string) string {
	return base64.RawURLEncoding.EncodeToString(binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE([]byte(body))))
}

func wellFormedKey(secret string) bool {
	return len(secret) == operatorKeyLen && strings.HasPrefix(secret, operatorKeyPrefix) &&
		checksum(secret[:operatorKeyBody]) == secret[operatorKeyBody:]
}

// CreateOperatorKey makes a key with which its holder is an operator, and gives
// its secret, which is shown this once and kept nowhere. A zero time never
// expires. Only an operator may. Errors besides: app.FieldErrors at "name" or
// "expires_at"; app.ErrConflict, operator_key_name_taken.
func (s *Service) CreateOperatorKey(ctx context.Context, actor app.Actor, name string, expires time.Time) (app.OperatorKey, string, error) {
	if err := requireOperator(actor); err != nil {
		return app.OperatorKey{}, "", err
	}
	name, err := ParseKeyName(name)
	if err != nil {
		return app.OperatorKey{}, "", err
	}
	now := s.clock()
	if !expires.IsZero() {
		if expires = expires.UTC().Truncate(time.Millisecond); !expires.After(now) {
			return app.OperatorKey{}, "", app.Invalid("expires_at", "expires_in_the_past", "The key would expire before it is made.")
		}
	}
	key, secret := newOperatorKey(name, now)
	key.ExpiresAt = expires
	var taken *app.TakenError
	err = s.registry.CreateOperatorKey(ctx, key)
	if errors.As(err, &taken) && taken.Field == app.ConflictOperatorKey {
		return app.OperatorKey{}, "", app.Fail(app.ErrConflict, "operator_key_name_taken",
			"There is an operator key of this name. Choose another name, so that the right one can be revoked.")
	}
	if err != nil {
		return app.OperatorKey{}, "", err
	}
	return key, secret, nil
}

// FirstOperatorKey makes the first operator key of an installation. Where
// there ever was one it does nothing, and created is false.
func (s *Service) FirstOperatorKey(ctx context.Context) (secret string, created bool, err error) {
	key, secret := newOperatorKey(firstOperatorKeyName, s.clock())
	created, err = s.registry.CreateFirstOperatorKey(ctx, key)
	if err != nil || !created {
		return "", false, err
	}
	return secret, true, nil
}

func newOperatorKey(name string, now time.Time) (app.OperatorKey, string) {
	secret := newOperatorSecret()
	return app.OperatorKey{
		ID: app.NewID[app.OperatorKeyID](), Name: name, Hash: hashToken(secret), CreatedAt: now,
	}, secret
}

// ListOperatorKeys lists all, revoked and expired ones too, oldest first. Only
// an operator may.
func (s *Service) ListOperatorKeys(ctx context.Context, actor app.Actor) ([]app.OperatorKey, error) {
	if err := requireOperator(actor); err != nil {
		return nil, err
	}
	return s.registry.ListOperatorKeys(ctx)
}

// RevokeOperatorKey makes a key worthless from now on; doing it twice is doing
// it once. Only an operator may, also with the key itself.
// app.ErrNotFound, operator_key_not_found.
func (s *Service) RevokeOperatorKey(ctx context.Context, actor app.Actor, id string) (app.OperatorKey, error) {
	if err := requireOperator(actor); err != nil {
		return app.OperatorKey{}, err
	}
	unknown := app.Fail(app.ErrNotFound, "operator_key_not_found", "There is no operator key with this id.")
	if !app.IsID(id) {
		return app.OperatorKey{}, unknown
	}
	key, err := s.registry.RevokeOperatorKey(ctx, app.OperatorKeyID(id), s.clock())
	if errors.Is(err, app.ErrNotFound) {
		return app.OperatorKey{}, unknown
	}
	return key, err
}

func requireOperator(actor app.Actor) error {
	switch actor.Kind {
	case app.AsOperator:
		return nil
	case app.AsUser:
		return app.Fail(app.ErrForbidden, "operator_only", "Only an operator of this server may do that.")
	}
	return errTokenRequired()
}

// ParseKeyName trims the name of an operator key: 1 to 100 visible characters.
// The error is app.FieldErrors at "name".
func ParseKeyName(name string) (string, error) {
	name = strings.TrimSpace(name)
	visible := utf8.ValidString(name) && !strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsGraphic(r) })
	if name == "" || utf8.RuneCountInString(name) > maxOperatorKeyName || !visible {
		return "", app.Invalid("name", "invalid_name", "A key's name is 1 to 100 visible characters.")
	}
	return name, nil
}
