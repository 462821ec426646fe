package tenancy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"tenantry/app"
	"tenantry/app/journal"
)

// OperationView is an operation with the steps that its kind has. Its Error,
// which speaks of files and servers, is there for operators alone.
type OperationView struct {
	app.Operation
	// Done counts the steps that are known to be done, of Total. Of a relocation
	// they are documents, each counted when it is copied and when it is compared; of
	// a drain organizations.
	Done, Total int
	// Rate is how many documents a second a relocation moves now, or organizations a
	// drain, and Estimate how long it will take at that; 0: that cannot be said.
	Rate     float64
	Estimate time.Duration
}

// OperationsInput selects operations. Empty fields select all.
type OperationsInput struct {
	Organization string // id or slug
	Kind         string
	State        string // running, completed, failed, cancelled or reverted
	Cursor       string // a page's NextCursor
	Limit        int    // 0: DefaultLimit
}

// OperationPage is a part of a list, the newest first.
type OperationPage struct {
	Items      []OperationView
	NextCursor string
}

// Operations gives operators all operations, and owners and admins those of
// the organization that they are signed in to, or of the one they name.
func (s *Service) Operations(ctx context.Context, actor app.Actor, in OperationsInput) (OperationPage, error) {
	q, err := in.query()
	if err != nil {
		return OperationPage{}, err
	}
	ref := in.Organization
	if ref == "" && !actor.Operator() {
		ref = string(actor.OrganizationID)
	}
	if ref != "" || !actor.Operator() {
		org, err := s.Resolve(ctx, actor, ref, app.ReadOperations)
		if err != nil {
			return OperationPage{}, err
		}
		q.Organization = org.ID
	}
	limit := q.Limit
	q.Limit++ // one more tells whether there is a next page
	list, err := s.registry.ListOperations(ctx, q)
	if err != nil {
		return OperationPage{}, fmt.Errorf("list operations: %w", err)
	}
	var page OperationPage
	if len(list) > limit {
		list = list[:limit]
		page.NextCursor = string(list[limit-1].ID)
	}
	page.Items = make([]OperationView, len(list))
	for i, op := range list {
		page.Items[i] = s.viewOperation(actor, op)
	}
	return page, nil
}

func (in OperationsInput) query() (app.OperationQuery, error) {
	var fields app.FieldErrors
	invalid := func(location, message string) {
		fields = append(fields, app.FieldError{Location: location, Code: "invalid_" + location, Message: message})
	}
	q := app.OperationQuery{Kind: app.OperationKind(in.Kind), Before: app.OperationID(in.Cursor), Limit: in.Limit}
	if in.Limit == 0 {
		q.Limit = DefaultLimit
	}
	if q.Limit < 1 || q.Limit > MaxLimit {
		invalid("limit", fmt.Sprintf("A limit is 1 to %d.", MaxLimit))
	}
	if in.Cursor != "" && !app.IsID(in.Cursor) {
		invalid("cursor", "This cursor is not one of this list. Begin again without it.")
	}
	kinds := []app.OperationKind{"", app.OperationCreate, app.OperationRename, app.OperationRelocate, app.OperationDelete, app.OperationDrain}
	if !slices.Contains(kinds, q.Kind) {
		invalid("kind", `A kind is "create", "rename", "relocate", "delete" or "drain".`)
	}
	switch state := app.OperationState(in.State); state {
	case "":
	case app.OperationRunning:
		q.States = app.OpenStates()
	case app.OperationCompleted, app.OperationFailed, app.OperationCancelled, app.OperationReverted:
		q.States = []app.OperationState{state}
	default:
		invalid("state", `A state is "running", "completed", "failed", "cancelled" or "reverted".`)
	}
	return q, orNil(fields)
}

// Operation gives one to operators, and to owners and admins of its
// organization.
func (s *Service) Operation(ctx context.Context, actor app.Actor, id string) (OperationView, error) {
	op, err := s.findOperation(ctx, actor, id)
	if err != nil {
		return OperationView{}, err
	}
	return s.viewOperation(actor, op), nil
}

func (s *Service) findOperation(ctx context.Context, actor app.Actor, id string) (app.Operation, error) {
	if actor.Kind == app.Anonymous {
		_, err := s.Resolve(ctx, actor, "", app.ReadOperations)
		return app.Operation{}, err
	}
	if !app.IsID(id) {
		return app.Operation{}, errNoOperation()
	}
	op, err := s.registry.Operation(ctx, app.OperationID(id))
	if errors.Is(err, app.ErrNotFound) {
		return app.Operation{}, errNoOperation()
	}
	if err != nil || actor.Operator() {
		return op, err
	}
	_, err = s.Resolve(ctx, actor, string(op.OrganizationID), app.ReadOperations)
	if errors.Is(err, app.ErrNotFound) {
		err = errNoOperation()
	}
	return op, err
}

