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
	return nil
}

func tablesOf(ctx context.Context, tx *sql.Tx) (map[app.OrganizationID]collection, error) {
	rows, err := tx.QueryContext(ctx, `SELECT organization_id, collection FROM namespaces`)
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
