// Package cli is the command line: one file per command. It joins the core
// and the web server; it has no rules of its own.
package cli

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
)

// Build says which program this is.
type Build struct{ Version, Commit, Date string }

// Main runs the command line and gives the exit code.
func Main(build Build) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// A second signal ends the program at once.
	context.AfterFunc(ctx, stop)
	return report(os.Stderr, New(build).ExecuteContext(ctx))
}

// New builds the command tree.
func New(build Build) *cobra.Command {
	g := &globals{build: build}
	root := &cobra.Command{
		Use:   "tenantry",
		Short: "Organizations for multi-tenant products: one binary, one server, isolated data",
		Long: `Tenantry manages organizations (tenants) for people who build multi-tenant
products: members, sign-in, isolated data, and an HTTP API to read at /docs.

Begin with:

  tenantry serve      run the server
  tenantry verify     check that everything works`,
		SilenceUsage:  true,
		SilenceErrors: true,
		Version:       build.Version,
		Args:          cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return cmd.Help()
		},
	}
	root.SetVersionTemplate("tenantry {{.Version}}\n")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usageError(cmd, err)
	})
	flags := root.PersistentFlags()
	flags.StringVar(&g.configFile, "config", "", "configuration file (default: ./tenantry.toml where there is one; TENANTRY_CONFIG)")
	flags.StringVar(&g.dataDir, "data-dir", "", "data folder (default ./tenantry-data; TENANTRY_DATA_DIR)")
	root.AddCommand(
		newServe(g), newVerify(g), newOrg(g), newOperator(g), newOperation(g), newCluster(g),
		newRecover(g), newDoctor(g), newConfig(g),
		newHealthcheck(g), newVersion(g), newMan(),
		&cobra.Command{Use: "exit-codes", Short: "What the exit codes mean", Long: exitCodes},
	)
	strictArguments(root)
	return root
}

// globals are what every command knows.
type globals struct {
	build      Build
	configFile string
	dataDir    string
}

func usageError(cmd *cobra.Command, err error) error {
	return fail(exitUsage, err, `Run "`+cmd.CommandPath()+` --help" to see how it is used.`)
}

// strictArguments makes wrong arguments usage errors, on every command.
func strictArguments(cmd *cobra.Command) {
	for _, sub := range cmd.Commands() {
		strictArguments(sub)
	}
	check := cmd.Args
	if check == nil {
		check = cobra.NoArgs
	}
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		err := check(cmd, args)
		if err == nil {
			return nil
		}
		if cmd.HasSubCommands() && len(args) > 0 {
			err = errors.New(`there is no command "` + cmd.CommandPath() + " " + args[0] + `"` + suggestions(cmd, args[0]))
		}
		return usageError(cmd, err)
	}
	if cmd.HasSubCommands() && cmd.RunE == nil {
		cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	}
}

func suggestions(cmd *cobra.Command, word string) string {
	if cmd.SuggestionsMinimumDistance <= 0 {
		cmd.SuggestionsMinimumDistance = 2
	}
	if near := cmd.SuggestionsFor(word); len(near) > 0 {
		return "; did you mean " + strings.Join(near, " or ") + "?"
	}
	return ""
}
