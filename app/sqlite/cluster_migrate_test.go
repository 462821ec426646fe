package sqlite

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	"tenantry/app"
)

// A shard as the first version made it: organizations with and without
// documents, one of them with its index by type.
func TestAShardOfTheFirstVersion(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	dir := t.TempDir()
	c := openTestCluster(t, dir, ClusterOptions{Shards: 1})
	opts := c.databases
	opts.schema.migrations = opts.schema.migrations[:1]
	orgs := []app.Namespace{located(t, c, "acme"), located(t, c, "bolt"), located(t, c, "empty")}
	closeTestCluster(t, c)
	withDatabase(t, filepath.Join(dir, shardName(0)+".db"), opts, func(d *database) {
		err := d.write(ctx, func(c *conn) error {
			for i, ns := range orgs {
				if err := c.run(fmt.Sprintf(createTable, `"`+ns.Placement.Collection+`"`)); err != nil {
					return err
				}
				if _, err := c.exec(`INSERT INTO namespaces (organization_id, collection, generation, created_at) VALUES (?, ?, ?, 0)`,
					string(ns.Organization), ns.Placement.Collection, i+1); err != nil {
					return err
				}
			}
			if err := c.run(`CREATE INDEX "type_` + string(orgs[0].Organization) + `" ON org_acme (type,id);
				UPDATE namespaces SET indexed = 1 WHERE collection = 'org_acme'`); err != nil {
				return err
			}
			for _, ns := range orgs[:2] {
				d := testDocument("first")
				if _, err := c.exec(`INSERT INTO `+ns.Placement.Collection+` (`+documentColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?)`,
					string(d.ID), d.Type, d.Revision, d.CreatedAt.UnixMilli(), d.UpdatedAt.UnixMilli(),
					int64(checksum(ns.Organization, &d)), string(d.Data)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})

	c = openTestCluster(t, dir, ClusterOptions{Shards: 1, Backups: filepath.Join(dir, backupsDir)})
	for i, ns := range orgs {
		phase, generation, err := c.Phase(ctx, ns)
		if err != nil || phase != app.PhaseOpen || generation != int64(i+1) {
			t.Errorf("%s: phase %q, generation %d, %v", ns.Placement.Collection, phase, generation, err)
		}
		_, err = c.Document(ctx, ns, "first")
		if wanted := ns.Placement.Collection != "org_empty"; (err == nil) != wanted || err != nil && !errors.Is(err, app.ErrNotFound) {
			t.Errorf("%s: %v", ns.Placement.Collection, err)
		}
		// Enough for an index by type, which one has already.
		for j := range indexAfter + 1 {
			if err := c.InsertDocument(ctx, ns, testDocument(app.DocumentID(fmt.Sprintf("d-%d", j)))); err != nil {
				t.Fatal(err)
			}
		}
		list, err := c.ListDocuments(ctx, ns, app.DocumentQuery{Type: "note", Limit: 1000})
		if err != nil || len(list) < indexAfter {
			t.Errorf("%s: %d documents of a type, %v", ns.Placement.Collection, len(list), err)
		}
	}
	var taken *app.TakenError
	other := located(t, c, "acme")
	if err := c.Provision(ctx, other); !errors.As(err, &taken) {
		t.Errorf("a name that is another's: %v", err)
	}
	closeTestCluster(t, c)
	tablesMatchNamespaces(t, dir)
}

// Where an organization is names a file: nothing else does.
func TestCraftedDatabases(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	dir := t.TempDir()
	c := openTestCluster(t, filepath.Join(dir, "cluster"), ClusterOptions{Shards: 2})
	acme := provisioned(t, c, "acme")
	for _, isolation := range isolations {
		for _, name := range []string{
			"", ".", "..", "../shard-00", "/etc/passwd", "shard-00/../../x", "shard-0", "shard-000", "shard--1", "shard-00.db", "shard-00\x00",
			"SHARD-00", "registry", "org-", "org-../x", "org-" + string(acme.Organization) + "x", "org-" + string(acme.Organization[:35]), "org-%",
		} {
			ns := app.Namespace{Organization: app.NewID[app.OrganizationID](), Placement: app.Placement{
				Cluster: "default", Isolation: isolation, Database: name, Collection: app.CollectionIn(isolation, "acme"), Generation: 1}}
			for what, err := range map[string]error{
				"Provision": c.Provision(ctx, ns), "Receive": c.Receive(ctx, ns), "Drop": c.Drop(ctx, ns),
				"SetPhase": c.SetPhase(ctx, ns, app.PhaseOpen), "InsertDocument": c.InsertDocument(ctx, ns, testDocument("a")),
			} {
				if !errors.Is(err, app.ErrInvalid) {
					t.Errorf("%s in the %s %q: %v", what, isolation, name, err)
				}
			}
		}
	}
	if n := shardFiles(t, dir) + shardFiles(t, filepath.Join(dir, "cluster")); n != 1 {
		t.Errorf("there are %d files", n)
	}
}
