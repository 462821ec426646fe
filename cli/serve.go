package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"slices"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"tenantry/app"
	"tenantry/app/appliance"
	"tenantry/app/config"
	"tenantry/web"
)

func newServe(g *globals) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the server",
		Long: `Run the server until it is told to stop (SIGINT, SIGTERM). It then finishes
the requests in flight; a second signal ends it at once. Nothing need be
configured. Every key of the configuration is a flag too, such as
--signup closed or --password-bcrypt-cost 13; "tenantry config init" explains
them all.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := g.load(cmd)
			if err != nil {
				return err
			}
			log, err := newLogger(cmd.ErrOrStderr(), cfg)
			if err != nil {
				return fail(exitConfiguration, err, "")
			}
			return runServer(cmd.Context(), cfg, g.build.Version, log, cmd.OutOrStdout())
		},
	}
	cmd.Flags().String("listen", "", "address to listen on (default 127.0.0.1:8000; TENANTRY_LISTEN)")
	keyFlags(cmd)
	return cmd
}

func runServer(ctx context.Context, cfg config.Config, version string, log *slog.Logger, out io.Writer) error {
	a, err := openAppliance(ctx, cfg, version, log)
	if err != nil {
		return err
	}
	defer func() {
		if err := a.Close(); err != nil {
			log.Error("closing the data folder", "error", err)
		}
	}()
	server, err := newServer(a, serverOptions(cfg, log), version)
	if err != nil {
		return fail(exitConfiguration, err, "")
	}
	listener, err := listen(ctx, "listen", cfg.Listen)
	if err != nil {
		return err
	}
	socket, err := listenSocket(a.Folder)
	if err != nil {
		_ = listener.Close()
		return fail(exitDataFolder, err, "")
	}
	var admin net.Listener
	if cfg.Admin.Listen != "" {
		if admin, err = listen(ctx, "admin.listen", cfg.Admin.Listen); err != nil {
			_, _ = listener.Close(), socket.Close()
			return err
		}
	}
	key, first, err := a.Identity.FirstOperatorKey(ctx)
	switch {
	case (errors.Is(err, app.ErrUnavailable) || errors.Is(err, app.ErrNoSpace)) && ctx.Err() == nil:
		// Damage, or no room on the disk, stops writing and not the rest.
		log.Error("whether there is an operator key yet cannot be told", "error", err)
	case err != nil:
		return fail(exitDataFolder, err, "")
	}
	greet(out, listener.Addr(), a.Folder, cfg, key, first)
	log.Info("serving", "address", listener.Addr().String(), "data_dir", a.Folder, "version", version)

	err = serveAll(ctx, server, listener, socket, admin)
	log.Info("stopped")
	return err
}

// serveAll answers on all listeners until the context ends. One that fails ends
// them all. admin may be nil.
func serveAll(ctx context.Context, server *web.Server, listener, socket, admin net.Listener) error {
	group, ctx := errgroup.WithContext(ctx)
	serve := func(f func() error) {
		group.Go(func() error {
			err := f()
			if errors.Is(err, http.ErrServerClosed) {
				return nil // told to stop before it began
			}
			return err
		})
	}
	serve(func() error { return server.Serve(ctx, listener) })
	serve(func() error { return server.ServeSocket(socket) })
	if admin != nil {
		serve(func() error { return server.ServeAdmin(admin) })
	}
	return group.Wait()
}

func openAppliance(ctx context.Context, cfg config.Config, version string, log *slog.Logger) (*appliance.Appliance, error) {
	a, err := appliance.Open(ctx, cfg, version, log)
	var held *appliance.HeldError
	var away *appliance.AwayError
	switch {
	case errors.As(err, &held):
		return nil, fail(exitDataFolder, err, "Stop that one first, or choose another folder with --data-dir.")
	case errors.As(err, &away):
		return nil, fail(exitUnreachable, err, "Check registry.url and clusters.NAME.url in the configuration, and that the database runs.")
	case err != nil:
		return nil, fail(exitDataFolder, err, "")
	}
	return a, nil
}

func listen(ctx context.Context, key, address string) (net.Listener, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err == nil {
		return l, nil
	}
	next := fmt.Sprintf("Is another program using the address? Choose another with %s in the configuration", key)
	if key == "listen" {
		next += " or --listen"
	}
	return nil, fail(exitFailed, fmt.Errorf("cannot listen on %s: %w", address, err), next+".")
}

// greet tells a person where everything is. The key is printed this once.
func greet(out io.Writer, address net.Addr, folder string, cfg config.Config, key string, first bool) {
	url := "http://" + address.String()
	_, _ = fmt.Fprintf(out, "Tenantry listens on   %s\n", url)
	if cfg.Docs.Enabled {
		_, _ = fmt.Fprintf(out, "Documentation page    %s/docs\n", url)
	}
	_, _ = fmt.Fprintf(out, "Data folder           %s\n", folder)
	if first {
		_, _ = fmt.Fprintf(out, "Operator key          %s\n                      (shown once: keep it in a safe place)\n", key)
	}
}

func newLogger(w io.Writer, cfg config.Config) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(cfg.Log.Level)); err != nil {
		return nil, fmt.Errorf("log.level: %w", err)
	}
	opts := &slog.HandlerOptions{Level: level}
	text := cfg.Log.Format == "text" || cfg.Log.Format == "auto" && isTerminal(w)
	if text {
		return slog.New(slog.NewTextHandler(w, opts)), nil
	}
	return slog.New(slog.NewJSONHandler(w, opts)), nil
}

// newServer builds the HTTP server over an appliance.
func newServer(a *appliance.Appliance, options web.Options, version string) (*web.Server, error) {
	return web.New(web.Services{
		Tenancy: a.Tenancy, Documents: a.Documents, Identity: a.Identity,
		Health:     func(ctx context.Context) []web.Check { return checks(a.Health(ctx)) },
		HashStats:  a.Identity.HashStats,
		Gauges:     func(ctx context.Context) []web.Gauge { return gauges(ctx, a) },
		Collectors: a.Collectors(),
		Version:    version,
	}, options)
}

// checks lists the health of the parts in a fixed order.
func checks(health map[string]error) []web.Check {
	out := make([]web.Check, 0, len(health))
	for _, name := range slices.Sorted(maps.Keys(health)) {
		out = append(out, web.Check{Name: name, Err: health[name]})
	}
	return out
}
