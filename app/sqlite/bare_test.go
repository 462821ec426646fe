package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"tenantry/app"
)

// watched is a cluster whose statements a test looks at, and whose files it
// reads past the program.
type watched struct{ *Cluster }

// openWatchedCluster opens a cluster of one shard, so that the organizations of
// a test meet in one file. In the end all statements that were prepared there
// are looked at.
func openWatchedCluster(t *testing.T) watched {
	t.Helper()
	c := openTestCluster(t, t.TempDir(), ClusterOptions{Shards: 1})
	c.databases.statements = 1 << 20 // none is forgotten
	t.Cleanup(func() {
		for _, statement := range preparedIn(t, c) {
			if err := saysWhose(statement); err != nil {
				t.Errorf("%v: %s", err, statement)
			}
		}
	})
	return watched{c}
}

// preparedIn are the statements that the connections to all open files have
// prepared.
func preparedIn(t *testing.T, c *Cluster) (all []string) {
	t.Helper()
	c.mu.Lock()
	open := make([]*shard, 0, len(c.shards))
	for _, s := range c.shards {
		open = append(open, s)
	}
	c.mu.Unlock()
	note := func(c *conn) {
		for statement := range c.stmts {
			all = append(all, statement)
		}
	}
	for _, s := range open {
		s.mu.RLock()
		if s.db != nil {
			if err := s.db.write(context.Background(), func(c *conn) error { note(c); return nil }); err != nil {
				t.Errorf("look at the statements of %s: %v", s.name, err)
			}
			for range len(s.db.reads.idle) {
				e := <-s.db.reads.idle
				note(e.c)
				s.db.reads.keep(e)
			}
		}
		s.mu.RUnlock()
	}
	return all
}

// saysWhose says what is wrong with a statement that reads or writes documents,
// or what was noted of them: it has the organization's id in its condition, and
// nowhere another.
func saysWhose(statement string) error {
	words := strings.Fields(statement)
	speaksOf := func(table string) bool {
		for i, word := range words[:max(0, len(words)-1)] {
			switch word {
			case "FROM", "INTO", "UPDATE", "JOIN":
				if strings.Trim(words[i+1], `"()`) == table {
					return true
				}
			}
		}
		return false
	}
	switch {
	case speaksOf("shared"):
		made := map[string]bool{}
		for _, phases := range []string{whileOpen, whileWritable, whileReadable, whileThere, whileClosed, whileDropping} {
			for _, one := range statementsIn(sharedTable, phases) {
				made[one] = true
			}
		}
		if !made[statement] {
			return errors.New("not one of those that say whose documents they are about")
		}
	case speaksOf("changes"):
		if !strings.Contains(statement, "(organization_id, isolation, id) VALUES (?, ?, ?)") &&
			!strings.Contains(statement, "FROM changes WHERE organization_id = ? AND isolation = ?") {
			return errors.New("does not say whose changes")
		}
	}
	return nil
}

// The look at statements sees those that would reach others' rows.
func TestWhatDoesNotSayWhoseIsSeen(t *testing.T) {
	t.Parallel()
	for _, statement := range []string{
		`SELECT data FROM shared WHERE id = ?2`, `SELECT data FROM "shared" WHERE id = ?2`, `DELETE FROM shared`, `DELETE FROM "shared" WHERE id = ?2`,
		`UPDATE "shared" SET data = ?1 WHERE id = ?2`, `INSERT INTO "shared" (org_id, id) VALUES (?1, ?2)`, `SELECT * FROM namespaces JOIN shared ON 1`,
		`SELECT * FROM (SELECT * FROM "shared")`, `SELECT id FROM changes WHERE id = ?`, `DELETE FROM changes`, `DELETE FROM changes WHERE mark = ?`,
		strings.Replace(sharedTable.get(whileOpen), "org_id = ?1 AND ", "", 1),
	} {
		if saysWhose(statement) == nil {
			t.Errorf("let pass: %s", statement)
		}
	}
	c := openWatchedCluster(t)
	ns := provisionedIn(t, c.Cluster, app.IsolationShared, "acme")
	if err := c.InsertDocument(t.Context(), ns, testDocument("first")); err != nil {
		t.Fatal(err)
	}
	for range 9 { // past those reads that go through the writer
		if _, err := c.Document(t.Context(), ns, "first"); err != nil {
			t.Fatal(err)
		}
	}
	var seen []string
	for _, statement := range preparedIn(t, c.Cluster) {
		if strings.Contains(statement, `"shared"`) {
			seen = append(seen, statement)
		}
	}
	if len(seen) < 2 {
		t.Errorf("of an insertion and a read it saw %q", seen)
	}
}

// BareDocuments reads rows by a connection of its own. See storagetest.Bare.
func (w watched) BareDocuments(ns app.Namespace) (map[app.OrganizationID]map[app.DocumentID]string, error) {
	db, err := sql.Open("sqlite", dsn(filepath.Join(w.dir, ns.Placement.Database+".db"), true, readerCacheKiB))
	if err != nil {
		return nil, err
	}
	defer func() { _ = db.Close() }()
	query := `SELECT org_id, id, data FROM shared`
	if ns.Placement.Isolation != app.IsolationShared {
		query = fmt.Sprintf(`SELECT (SELECT organization_id FROM namespaces WHERE collection = '%[1]s'), id, data FROM "%[1]s"`, ns.Placement.Collection)
	}
	all := map[app.OrganizationID]map[app.DocumentID]string{}
	rows, err := db.Query(query)
	if isStatementError(err) || faultOf(err) == faultIO { // no such table, or no such file
		return all, nil
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var org app.OrganizationID
		var id app.DocumentID
		var data string
		if err := rows.Scan(&org, &id, &data); err != nil {
			return nil, err
		}
		if all[org] == nil {
			all[org] = map[app.DocumentID]string{}
		}
		all[org][id] = data
	}
	return all, rows.Err()
}
