package sqlite

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"tenantry/app"
)

// countedAs checks what the cluster says of itself, without opening more files
// than it keeps.
func countedAs(t *testing.T, c *Cluster, want map[app.OrganizationID]app.Placement, documents int64) {
	t.Helper()
	ctx := context.Background()
	list, err := c.Namespaces(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if len(list) != len(want) {
		t.Errorf("%d namespaces are listed, %d are there", len(list), len(want))
	}
	for _, ns := range list {
		if ns.Placement != want[ns.Organization] {
			t.Errorf("%s is at %+v, listed as at %+v", ns.Organization, want[ns.Organization], ns.Placement)
		}
	}
	u, err := c.Usage(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if u.Namespaces != int64(len(want)) || u.Documents != documents || u.Bytes == 0 {
		t.Errorf("the usage is %+v; there are %d namespaces and %d documents", u, len(want), documents)
	}
}

// Files that nobody has open are counted as they are, and stay closed.
func TestClosedFilesAreCounted(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	dir := t.TempDir()
	c := openTestCluster(t, dir, ClusterOptions{Shards: 2, OpenFiles: 2})
	want := map[app.OrganizationID]app.Placement{}
	for i := range 12 {
		ns := provisionedIn(t, c, isolations[i%len(isolations)], "acme"+string(rune('a'+i)))
		want[ns.Organization] = ns.Placement
		if err := c.InsertDocument(ctx, ns, testDocument("first")); err != nil {
			t.Fatal(err)
		}
	}
	countedAs(t, c, want, 12)
	if n := openFiles(c); n > 2 {
		t.Errorf("%d files are open", n)
	}
	closeTestCluster(t, c)
	c = openTestCluster(t, dir, ClusterOptions{Shards: 2})
	countedAs(t, c, want, 12)
	if n := openFiles(c); n != 0 {
		t.Errorf("counting has opened %d files", n)
	}
	for _, suffix := range []string{"-wal", "-shm"} {
		if left, err := filepath.Glob(filepath.Join(dir, "org-*"+suffix)); err != nil || len(left) > 0 {
			t.Errorf("counting has made %v, %v", left, err)
		}
	}
}

// What a server that was killed has left in the log of a file counts as well.
func TestWhatIsInALogIsCounted(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	from, to := t.TempDir(), t.TempDir()
	c := openTestCluster(t, from, ClusterOptions{})
	ns := provisionedIn(t, c, app.IsolationDatabase, "acme")
	for _, id := range []app.DocumentID{"a", "b", "c"} {
		if err := c.InsertDocument(ctx, ns, testDocument(id)); err != nil {
			t.Fatal(err)
		}
	}
	for _, suffix := range []string{"", "-wal"} { // as a kill leaves them
		raw, err := os.ReadFile(c.path(ns.Placement.Database) + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if len(raw) == 0 && suffix != "" {
			t.Fatal("there is nothing in the log")
		}
		write(t, filepath.Join(to, ns.Placement.Database+".db"+suffix), string(raw))
	}
	killed := openTestCluster(t, to, ClusterOptions{})
	countedAs(t, killed, map[app.OrganizationID]app.Placement{ns.Organization: ns.Placement}, 3)
}

// A file that is removed while the files are walked through is the only one that
// is passed over.
func TestAFileThatGoesMeanwhileHidesNoOther(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	c := openTestCluster(t, t.TempDir(), ClusterOptions{Shards: 1})
	first, second := provisionedIn(t, c, app.IsolationDatabase, "acme"), provisionedIn(t, c, app.IsolationDatabase, "beta")
	if second.Placement.Database < first.Placement.Database {
		first, second = second, first
	}
	provisionedIn(t, c, app.IsolationShared, "gamma")
	var seen []string
	if err := c.eachFile(ctx, func(name string, _ *conn) error {
		seen = append(seen, name)
		if name != first.Placement.Database {
			return nil
		}
		return c.Drop(ctx, second)
	}); err != nil {
		t.Fatal(err)
	}
	if want := []string{first.Placement.Database, shardName(0)}; !slices.Equal(seen, want) {
		t.Errorf("%v were seen, want %v", seen, want)
	}
}
