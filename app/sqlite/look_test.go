package sqlite

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"tenantry/app"
)

// What is there is told, and no folder is made by looking.
func TestLook(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	dir := filepath.Join(t.TempDir(), "cluster")
	look := func() app.Site {
		t.Helper()
		site, err := Look(ctx, dir, "eu", ClusterOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return site
	}
	if site := look(); site.Engine != "sqlite" || site.Version == "" || len(site.Strange)+len(site.Namespaces) > 0 {
		t.Errorf("nothing is there: %+v", site)
	}
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("looking made the folder (%v)", err)
	}
	c := openTestCluster(t, dir, ClusterOptions{Shards: 2})
	ns := provisioned(t, c, "acme")
	id := app.NewID[app.OrganizationID]()
	own, err := c.Locate(id, "own", app.IsolationDatabase)
	if err == nil {
		err = c.Provision(ctx, app.Namespace{Organization: id, Placement: own})
	}
	if err != nil {
		t.Fatal(err)
	}
	closeTestCluster(t, c)
	if err := os.WriteFile(filepath.Join(dir, lockName), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	site := look()
	found := map[app.OrganizationID]app.Placement{}
	for _, n := range site.Namespaces {
		found[n.Organization] = n.Placement
	}
	if len(found) != 2 || found[ns.Organization].Collection != "org_acme" || found[id].Database != own.Database || len(site.Strange) > 0 {
		t.Errorf("a cluster with two organizations: %+v", site)
	}
	for _, name := range []string{"registry.db", "shard-1.db", "notes.txt"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if site := look(); len(site.Strange) != 3 || site.Strange[1] != `"registry.db"` {
		t.Errorf("with what no cluster has: %q", site.Strange)
	}
}
