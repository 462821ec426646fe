// Package cli is the command line: one file per command. It joins the core
// and the web server; it has no rules of its own.
package cli

import (
	"context"
	"fmt"
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
  tenantry tui        look after it from this terminal
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
		newServe(g), newTUI(g), newVerify(g), newOrg(g), newOperator(g), newOperation(g), newCluster(g), newRegistry(g),
		newRecover(g), newDoctor(g), newConfig(g),
		newHealthcheck(g), newVersion(g), newMan(),
		&cobra.Command{Use: "exit-codes", Short: "Say what the exit codes mean", Long: exitCodes,
			RunE: func(cmd *cobra.Command, _ []string) error {
				_, err := fmt.Fprint(cmd.OutOrStdout(), exitCodes)
				return err
			}},
	)
	root.SetHelpCommand(newHelp())
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd("completion")
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
			return noCommand(cmd, args[0])
		}
		return usageError(cmd, fmt.Errorf("%s, and the command is: %s", given(args), cmd.UseLine()))
	}
	if cmd.HasSubCommands() && cmd.RunE == nil {
		cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	}
}

func noCommand(cmd *cobra.Command, word string) error {
	return usageError(cmd, fmt.Errorf("there is no command %q%s", cmd.CommandPath()+" "+word, suggestions(cmd, word)))
}

func given(args []string) string {
	switch len(args) {
	case 0:
		return "no argument was given"
	case 1:
		return fmt.Sprintf("one argument was given (%q)", args[0])
	}
	return fmt.Sprintf("%d arguments were given (%q)", len(args), args)
}

// newHelp is cobra's help command, except that help on what there is not is an
// error.
func newHelp() *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND]...",
		Short: "Help about any command",
		Args:  cobra.ArbitraryArgs,
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
			about, rest, err := cmd.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			var names []cobra.Completion
			for _, sub := range about.Commands() {
				if sub.IsAvailableCommand() || sub.IsAdditionalHelpTopicCommand() {
					names = append(names, cobra.CompletionWithDesc(sub.Name(), sub.Short))
				}
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			about, rest, err := cmd.Root().Find(args)
			switch {
			case err != nil:
				return noCommand(cmd.Root(), args[0])
			case len(rest) > 0:
				return noCommand(about, rest[0])
			}
			about.InitDefaultHelpFlag()
			about.InitDefaultVersionFlag()
			return about.Help()
		},
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
