package sqlite

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"runtime"
	"testing"

	"tenantry/app"
)

// A table that another program has dropped, and a file that it has removed, are
// missed by whoever reads or writes, and by who lists what is there; nothing is
// made in their place. The neighbour is served, and who is lost can be deleted.
func TestWhatAnotherProgramHasRemoved(t *testing.T) {
	for name, remove := range map[string]func(t *testing.T, c *Cluster, ns app.Namespace){
		"table": func(t *testing.T, c *Cluster, ns app.Namespace) {
			other, err := sql.Open("sqlite", dsn(c.path(ns.Placement.Database), false, defaultCacheKiB))
			if err == nil {
				_, err = other.ExecContext(t.Context(), "DROP TABLE "+collection(ns.Placement.Collection).sql())
			}
			if err := errors.Join(err, other.Close()); err != nil {
				t.Fatal(err)
			}
		},
		"file": func(t *testing.T, c *Cluster, ns app.Namespace) {
			if runtime.GOOS == "windows" {
				t.Skip("open files are not removed there")
			}
			if err := os.Remove(c.path(ns.Placement.Database)); err != nil {
				t.Fatal(err)
			}
		},
	} {
		for _, isolation := range app.Isolations() {
			t.Run(name+"/"+string(isolation), func(t *testing.T) {
				c := openTestCluster(t, t.TempDir(), ClusterOptions{Shards: 1})
				ctx := t.Context()
				var all [2]app.Namespace
				for i := range all {
					all[i].Organization = app.NewID[app.OrganizationID]()
					var err error
					if all[i].Placement, err = c.Locate(all[i].Organization, fmt.Sprint("acme-", i), isolation); err != nil {
						t.Fatal(err)
					}
					if err := c.Provision(ctx, all[i]); err != nil {
						t.Fatal(err)
					}
					if err := c.InsertDocument(ctx, all[i], testDocument("d")); err != nil {
						t.Fatal(err)
					}
				}
				lost, neighbour := all[0], all[1]
				remove(t, c, lost)
				_, reading := c.Document(ctx, lost, "d")
				_, listing := c.ListDocuments(ctx, lost, app.DocumentQuery{Limit: 9})
				_, measuring := c.Stats(ctx, lost)
				for act, err := range map[string]error{
					"read": reading, "list": listing, "measure": measuring, "insert": c.InsertDocument(ctx, lost, testDocument("e")),
					"delete": c.DeleteDocument(ctx, lost, "d", app.AnyRevision),
				} {
					if !errors.Is(err, app.ErrLost) || !errors.Is(err, app.ErrUnavailable) {
						t.Errorf("%s: %v", act, err)
					}
				}
				list, err := c.Namespaces(ctx)
				if err != nil {
					t.Fatal(err)
				}
				for _, ns := range list {
					if ns.Organization == lost.Organization {
						t.Error("it is listed as if it were there")
					}
				}
				if neighbour.Placement.Database != lost.Placement.Database || name == "table" && isolation != app.IsolationShared {
					if _, err := c.Document(ctx, neighbour, "d"); err != nil {
						t.Errorf("the neighbour: %v", err)
					}
				}
				if isolation != app.IsolationShared {
					if err := c.Drop(ctx, lost); err != nil {
						t.Errorf("it cannot be deleted: %v", err)
					}
				}
			})
		}
	}
}
