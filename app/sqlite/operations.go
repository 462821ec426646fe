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
	cluster, isolation, "database", collection, generation, "before", due_at, error, attempts, holder, held_until, created_at, updated_at, relocation, drain`

// stateOpen is true of the operations with something left to do.
const stateOpen = `state IN ('running', 'aborting', 'cancelling')`

func scanOperation(row scanner) (app.Operation, error) {
	var op app.Operation
	var change, relocation, drain *string
	var due, until *int64
	err := row.Scan(&op.ID, &op.Kind, &op.OrganizationID, &op.State, &op.Step, &change,
		&op.Placement.Cluster, &op.Placement.Isolation, &op.Placement.Database, &op.Placement.Collection,
		&op.Placement.Generation, &op.Before, &due, &op.Error, &op.Attempts, &op.Lease.Holder, &until,
		at{&op.CreatedAt}, at{&op.UpdatedAt}, &relocation, &drain)
	op.DueAt, op.Lease.Until = instant(due), instant(until)
	if err == nil && change != nil {
		op.Change = new(app.OrganizationChange)
		err = json.Unmarshal([]byte(*change), op.Change)
	}
	if err == nil && relocation != nil {
		op.Relocation = new(app.Relocation)
		err = json.Unmarshal([]byte(*relocation), op.Relocation)
	}
	if err == nil && drain != nil {
		op.Drain = new(app.Drain)
		err = json.Unmarshal([]byte(*drain), op.Drain)
	}
	return op, err
}

func readOperation(c *conn, id app.OperationID) (app.Operation, error) {
	return scanOperation(c.queryRow("SELECT "+operationColumns+" FROM operations WHERE id = ?", id))
}

// insertOperation records an operation. A second open one is a TakenError.
func insertOperation(c *conn, op app.Operation) error {
	change, err := jsonOf(op.Change)
	if err != nil {
		return err
	}
	relocation, err := jsonOf(op.Relocation)
	if err != nil {
		return err
	}
	drain, err := jsonOf(op.Drain)
	if err != nil {
		return err
	}
	_, err = c.exec(`INSERT INTO operations (`+operationColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		op.ID, op.Kind, op.OrganizationID, op.State, op.Step, change,
		op.Placement.Cluster, op.Placement.Isolation, op.Placement.Database, op.Placement.Collection,
		op.Placement.Generation, op.Before, millis(op.DueAt), op.Error, op.Attempts,
		op.Lease.Holder, millis(op.Lease.Until), op.CreatedAt.UnixMilli(), op.UpdatedAt.UnixMilli(), relocation, drain)
	if isTaken(err) {
		return app.Taken(app.ConflictOpenChange)
	}
	return err
}

// jsonOf is what a column with JSON gets: NULL for nil.
func jsonOf[T any](v *T) (any, error) {
	if v == nil {
		return nil, nil
	}
	raw, err := json.Marshal(v)
	return string(raw), err
}

// end closes an open operation; its change, which may have a password's hash,
// goes. It reports whether the operation was open.
func end(c *conn, id app.OperationID, state app.OperationState, reason string, t time.Time) (bool, error) {
	n, err := c.exec(`UPDATE operations SET state = ?, error = ?, change = NULL, holder = '', held_until = NULL, updated_at = ?
		WHERE id = ? AND `+stateOpen, state, reason, t.UnixMilli(), id)
	return n > 0, err
}

// undone closes an operation whose doings were undone, as failed or, where
// somebody gave it up, as cancelled. It reports whether it was open; one that
// was undone before is no error.
func undone(c *conn, id app.OperationID, reason string, t time.Time) (bool, error) {
	op, err := readOperation(c, id)
	if err != nil {
		return false, err
	}
	switch {
	case op.State.Open():
		return end(c, id, op.State.Undone(), reason, t)
	case op.State == app.OperationCompleted:
		return false, errEnded(op)
	}
	return false, nil
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
func (r *Registry) OpenOperations(ctx context.Context, due time.Time) ([]app.Operation, error) {
	return r.operations(ctx, "WHERE "+stateOpen+" AND (due_at IS NULL OR due_at <= ?) ORDER BY created_at, id", due.UnixMilli())
}

// ListOperations is as app.Journal says.
func (r *Registry) ListOperations(ctx context.Context, q app.OperationQuery) ([]app.Operation, error) {
	var where []string
	var args []any
	add := func(condition string, values ...any) {
		where, args = append(where, condition), append(args, values...)
	}
	if q.Organization != "" {
		add("organization_id = ?", q.Organization)
	}
	if q.Kind != "" {
		add("kind = ?", q.Kind)
	}
	if len(q.States) > 0 {
		values := make([]any, len(q.States))
		for i, s := range q.States {
			values[i] = s
		}
		add(oneOf("state", len(values)), values...)
	}
	if q.Before != "" {
		add("id < ?", q.Before)
	}
	return r.operations(ctx, conditions(where)+" ORDER BY id DESC LIMIT ?", append(args, q.Limit)...)
}

func (r *Registry) operations(ctx context.Context, which string, args ...any) ([]app.Operation, error) {
	var list []app.Operation
	err := r.d.read(ctx, func(c *conn) error {
		return c.query(func(row scanner) error {
			op, err := scanOperation(row)
			list = append(list, op)
			return err
		}, "SELECT "+operationColumns+" FROM operations "+which, args...)
	})
	return list, err
}

// AbortOperation is as app.Journal says. One that is being undone already
// keeps its first reason.
func (r *Registry) AbortOperation(ctx context.Context, id app.OperationID, to app.OperationState, reason string, t time.Time) error {
	if !to.Undoing() {
		return fmt.Errorf("abort to %q: %w", to, app.ErrInvalid)
	}
	return r.d.write(ctx, func(c *conn) error {
		op, err := readOperation(c, id)
		switch {
		case err != nil || op.State.Undoing():
			return err
		case !op.State.Open():
			return errEnded(op)
		case op.Relocation != nil && op.Relocation.Flips > 0:
			return fmt.Errorf("operation %s has switched: %w", op.ID, app.ErrConflict)
		}
		_, err = c.exec(`UPDATE operations SET state = ?, error = ?, updated_at = ? WHERE id = ?`, to, reason, t.UnixMilli(), id)
		return err
	})
}

// NoteOperation is as app.Journal says.
func (r *Registry) NoteOperation(ctx context.Context, id app.OperationID, step, reason string, t time.Time) error {
	return r.d.write(ctx, func(c *conn) error {
		_, err := c.exec(`UPDATE operations SET step = ?, error = CASE state WHEN 'running' THEN ? ELSE error END,
			attempts = attempts + 1, updated_at = ? WHERE id = ? AND `+stateOpen, step, reason, t.UnixMilli(), id)
		return err
	})
}

// ClaimOperation is as app.Journal says.
func (r *Registry) ClaimOperation(ctx context.Context, id app.OperationID, from, to app.Lease) error {
	return r.d.write(ctx, func(c *conn) error {
		n, err := c.exec(`UPDATE operations SET holder = ?, held_until = ?
			WHERE id = ? AND holder = ? AND held_until IS ? AND `+stateOpen, to.Holder, millis(to.Until), id, from.Holder, millis(from.Until))
		if err != nil || n > 0 {
			return err
		}
		if _, err := readOperation(c, id); err != nil {
			return err
		}
		return app.ErrStale
	})
}

// PruneOperations is as app.Journal says.
func (r *Registry) PruneOperations(ctx context.Context, before time.Time) (int, error) {
	return r.prune(ctx, `DELETE FROM operations WHERE state IN ('completed', 'failed', 'cancelled', 'reverted') AND updated_at < ?`, before)
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
