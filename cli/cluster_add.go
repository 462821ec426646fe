package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"tenantry/app/client"
)

func newClusterAdd(g *globals, at *target) *cobra.Command {
	var out output
	var in client.AddCluster
	store := urlFlags{name: "store", of: "the cluster is", help: `where it is: "mongodb://HOST/DATABASE", or "sqlite:DIR" where one server works alone; without a password`}
	cmd := &cobra.Command{
		Use:   "add NAME",
		Short: "Add a cluster while servers run",
		Long: `Add a cluster. Its URL is sealed in the registry and never shown again; no server
need be restarted. It must be reachable from here and a place of its own: an
empty database or folder. Nobody is moved there by it: "placement" in the
configuration says where new organizations go, "tenantry org relocate" and
"tenantry cluster drain" move those that there are.

Where several servers share a registry in MongoDB, the cluster must be in MongoDB
as well: a folder is on the machine of one of them.`,
		Example: `  tenantry cluster add archive --store sqlite:/srv/archive
  tenantry cluster add eu-1 --store-file eu-1.url --max-namespaces 5000 --dry-run`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var err error
			in.Name = args[0]
			if in.URL, err = store.read(cmd); err != nil {
				return err
			}
			c, closed, err := at.connect(cmd, g, false)
			if err != nil {
				return err
			}
			defer closed()
			added, err := c.AddCluster(cmd.Context(), in)
			if err != nil {
				return err
			}
			return show(cmd.OutOrStdout(), &out, added, clusterRows)
		},
	}
	out.flag(cmd)
	store.flags(cmd)
	f := cmd.Flags()
	f.StringSliceVar(&in.Isolations, "isolations", nil, "how organizations may be kept apart there (default: collection, shared and database)")
	f.IntVar(&in.MaxNamespaces, "max-namespaces", 0, "how many may have a collection or a database of their own there (default: no limit)")
	f.IntVar(&in.Shards, "shards", 0, "of a folder: over how many files new organizations are spread (default 64)")
	f.BoolVar(&in.DryRun, "dry-run", false, "only find out whether it can be added")
	return cmd
}

func newClusterRemove(g *globals, at *target) *cobra.Command {
	var out output
	var dryRun bool
	cmd := &cobra.Command{
		Use:     "remove NAME",
		Aliases: []string{"rm"},
		Short:   "Remove a cluster that was added and that nobody lives in",
		Long: `Remove a cluster that was added, when nobody lives there: no organization, not even
a deleted one that can still be restored, and none on the way to or from there.
"tenantry cluster drain" moves everybody off. What is left in its store stays
there. A cluster of the configuration is removed by taking its section out.`,
		Example: `  tenantry cluster remove eu-1 --dry-run`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, closed, err := at.connect(cmd, g, false)
			if err != nil {
				return err
			}
			defer closed()
			k, err := c.RemoveCluster(cmd.Context(), args[0], dryRun)
			switch {
			case err != nil:
				return err
			case dryRun:
				return show(cmd.OutOrStdout(), &out, k, clusterRows)
			case out.json():
				return writeJSON(cmd.OutOrStdout(), k)
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "The cluster %s is removed.\n", args[0])
			return err
		},
	}
	out.flag(cmd)
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "only find out whether it can be removed")
	return cmd
}

// clusterRows is one cluster.
func clusterRows(k client.Cluster) [][]string {
	rows := [][]string{{"Name", k.Name}, {"Status", k.Status}}
	if k.DryRun {
		rows = append(rows, []string{"Dry run", "nothing was changed"})
	}
	if k.Detail != "" {
		rows = append(rows, []string{"Detail", k.Detail})
	}
	rows = append(rows, []string{"From", originWords(k)}, []string{"State", k.State},
		[]string{"Engine", strings.TrimSpace(k.Engine + " " + k.Version)}, []string{"Isolations", strings.Join(k.Isolations, ", ")},
		[]string{"Organizations", fmt.Sprint(k.Organizations)}, []string{"Namespaces", used(k)})
	return rows
}

func originWords(k client.Cluster) string {
	if k.Origin == "added" {
		return "the registry: it was added while servers ran"
	}
	return "the configuration"
}
