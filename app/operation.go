package app

import "time"

// OperationKind names a durable act.
type OperationKind string

const (
	OperationCreate OperationKind = "create"
	OperationRename OperationKind = "rename"
	OperationDelete OperationKind = "delete"
)

// OperationState is where an operation stands.
//
//	running ──► completed
//	   │ a step was refused
//	   ▼
//	aborting ──► failed (everything it did was undone)
type OperationState string

const (
	OperationRunning   OperationState = "running"
	OperationAborting  OperationState = "aborting"
	OperationCompleted OperationState = "completed"
	OperationFailed    OperationState = "failed"
)

// Open reports whether there is still something to do.
func (s OperationState) Open() bool { return s == OperationRunning || s == OperationAborting }

// Operation is a durable act of several steps. It is recorded before its
// first step, so that whoever finds it open can finish or undo it.
type Operation struct {
	ID             OperationID
	Kind           OperationKind
	OrganizationID OrganizationID
	State          OperationState
	// Step is the name of the step that comes next. Names are durable: never
	// rename one.
	Step string
	// Change is what a rename applies; nil for the other kinds.
	Change *OrganizationChange
	// Placement is where the data was when the operation was recorded.
	Placement Placement
	// Error is why it was undone; a sentence for the operator.
	Error     string
	Attempts  int
	CreatedAt time.Time
	UpdatedAt time.Time
}
