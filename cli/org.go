package cli

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"tenantry/app/client"
)

func newOrg(g *globals) *cobra.Command {
	var at target
	cmd := &cobra.Command{
		Use:     "org",
		Aliases: []string{"orgs", "organization"},
		Short:   "Create, list, show, rename, suspend, move, delete and restore organizations",
		Long: `Work on the organizations of the data folder, as its operator. While a server
holds the folder the work is done by that server, through its socket. With
--url it is done on that server, with an operator key.`,
	}
	at.flags(cmd)
	cmd.AddCommand(newOrgCreate(g, &at), newOrgList(g, &at), newOrgGet(g, &at), newOrgRename(g, &at),
		newOrgState(g, &at, "suspend", "Refuse an organization's members until it is resumed", (*client.Client).SuspendOrganization),
		newOrgState(g, &at, "resume", "Open a suspended organization again", (*client.Client).ResumeOrganization),
		newOrgState(g, &at, "restore", "Bring a deleted organization back, within the retention", (*client.Client).RestoreOrganization),
		newOrgRelocate(g, &at), newOrgDelete(g, &at))
	return cmd
}

func newOrgCreate(g *globals, at *target) *cobra.Command {
	var out output
	var in client.NewOrganization
	var owner client.NewOwner
	var placement client.NewPlacement
	var fromStdin bool
	cmd := &cobra.Command{
		Use:   "create NAME --email ADDRESS",
		Short: "Create an organization and its owner",
		Example: `  tenantry org create "Acme Rockets" --email wile@acme.example
  tenantry org create Globex --email hank@globex.example --password-stdin < password.txt`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if owner.Email == "" {
				return usageError(cmd, fmt.Errorf("the owner's address is missing; give it with --email"))
			}
			var err error
			if owner.Password, err = readPassword(cmd, fromStdin); err != nil {
				return err
			}
			in.Name, in.Owner = args[0], &owner
			if placement != (client.NewPlacement{}) {
				in.Placement = &placement
			}
			c, closed, err := at.connect(cmd, g, true)
			if err != nil {
				return err
			}
			defer closed()
			org, err := c.CreateOrganization(cmd.Context(), in)
			if err != nil {
				return err
			}
			return showOrganization(cmd.OutOrStdout(), &out, org)
		},
	}
	out.flag(cmd)
	f := cmd.Flags()
	f.StringVar(&owner.Email, "email", "", "the owner's address, with which to sign in")
	f.StringVar(&owner.Name, "owner-name", "", "the owner's name")
	f.BoolVar(&fromStdin, "password-stdin", false, "read the owner's password from standard input (one line)")
	f.StringVar(&in.Slug, "slug", "", "short name in paths (default: made from the name)")
	f.StringVar(&in.ExternalID, "external-id", "", "your own id for it")
	f.StringToStringVar(&in.Metadata, "metadata", nil, "key=value, may be repeated")
	f.StringVar(&placement.Cluster, "cluster", "", "the cluster that stores its documents (default: as configured)")
	f.StringVar(&placement.Isolation, "isolation", "", "how its documents are kept apart (default: as configured)")
	return cmd
}

func newOrgList(g *globals, at *target) *cobra.Command {
	var out output
	var in client.ListOrganizations
	var limit int
	cmd := &cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		Short:   "List organizations",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if limit < 0 {
				return usageError(cmd, fmt.Errorf("--limit is %d; it must not be negative", limit))
			}
			c, closed, err := at.connect(cmd, g, false)
			if err != nil {
				return err
			}
			defer closed()
			orgs, err := allOrganizations(cmd.Context(), c, in, limit)
			if err != nil {
				return err
			}
			if out.json() {
				return writeJSON(cmd.OutOrStdout(), orgs)
			}
			rows := [][]string{{"SLUG", "NAME", "STATE", "CREATED", "ID"}}
			for _, o := range orgs {
				rows = append(rows, []string{o.Slug, o.Name, o.State, o.CreatedAt.Format(time.DateOnly), o.ID})
			}
			return writeTable(cmd.OutOrStdout(), rows)
		},
	}
	out.flag(cmd)
	f := cmd.Flags()
	f.StringVarP(&in.Text, "query", "q", "", "only those with this in name, slug or external id")
	f.StringVar(&in.ExternalID, "external-id", "", "only the one with this external id")
	f.StringVar(&in.State, "state", "", "only active, suspended or deleted ones")
	f.StringVar(&in.Cluster, "cluster", "", "only those on this cluster")
	f.StringVar(&in.Sort, "sort", "", "created_at, -created_at, name or -name")
	f.IntVar(&limit, "limit", 0, "at most so many (default: all)")
	return cmd
}

// pageSize is how many organizations are asked for at once.
const pageSize = 200

