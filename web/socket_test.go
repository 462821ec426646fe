package web

import (
	"context"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"sync"
	"testing"
)

// socketClient serves the world's server on a Unix socket, too.
func (w *world) socketClient() *http.Client {
	w.t.Helper()
	path := filepath.Join(w.t.TempDir(), "s.sock")
	ln, err := net.Listen("unix", path)
	if err != nil {
		w.t.Skip("no Unix sockets here:", err)
	}
	served := make(chan error, 1)
	go func() { served <- w.server.ServeSocket(ln) }()
	client := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", path)
	}}}
	w.t.Cleanup(client.CloseIdleConnections)
	return client
}

// Whoever comes through the socket is the operator, and nobody else is,
// whatever they send and whoever came before on whichever listener.
func TestSocketIsTrustedAndTCPIsNot(t *testing.T) {
	w := newWorld(t, withLimit(1, 3_600_000_000_000))
	client := w.socketClient()
	socket := func(method, path, token string, body any, changes ...with) answer {
		t.Helper()
		a, err := w.try(client, method, path, token, body, changes...)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	if a := socket("GET", "/v1/operator-keys", "", nil); a.status != 200 {
		t.Fatal("the socket's owner is no operator:", a)
	}
	a := socket("POST", "/v1/organizations", "", object{"name": "By Socket", "owner": object{"email": "s@x.example", "password": seedPassword}})
	if a.status != 201 {
		t.Fatal(a)
	}
	// A token is taken at its word, here too, and a bad one is no operator.
	w.expect(socket("GET", "/v1/operator-keys", "rubbish", nil), 401, "token_invalid")
	// No limit, and no address to count by.
	for range 3 {
		if a := socket("POST", "/v1/auth/refresh", "", `{"refresh_token":"x"}`); a.status != 401 || a.header.Get("RateLimit-Limit") != "" {
			t.Error(a)
		}
	}
	w.expect(w.do("GET", "/v1/operator-keys", "", nil), 401, "token_required")
	for name, value := range map[string]string{
		"X-Forwarded-For": "127.0.0.1", "Forwarded": "for=unix:", "X-Real-Ip": "::1", "Host": "unix", "Authorization": "Basic Og==",
	} {
		a := w.do("GET", "/v1/operator-keys", "", nil, header(name, value))
		if a.status != 401 && a.status != 429 {
			t.Errorf("with %s: %v", name, a)
		}
	}
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 50 {
				if a, err := w.try(client, "GET", "/v1/organizations/by-socket", "", nil); err != nil || a.status != 200 {
					t.Error("through the socket:", a, err)
				}
				if a, err := w.try(w.client, "GET", "/v1/organizations/by-socket", "", nil); err != nil || a.status != 401 && a.status != 429 {
					t.Error("over TCP:", a, err)
				}
			}
		})
	}
	group.Wait()
}

// The socket's server shuts down with the others.
func TestSocketShutsDown(t *testing.T) {
	w := newWorld(t)
	client := w.socketClient()
	res, err := client.Get("http://socket/healthz")
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, res.Body)
	_ = res.Body.Close()
	if err := w.server.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Get("http://socket/healthz"); err == nil {
		t.Error("the socket still answers")
	}
}
