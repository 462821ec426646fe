package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"tenantry/app/client"
)

func newOperation(g *globals) *cobra.Command {
	var at target
	cmd := &cobra.Command{
		Use:     "operation",
		Aliases: []string{"operations", "op"},
		Short:   "List, show, retry, cancel, complete and revert operations",
		Long: `An operation is an act of several steps on an organization: its creation, its
renaming, its relocation, its deletion; or the draining of a cluster. It ends by itself, wherever a server dies
in the middle of it. One that does not come on says here why.`,
	}
	at.flags(cmd)
	cmd.AddCommand(newOperationList(g, &at),
		newOperationAct(g, &at, "show", "Show an operation", (*client.Client).Operation),
		newOperationAct(g, &at, "retry", "Go on with an operation now, instead of when its time comes", (*client.Client).RetryOperation),
		newOperationAct(g, &at, "cancel", "Give an operation up and undo what it did", (*client.Client).CancelOperation),
		newOperationAct(g, &at, "complete", "End the grace period of a relocation: remove the place that was left", (*client.Client).CompleteOperation),
		newOperationAct(g, &at, "revert", "Take a relocation back that has switched; what was written since is kept", (*client.Client).RevertOperation))
	return cmd
}

func newOperationList(g *globals, at *target) *cobra.Command {
	var out output
	var in client.ListOperations
	var limit int
	cmd := &cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		Short:   "List operations, the newest first",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if limit < 1 {
				return usageError(cmd, fmt.Errorf("--limit is %d; it must be at least 1", limit))
			}
			c, closed, err := at.connect(cmd, g, false)
			if err != nil {
				return err
			}
			defer closed()
			list, err := allOperations(cmd.Context(), c, in, limit)
			if err != nil {
				return err
			}
			if out.json() {
				return writeJSON(cmd.OutOrStdout(), list)
			}
			rows := [][]string{{"KIND", "STATE", "STEPS", "BEGUN", "ORGANIZATION", "ID"}}
			for _, op := range list {
				of := op.OrganizationID
				if op.Drain != nil {
					of = "cluster " + op.Drain.Cluster
				}
				rows = append(rows, []string{op.Kind, operationState(op), fmt.Sprintf("%d/%d", op.Progress.Done, op.Progress.Total),
					op.CreatedAt.Format(time.RFC3339), of, op.ID})
			}
			return writeTable(cmd.OutOrStdout(), rows)
		},
	}
	out.flag(cmd)
	f := cmd.Flags()
	f.StringVar(&in.Organization, "org", "", "only those of this organization (id or slug)")
	f.StringVar(&in.Kind, "kind", "", "only create, rename, relocate, delete or drain")
	f.StringVar(&in.State, "state", "", "only running, completed, failed, cancelled or reverted ones")
	f.IntVar(&limit, "limit", 50, "at most so many")
	return cmd
}

func operationState(op client.Operation) string {
	switch {
	case op.Undoing:
		return "undoing"
	case op.Open() && op.Relocation != nil && op.DueAt != nil:
		return op.State + ", completed " + op.DueAt.Format(time.RFC3339)
	case op.Open() && op.Relocation != nil && op.Error != "":
		return fmt.Sprintf("%s, refused %d times", op.State, op.Attempts)
	case op.State == "running" && op.DueAt != nil && op.DueAt.After(time.Now()):
		return "due " + op.DueAt.Format(time.DateOnly)
	case op.State == "running" && op.Attempts > 0:
		return fmt.Sprintf("running, refused %d times", op.Attempts)
	}
	return op.State
}

// allOperations reads page after page, up to limit operations.
func allOperations(ctx context.Context, c *client.Client, in client.ListOperations, limit int) ([]client.Operation, error) {
	all := []client.Operation{}
	for {
		in.Limit = min(pageSize, limit-len(all))
		page, err := c.ListOperations(ctx, in)
		if err != nil {
			return nil, err
		}
		all = append(all, page.Items...)
		if in.Cursor = page.NextCursor; in.Cursor == "" || len(all) >= limit {
			return all, nil
		}
	}
}

