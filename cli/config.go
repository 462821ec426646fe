package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"tenantry/app/config"
)

func newConfig(g *globals) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Print, check and explain the configuration",
		Long: `The configuration is one TOML file, ./tenantry.toml or what --config names; over
it the environment, TENANTRY_SECTION_KEY; over both, the flags of "serve", which
"check" and "show" take as well. None is needed.`,
	}
	cmd.AddCommand(newConfigInit(), newConfigCheck(g), newConfigShow(g))
	return cmd
}

func newConfigInit() *cobra.Command {
	return &cobra.Command{
		Use:   "init [FILE]",
		Short: "Print a file with every key, what it is for, and its default; or write it to FILE",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				_, err := fmt.Fprint(cmd.OutOrStdout(), config.Example())
				return err
			}
			f, err := os.OpenFile(filepath.Clean(args[0]), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
			if errors.Is(err, fs.ErrExist) {
				return fail(exitFailed, fmt.Errorf("%s exists already and is left as it is", args[0]), "")
			}
			if err != nil {
				return fail(exitFailed, err, "")
			}
			_, err = f.WriteString(config.Example())
			if err := errors.Join(err, f.Close()); err != nil {
				return fail(exitFailed, err, "")
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s is written.\n", args[0])
			return err
		},
	}
}

func newConfigCheck(g *globals) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Say whether the configuration is right, and what is wrong with it",
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, report, err := g.loadReport(cmd)
			for _, warning := range report.Warnings {
				_, _ = fmt.Fprintf(cmd.ErrOrStderr(), "tenantry: warning: %s\n", warning)
			}
			if err != nil {
				return err
			}
			from := "there is no file; the configuration"
			if report.File != "" {
				from = report.File
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s is right.\n", from)
			return err
		},
	}
	keyFlags(cmd)
	return cmd
}

func newConfigShow(g *globals) *cobra.Command {
	var out output
	cmd := &cobra.Command{
		Use:   "show",
		Short: "Show every value in force and where it came from; secrets are hidden",
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, report, err := g.loadReport(cmd)
			if err != nil {
				return err
			}
			if out.json() {
				return writeJSON(cmd.OutOrStdout(), report.Entries)
			}
			rows := [][]string{{"KEY", "VALUE", "FROM"}}
			for _, e := range report.Entries {
				rows = append(rows, []string{e.Key, shownValue(e.Value), e.Origin})
			}
			return writeTable(cmd.OutOrStdout(), rows)
		},
	}
	keyFlags(cmd)
	out.flag(cmd)
	return cmd
}

func shownValue(v any) string {
	switch v := v.(type) {
	case string:
		return fmt.Sprintf("%q", v)
	case []string:
		return "[" + strings.Join(v, ", ") + "]"
	}
	return fmt.Sprint(v)
}
