package web

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"tenantry/app"
	"tenantry/app/identity"
)

func segment(v any) string {
	raw, _ := json.Marshal(v)
	return base64.RawURLEncoding.EncodeToString(raw)
}

func unsegment(s string) object {
	raw, _ := base64.RawURLEncoding.DecodeString(s)
	var o object
	_ = json.Unmarshal(raw, &o)
	return o
}

func TestForgedTokens(t *testing.T) {
	w := newWorld(t)
	o, other := w.tenant(), w.tenant()
	jwk := w.do("GET", "/.well-known/jwks.json", "", nil)
	public, err := base64.RawURLEncoding.DecodeString(jwk.field("keys.0.x"))
	if err != nil || len(public) != ed25519.PublicKeySize {
		t.Fatal(jwk)
	}
	parts, others := strings.Split(o.token, "."), strings.Split(other.token, ".")
	signed := parts[0] + "." + parts[1]
	signature, _ := base64.RawURLEncoding.DecodeString(parts[2])
	if !ed25519.Verify(public, []byte(signed), signature) {
		t.Fatal("the published key does not verify a token")
	}
	head, claims := unsegment(parts[0]), unsegment(parts[1])
	with := func(o object, changes object) object {
		out := object{}
		for k, v := range o {
			out[k] = v
		}
		for k, v := range changes {
			out[k] = v
		}
		return out
	}
	hs256 := func(head object, key []byte) string {
		text := segment(with(head, object{"alg": "HS256"})) + "." + parts[1]
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(text))
		return text + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
	}
	_, own, _ := ed25519.GenerateKey(nil)
	sign := func(head, claims object) string {
		text := segment(head) + "." + segment(claims)
		return text + "." + base64.RawURLEncoding.EncodeToString(ed25519.Sign(own, []byte(text)))
	}
	flipped := []byte(parts[2])
	flipped[10] ^= 1
	for name, token := range map[string]string{
		"alg none":                  segment(with(head, object{"alg": "none"})) + "." + parts[1] + ".",
		"alg none, capitals":        segment(with(head, object{"alg": "NoNe"})) + "." + parts[1] + ".",
		"alg none, signed":          segment(with(head, object{"alg": "none"})) + "." + parts[1] + "." + parts[2],
		"HS256 with the public key": hs256(head, public),
		"HS256 with its text":       hs256(head, []byte(jwk.field("keys.0.x"))),
		"HS256 with the JWK":        hs256(head, []byte(jwk.field("keys.0"))),
		"no alg":                    segment(object{"kid": head["kid"], "typ": "JWT"}) + "." + parts[1] + "." + parts[2],
		"another key":               sign(head, claims),
		"another key in the header": sign(with(head, object{"jwk": object{"kty": "OKP", "crv": "Ed25519", "x": base64.RawURLEncoding.EncodeToString(own.Public().(ed25519.PublicKey))}}), claims),
		"a key from elsewhere":      sign(with(head, object{"jku": "http://127.0.0.1:1/keys"}), claims),
		"unknown kid":               sign(with(head, object{"kid": "../../dev/null"}), claims),
		"critical extension":        sign(with(head, object{"crit": list{"exp"}}), claims),
		"another's claims":          parts[0] + "." + others[1] + "." + parts[2],
		"changed organization":      parts[0] + "." + segment(with(claims, object{"org": other.id})) + "." + parts[2],
		"longer life":               parts[0] + "." + segment(with(claims, object{"exp": 9999999999})) + "." + parts[2],
		"changed signature":         signed + "." + string(flipped),
		"no signature":              signed + ".",
		"two parts":                 signed,
		"four parts":                o.token + ".x",
		"padding":                   o.token + "=",
		"line end inside":           o.token[:20] + "%0a" + o.token[20:],
		"a refresh token":           o.refresh,
		"rubbish":                   "rubbish",
		"dots":                      "..",
		"a key that is none":        "tnt_op_" + strings.Repeat("a", 50),
		"very long":                 strings.Repeat("a", 8000),
	} {
		t.Run(name, func(t *testing.T) {
			a := w.do("GET", "/v1/me", token, nil)
			if a.status != 401 || a.field("code") != "token_invalid" && a.field("code") != "key_invalid" || a.header.Get("WWW-Authenticate") != "Bearer" {
				t.Error(a)
			}
			if len(token) > 20 && strings.Contains(a.String(), token[len(token)-20:]) {
				t.Error("the token comes back:", a)
			}
		})
	}
	// A good token, in the ways that it is and is not sent.
	for value, want := range map[string]string{
		"Bearer " + o.token: "", "bearer " + o.token: "", "BEARER   " + o.token + " ": "",
		o.token: "authorization_malformed", "Token " + o.token: "authorization_malformed", "Bearer": "authorization_malformed",
		"Bearer ": "authorization_malformed", "Basic Og==": "authorization_malformed", "Bearer " + o.token + " x": "authorization_malformed",
		"Bearer " + o.token + ",Bearer x": "authorization_malformed", "Bearer\t" + o.token: "authorization_malformed", "": "token_required",
		"Bearer \"" + o.token + "\"": "token_invalid",
	} {
		a := w.do("GET", "/v1/me", "", nil, header("Authorization", value))
		if a.field("code") != want {
			t.Errorf("%.20q…: %v, want %q", value, a, want)
		}
	}
	if a := w.do("GET", "/v1/me?access_token="+o.token, "", nil); a.status != 401 {
		t.Error("a token in the address is taken:", a)
	}
	if strings.Contains(w.log.String(), parts[2]) || strings.Contains(w.log.String(), o.refresh) {
		t.Error("a token is in the log")
	}
}

