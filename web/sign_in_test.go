package web

import (
	"strings"
	"testing"
)

func TestSignInRefreshLogout(t *testing.T) {
	w := newWorld(t)
	o := w.tenant()
	a := w.do("POST", "/v1/auth/login", "", object{"email": strings.ToUpper(o.email), "password": o.password, "organization": o.slug})
	if a.status != 200 || a.field("token_type") != "bearer" || a.field("role") != "owner" || a.field("organization.slug") != o.slug || a.field("expires_in") != "900" {
		t.Fatal(a)
	}
	b := w.do("POST", "/v1/auth/refresh", "", object{"refresh_token": a.field("refresh_token")})
	if b.status != 200 || b.field("session_id") != a.field("session_id") || b.field("refresh_token") == a.field("refresh_token") {
		t.Fatal(b)
	}
	w.expect(w.do("POST", "/v1/auth/refresh", "", object{"refresh_token": "rubbish"}), 401, "refresh_invalid")
	if out := w.do("POST", "/v1/auth/logout", "", object{"refresh_token": b.field("refresh_token")}); out.status != 204 || len(out.body) != 0 {
		t.Error(out)
	}
	w.expect(w.do("GET", "/v1/me", b.field("access_token"), nil), 401, "session_ended")
	w.expect(w.do("POST", "/v1/auth/refresh", "", object{"refresh_token": b.field("refresh_token")}), 401, "session_ended")
	// Shown twice, it has two holders: the sign-in ends.
	c := w.do("POST", "/v1/auth/refresh", "", object{"refresh_token": o.refresh})
	w.expect(w.do("POST", "/v1/auth/refresh", "", object{"refresh_token": o.refresh}), 401, "refresh_reused")
	w.expect(w.do("GET", "/v1/me", c.field("access_token"), nil), 401, "session_ended")
	for _, route := range []string{"/v1/auth/login", "/v1/auth/refresh", "/v1/auth/logout"} {
		w.expect(w.do("POST", route, "", `{}`), 422, "invalid")
	}
	if jwks := w.do("GET", "/.well-known/jwks.json", "", nil); jwks.field("keys.0.alg") != "EdDSA" || jwks.header.Get("Cache-Control") != "public, max-age=60" ||
		strings.Contains(string(jwks.body), `"d"`) {
		t.Error(jwks)
	}
}

func TestOperatorKeys(t *testing.T) {
	w := newWorld(t)
	a := w.do("POST", "/v1/operator-keys", w.operator, object{"name": "deploy", "expires_at": "2199-01-02T03:04:05.006Z"})
	if a.status != 201 || a.field("expires_at") != "2199-01-02T03:04:05.006Z" || !strings.HasPrefix(a.field("key"), "tnt_") {
		t.Fatal(a)
	}
	w.expect(w.do("POST", "/v1/operator-keys", w.operator, object{"name": "deploy"}), 409, "operator_key_name_taken")
	for _, body := range []string{`{"name":""}`, `{"name":"x","expires_at":"2001-01-01T00:00:00Z"}`, `{"name":"x","expires_at":"tomorrow"}`} {
		w.expect(w.do("POST", "/v1/operator-keys", w.operator, body), 422, "invalid")
	}
	key := a.field("key")
	list := w.do("GET", "/v1/operator-keys", key, nil)
	if list.status != 200 || list.field("items.1.name") != "deploy" || strings.Contains(string(list.body), key) {
		t.Error(list)
	}
	if a := w.do("DELETE", "/v1/operator-keys/"+a.field("id"), w.operator, nil); a.status != 204 {
		t.Error(a)
	}
	w.expect(w.do("GET", "/v1/operator-keys", key, nil), 401, "key_invalid")
	w.expect(w.do("DELETE", "/v1/operator-keys/nonsense", w.operator, nil), 404, "operator_key_not_found")
	if strings.Contains(w.log.String(), key) || strings.Contains(w.log.String(), w.operator) {
		t.Error("a key is in the log")
	}
}
