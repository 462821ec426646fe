// Package servertest starts a whole server inside a test: the real engine in a
// temporary folder, the real core, the real routes on a port of their own. It
// is for the tests of what speaks HTTP, and never part of the binary.
package servertest

import (
	"context"
	"log/slog"
	"net"
	"sync"
	"testing"
	"time"

	"tenantry/app/appliance"
	"tenantry/app/config"
	"tenantry/web"
)

// Server is a server that runs until its test ends, or until Stop.
type Server struct {
	// URL is where it listens.
	URL string
	// Key is an operator key; empty where the registry had one already.
	Key string
	// Folder is its data folder.
	Folder string
	// HTTP is the server itself, to give it more listeners.
	HTTP *web.Server

	stop func()
}

// Options are how a server differs from the usual one.
type Options struct {
	// Configure changes the configuration; it may be nil.
	Configure func(*config.Config)
	// Logger is where it logs; nil: nowhere.
	Logger *slog.Logger
}

// Start starts a server. Passwords cost next to nothing, and nobody's requests
// are limited.
func Start(t testing.TB) *Server {
	t.Helper()
	return StartWith(t, Options{})
}

// StartWith starts one that differs.
func StartWith(t testing.TB, o Options) *Server {
	t.Helper()
	cfg := config.Default()
	cfg.DataDir = t.TempDir()
	cfg.Password.BcryptCost = 4
	if o.Configure != nil {
		o.Configure(&cfg)
	}
	for name, cluster := range cfg.Clusters {
		cluster.Shards = 2
		cfg.Clusters[name] = cluster
	}
	log := o.Logger
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	a, err := appliance.Open(context.Background(), cfg, "test", log)
	if err != nil {
		t.Fatal(err)
	}
	closeAppliance := func() {
		if err := a.Close(); err != nil {
			t.Errorf("close the data folder: %v", err)
		}
	}
	s := &Server{Folder: a.Folder, stop: sync.OnceFunc(closeAppliance)}
	t.Cleanup(func() { s.stop() })
	if s.Key, _, err = a.Identity.FirstOperatorKey(context.Background()); err != nil {
		t.Fatal(err)
	}
	if s.HTTP, err = web.New(web.Services{
		Tenancy: a.Tenancy, Documents: a.Documents, Identity: a.Identity, Version: "test",
		Health: func(ctx context.Context) []web.Check {
			var checks []web.Check
			for name, err := range a.Health(ctx) {
				checks = append(checks, web.Check{Name: name, Err: err})
			}
			return checks
		},
	}, web.Options{CompatEnabled: true, DocsEnabled: true, Logger: log, RequestTimeout: cfg.HTTP.RequestTimeout}); err != nil {
		t.Fatal(err)
	}
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.URL = "http://" + listener.Addr().String()
	served := make(chan error, 1)
	go func() { served <- s.HTTP.Serve(context.Background(), listener) }()
	s.stop = sync.OnceFunc(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := s.HTTP.Shutdown(ctx); err != nil {
			t.Errorf("shut the server down: %v", err)
		}
		if err := <-served; err != nil {
			t.Errorf("the server ended with: %v", err)
		}
		closeAppliance()
	})
	return s
}

// Stop ends the server as SIGTERM does: what it was asked is answered first.
func (s *Server) Stop() { s.stop() }
