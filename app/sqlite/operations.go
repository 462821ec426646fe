package sqlite

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"tenantry/app"
)

const operationColumns = `id, kind, organization_id, state, step, change,
	cluster, isolation, "database", collection, generation, error, attempts, created_at, updated_at`

func scanOperation(row scanner) (app.Operation, error) {
	var op app.Operation
	var change *string
	err := row.Scan(&op.ID, &op.Kind, &op.OrganizationID, &op.State, &op.Step, &change,
		&op.Placement.Cluster, &op.Placement.Isolation, &op.Placement.Database, &op.Placement.Collection,
		&op.Placement.Generation, &op.Error, &op.Attempts, at{&op.CreatedAt}, at{&op.UpdatedAt})
	if err == nil && change != nil {
		op.Change = new(app.OrganizationChange)
		err = json.Unmarshal([]byte(*change), op.Change)
	}
	return op, err
}

func readOperation(c *conn, id app.OperationID) (app.Operation, error) {
	return scanOperation(c.queryRow("SELECT "+operationColumns+" FROM operations WHERE id = ?", id))
}

// insertOperation records an operation. A second open one is a TakenError.
func insertOperation(c *conn, op app.Operation) error {
	var change any
	if op.Change != nil {
		raw, err := json.Marshal(op.Change)
		if err != nil {
			return err
		}
		change = string(raw)
	}
	_, err := c.exec(`INSERT INTO operations (`+operationColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		op.ID, op.Kind, op.OrganizationID, op.State, op.Step, change,
		op.Placement.Cluster, op.Placement.Isolation, op.Placement.Database, op.Placement.Collection,
		op.Placement.Generation, op.Error, op.Attempts, op.CreatedAt.UnixMilli(), op.UpdatedAt.UnixMilli())
	if isTaken(err) {
		return app.Taken(app.ConflictOpenChange)
	}
	return err
}

// end closes an open operation; its change, which may have a password's hash,
// goes. It reports whether the operation was open.
func end(c *conn, id app.OperationID, state app.OperationState, reason string, t time.Time) (bool, error) {
	n, err := c.exec(`UPDATE operations SET state = ?, error = ?, change = NULL, updated_at = ?
		WHERE id = ? AND state IN ('running', 'aborting')`, state, reason, t.UnixMilli(), id)
	return n > 0, err
}

// errEnded says that an operation had ended before, and how.
func errEnded(op app.Operation) error {
	return fmt.Errorf("operation %s is %s: %w", op.ID, op.State, app.ErrConflict)
}

// Operation is as app.Journal says.
func (r *Registry) Operation(ctx context.Context, id app.OperationID) (op app.Operation, err error) {
	err = r.d.read(ctx, func(c *conn) error {
		op, err = readOperation(c, id)
		return err
	})
	return op, err
}

// OpenOperations is as app.Journal says.
func (r *Registry) OpenOperations(ctx context.Context) ([]app.Operation, error) {
	var list []app.Operation
	err := r.d.read(ctx, func(c *conn) error {
		return c.query(func(row scanner) error {
			op, err := scanOperation(row)
			list = append(list, op)
			return err
		}, "SELECT "+operationColumns+" FROM operations WHERE state IN ('running', 'aborting') ORDER BY created_at, id")
	})
	return list, err
}

// AbortOperation is as app.Journal says. One that is aborting already keeps
// its first reason.
func (r *Registry) AbortOperation(ctx context.Context, id app.OperationID, reason string, t time.Time) error {
	return r.d.write(ctx, func(c *conn) error {
		n, err := c.exec(`UPDATE operations SET state = 'aborting', error = ?, updated_at = ?
			WHERE id = ? AND state = 'running'`, reason, t.UnixMilli(), id)
		if err != nil || n > 0 {
			return err
		}
		op, err := readOperation(c, id)
		if err != nil {
			return err
		}
		if op.State != app.OperationAborting {
			return errEnded(op)
		}
		return nil
	})
}

// PruneOperations is as app.Journal says.
func (r *Registry) PruneOperations(ctx context.Context, before time.Time) (int, error) {
	return r.prune(ctx, `DELETE FROM operations WHERE state IN ('completed', 'failed') AND updated_at < ?`, before)
}

// prune runs a DELETE of what is older than a time.
func (r *Registry) prune(ctx context.Context, statement string, before time.Time) (int, error) {
	var n int64
	err := r.d.write(ctx, func(c *conn) (err error) {
		n, err = c.exec(statement, before.UnixMilli())
		return err
	})
	return int(n), err
}

// notFound reports that a row is missing, before or after translation.
func notFound(err error) bool {
	return errors.Is(translate(err, ""), app.ErrNotFound)
}
