package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"tenantry/app/client"
)

func newClusterDrain(g *globals, at *target) *cobra.Command {
	var out output
	var in client.DrainCluster
	var detach bool
	cmd := &cobra.Command{
		Use:   "drain NAME [--to CLUSTER]",
		Short: "Move everybody out of a cluster",
		Long: `Move every organization out of a cluster while it is in use, a few at a time: to
where the placement of the configuration sends them, or to the one cluster of --to.
The cluster takes nobody any more from then on; with --to, new organizations go
there, too.

It goes on without this command, and after a crash, on whichever server there is;
run it again to look on. "tenantry operation cancel" stops it and opens the cluster
again; those who have moved stay where they are. Those that cannot be moved are
listed at the end, with the reasons: mend these and run it again. After it,
"tenantry cluster remove" takes the cluster away, when the grace periods of the
relocations have ended; --complete does without them, and there is no way back then.
"tenantry cluster open" lets it take organizations again.`,
		Example: `  tenantry cluster drain eu-1 --dry-run
  tenantry cluster drain default --to eu-2 --complete`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, closed, err := at.connect(cmd, g, false)
			if err != nil {
				return err
			}
			defer closed()
			op, err := c.DrainCluster(cmd.Context(), args[0], in)
			if err != nil {
				return err
			}
			if !in.DryRun && !detach {
				if op, err = followDrain(cmd.Context(), c, op, cmd.ErrOrStderr()); err != nil {
					return err
				}
			}
			if err := show(cmd.OutOrStdout(), &out, op, operationRows); err != nil {
				return err
			}
			switch op.State {
			case "failed":
				return fail(exitFailed, fmt.Errorf("%d organizations are still there", op.Drain.Left),
					"Mend what stands beside them and run the command again.")
			case "cancelled":
				return fail(exitFailed, errors.New("the drain was cancelled"), "")
			}
			return nil
		},
	}
	out.flag(cmd)
	f := cmd.Flags()
	f.StringVar(&in.To, "to", "", "the cluster that everybody goes to (default: where the placement sends them)")
	f.BoolVar(&in.Complete, "complete", false, "remove what was left at once, without a grace period")
	f.BoolVar(&in.DryRun, "dry-run", false, "only say who would go where, how much that is, and about how long it would take")
	f.BoolVar(&detach, "no-wait", false, "do not wait for the end")
	return cmd
}

// followDrain shows how far a drain is until it has ended: on a terminal by a bar
// that stays in its line, else by lines.
func followDrain(ctx context.Context, c *client.Client, op client.Operation, w io.Writer) (client.Operation, error) {
	const clear = "\r\x1b[K"
	bar, last := isTerminal(w), ""
	op, err := watch(ctx, c, op, func(op client.Operation) (bool, error) {
		if !op.Open() {
			return true, nil
		}
		if line := drainLine(op); bar {
			_, _ = fmt.Fprint(w, clear+drainBar(op)+" "+line)
			last = line
		} else if line != last {
			_, _ = fmt.Fprintln(w, line)
			last = line
		}
		return false, nil
	})
	if bar && last != "" {
		_, _ = fmt.Fprint(w, clear)
	}
	if err != nil && errors.Is(err, ctx.Err()) {
		err = fail(exitFailed, errInterruptedWatch, "The drain goes on while a server runs. Run the command again to look on.")
	}
	return op, err
}

var errInterruptedWatch = errors.New("interrupted")

// drainBar is how far a drain is, as a bar.
func drainBar(op client.Operation) string {
	const width = 24
	done := 0
	if op.Progress.Total > 0 {
		done = min(width, op.Progress.Done*width/op.Progress.Total)
	}
	return "[" + strings.Repeat("#", done) + strings.Repeat(".", width-done) + "]"
}

// drainLine is how far a drain is, in a line that fits a terminal.
func drainLine(op client.Operation) string {
	parts := []string{fmt.Sprintf("%d of %d", op.Progress.Done, op.Progress.Total)}
	if op.Drain != nil && op.Drain.Failures > 0 {
		parts = append(parts, fmt.Sprintf("%d not moved", op.Drain.Failures))
	}
	if op.Undoing {
		parts = append(parts, "being cancelled")
	}
	if op.Estimate > 0 {
		parts = append(parts, fmt.Sprintf("%.1f/s", op.Rate), "about "+about(op.Estimate)+" left")
	}
	return strings.Join(parts, "  ")
}

func drainRows(op client.Operation) [][]string {
	d := op.Drain
	to := d.To
	if to == "" {
		to = "where the placement sends them"
	}
	rows := [][]string{{"Cluster", d.Cluster}, {"To", to}, {"Organizations", fmt.Sprint(d.Total)}}
	if d.Plan != nil {
		return append(rows, drainPlanRows(op)...)
	}
	rows = append(rows, []string{"Left", fmt.Sprint(d.Left)})
	for _, f := range d.Failed {
		rows = append(rows, []string{"Not moved", f.Slug + ": " + f.Reason})
	}
	if more := d.Failures - int64(len(d.Failed)); more > 0 {
		rows = append(rows, []string{"Not moved", fmt.Sprintf("and %d more", more)})
	}
	return rows
}

func drainPlanRows(op client.Operation) [][]string {
	p := op.Drain.Plan
	rows := [][]string{{"Documents", fmt.Sprintf("%d (%d bytes on disk)", p.Documents, p.Bytes)}, {"Dry run", "nothing was begun"}}
	if op.Estimate > 0 {
		rows = append(rows, []string{"Estimate", about(op.Estimate)})
	}
	for _, t := range p.Targets {
		rows = append(rows, []string{"Would go", fmt.Sprintf("%d to %s", t.Organizations, t.Cluster)})
		if t.Room != nil {
			rows = append(rows, []string{"Room", roomWords(*t.Room)})
		}
	}
	if p.Stay > 0 {
		rows = append(rows, []string{"Would stay", fmt.Sprint(p.Stay)})
	}
	for _, m := range p.Moves {
		what := m.Reason
		if what == "" {
			what = "to " + m.Cluster + ", " + m.Isolation
		}
		if m.Size != nil {
			what += fmt.Sprintf(", %d documents (%d bytes)", m.Size.Documents, m.Size.Bytes)
		}
		rows = append(rows, []string{"", m.Slug + ": " + what})
	}
	if more := op.Drain.Total - int64(len(p.Moves)); more > 0 {
		rows = append(rows, []string{"", fmt.Sprintf("and %d more", more)})
	}
	return rows
}