// RetryOperation goes on with an open operation now instead of when the
// reconciler comes by. That it is refused again is no error: the operation
// says so. For operators.
func (s *Service) RetryOperation(ctx context.Context, actor app.Actor, id string) (OperationView, error) {
	if err := operatorOnly(actor); err != nil {
		return OperationView{}, err
	}
	op, err := s.findOperation(ctx, actor, id)
	if err != nil {
		return OperationView{}, err
	}
	if !op.State.Open() {
		return OperationView{}, errOperationEnded()
	}
	if _, err := s.runner.Resume(context.WithoutCancel(ctx), op.ID); err != nil {
		s.log.Warn("an operation was tried again and refused", "operation_id", op.ID, "error", err)
	}
	return s.Operation(ctx, actor, id)
}

// CancelOperation gives an open operation up and undoes what it did; for a
// deletion within its retention that is Restore. For operators.
func (s *Service) CancelOperation(ctx context.Context, actor app.Actor, id string) (OperationView, error) {
	if err := operatorOnly(actor); err != nil {
		return OperationView{}, err
	}
	op, err := s.findOperation(ctx, actor, id)
	if err != nil {
		return OperationView{}, err
	}
	if !op.State.Open() {
		return OperationView{}, errOperationEnded()
	}
	switch op.Kind {
	case app.OperationDelete:
		_, err = s.registry.RestoreOrganization(ctx, op, s.clock())
	case app.OperationRelocate, app.OperationDrain:
		if err := s.cancelDriven(ctx, op); err != nil {
			return OperationView{}, fmt.Errorf("cancel operation: %w", err)
		}
	default:
		err = s.runner.Cancel(ctx, op.ID, "cancelled by an operator")
	}
	var pending *journal.PendingError
	switch {
	case errors.As(err, &pending): // it is being undone, and the view says so
	case errors.Is(err, app.ErrConflict):
		return OperationView{}, app.Fail(app.ErrConflict, "operation_not_cancellable",
			"This operation cannot be cancelled any more: it has ended, is being worked on, or can only go forward.")
	case err != nil:
		return OperationView{}, fmt.Errorf("cancel operation: %w", err)
	}
	return s.Operation(ctx, actor, id)
}

// openOperation gives the one open operation of an organization.
func (s *Service) openOperation(ctx context.Context, org app.OrganizationID) (app.Operation, error) {
	list, err := s.registry.ListOperations(ctx, app.OperationQuery{
		Organization: org, Limit: 1,
		States: app.OpenStates(),
	})
	if err != nil {
		return app.Operation{}, fmt.Errorf("find the open operation of organization %s: %w", org, err)
	}
	if len(list) == 0 { // it ended between two looks
		return app.Operation{}, errUnknown()
	}
	return list[0], nil
}

func (s *Service) viewOperation(actor app.Actor, op app.Operation) OperationView {
	steps := s.runner.Steps(op.Kind)
	v := OperationView{Operation: op, Total: len(steps)}
	switch {
	case op.Relocation != nil:
		v.measure()
	case op.Drain != nil:
		v.measureDrain()
	case op.State == app.OperationCompleted:
		v.Done = len(steps)
	case op.State == app.OperationRunning && op.Step != "":
		v.Done = max(0, slices.Index(steps, op.Step))
	}
	if !actor.Operator() {
		v.Error = ""
	}
	return v
}

// measure says how far a relocation is.
func (v *OperationView) measure() {
	r := v.Relocation
	v.Total = int(2 * r.Total.Documents)
	v.Done = min(v.Total, int(min(r.Copied.Documents, r.Total.Documents)+min(r.Verified.Documents, r.Total.Documents)))
	moved := int64(0)
	switch {
	case v.State == app.OperationCompleted || r.Flips > 0:
		v.Done = v.Total
		return
	case r.Phase == app.RelocationCopying:
		moved = r.Copied.Documents
	case r.Phase == app.RelocationVerifying:
		moved = r.Verified.Documents
	}
	if took := v.UpdatedAt.Sub(r.PhaseAt).Seconds(); took > 0 && moved > 0 && v.State == app.OperationRunning {
		v.Rate = float64(moved) / took
		v.Estimate = time.Duration(float64(v.Total-v.Done) / v.Rate * float64(time.Second))
	}
}

// measureDrain says how far a drain is.
func (v *OperationView) measureDrain() {
	d := v.Drain
	v.Total, v.Done = int(d.Total), int(d.Total-d.Left)
	if took := v.UpdatedAt.Sub(v.CreatedAt).Seconds(); took > 0 && v.Done > 0 && v.State == app.OperationRunning {
		v.Rate = float64(v.Done) / took
		v.Estimate = time.Duration(float64(d.Left) / v.Rate * float64(time.Second))
	}
}

func errNoOperation() error {
	return app.Fail(app.ErrNotFound, "operation_not_found", "There is no operation with this id that you can see.")
}

func errOperationEnded() error {
	return app.Fail(app.ErrConflict, "operation_ended", "This operation has ended already.")
}
