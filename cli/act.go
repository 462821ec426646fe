package cli

import (
	"context"
	"io"

	"github.com/spf13/cobra"

	"tenantry/app/client"
)

// newAct makes a command that does one thing to what its only argument names,
// and shows what has become of it.
func newAct[T any](g *globals, at *target, use, short string,
	act func(*client.Client, context.Context, string) (T, error), rows func(T) [][]string,
) *cobra.Command {
	var out output
	cmd := &cobra.Command{
		Use:   use,
		Short: short,
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, closed, err := at.connect(cmd, g, false)
			if err != nil {
				return err
			}
			defer closed()
			v, err := act(c, cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return show(cmd.OutOrStdout(), &out, v, rows)
		},
	}
	out.flag(cmd)
	return cmd
}

// show writes one thing as JSON or as a table.
func show[T any](w io.Writer, out *output, v T, rows func(T) [][]string) error {
	if out.json() {
		return writeJSON(w, v)
	}
	return writeTable(w, rows(v))
}
