package identity

import (
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"tenantry/app"
)

var (
	operator = app.Actor{Kind: app.AsOperator}
	anybody  = app.Actor{}
	somebody = app.Actor{Kind: app.AsUser, UserID: "u", OrganizationID: "o", SessionID: "s"}
)

func (w *world) operatorKey(name string, expires time.Time) (app.OperatorKey, string) {
	w.t.Helper()
	key, secret, err := w.service.CreateOperatorKey(w.t.Context(), operator, name, expires)
	if err != nil {
		w.t.Fatal(err)
	}
	return key, secret
}

func TestOperatorKey(t *testing.T) {
	w := newWorld(t)
	key, secret := w.operatorKey("  ci  ", time.Time{})
	if !regexp.MustCompile(`^tnt_op_[A-Za-z0-9_-]{49}$`).MatchString(secret) || key.Name != "ci" || !key.CreatedAt.Equal(w.now) {
		t.Errorf("%+v, %q", key, secret)
	}
	actor, err := w.service.Authenticate(t.Context(), secret)
	if err != nil || actor != (app.Actor{Kind: app.AsOperator, KeyID: key.ID}) {
		t.Errorf("Authenticate = %+v, %v", actor, err)
	}
	if strings.Contains(string(key.Hash), secret) || len(key.Hash) != 32 {
		t.Error("the key itself is kept")
	}
	_, other := w.operatorKey("other", time.Time{})
	if other == secret {
		t.Error("two keys are one")
	}
}

func TestOnlyOperatorsManageOperatorKeys(t *testing.T) {
	w := newWorld(t)
	key, _ := w.operatorKey("ci", time.Time{})
	for _, tt := range []struct {
		actor app.Actor
		kind  error
		code  string
	}{
		{anybody, app.ErrUnauthenticated, "token_required"},
		{somebody, app.ErrForbidden, "operator_only"},
	} {
		_, secret, err := w.service.CreateOperatorKey(t.Context(), tt.actor, "mine", time.Time{})
		wantCode(t, err, tt.kind, tt.code)
		list, err := w.service.ListOperatorKeys(t.Context(), tt.actor)
		wantCode(t, err, tt.kind, tt.code)
		_, err = w.service.RevokeOperatorKey(t.Context(), tt.actor, string(key.ID))
		wantCode(t, err, tt.kind, tt.code)
		if secret != "" || list != nil {
			t.Error("a refusal gives something")
		}
	}
	if list, err := w.service.ListOperatorKeys(t.Context(), operator); err != nil || len(list) != 1 || !list[0].RevokedAt.IsZero() {
		t.Errorf("%+v, %v", list, err)
	}
}

func TestOperatorKeyIsChecked(t *testing.T) {
	w := newWorld(t)
	w.operatorKey("taken", time.Time{})
	for name, want := range map[string]string{
		"": "invalid_name", "  ": "invalid_name", "a\x00b": "invalid_name", "a\u202eb": "invalid_name",
		"\xff": "invalid_name", strings.Repeat("x", 101): "invalid_name",
	} {
		_, _, err := w.service.CreateOperatorKey(t.Context(), operator, name, time.Time{})
		wantField(t, err, "name", want)
	}
	_, _, err := w.service.CreateOperatorKey(t.Context(), operator, "taken", time.Time{})
	wantCode(t, err, app.ErrConflict, "operator_key_name_taken")
	_, _, err = w.service.CreateOperatorKey(t.Context(), operator, "late", w.now)
	wantField(t, err, "expires_at", "expires_in_the_past")
}

func TestOperatorKeyExpires(t *testing.T) {
	w := newWorld(t)
	_, secret := w.operatorKey("short", w.now.Add(time.Hour))
	w.pass(time.Hour - time.Millisecond)
	if err := w.authenticate(secret); err != nil {
		t.Errorf("before its time: %v", err)
	}
	w.pass(time.Millisecond)
	wantCode(t, w.authenticate(secret), app.ErrUnauthenticated, "key_invalid")
}

