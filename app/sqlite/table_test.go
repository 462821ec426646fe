package sqlite

import (
	"context"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"tenantry/app"
)

// statementsOf are all that a table makes, by the name of the method.
func statementsOf(t table) map[string]string { return statementsIn(t, whileReadable) }

func statementsIn(t table, phases string) map[string]string {
	return map[string]string{
		"get": t.get(phases), "list": t.list(phases, false), "list by type": t.list(phases, true),
		"insert": t.insert(phases), "put": t.put(phases, 1), "put many": t.put(phases, putAtOnce), "update": t.update(phases),
		"revision": t.revision(phases), "remove": t.remove(phases), "removeSome": t.removeSome(phases),
		"measure": t.measure(phases),
	}
}

// Every statement on documents says whose they are, and is answered by way of
// that: none reads through what others have in the same table.
func TestEveryStatementOnDocumentsSaysWhose(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	c := openTestCluster(t, t.TempDir(), ClusterOptions{Shards: 1})
	provisionedIn(t, c, app.IsolationShared, "shared")
	own := provisionedIn(t, c, app.IsolationCollection, "own")
	for _, of := range []table{sharedTable, {app.IsolationCollection, collection(own.Placement.Collection)}} {
		for name, statement := range statementsOf(of) {
			if !strings.Contains(statement, "organization_id = ?1") {
				t.Errorf("%s of %s is not bound to an organization: %s", name, of.name, statement)
			}
			isInsert := strings.HasPrefix(statement, "INSERT")
			if of.isShared() && !isInsert && !strings.Contains(statement, "WHERE org_id = ?1 AND ") {
				t.Errorf("%s of %s may reach any row: %s", name, of.name, statement)
			}
			if of.isShared() && isInsert && !strings.Contains(statement, "(org_id, id, type, revision, created, updated, crc, data) SELECT ?1, ?2, ") &&
				!strings.Contains(statement, "(org_id, id, type, revision, created, updated, crc, data) SELECT ?1, * FROM (VALUES (?2, ") {
				t.Errorf("%s of %s may make anybody's row: %s", name, of.name, statement)
			}
			for _, step := range plan(ctx, t, c, own.Placement.Database, statement) {
				if strings.HasPrefix(step, "SCAN shared") || strings.HasPrefix(step, "SCAN namespaces") || strings.HasPrefix(step, "SCAN changes") {
					t.Errorf("%s of %s reads through all: %s", name, of.name, step)
				}
				if strings.HasPrefix(step, "SEARCH shared") && !strings.Contains(step, "org_id=?") && !strings.Contains(step, "rowid=?") {
					t.Errorf("%s of %s: %s", name, of.name, step)
				}
				if strings.Contains(step, "TEMP B-TREE") {
					t.Errorf("%s of %s sorts: %s", name, of.name, step)
				}
			}
		}
	}
}

func plan(ctx context.Context, t *testing.T, c *Cluster, database, statement string) (steps []string) {
	t.Helper()
	err := c.useFile(ctx, database, existing, func(s *shard) error {
		return s.write(ctx, func(c *conn) error {
			numbered, highest := regexp.MustCompile(`\?(\d+)`), 0
			for _, n := range numbered.FindAllStringSubmatch(statement, -1) {
				is, _ := strconv.Atoi(n[1])
				highest = max(highest, is)
			}
			args := make([]any, highest+strings.Count(numbered.ReplaceAllString(statement, ""), "?"))
			for i := range args {
				args[i] = ""
			}
			return c.query(func(row scanner) error {
				var id, parent, unused int
				var step string
				err := row.Scan(&id, &parent, &unused, &step)
				steps = append(steps, step)
				return err
			}, "EXPLAIN QUERY PLAN "+statement, args...)
		})
	})
	if err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	if len(steps) == 0 {
		t.Fatalf("%s: there is no plan", statement)
	}
	return steps
}

// The test above looks at all that a table makes, and nothing else in the
// package speaks of the rows that are shared.
func TestStatementsOnDocumentsAreMadeInOnePlace(t *testing.T) {
	t.Parallel()
	file, err := parser.ParseFile(token.NewFileSet(), "table.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	// These are parts of statements.
	tested := map[string]bool{"owned": true, "rows": true, "into": true, "columns": true}
	for name := range statementsOf(sharedTable) {
		tested[name] = true
	}
	for _, d := range file.Decls {
		f, is := d.(*ast.FuncDecl)
		if !is || f.Recv == nil || f.Type.Results == nil {
			continue
		}
		if result, is := f.Type.Results.List[0].Type.(*ast.Ident); is && result.Name == "string" && !tested[f.Name.Name] {
			t.Errorf("the statement of table.%s is not tested", f.Name.Name)
		}
	}
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		name := e.Name()
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") || name == "table.go" || name == "verify.go" {
			continue // verify.go reads every row for the check of a file
		}
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, words := range []string{"FROM shared", "INTO shared", "UPDATE shared", "org_id =", "org_id="} {
			if strings.Contains(string(raw), words) {
				t.Errorf("%s has %q", name, words)
			}
		}
	}
}
