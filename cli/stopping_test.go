package cli

import (
	"context"
	"log/slog"
	"net"
	"path/filepath"
	"testing"

	"tenantry/app/config"
)

// Being told to stop is no failure, also where it comes before all is open.
func TestStoppedBeforeItBegins(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	cfg := config.Default()
	cfg.DataDir = t.TempDir()
	log := slog.New(slog.DiscardHandler)
	a, err := openAppliance(ctx, cfg, "test", log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close() })
	server, err := newServer(a, serverOptions(cfg, log), "test")
	if err != nil {
		t.Fatal(err)
	}
	listen := func(network, address string) net.Listener {
		l, err := new(net.ListenConfig).Listen(ctx, network, address)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	if err := server.Shutdown(ctx); err != nil {
		t.Fatal(err)
	}
	err = serveAll(ctx, server, listen("tcp", "127.0.0.1:0"), listen("unix", filepath.Join(t.TempDir(), "s")), listen("tcp", "127.0.0.1:0"))
	if err != nil {
		t.Error(err)
	}
}
