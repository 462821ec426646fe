package cli

import (
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"tenantry/app/config"
	"tenantry/web"
)

// load reads the configuration: file, environment, and the flags that were
// given. What is odd goes to standard error.
func (g *globals) load(cmd *cobra.Command) (config.Config, error) {
	cfg, report, err := g.loadReport(cmd)
	for _, warning := range report.Warnings {
		_, _ = fmt.Fprintf(cmd.ErrOrStderr(), "tenantry: warning: %s\n", warning)
	}
	return cfg, err
}

// keyFlags gives the command a flag for every key that is no secret. They are
// hidden, since there are too many for one screen; what the command's own
// screen should show it defines first.
func keyFlags(cmd *cobra.Command) {
	for _, k := range config.Keys() {
		name := k.FlagName()
		if name == "" || cmd.Flags().Lookup(name) != nil || name == "data-dir" {
			continue
		}
		help, _, _ := strings.Cut(k.Help, "\n")
		cmd.Flags().String(name, "", help)
		_ = cmd.Flags().MarkHidden(name) // it fails only for a flag that is not there
	}
}

func (g *globals) loadReport(cmd *cobra.Command) (config.Config, config.Report, error) {
	cfg, report, err := config.Load(g.options(cmd))
	return cfg, report, fail(exitConfiguration, err, `"tenantry config init" prints a file with every key, what it is for, and its default.`)
}

// options are where the configuration of a command comes from.
func (g *globals) options(cmd *cobra.Command) config.Options {
	opts := config.Options{File: g.configFile, Environ: os.Environ(), Flags: map[string]string{}}
	if opts.File == "" {
		opts.File = os.Getenv("TENANTRY_CONFIG")
	}
	for _, k := range config.Keys() {
		if f := cmd.Flags().Lookup(k.FlagName()); f != nil && f.Changed {
			opts.Flags[k.Name] = f.Value.String()
		}
	}
	return opts
}

// serverOptions is how the HTTP server is to behave.
func serverOptions(cfg config.Config, log *slog.Logger) web.Options {
	proxies := make([]netip.Prefix, len(cfg.TrustedProxies))
	for i, p := range cfg.TrustedProxies {
		proxies[i] = netip.MustParsePrefix(p) // checked by config
	}
	return web.Options{
		PublicURL: cfg.PublicURL,
		BodyLimit: int(cfg.HTTP.BodyLimit), HeaderLimit: int(cfg.HTTP.HeaderLimit),
		ReadTimeout: cfg.HTTP.ReadTimeout, WriteTimeout: cfg.HTTP.WriteTimeout, IdleTimeout: cfg.HTTP.IdleTimeout,
		RequestTimeout: cfg.HTTP.RequestTimeout, ShutdownTimeout: cfg.HTTP.ShutdownTimeout,
		RateLimit: web.RateLimit{Enabled: cfg.RateLimit.Enabled, Requests: cfg.RateLimit.Requests,
			Window: cfg.RateLimit.Window, MaxAddresses: cfg.RateLimit.MaxAddresses},
		CORSOrigins: cfg.CORS.Origins, TrustedProxies: proxies,
		CompatEnabled: cfg.Compat.Enabled, DocsEnabled: cfg.Docs.Enabled, Profiles: cfg.Admin.Pprof,
		LogRequests: web.LogRequests(cfg.Log.Requests), Logger: log,
	}
}
