package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"tenantry/app"
	"tenantry/app/appliance"
	"tenantry/app/config"
	"tenantry/app/registrymove"
	"tenantry/app/seal"
)

func newRegistry(g *globals) *cobra.Command {
	cmd := &cobra.Command{Use: "registry", Short: "Move the registry to another place"}
	cmd.AddCommand(newRegistryMigrate(g))
	return cmd
}

func newRegistryMigrate(g *globals) *cobra.Command {
	var out output
	to := urlFlags{name: "to", of: "the registry is to be", help: `where it is to be, as registry.url says it: "mongodb://HOST/DATABASE" or "sqlite:FILE"; without a password`}
	var dryRun, cancel bool
	cmd := &cobra.Command{
		Use:   "migrate --to URL",
		Short: "Move the registry to another place or engine, while no server runs",
		Long: `Move the registry from where registry.url says that it is to another place: from
the file in the data folder to MongoDB, so that several servers can share it, or
back, or to another database. All of it moves: organizations, users, operations,
keys, and who is signed in stays signed in. Documents stay in their clusters.

Stop the servers first. One that runs on a registry in MongoDB is shut out, and
writes nothing more. Everything is compared, entry by entry, before the old
registry is closed for good; no server can open it from then on, nor the new
one before. The configuration is not changed: what to change is printed.

Where it is broken off, no server can start until it was run again, which goes on
from there, or with --cancel, which puts the old registry in force again.`,
		Example: `  tenantry registry migrate --to mongodb://localhost/tenantry --dry-run
  tenantry registry migrate --to-file registry.url`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, report, err := g.loadReport(cmd)
			if err != nil {
				return err
			}
			if _, err := os.Stat(cfg.DataDir); errors.Is(err, os.ErrNotExist) {
				return fail(exitDataFolder, fmt.Errorf("there is no data folder %s", cfg.DataDir), "Name the folder with --data-dir.")
			}
			log := slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), &slog.HandlerOptions{Level: slog.LevelWarn}))
			if cancel {
				if to.given(cmd) > 0 || dryRun {
					return usageError(cmd, errors.New("--cancel goes alone"))
				}
				return cancelMigration(cmd.Context(), cfg, g.build.Version, log, cmd.OutOrStdout())
			}
			next, err := g.nextConfig(cmd, &to)
			if err != nil {
				return err
			}
			m := migration{from: cfg, to: next, origin: originOf(report, "registry.url")}
			if err := m.run(cmd.Context(), dryRun, g.build.Version, log, cmd.ErrOrStderr()); err != nil {
				return err
			}
			if out.json() {
				return writeJSON(cmd.OutOrStdout(), m.answer())
			}
			return m.tell(cmd.OutOrStdout())
		},
	}
	out.flag(cmd)
	to.flags(cmd)
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "only say what would be moved, how much, and about how long it would take; servers may be running")
	cmd.Flags().BoolVar(&cancel, "cancel", false, "give a migration up that was broken off: the old registry is in force again")
	return cmd
}

// nextConfig is the configuration with the registry at its new place.
func (g *globals) nextConfig(cmd *cobra.Command, to *urlFlags) (config.Config, error) {
	url, err := to.read(cmd)
	if err != nil {
		return config.Config{}, err
	}
	opts := g.options(cmd)
	opts.Flags["registry.url"] = url
	next, _, err := config.Load(opts)
	if err != nil {
		// The only difference to what was loaded before.
		return next, usageError(cmd, errors.New(strings.ReplaceAll(err.Error(), "--registry-url", "--to")))
	}
	return next, nil
}

func originOf(report config.Report, key string) string {
	for _, e := range report.Entries {
		if e.Key == key {
			return e.Origin
		}
	}
	return ""
}

func cancelMigration(ctx context.Context, cfg config.Config, version string, log *slog.Logger, out io.Writer) error {
	m, err := appliance.OpenRegistryMove(ctx, cfg, nil, version, log)
	if err != nil {
		return moveFailure(err)
	}
	err = registrymove.Cancel(ctx, m.Source, app.Now())
	if err = errors.Join(err, m.Close()); err != nil {
		return moveFailure(err)
	}
	_, err = fmt.Fprintf(out, "The registry at %s is in force again. What was copied elsewhere is of no use; the next migration to there replaces it.\n", m.Source.Place)
	return err
}

// moveFailure gives an error its exit code and says what to do.
func moveFailure(err error) error {
	var held *appliance.HeldError
	var away *appliance.AwayError
	var closed *app.ClosedRegistryError
	switch {
	case errors.As(err, &held):
		return fail(exitDataFolder, err, "Stop that one first: no server may work on the registry while it is moved. --dry-run works beside it.")
	case errors.As(err, &away):
		return fail(exitUnreachable, err, "Check the URL, and that the database runs.")
	case errors.As(err, &closed):
		return fail(exitDataFolder, err, "")
	case errors.Is(err, app.ErrConflict):
		return fail(exitFailed, err, "")
	case errors.Is(err, app.ErrUnavailable), errors.Is(err, app.ErrNoSpace):
		return fail(exitUnreachable, err, "")
	}
	return fail(exitFailed, err, "")
}

// sealKeyAt is where the seal key is.
func sealKeyAt(cfg config.Config) string {
	if cfg.SealKey != "" {
		return ""
	}
	path := filepath.Join(cfg.DataDir, seal.FileName)
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	return path
}
