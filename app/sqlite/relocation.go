package sqlite

import (
	"context"
	"fmt"
	"time"

	"tenantry/app"
)

// BeginRelocation is as app.Relocations says.
func (r *Registry) BeginRelocation(ctx context.Context, op app.Operation) error {
	if op.Relocation == nil {
		return fmt.Errorf("relocation without a target: %w", app.ErrInvalid)
	}
	return r.change(ctx, func(c *conn) error {
		o, err := present(c, op.OrganizationID, app.AnyRevision)
		if err != nil {
			return err
		}
		if err := insertOperation(c, op); err != nil {
			return err
		}
		return placedAs(o, op)
	})
}

// placedAs refuses an operation that was made from another placement than the
// organization has: what it drops or renames would be the wrong one.
func placedAs(o app.Organization, op app.Operation) error {
	if o.Placement != op.Placement {
		return app.ErrStale
	}
	return nil
}

// NoteRelocation is as app.Relocations says.
func (r *Registry) NoteRelocation(ctx context.Context, op app.Operation, from int64, t time.Time) (now app.Operation, err error) {
	err = r.d.write(ctx, func(c *conn) error {
		recorded, err := readOperation(c, op.ID)
		if err != nil {
			return err
		}
		if !recorded.State.Open() || recorded.Relocation == nil || recorded.Relocation.Generation != from ||
			recorded.Relocation.Flips != op.Relocation.Flips {
			return app.ErrStale
		}
		reason := op.Error
		if recorded.State.Undoing() {
			reason = recorded.Error // why it is being undone
		}
		if err := noteRelocation(c, op, reason, t); err != nil {
			return err
		}
		now, err = readOperation(c, op.ID)
		return err
	})
	return now, err
}

func noteRelocation(c *conn, op app.Operation, reason string, t time.Time) error {
	relocation, err := jsonOf(op.Relocation)
	if err != nil {
		return err
	}
	_, err = c.exec(`UPDATE operations SET relocation = ?, step = ?, error = ?, attempts = ?, due_at = ?, updated_at = ? WHERE id = ?`,
		relocation, op.Step, reason, op.Attempts, millis(op.DueAt), t.UnixMilli(), op.ID)
	return err
}

// FlipRelocation is as app.Relocations says.
func (r *Registry) FlipRelocation(ctx context.Context, op app.Operation, t time.Time) (o app.Organization, err error) {
	err = r.change(ctx, func(c *conn) error {
		recorded, err := readOperation(c, op.ID)
		switch {
		case err != nil:
			return err
		case recorded.State != app.OperationRunning:
			return errEnded(recorded)
		case recorded.Relocation == nil, recorded.Relocation.Generation != op.Relocation.Generation,
			recorded.Relocation.Flips+1 != op.Relocation.Flips:
			return app.ErrStale
		}
		if o, err = readOrganization(c, op.OrganizationID); err != nil {
			return err
		}
		o.Placement = op.Relocation.Place()
		o.Revision++
		o.UpdatedAt = app.Later(t, o.UpdatedAt)
		if err := place(c, o); err != nil {
			return err
		}
		return noteRelocation(c, op, op.Error, t)
	}, app.Invalidation{Organization: op.OrganizationID})
	return o, err
}

// place writes where an organization is, and its revision.
func place(c *conn, o app.Organization) error {
	p := o.Placement
	_, err := c.exec(`UPDATE organizations SET cluster = ?, isolation = ?, "database" = ?, collection = ?, generation = ?,
		revision = ?, updated_at = ? WHERE id = ?`,
		p.Cluster, p.Isolation, p.Database, p.Collection, p.Generation, o.Revision, o.UpdatedAt.UnixMilli(), o.ID)
	if isTaken(err) {
		return app.Taken(app.ConflictCollection)
	}
	return err
}

// EndRelocation is as app.Relocations says.
func (r *Registry) EndRelocation(ctx context.Context, op app.Operation, state app.OperationState, reason string, t time.Time) error {
	return r.change(ctx, func(c *conn) error {
		recorded, err := readOperation(c, op.ID)
		switch {
		case err != nil:
			return err
		case recorded.State == state:
			return nil
		case !recorded.State.Open():
			return errEnded(recorded)
		case recorded.Relocation == nil, recorded.Relocation.Generation != op.Relocation.Generation,
			recorded.Relocation.Flips != op.Relocation.Flips:
			return app.ErrStale
		}
		if err := noteRelocation(c, op, reason, t); err != nil {
			return err
		}
		if _, err := end(c, op.ID, state, reason, t); err != nil {
			return err
		}
		_, err = c.exec(`UPDATE organizations SET generation = ? WHERE id = ?`, op.Relocation.Generation, op.OrganizationID)
		return err
	}, app.Invalidation{Organization: op.OrganizationID})
}
