package sqlite

import (
	"context"
	"errors"
	"os"
	"testing"

	"tenantry/app"
)

// twoOf is a closed cluster of two organizations of the isolation, with a
// document each.
func twoOf(t *testing.T, isolation app.Isolation) (dir string, orgs [2]app.Namespace) {
	t.Helper()
	dir = t.TempDir()
	c := openTestCluster(t, dir, ClusterOptions{Shards: 1})
	for i, slug := range []string{"acme", "bolt"} {
		orgs[i] = provisionedIn(t, c, isolation, slug)
		d := testDocument("first")
		if i == 1 {
			d.Data = []byte(`{"text":"another one's"}`)
		}
		if err := c.InsertDocument(context.Background(), orgs[i], d); err != nil {
			t.Fatal(err)
		}
	}
	closeTestCluster(t, c)
	return dir, orgs
}

// What is wrong in a table that is shared is found like in any other, and a row
// that has become another's is not theirs.
func TestDamageInASharedTable(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for name, flip := range map[string]func(t *testing.T, path string, orgs [2]app.Namespace){
		"in its data": func(t *testing.T, path string, _ [2]app.Namespace) {
			replaceOnce(t, path, []byte("abcdefghijklmnop"), []byte("abcdefgxijklmnop"))
		},
		"its type": func(t *testing.T, path string, orgs [2]app.Namespace) {
			inFile(t, path, "UPDATE shared SET type = 'nute' WHERE org_id = '"+string(orgs[0].Organization)+"'")
		},
		"given to another": func(t *testing.T, path string, orgs [2]app.Namespace) {
			inFile(t, path, "UPDATE shared SET org_id = '"+string(orgs[1].Organization)+"', id = 'second' WHERE org_id = '"+string(orgs[0].Organization)+"'")
		},
		"exchanged": func(t *testing.T, path string, orgs [2]app.Namespace) {
			inFile(t, path, "UPDATE shared SET org_id = 'x' WHERE org_id = '"+string(orgs[0].Organization)+"';"+
				"UPDATE shared SET org_id = '"+string(orgs[0].Organization)+"' WHERE org_id = '"+string(orgs[1].Organization)+"';"+
				"UPDATE shared SET org_id = '"+string(orgs[1].Organization)+"' WHERE org_id = 'x'")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, orgs := twoOf(t, app.IsolationShared)
			path := dir + "/" + orgs[0].Placement.Database + ".db"
			flip(t, path, orgs)
			isSound(t, path)
			reader, id := orgs[0], app.DocumentID("first")
			if name == "given to another" {
				reader, id = orgs[1], "second"
			}
			for how, read := range map[string]func(c *Cluster) error{
				"Document": func(c *Cluster) error { _, err := c.Document(ctx, reader, id); return err },
				"ListDocuments": func(c *Cluster) error {
					_, err := c.ListDocuments(ctx, reader, app.DocumentQuery{Limit: 5})
					return err
				},
				"Scan": func(c *Cluster) error { _, err := c.Scan(ctx, reader, app.DocumentQuery{Limit: 5}); return err },
				"check": func(c *Cluster) error {
					s := c.hold(reader.Placement.Database)
					defer c.release(s)
					if err := c.open(ctx, s, existing); err != nil {
						return err
					}
					if err := s.db.check(ctx); err != nil {
						return err
					}
					return s.db.health(ctx)
				},
			} {
				if err := os.Remove(path + damageSuffix); err != nil && !errors.Is(err, os.ErrNotExist) {
					t.Fatal(err)
				}
				c := openTestCluster(t, dir, ClusterOptions{Shards: 1})
				err := read(c)
				t.Log(how)
				isDamaged(t, err)
				isDamaged(t, c.Health(ctx))
				isDamaged(t, c.InsertDocument(ctx, orgs[0], testDocument("new")))
				isDamaged(t, c.SetPhase(ctx, orgs[0], app.PhaseRecording))
				isDamaged(t, c.Import(ctx, orgs[0], []app.Document{testDocument("new")}, nil))
				closeTestCluster(t, c)
			}
		})
	}
}

// A file of one organization that is damaged is away for that one alone, and
// stays known to be, whoever else comes and goes.
func TestDamageInAFileOfOneOrganization(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for name, harm := range map[string]func(t *testing.T, path string){
		"a flipped bit": func(t *testing.T, path string) {
			replaceOnce(t, path, []byte("abcdefghijklmnop"), []byte("abcdefgxijklmnop"))
		},
		"a damaged header": func(t *testing.T, path string) { scribble(t, path, 0, []byte("garbage garbage!")) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, orgs := twoOf(t, app.IsolationDatabase)
			path := dir + "/" + orgs[0].Placement.Database + ".db"
			restore := keep(t, path)
			harm(t, path)
			c := openTestCluster(t, dir, ClusterOptions{OpenFiles: 1})
			_, err := c.Document(ctx, orgs[0], "first")
			isDamaged(t, err)
			for _, id := range []app.DocumentID{"a", "b"} {
				works(t, c, orgs[1], id)
				works(t, c, provisionedIn(t, c, app.IsolationDatabase, "next"), id)
				isDamaged(t, c.Health(ctx))
			}
			isDamaged(t, c.InsertDocument(ctx, orgs[0], testDocument("new")))
			closeTestCluster(t, c)
			c = openTestCluster(t, dir, ClusterOptions{OpenFiles: 1})
			waitUntil(t, func() bool { return c.Health(ctx) != nil }) // though nobody has used it yet
			isDamaged(t, c.Health(ctx))
			works(t, c, orgs[1], "c")
			isDamaged(t, c.Health(ctx))
			closeTestCluster(t, c)
			restore()
			c = openTestCluster(t, dir, ClusterOptions{OpenFiles: 1})
			waitUntil(t, func() bool {
				_, err := os.Stat(path + damageSuffix)
				return errors.Is(err, os.ErrNotExist) && c.Health(ctx) == nil
			})
			works(t, c, orgs[0], "d")
		})
	}
}
