package identity

import (
	"testing"
	"time"

	"tenantry/app"
)

// BenchmarkAuthenticateWarm is what every request pays.
func BenchmarkAuthenticateWarm(b *testing.B) {
	w := newWorld(b)
	w.organization("acme")
	token := w.login("acme").AccessToken
	w.service.clock = app.Now
	b.ReportAllocs()
	for b.Loop() {
		if _, err := w.service.Authenticate(b.Context(), token); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkAuthenticateCold is what the first request with a token pays.
func BenchmarkAuthenticateCold(b *testing.B) {
	w := newWorld(b)
	w.organization("acme")
	token := w.login("acme").AccessToken
	b.ReportAllocs()
	for b.Loop() {
		w.service.tokens.kept.Drop(token)
		if _, err := w.service.Authenticate(b.Context(), token); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkAuthenticateOperatorKey is the same for operator keys.
func BenchmarkAuthenticateOperatorKey(b *testing.B) {
	w := newWorld(b)
	_, secret := w.operatorKey("ci", time.Time{})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := w.service.Authenticate(b.Context(), secret); err != nil {
			b.Fatal(err)
		}
	}
}
