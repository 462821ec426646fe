package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"tenantry/app/client"
)

func newCluster(g *globals) *cobra.Command {
	var at target
	cmd := &cobra.Command{
		Use:     "cluster",
		Aliases: []string{"clusters"},
		Short:   "List, check, add, drain and remove the clusters that store tenant data",
	}
	at.flags(cmd)
	cmd.AddCommand(newClusterList(g, &at), newClusterCheck(g, &at), newClusterAdd(g, &at), newClusterRemove(g, &at), newClusterDrain(g, &at),
		newAct(g, &at, "open NAME", "Let a cluster take organizations again that was drained", (*client.Client).OpenCluster, clusterRows))
	return cmd
}

func newClusterList(g *globals, at *target) *cobra.Command {
	var out output
	cmd := &cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		Short:   "List the clusters and how much is in them",
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, closed, err := at.connect(cmd, g, false)
			if err != nil {
				return err
			}
			defer closed()
			clusters, err := c.Clusters(cmd.Context())
			if err != nil {
				return err
			}
			if out.json() {
				return writeJSON(cmd.OutOrStdout(), clusters)
			}
			rows := [][]string{{"NAME", "STATUS", "STATE", "FROM", "ENGINE", "ORGANIZATIONS", "NAMESPACES", "DOCUMENTS", "BYTES"}}
			for _, k := range clusters {
				rows = append(rows, []string{k.Name, k.Status, k.State, k.Origin, k.Engine, fmt.Sprint(k.Organizations), used(k), measured(k.Documents), measured(k.Bytes)})
			}
			return writeTable(cmd.OutOrStdout(), rows)
		},
	}
	out.flag(cmd)
	return cmd
}

// used shows how much of the namespaces is used, where there is a limit.
func used(k client.Cluster) string {
	if k.Budget == nil {
		return measured(k.Namespaces)
	}
	return fmt.Sprintf("%d of %d", k.Budget.Used, k.Budget.MaxNamespaces)
}

// measured shows a figure that may be unknown.
func measured(n *int64) string {
	if n == nil {
		return "unknown"
	}
	return fmt.Sprint(*n)
}

func newClusterCheck(g *globals, at *target) *cobra.Command {
	var out output
	cmd := &cobra.Command{
		Use:   "check [NAME]",
		Short: "Check that every cluster, or the one that is named, works",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, closed, err := at.connect(cmd, g, false)
			if err != nil {
				return err
			}
			defer closed()
			clusters, err := c.Clusters(cmd.Context())
			if err != nil {
				return err
			}
			if len(args) == 1 {
				clusters = named(clusters, args[0])
				if len(clusters) == 0 {
					return fail(exitFailed, fmt.Errorf("there is no cluster %q", args[0]), `"tenantry cluster list" shows which there are.`)
				}
			}
			if out.json() {
				err = writeJSON(cmd.OutOrStdout(), clusters)
			} else {
				rows := make([][]string, 0, len(clusters))
				for _, k := range clusters {
					rows = append(rows, []string{k.Name, k.Status, k.Detail})
				}
				err = writeTable(cmd.OutOrStdout(), rows)
			}
			for _, k := range clusters {
				if k.Status != "ok" && err == nil {
					err = fail(exitFailed, errors.New("not every cluster works"), "The server's log says more.")
				}
			}
			return err
		},
	}
	out.flag(cmd)
	return cmd
}

func named(clusters []client.Cluster, name string) []client.Cluster {
	for _, k := range clusters {
		if k.Name == name {
			return []client.Cluster{k}
		}
	}
	return nil
}

func newDoctor(g *globals) *cobra.Command {
	var at target
	var out output
	var repair bool
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Compare the registry with every cluster",
		Long: `Compare the registry with every cluster: data that is nobody's, data that is
missing, operations that do not come on. Nothing is changed without --repair,
which mends what no data can be lost by. The exit code is 1 when something is
not as it should be.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, closed, err := at.connect(cmd, g, false)
			if err != nil {
				return err
			}
			defer closed()
			findings, err := c.Doctor(cmd.Context(), repair)
			if err != nil {
				return err
			}
			if out.json() {
				err = writeJSON(cmd.OutOrStdout(), findings)
			} else {
				for _, f := range findings {
					mended := ""
					if f.Repaired {
						mended = " Mended."
					}
					_, _ = fmt.Fprintf(cmd.OutOrStdout(), "%s: %s%s\n", f.Kind, harmless(f.Detail), mended)
				}
				if len(findings) == 0 {
					_, err = fmt.Fprintln(cmd.OutOrStdout(), "All is as it should be.")
				}
			}
			left := 0
			for _, f := range findings {
				if !f.Repaired {
					left++
				}
			}
			if err == nil && left > 0 {
				err = fail(exitFailed, fmt.Errorf("%d things are not as they should be", left), "")
			}
			return err
		},
	}
	at.flags(cmd)
	out.flag(cmd)
	cmd.Flags().BoolVar(&repair, "repair", false, "mend what no data can be lost by")
	return cmd
}
