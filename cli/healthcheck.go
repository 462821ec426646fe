package cli

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"tenantry/app/client"
	"tenantry/app/config"
)

func newHealthcheck(g *globals) *cobra.Command {
	var at target
	var out output
	cmd := &cobra.Command{
		Use:   "healthcheck",
		Short: "Say whether the server works; for containers and supervisors",
		Long: `Ask the server that holds the data folder, or else whatever listens on the
configured address, or the one at --url, whether all its parts work.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := at.remote(cmd, g, os.Getenv)
			if err != nil {
				return err
			}
			if c == nil {
				cfg, err := g.load(cmd)
				if err != nil {
					return err
				}
				if c, err = g.nearby(cmd, cfg); err != nil {
					return err
				}
			}
			defer c.Close()
			ready, err := c.Ready(cmd.Context())
			if err != nil {
				return fail(exitUnreachable, err, "")
			}
			if out.json() {
				if err := writeJSON(cmd.OutOrStdout(), ready); err != nil {
					return err
				}
			} else {
				rows := [][]string{{"server", ready.Status}}
				for _, check := range ready.Checks {
					rows = append(rows, []string{check.Name, check.Status, check.Detail})
				}
				if err := writeTable(cmd.OutOrStdout(), rows); err != nil {
					return err
				}
			}
			if ready.Status != "ready" {
				return fail(exitFailed, errors.New("the server is not ready"), "")
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&at.url, "url", "", "ask the server at this URL (TENANTRY_URL)")
	out.flag(cmd)
	return cmd
}

// nearby gives a client of this machine's server.
func (g *globals) nearby(cmd *cobra.Command, cfg config.Config) (*client.Client, error) {
	if folder, err := filepath.Abs(cfg.DataDir); err == nil {
		if c := g.running(cmd.Context(), folder); c != nil {
			return c, nil
		}
	}
	host, port, err := net.SplitHostPort(cfg.Listen)
	if err != nil {
		return nil, fail(exitConfiguration, fmt.Errorf("listen: %w", err), "")
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return client.New("http://"+net.JoinHostPort(host, port), client.Options{UserAgent: "tenantry/" + g.build.Version})
}