func newOperationAct(g *globals, at *target, verb, short string,
	act func(*client.Client, context.Context, string) (client.Operation, error),
) *cobra.Command {
	return newAct(g, at, verb+" OPERATION", short, act, operationRows)
}

func operationRows(op client.Operation) [][]string {
	rows := [][]string{{"Kind", op.Kind}}
	if op.OrganizationID != "" {
		rows = append(rows, []string{"Organization", op.OrganizationID})
	}
	if op.DryRun { // it has neither begun nor a state
		return append(rows, workRows(op)...)
	}
	rows = append([][]string{{"ID", op.ID}}, rows...)
	rows = append(append(rows, []string{"State", operationState(op)}), workRows(op)...)
	if op.DueAt != nil {
		rows = append(rows, []string{"Due", op.DueAt.Format(time.RFC3339)})
	}
	if op.Step != "" {
		rows = append(rows, []string{"Refused step", op.Step}, []string{"Attempts", fmt.Sprint(op.Attempts)})
	}
	if op.Error != "" {
		rows = append(rows, []string{"Error", op.Error})
	}
	return append(rows, []string{"Begun", op.CreatedAt.Format(time.RFC3339)}, []string{"Updated", op.UpdatedAt.Format(time.RFC3339)})
}

// workRows say what there is to do, and how far it is.
func workRows(op client.Operation) [][]string {
	switch {
	case op.Relocation != nil:
		return relocationRows(op)
	case op.Drain != nil:
		return drainRows(op)
	}
	return [][]string{{"Steps", fmt.Sprintf("%d of %d", op.Progress.Done, op.Progress.Total)}}
}

func newRecover(g *globals) *cobra.Command {
	var at target
	var out output
	cmd := &cobra.Command{
		Use:   "recover",
		Short: "End the operations that a stopped server left open",
		Long: `End every operation that is open: finish it or undo it. A server does the same by
itself, when it starts and every two seconds. What stays open is listed, and
the exit code is 1.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, closed, err := at.connect(cmd, g, false)
			if err != nil {
				return err
			}
			defer closed()
			ended, left, err := recoverAll(cmd.Context(), c)
			if err != nil {
				return err
			}
			if out.json() {
				err = writeJSON(cmd.OutOrStdout(), struct {
					Ended int                `json:"ended"`
					Left  []client.Operation `json:"left"`
				}{ended, left})
			} else {
				_, err = fmt.Fprintf(cmd.OutOrStdout(), "%d operations were open and are ended; %d are still open.\n", ended, len(left))
				for _, op := range left {
					_, _ = fmt.Fprintf(cmd.OutOrStdout(), "%s of %s (%s): %s\n", op.Kind, op.OrganizationID, op.ID, harmless(op.Error))
				}
			}
			if err == nil && len(left) > 0 {
				err = fail(exitFailed, fmt.Errorf("%d operations are still open", len(left)),
					"They are tried again by the server. Mend what they name, or give one up with \"tenantry operation cancel\".")
			}
			return err
		},
	}
	at.flags(cmd)
	out.flag(cmd)
	return cmd
}

// recoverAll tries every operation that is due once more.
func recoverAll(ctx context.Context, c *client.Client) (ended int, left []client.Operation, err error) {
	left = []client.Operation{}
	in := client.ListOperations{State: "running", Limit: pageSize}
	for {
		page, err := c.ListOperations(ctx, in)
		if err != nil {
			return ended, left, err
		}
		for _, op := range page.Items {
			if op.DueAt != nil && op.DueAt.After(time.Now()) {
				continue
			}
			now, err := c.RetryOperation(ctx, op.ID)
			switch {
			case err != nil && isEnded(err):
				ended++
			case err != nil:
				return ended, left, err
			case (now.Relocation != nil || now.Drain != nil) && now.Open() && now.Error == "":
				// It goes on, or is in its grace period.
			case now.Open():
				left = append(left, now)
			default:
				ended++
			}
		}
		if in.Cursor = page.NextCursor; in.Cursor == "" {
			return ended, left, nil
		}
	}
}

// isEnded tells that an operation ended by itself before it was tried again.
func isEnded(err error) bool {
	var answer *client.Error
	return errors.As(err, &answer) && answer.Code == "operation_ended"
}
