package cli

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"tenantry/app"
	"tenantry/app/client"
)

// lookEvery is between looks at an operation that is waited for.
const lookEvery = 500 * time.Millisecond

func newOrgRelocate(g *globals, at *target) *cobra.Command {
	var out output
	var in client.Relocate
	var wait bool
	cmd := &cobra.Command{
		Use:   "relocate ORG [--cluster NAME] [--isolation KIND]",
		Short: "Move an organization's documents to another place while they are in use",
		Long: `Move an organization's documents to another cluster, or keep them apart in another
way: "collection", "shared" or "database". They are read and written all the time;
writes are held for a moment when it switches. Then the old place is kept for
relocation_grace, until when "tenantry operation revert" goes back and loses nothing,
and "tenantry operation complete" does not wait.

A server can be stopped in the middle of it: whichever is there goes on.`,
		Example: `  tenantry org relocate acme --isolation database --dry-run
  tenantry org relocate acme --cluster eu-1 --wait`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if in.Cluster == "" && in.Isolation == "" {
				return usageError(cmd, fmt.Errorf("nothing would move; name --cluster, --isolation or both"))
			}
			c, closed, err := at.connect(cmd, g, false)
			if err != nil {
				return err
			}
			defer closed()
			op, err := c.RelocateOrganization(cmd.Context(), args[0], in)
			if err != nil {
				return err
			}
			if wait && !in.DryRun {
				if op, err = follow(cmd.Context(), c, op, cmd.ErrOrStderr()); err != nil {
					return err
				}
			}
			if err := show(cmd.OutOrStdout(), &out, op, operationRows); err != nil {
				return err
			}
			if op.State == "failed" || op.State == "cancelled" {
				return fail(exitFailed, fmt.Errorf("the relocation has %s; the organization is where it was", ended(op.State)), "")
			}
			return nil
		},
	}
	out.flag(cmd)
	f := cmd.Flags()
	f.StringVar(&in.Cluster, "cluster", "", "the cluster to move to (default: where it is)")
	f.StringVar(&in.Isolation, "isolation", "", "how its documents are kept apart there (default: as now)")
	f.BoolVar(&in.DryRun, "dry-run", false, "only say what would be moved, how much, and about how long it would take")
	f.BoolVar(&wait, "wait", false, "show how far it is until it has switched")
	return cmd
}

func ended(state string) string {
	if state == "cancelled" {
		return "been cancelled"
	}
	return state
}

// follow shows how far a relocation is until it has switched or ended.
func follow(ctx context.Context, c *client.Client, op client.Operation, w io.Writer) (client.Operation, error) {
	last := ""
	return watch(ctx, c, op, func(op client.Operation) (bool, error) {
		if !op.Open() || op.Relocation != nil && op.Relocation.Revertible {
			return true, nil
		}
		var err error
		if line := progressLine(op); line != last {
			_, err = fmt.Fprintln(w, line)
			last = line
		}
		return false, err
	})
}

// watch looks at an operation again and again, until what is seen of it is the
// last that one waits for, or the context ends.
func watch(ctx context.Context, c *client.Client, op client.Operation, see func(client.Operation) (last bool, err error)) (client.Operation, error) {
	for {
		last, err := see(op)
		if last || err != nil {
			return op, err
		}
		select {
		case <-ctx.Done():
			return op, ctx.Err()
		case <-time.After(lookEvery):
		}
		next, err := c.Operation(ctx, op.ID)
		if err != nil {
			return op, err
		}
		op = next
	}
}

// progressLine is how far a relocation is, in a line.
func progressLine(op client.Operation) string {
	parts := []string{op.State}
	if op.Progress.Total > 0 {
		parts[0] = fmt.Sprintf("%-12s %3d %%", op.State, op.Progress.Done*100/op.Progress.Total)
	}
	if op.Rate > 0 {
		parts = append(parts, fmt.Sprintf("%.0f documents/s", op.Rate))
	}
	if op.Estimate > 0 {
		parts = append(parts, "about "+about(op.Estimate)+" left")
	}
	if op.Error != "" {
		parts = append(parts, "refused, tried again: "+harmless(op.Error))
	}
	return strings.Join(parts, "  ")
}

// about is a number of seconds as people say it.
func about(seconds float64) string {
	d := time.Duration(seconds * float64(time.Second))
	if d > 10*time.Second {
		return d.Round(time.Second).String()
	}
	return d.Round(100 * time.Millisecond).String()
}

func relocationRows(op client.Operation) [][]string {
	r := op.Relocation
	rows := [][]string{
		{"From", placeWords(r.Source)}, {"To", placeWords(r.Target)},
		{"Documents", fmt.Sprintf("%d (%d bytes)", r.Total.Documents, r.Total.Bytes)},
	}
	if op.DryRun {
		rows = append(rows, []string{"Dry run", "nothing was begun"})
		if r.Room != nil {
			rows = append(rows, []string{"Room", roomWords(*r.Room)})
		}
		if op.Estimate > 0 {
			rows = append(rows, []string{"Estimate", about(op.Estimate)})
		}
		return rows
	}
	rows = append(rows,
		[]string{"Copied", fmt.Sprint(r.Copied.Documents)}, []string{"Caught up", fmt.Sprint(r.CaughtUp.Documents)},
		[]string{"Verified", fmt.Sprint(r.Verified.Documents)})
	if r.Cutovers > 0 {
		rows = append(rows, []string{"Writes held", fmt.Sprintf("%.3f s in %d tries to switch", r.HeldSeconds, r.Cutovers)})
	}
	if len(r.Differences) > 0 {
		rows = append(rows, []string{"Differ", strings.Join(r.Differences, " ")})
	}
	return rows
}

// roomWords is what is needed at a target, against what there is.
func roomWords(r client.Room) string {
	free := "how much is free there is not known"
	if r.Free != nil {
		free = app.SizeWords(*r.Free) + " are free there"
	}
	return "about " + app.SizeWords(r.Needed) + " are needed, " + free
}

func placeWords(p client.Place) string {
	return fmt.Sprintf("cluster %s, %s, %s in %s", p.Cluster, p.Isolation, p.Collection, p.Database)
}