func TestRevocationIsInForceAtOnce(t *testing.T) {
	w := newWorld(t)
	key, secret := w.operatorKey("leaked", time.Time{})
	_, bystander := w.operatorKey("kept", time.Time{})
	if err := w.authenticate(secret); err != nil {
		t.Fatal(err)
	}
	first, err := w.service.RevokeOperatorKey(t.Context(), operator, string(key.ID))
	if err != nil || first.RevokedAt.IsZero() {
		t.Fatalf("%+v, %v", first, err)
	}
	wantCode(t, w.authenticate(secret), app.ErrUnauthenticated, "key_invalid")
	if err := w.authenticate(bystander); err != nil {
		t.Error(err)
	}
	w.pass(time.Hour)
	again, err := w.service.RevokeOperatorKey(t.Context(), operator, string(key.ID))
	if err != nil || !again.RevokedAt.Equal(first.RevokedAt) {
		t.Errorf("revoked twice: %+v, %v", again, err)
	}
	for _, id := range []string{"", "x", string(app.NewID[app.OperatorKeyID]()), "' OR 1=1"} {
		_, err := w.service.RevokeOperatorKey(t.Context(), operator, id)
		wantCode(t, err, app.ErrNotFound, "operator_key_not_found")
	}
}

func TestWrongOperatorKeys(t *testing.T) {
	w := newWorld(t)
	_, secret := w.operatorKey("ci", time.Time{})
	unknown := newOperatorSecret()
	reads := w.registry.reads
	for name, key := range map[string]string{
		"prefix":         operatorKeyPrefix,
		"short":          secret[:len(secret)-1],
		"long":           secret + "A",
		"typing error":   secret[:20] + other(secret[20]) + secret[21:],
		"wrong checksum": secret[:len(secret)-1] + other(secret[len(secret)-1]),
		"huge":           operatorKeyPrefix + strings.Repeat("A", 1<<20),
		"NUL":            secret[:20] + "\x00" + secret[21:],
	} {
		t.Run(name, func(t *testing.T) { wantCode(t, w.authenticate(key), app.ErrUnauthenticated, "key_invalid") })
	}
	if w.registry.reads != reads {
		t.Error("a malformed key was looked up")
	}
	wantCode(t, w.authenticate(unknown), app.ErrUnauthenticated, "key_invalid")
	w.registry.fails["OperatorKeyByHash"] = app.Unavailable("The registry", nil)
	if err := w.authenticate(secret); !errors.Is(err, app.ErrUnavailable) {
		t.Errorf("an outage is taken for a wrong key: %v", err)
	}
}

func TestFirstOperatorKey(t *testing.T) {
	w := newWorld(t)
	secret, created, err := w.service.FirstOperatorKey(t.Context())
	if err != nil || !created {
		t.Fatalf("%v, %v", created, err)
	}
	if err := w.authenticate(secret); err != nil {
		t.Error(err)
	}
	if again, created, err := w.service.FirstOperatorKey(t.Context()); again != "" || created || err != nil {
		t.Errorf("the second time: %q, %v, %v", again, created, err)
	}
}

func TestLastUseIsRecordedAtMostOnceAMinute(t *testing.T) {
	w := newWorld(t)
	s := w.start(Config{})
	key, secret := w.operatorKey("ci", time.Time{})
	lastUse := func() time.Time {
		list, err := s.ListOperatorKeys(t.Context(), operator)
		if err != nil {
			t.Fatal(err)
		}
		return list[0].LastUsedAt
	}
	use := func() {
		if _, err := s.Authenticate(t.Context(), secret); err != nil {
			t.Fatal(err)
		}
	}
	flush := func() {
		if err := s.operator.flush(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if !lastUse().IsZero() {
		t.Error("used before it was")
	}
	first := w.clock()
	use()
	flush()
	w.pass(59 * time.Second)
	use()
	reads := w.registry.reads
	flush()
	if w.registry.reads != reads || !lastUse().Equal(first) {
		t.Errorf("last use %v, want %v and nothing written", lastUse(), first)
	}
	w.pass(time.Second)
	use()
	w.registry.fails["TouchOperatorKeys"] = app.ErrNoSpace
	if err := s.operator.flush(t.Context()); !errors.Is(err, app.ErrNoSpace) {
		t.Errorf("flush: %v", err)
	}
	delete(w.registry.fails, "TouchOperatorKeys")
	s.Close() // writes what is still to be written
	if got := lastUse(); !got.Equal(first.Add(time.Minute)) {
		t.Errorf("last use of %s is %v after the end", key.Name, got)
	}
}