func TestTokensExpire(t *testing.T) {
	w := newWorld(t, func(s *settings) {
		s.hashConfig = identity.Config{BcryptCost: 4, Workers: 1, AccessTokenTTL: time.Second}
	})
	o := w.tenant()
	w.do("GET", "/v1/me", o.token, nil) // it is remembered as verified from now on
	eventually(t, "the token expires", func() bool { return w.do("GET", "/v1/me", o.token, nil).status != 200 })
	a := w.do("GET", "/v1/me", o.token, nil)
	w.expect(a, 401, "token_expired")
	if a := w.do("POST", "/v1/auth/refresh", "", object{"refresh_token": o.refresh}); a.status != 200 {
		t.Error(a)
	}
}

// Whatever takes a right away does so for the very next request, on every
// connection.
func TestRightsEndAtOnce(t *testing.T) {
	w := newWorld(t)
	for name, c := range map[string]struct {
		end    func(o tenant) answer
		status int
		code   string
	}{
		"deletion":                 {func(o tenant) answer { return w.do("DELETE", "/v1/organizations/"+o.slug, o.token, nil) }, 401, "session_ended"},
		"deletion by the operator": {func(o tenant) answer { return w.do("DELETE", "/v1/organizations/"+o.id, w.operator, nil) }, 401, "session_ended"},
		"suspension":               {func(o tenant) answer { return w.do("POST", "/v1/organizations/"+o.slug+"/suspend", w.operator, nil) }, 403, "organization_suspended"},
		"another password": {func(o tenant) answer {
			return w.do("PUT", "/org/update", o.token, object{"organization_name": o.name, "password": "another-horse-battery"})
		}, 401, "session_ended"},
		"signing out": {func(o tenant) answer { return w.do("POST", "/v1/auth/logout", "", object{"refresh_token": o.refresh}) }, 401, "session_ended"},
	} {
		t.Run(name, func(t *testing.T) {
			o := w.tenant()
			for range 20 { // warm caches on several connections
				if a := w.do("GET", "/v1/organizations/"+o.slug, o.token, nil); a.status != 200 {
					t.Fatal(a)
				}
			}
			if a := c.end(o); a.status >= 300 {
				t.Fatal(a)
			}
			for _, path := range []string{"/v1/organizations/" + o.slug, "/v1/organizations/" + o.slug + "/documents", "/v1/me", seedGet(o.name)} {
				w.expect(w.do("GET", path, o.token, nil), c.status, c.code)
			}
			if a := w.do("POST", "/v1/auth/refresh", "", object{"refresh_token": o.refresh}); a.status != c.status {
				t.Error(a)
			}
		})
	}
}

// A token from before a rename stays its organization's, and gets nothing of
// whoever takes the old name.
func TestTokenFromBeforeARename(t *testing.T) {
	w := newWorld(t)
	o := w.tenant()
	w.document(o, `{"whose":"first"}`)
	if a := w.do("PATCH", "/v1/organizations/"+o.slug, o.token, object{"name": "Moved " + o.name}); a.status != 200 {
		t.Fatal(a)
	}
	a := w.do("POST", "/v1/organizations", "", object{"name": o.name, "owner": object{"email": fmt.Sprintf("next-%s@x.example", o.slug), "password": seedPassword}})
	if a.status != 201 || a.field("slug") != o.slug {
		t.Fatal(a)
	}
	next := w.seedToken(fmt.Sprintf("next-%s@x.example", o.slug), seedPassword)
	for _, path := range []string{"", "/documents", "/placement"} {
		w.expect(w.do("GET", "/v1/organizations/"+o.slug+path, o.token, nil), 404, "organization_not_found")
	}
	w.expect(w.do("DELETE", "/org/delete?organization_name="+strings.ReplaceAll(o.name, " ", "+"), o.token, nil), 403, "not_your_organization")
	if a := w.do("GET", "/v1/organizations/"+o.slug+"/documents", next, nil); a.field("items") != "[]" {
		t.Error(a)
	}
	if a := w.do("GET", "/v1/organizations/"+o.id+"/documents", o.token, nil); a.field("items.0.data.whose") != "first" {
		t.Error(a)
	}
}

func TestAViewersTokenSaysViewer(t *testing.T) {
	w := newWorld(t)
	o := w.withRole(app.RoleViewer)
	if role := unsegment(strings.Split(o.token, ".")[1])["role"]; role != "viewer" {
		t.Error(role)
	}
}