// allOrganizations reads page after page, up to limit organizations; 0 is all.
func allOrganizations(ctx context.Context, c *client.Client, in client.ListOrganizations, limit int) ([]client.Organization, error) {
	all := []client.Organization{}
	for {
		in.Limit = pageSize
		if limit > 0 {
			in.Limit = min(pageSize, limit-len(all))
		}
		page, err := c.ListOrganizations(ctx, in)
		if err != nil {
			return nil, err
		}
		all = append(all, page.Items...)
		if in.Cursor = page.NextCursor; in.Cursor == "" || limit > 0 && len(all) >= limit {
			return all, nil
		}
	}
}

func newOrgGet(g *globals, at *target) *cobra.Command {
	var out output
	cmd := &cobra.Command{
		Use:     "get ORG",
		Aliases: []string{"show"},
		Short:   "Show an organization and where its data is; ORG is its id or its slug",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, closed, err := at.connect(cmd, g, false)
			if err != nil {
				return err
			}
			defer closed()
			org, err := c.Organization(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			placement, err := c.Placement(cmd.Context(), org.ID)
			if err != nil {
				return err
			}
			if out.json() {
				return writeJSON(cmd.OutOrStdout(), struct {
					client.Organization
					Placement client.Placement `json:"placement"`
				}{org, placement})
			}
			return writeTable(cmd.OutOrStdout(), append(organizationRows(org),
				[]string{"Cluster", placement.Cluster},
				[]string{"Isolation", placement.Isolation},
				[]string{"Database", placement.Database},
				[]string{"Collection", placement.Collection},
				[]string{"Documents", fmt.Sprint(placement.Documents)},
				[]string{"Bytes", fmt.Sprint(placement.Bytes)}))
		},
	}
	out.flag(cmd)
	return cmd
}

func newOrgRename(g *globals, at *target) *cobra.Command {
	var out output
	var slug string
	cmd := &cobra.Command{
		Use:   "rename ORG NEW-NAME",
		Short: "Rename an organization; its documents follow",
		Args:  cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, closed, err := at.connect(cmd, g, false)
			if err != nil {
				return err
			}
			defer closed()
			org, err := c.UpdateOrganization(cmd.Context(), args[0], client.OrganizationPatch{Name: args[1], Slug: slug})
			if err != nil {
				return err
			}
			return showOrganization(cmd.OutOrStdout(), &out, org)
		},
	}
	out.flag(cmd)
	cmd.Flags().StringVar(&slug, "slug", "", "short name in paths (default: follows the name if it was made from it)")
	return cmd
}

func newOrgState(g *globals, at *target, verb, short string,
	act func(*client.Client, context.Context, string) (client.Organization, error),
) *cobra.Command {
	return newAct(g, at, verb+" ORG", short, act, organizationRows)
}

func newOrgDelete(g *globals, at *target) *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:     "delete ORG",
		Aliases: []string{"rm"},
		Short:   "Delete an organization with all its data",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, closed, err := at.connect(cmd, g, false)
			if err != nil {
				return err
			}
			defer closed()
			org, err := c.Organization(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			if !yes {
				warning := fmt.Sprintf("%s (%s) and all its documents will be deleted, for good unless the server's configuration has a retention.",
					harmless(org.Name), org.Slug)
				if org.State == "deleted" {
					warning = fmt.Sprintf("%s (%s) is deleted. Its documents will be removed now and cannot be brought back.", harmless(org.Name), org.Slug)
				}
				if err := confirm(cmd, warning, org.Slug); err != nil {
					return err
				}
			}
			deletion, err := c.DeleteOrganization(cmd.Context(), org.ID)
			if err != nil {
				return err
			}
			end := "deleted"
			switch due := deletion.Operation.DueAt; {
			case deletion.Pending && due != nil && due.After(time.Now()):
				end = fmt.Sprintf("deleted; until %s, when its data is removed, \"tenantry org restore %s\" brings it back",
					due.Format(time.RFC3339), org.Slug)
			case deletion.Pending:
				end = "deleted; its data is still being removed"
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s (%s) is %s.\n", harmless(org.Name), org.Slug, end)
			return err
		},
	}
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	return cmd
}

func showOrganization(w io.Writer, out *output, org client.Organization) error {
	return show(w, out, org, organizationRows)
}

func organizationRows(org client.Organization) [][]string {
	rows := [][]string{
		{"Name", org.Name}, {"Slug", org.Slug}, {"ID", org.ID}, {"State", org.State},
		{"Created", org.CreatedAt.Format(time.RFC3339)}, {"Updated", org.UpdatedAt.Format(time.RFC3339)},
	}
	if org.ExternalID != "" {
		rows = append(rows, []string{"External id", org.ExternalID})
	}
	if len(org.Metadata) > 0 {
		var pairs []string
		for _, k := range slices.Sorted(maps.Keys(org.Metadata)) {
			pairs = append(pairs, k+"="+org.Metadata[k])
		}
		rows = append(rows, []string{"Metadata", strings.Join(pairs, ", ")})
	}
	return rows
}
