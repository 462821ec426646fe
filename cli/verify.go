package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"tenantry/app/client"
	"tenantry/app/config"
	"tenantry/app/verify"
)

func newVerify(g *globals) *cobra.Command {
	var at target
	format := "text"
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Check that everything works, from creating an organization to deleting it",
		Long: `Drive a server through its API as clients do and say of each promise whether it
holds. Without --url a server is started for it, on a free port, with a data
folder that is removed afterwards. Whatever the checks made is removed, also
when one fails or you interrupt it.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			report, known := reporters[format]
			if !known {
				return usageError(cmd, fmt.Errorf("%q is not a format; use text, json or junit", format))
			}
			c, err := at.remote(cmd, g, os.Getenv)
			if err != nil {
				return err
			}
			closed := func() {}
			if c == nil {
				if c, closed, err = g.ephemeral(cmd.Context()); err != nil {
					return err
				}
			}
			defer closed()
			defer c.Close()
			var observer verify.Observer
			if format == "text" {
				observer = newProgress(cmd.OutOrStdout())
			}
			result := verify.Run(cmd.Context(), c, observer)
			if err := report(cmd.OutOrStdout(), result); err != nil {
				return err
			}
			return verdict(result)
		},
	}
	at.flags(cmd)
	cmd.PersistentFlags().Lookup("url").Usage = "check the server at this URL instead of one started for it (TENANTRY_URL)"
	cmd.Flags().StringVar(&format, "format", format, "text, json or junit")
	_ = cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions([]string{"text", "json", "junit"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// ephemeral starts a server with the default configuration on a free port and
// a folder of its own; closed ends it and removes the folder.
func (g *globals) ephemeral(ctx context.Context) (c *client.Client, closed func(), err error) {
	folder, err := os.MkdirTemp("", "tenantry-verify-*")
	if err != nil {
		return nil, nil, fail(exitDataFolder, err, "")
	}
	undo := []func(){func() { _ = os.RemoveAll(folder) }}
	closed = func() {
		for i := len(undo) - 1; i >= 0; i-- {
			undo[i]()
		}
	}
	defer func() {
		if err != nil {
			closed()
		}
	}()
	cfg := config.Default()
	cfg.DataDir, cfg.AllowNetworkFilesystem = folder, true // nothing in it must last
	log := slog.New(slog.DiscardHandler)
	a, err := openAppliance(ctx, cfg, g.build.Version, log)
	if err != nil {
		return nil, nil, err
	}
	undo = append(undo, func() { _ = a.Close() })
	server, err := newServer(a, serverOptions(cfg, log), g.build.Version)
	if err != nil {
		return nil, nil, err
	}
	// The server outlives an interrupt, so that what was made can be removed.
	listener, err := listen(context.WithoutCancel(ctx), "listen", "127.0.0.1:0")
	if err != nil {
		return nil, nil, err
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(context.WithoutCancel(ctx), listener) }()
	undo = append(undo, func() { shutDown(server, served, log) })
	c, err = client.New("http://"+listener.Addr().String(), client.Options{UserAgent: "tenantry/" + g.build.Version})
	return c, closed, err
}

// verdict turns what came of the checks into the command's error.
func verdict(r verify.Report) error {
	if r.Passed() {
		return nil
	}
	var failed []string
	var unreachable *client.UnreachableError
	away := false
	for _, result := range r.Results {
		if result.Err != nil {
			failed = append(failed, result.Name)
			away = away || errors.As(result.Err, &unreachable)
		}
	}
	switch {
	case r.Interrupted && len(failed) == 0:
		return fail(exitFailed, errors.New("interrupted; what was made has been removed"), "")
	case r.Interrupted:
		return fail(exitFailed, fmt.Errorf("interrupted; failed by then: %s", strings.Join(failed, ", ")), "")
	case away:
		return fail(exitUnreachable, fmt.Errorf("failed: %s", strings.Join(failed, ", ")), "Is the server running, and the URL right?")
	}
	return fail(exitFailed, fmt.Errorf("failed: %s", strings.Join(failed, ", ")), "")
}

// reporters write a finished report.
var reporters = map[string]func(io.Writer, verify.Report) error{
	"text": reportText, "json": reportJSON, "junit": reportJUnit,
}
