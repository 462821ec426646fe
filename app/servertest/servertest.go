// Package servertest starts a whole server inside a test: the real engine in a
// temporary folder, the real core, the real routes on a port of their own. It
// is for the tests of what speaks HTTP, and never part of the binary.
package servertest

import (
	"context"
	"log/slog"
	"net"
	"testing"
	"time"

	"tenantry/app/appliance"
	"tenantry/app/config"
	"tenantry/web"
)

// Server is a server that runs until its test ends.
type Server struct {
	// URL is where it listens.
	URL string
	// Key is an operator key.
	Key string
	// Folder is its data folder.
	Folder string
	// HTTP is the server itself, to give it more listeners.
	HTTP *web.Server
}

// Start starts a server. Passwords cost next to nothing, and nobody's requests
// are limited.
func Start(t testing.TB) *Server {
	t.Helper()
	cfg := config.Default()
	cfg.DataDir = t.TempDir()
	cfg.Password.BcryptCost = 4
	for name, cluster := range cfg.Clusters {
		cluster.Shards = 2
		cfg.Clusters[name] = cluster
	}
	log := slog.New(slog.DiscardHandler)
	a, err := appliance.Open(context.Background(), cfg, "test", log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Errorf("close the data folder: %v", err)
		}
	})
	key, _, err := a.Identity.FirstOperatorKey(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	server, err := web.New(web.Services{
		Tenancy: a.Tenancy, Documents: a.Documents, Identity: a.Identity, Version: "test",
		Health: func(ctx context.Context) []web.Check {
			var checks []web.Check
			for name, err := range a.Health(ctx) {
				checks = append(checks, web.Check{Name: name, Err: err})
			}
			return checks
		},
	}, web.Options{CompatEnabled: true, DocsEnabled: true, Logger: log})
	if err != nil {
		t.Fatal(err)
	}
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(context.Background(), listener) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := server.Shutdown(ctx); err != nil {
			t.Errorf("shut the server down: %v", err)
		}
		if err := <-served; err != nil {
			t.Errorf("the server ended with: %v", err)
		}
	})
	return &Server{URL: "http://" + listener.Addr().String(), Key: key, Folder: a.Folder, HTTP: server}
}
