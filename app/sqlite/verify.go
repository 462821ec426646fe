package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"tenantry/app"
)

// verifyDocuments reads every document of a shard and compares its checksum:
// SQLite's own checks see the structure of a file and not what is in it.
func verifyDocuments(ctx context.Context, tx *sql.Tx) error {
	all, err := tablesOf(ctx, tx)
	if err != nil {
		return err
	}
	for org, name := range all {
		if err := verifyTable(ctx, tx, org, name); err != nil {
			return err
		}
	}
	return verifyShared(ctx, tx)
}

func tablesOf(ctx context.Context, tx *sql.Tx) (map[app.OrganizationID]collection, error) {
	rows, err := tx.QueryContext(ctx, `SELECT organization_id, collection FROM namespaces WHERE isolation <> 'shared'`)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	all := map[app.OrganizationID]collection{}
	for rows.Next() {
		var org app.OrganizationID
		var name string
		if err := rows.Scan(&org, &name); err != nil {
			return nil, unreadable(err)
		}
		if all[org], err = parseCollection(name); err != nil {
			return nil, fmt.Errorf("the name %q of a table: %w", name, errChecksum)
		}
	}
	return all, rows.Err()
}

func verifyTable(ctx context.Context, tx *sql.Tx, org app.OrganizationID, name collection) error {
	rows, err := tx.QueryContext(ctx, `SELECT `+documentColumns+` FROM `+name.sql()) //nolint:gosec // a checked name, see collection
	if isStatementError(err) {
		return fmt.Errorf("the table %s is not there: %w", name, errors.Join(errChecksum, err))
	}
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if _, err := scanDocument(org, rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// verifyShared reads the documents of all that share a table. The checksum of
// each says whose it is.
func verifyShared(ctx context.Context, tx *sql.Tx) error {
	rows, err := tx.QueryContext(ctx, `SELECT org_id, `+documentColumns+` FROM shared`)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		row := sharedRow{scanner: rows}
		d, sum, err := scanColumns(&row)
		if err == nil {
			err = checkSum(row.org, &d, sum)
		}
		if err != nil {
			return err
		}
	}
	return rows.Err()
}

// sharedRow is a row that begins with whose it is.
type sharedRow struct {
	scanner
	org app.OrganizationID
}

func (r *sharedRow) Scan(into ...any) error {
	return r.scanner.Scan(append([]any{&r.org}, into...)...)
}
