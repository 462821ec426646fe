package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/google/uuid"
	"golang.org/x/crypto/bcrypt"
)

// templateName is the only organization there is when its rows are copied.
const templateName = "template"

// templateRow is a row that an organization leaves behind. Its ids and names
// are other ones each time that it is inserted.
type templateRow struct {
	Table  string
	Values []any // text, whole numbers and nil
}

// signIns are tables whose rows no creation makes, though they name its user.
var signIns = []string{"sessions"}

// copyTemplate makes one database with the tables of a registry and of a shard,
// and writes down the rows that one organization has left in them.
func copyTemplate(ctx context.Context, from, to string) (err error) {
	shards, err := filepath.Glob(filepath.Join(from, "clusters", "default", "shard-*.db"))
	if err != nil || len(shards) != 1 {
		return fmt.Errorf("%d shards where one organization is: %w", len(shards), err)
	}
	if err := os.MkdirAll(to, 0o750); err != nil {
		return err
	}
	db, c, err := openBare(ctx, filepath.Join(to, "bare.db"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	var rows []templateRow
	for path, wanted := range map[string]func(table string) bool{
		filepath.Join(from, "registry.db"): func(table string) bool { return !slices.Contains(signIns, table) },
		shards[0]:                          func(table string) bool { return table == "namespaces" },
	} {
		found, err := copyTables(ctx, c, path, wanted)
		if err != nil {
			return fmt.Errorf("%s: %w", filepath.Base(path), err)
		}
		rows = append(rows, found...)
	}
	raw, err := json.Marshal(ofOrganization(rows))
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(to, "rows.json"), raw, 0o600)
}

// ofOrganization are the rows that name the one organization or its owner.
func ofOrganization(rows []templateRow) []templateRow {
	var ids []any
	for _, r := range rows {
		if r.Table == "memberships" {
			ids = append(ids, r.Values[0], r.Values[1])
		}
	}
	return slices.DeleteFunc(rows, func(r templateRow) bool {
		return !slices.ContainsFunc(r.Values, func(v any) bool { return slices.Contains(ids, v) })
	})
}

// copyTables makes the wanted tables of another database, with their indexes,
// and gives their rows.
func copyTables(ctx context.Context, c *sql.Conn, from string, wanted func(string) bool) (all []templateRow, err error) {
	source, err := sql.Open("sqlite", "file:"+filepath.ToSlash(from)+"?mode=ro")
	if err != nil {
		return nil, err
	}
	defer func() { _ = source.Close() }()
	schema, err := readRows(ctx, source, `SELECT tbl_name, type, sql FROM sqlite_schema WHERE sql NOT NULL ORDER BY type DESC`)
	if err != nil {
		return nil, err
	}
	for _, item := range schema {
		table, _ := item[0].(string)
		statement, _ := item[2].(string)
		if !wanted(table) {
			continue
		}
		if _, err := c.ExecContext(ctx, statement); err != nil {
			return nil, err
		}
		if item[1] != "table" {
			continue
		}
		rows, err := readRows(ctx, source, `SELECT * FROM "`+table+`"`)
		if err != nil {
			return nil, err
		}
		for _, values := range rows {
			all = append(all, templateRow{table, values})
		}
	}
	return all, nil
}

func readRows(ctx context.Context, db *sql.DB, query string) (all [][]any, err error) {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	for rows.Next() {
		values, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			return nil, err
		}
		all = append(all, values)
	}
	return all, rows.Err()
}

var uuidText = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)

// insertEach inserts the rows of one more organization, and of another, each
// in one transaction, and does nothing else but hash the owner's password,
// which is in one of the rows and costs both sides the same.
func insertEach(ctx context.Context, folder string) error {
	raw, err := os.ReadFile(filepath.Join(folder, "rows.json")) //nolint:gosec // in our own folder
	if err != nil {
		return err
	}
	var rows []templateRow
	d := json.NewDecoder(strings.NewReader(string(raw)))
	d.UseNumber()
	if err := d.Decode(&rows); err != nil {
		return err
	}
	db, c, err := openBare(ctx, filepath.Join(folder, "bare.db"))
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	statements := make([]*sql.Stmt, len(rows))
	for i, r := range rows {
		marks := strings.TrimSuffix(strings.Repeat("?,", len(r.Values)), ",")
		if statements[i], err = c.PrepareContext(ctx, `INSERT INTO "`+r.Table+`" VALUES (`+marks+`)`); err != nil { //nolint:gosec,sqlclosecheck // our own names; in use to the end of the process
			return err
		}
	}
	ids := slices.Compact(slices.Sorted(slices.Values(uuidText.FindAllString(string(raw), -1))))
	return repeat(func() error {
		replace := []string{templateName, uuid.NewString()}
		for _, id := range ids {
			replace = append(replace, id, uuid.Must(uuid.NewV7()).String())
		}
		if _, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost); err != nil {
			return err
		}
		return insertOne(ctx, c, rows, statements, strings.NewReplacer(replace...))
	})
}

func insertOne(ctx context.Context, c *sql.Conn, rows []templateRow, statements []*sql.Stmt, names *strings.Replacer) error {
	if _, err := c.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	for i, r := range rows {
		values := make([]any, len(r.Values))
		for j, v := range r.Values {
			switch v := v.(type) {
			case string:
				values[j] = names.Replace(v)
			case json.Number:
				n, err := v.Int64()
				if err != nil {
					return err
				}
				values[j] = n
			}
		}
		if _, err := statements[i].ExecContext(ctx, values...); err != nil {
			return fmt.Errorf("a row of %s: %w", r.Table, err)
		}
	}
	_, err := c.ExecContext(ctx, "COMMIT")
	return err
}
