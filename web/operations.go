package web

import (
	"context"
	"errors"
	"net/http"

	"tenantry/app"
	"tenantry/app/journal"
	"tenantry/app/tenancy"
)

type operationView struct {
	ID             string          `json:"id,omitempty" format:"uuid" doc:"Absent from a dry run."`
	Kind           string          `json:"kind" enum:"create,rename,relocate,delete,drain"`
	OrganizationID string          `json:"organization_id,omitempty" format:"uuid" doc:"Absent from a drain, which is of a cluster."`
	State          string          `json:"state" enum:"running,completed,failed,cancelled,reverted,preflight,provisioning,copying,catching_up,verifying,cutover,switched,reverting" doc:"Of a relocation under way, how far it is, in the place of running."`
	DryRun         *bool           `json:"dry_run,omitempty" nullable:"false" doc:"Nothing was begun."`
	Undoing        bool            `json:"undoing,omitempty" doc:"What it did is being undone."`
	Step           string          `json:"step,omitempty" doc:"The step that was refused last."`
	Progress       progressView    `json:"progress"`
	Rate           *float64        `json:"rate,omitempty" nullable:"false" doc:"Documents a second that a relocation moves now, or organizations a second of a drain."`
	Estimate       *float64        `json:"estimate,omitempty" nullable:"false" doc:"Seconds that it will take from now, at that rate."`
	DueAt          *string         `json:"due_at,omitempty" format:"date-time" nullable:"false" doc:"When a deletion removes the data, or a relocation the place that was left, until when it can be taken back."`
	Relocation     *relocationView `json:"relocation,omitempty" nullable:"false"`
	Drain          *drainView      `json:"drain,omitempty" nullable:"false"`
	Attempts       int             `json:"attempts" doc:"How often a step was refused."`
	Error          string          `json:"error,omitempty" doc:"Why it does not come on or was undone. For operators."`
	CreatedAt      string          `json:"created_at" format:"date-time"`
	UpdatedAt      string          `json:"updated_at" format:"date-time"`
}

type progressView struct {
	Done  int `json:"done" doc:"Steps that are done, as far as is known. Of a relocation, documents: each counts when it is copied and when it is compared. Of a drain, organizations."`
	Total int `json:"total"`
}

func viewOperation(op tenancy.OperationView) operationView {
	v := operationView{
		ID: string(op.ID), Kind: string(op.Kind), OrganizationID: string(op.OrganizationID), State: string(op.State),
		Undoing: op.State.Undoing(), Step: op.Step, Progress: progressView{Done: op.Done, Total: op.Total},
		DueAt: formatOptional(op.DueAt), Attempts: op.Attempts, Error: op.Error,
		Estimate: seconds(op.Estimate), Relocation: viewRelocation(op.Relocation), Drain: viewDrain(op.Drain),
		CreatedAt: formatTime(op.CreatedAt), UpdatedAt: formatTime(op.UpdatedAt),
	}
	if op.State.Open() {
		v.State = string(app.OperationRunning)
		if op.Relocation != nil {
			v.State = string(op.Relocation.Phase)
		}
	}
	if op.Rate > 0 {
		v.Rate = &op.Rate
	}
	return v
}

type operationOutput struct{ Body *operationView }

func operationOut(op tenancy.OperationView, err error) (*operationOutput, error) {
	if err != nil {
		return nil, err
	}
	v := viewOperation(op)
	return &operationOutput{&v}, nil
}

type listOperationsInput struct {
	Organization string `query:"organization" doc:"Of the organization with this id or slug. Users see those of the one they are signed in to."`
	Kind         string `query:"kind" enum:"create,rename,relocate,delete,drain"`
	State        string `query:"state" enum:"running,completed,failed,cancelled,reverted" doc:"running: all that have not ended."`
	Limit        int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
	Cursor       string `query:"cursor" doc:"The next_cursor of the page before."`
}

type operationPageView struct {
	Items      []operationView `json:"items" nullable:"false"`
	NextCursor string          `json:"next_cursor,omitempty" doc:"Give it as cursor to read on. Absent: this was the last page."`
}

type listOperationsOutput struct{ Body *operationPageView }

func (s *Server) listOperations(ctx context.Context, in *listOperationsInput) (*listOperationsOutput, error) {
	page, err := s.services.Tenancy.Operations(ctx, callOf(ctx).actor, tenancy.OperationsInput{
		Organization: in.Organization, Kind: in.Kind, State: in.State, Cursor: in.Cursor, Limit: in.Limit,
	})
	if err != nil {
		return nil, err
	}
	view := &operationPageView{Items: make([]operationView, len(page.Items)), NextCursor: page.NextCursor}
	for i, op := range page.Items {
		view.Items[i] = viewOperation(op)
	}
	return &listOperationsOutput{view}, nil
}

type operationRef struct {
	ID string `path:"id" doc:"The operation's id."`
}

func (s *Server) getOperation(ctx context.Context, in *operationRef) (*operationOutput, error) {
	return operationOut(s.services.Tenancy.Operation(ctx, callOf(ctx).actor, in.ID))
}

func (s *Server) retryOperation(ctx context.Context, in *operationRef) (*operationOutput, error) {
	return operationOut(s.services.Tenancy.RetryOperation(ctx, callOf(ctx).actor, in.ID))
}

func (s *Server) cancelOperation(ctx context.Context, in *operationRef) (*operationOutput, error) {
	return operationOut(s.services.Tenancy.CancelOperation(ctx, callOf(ctx).actor, in.ID))
}

// accepted is the answer 202 of an act that goes on, which Huma takes as an
// error: its body is another than that of the act when it is done.
type accepted struct {
	operationView
	location string
}

func (a *accepted) Error() string  { return "operation " + a.ID + " goes on" }
func (a *accepted) GetStatus() int { return http.StatusAccepted }

// ContentType keeps Huma from writing a problem's.
func (a *accepted) ContentType(string) string { return jsonType }

// GetHeaders says where the operation is.
func (a *accepted) GetHeaders() http.Header { return http.Header{"Location": {a.location}} }

// goesOn turns the error of an act that takes longer than its caller waits
// into the answer 202; any other error is given back.
func (c *call) goesOn(err error) error {
	var running *journal.RunningError
	if !errors.As(err, &running) {
		return err
	}
	return c.acceptedAs(running.Operation)
}

// acceptedAs answers with the operation as it is now. Whoever began it may not
// be allowed to look at it, but is told what they began.
func (c *call) acceptedAs(id app.OperationID) error {
	op, err := c.server.services.Tenancy.Operation(c, app.Actor{Kind: app.AsOperator}, string(id))
	if err != nil {
		return err
	}
	op.Error = ""
	return &accepted{viewOperation(op), c.server.opts.PublicURL + "/v1/operations/" + string(id)}
}
