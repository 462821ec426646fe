package app

import "time"

// OperationKind names a durable act.
type OperationKind string

const (
	OperationCreate   OperationKind = "create"
	OperationRename   OperationKind = "rename"
	OperationDelete   OperationKind = "delete"
	OperationRelocate OperationKind = "relocate"
	// OperationDrain is of a cluster, not of an organization.
	OperationDrain OperationKind = "drain"
)

// OperationState is where an operation stands.
//
//	running ───────────────► completed
//	   │ a step was refused
//	   ├──► aborting ───────► failed (everything it did was undone)
//	   │ somebody gave it up
//	   └──► cancelling ─────► cancelled (likewise)
//
// A relocation that was taken back after it had switched is reverted.
type OperationState string

const (
	OperationRunning    OperationState = "running"
	OperationAborting   OperationState = "aborting"
	OperationCancelling OperationState = "cancelling"
	OperationCompleted  OperationState = "completed"
	OperationFailed     OperationState = "failed"
	OperationCancelled  OperationState = "cancelled"
	OperationReverted   OperationState = "reverted"
)

// Undoing reports whether what the operation did is being undone.
func (s OperationState) Undoing() bool { return s == OperationAborting || s == OperationCancelling }

// Open reports whether there is still something to do.
func (s OperationState) Open() bool { return s == OperationRunning || s.Undoing() }

// OpenStates are the states in which there is still something to do.
func OpenStates() []OperationState {
	return []OperationState{OperationRunning, OperationAborting, OperationCancelling}
}

// Undone is the state in which the undoing of an operation in state s ends.
func (s OperationState) Undone() OperationState {
	if s == OperationCancelling {
		return OperationCancelled
	}
	return OperationFailed
}

// Operation is a durable act of several steps. It is recorded before its
// first step, so that whoever finds it open can finish or undo it.
type Operation struct {
	ID   OperationID
	Kind OperationKind
	// OrganizationID is empty where the kind is none of an organization.
	OrganizationID OrganizationID
	State          OperationState
	// Step is the name of the step that was refused last; empty when none was.
	// An operation that ends at its first try, as nearly all do, costs no write
	// for its steps. Names are durable: never rename one.
	Step string
	// Change is what a rename applies; nil for the other kinds.
	Change *OrganizationChange
	// Relocation is how far a relocation came; nil for the other kinds.
	Relocation *Relocation
	// Drain is how far a drain came; nil for the other kinds.
	Drain *Drain
	// Placement is where the data was when the operation was recorded.
	Placement Placement
	// Before is the state of the organization before a deletion, to which its
	// restoring leads back; empty for the other kinds.
	Before OrganizationState
	// DueAt is when a deletion removes the data, or a relocation the place that
	// was left, until when it can be taken back. Zero for what is done at once.
	DueAt time.Time
	// Error is why it was undone or why it does not come on; for the operator.
	Error string
	// Attempts is how often a step was refused.
	Attempts int
	// Lease is who works on it; of none when it has ended.
	Lease     Lease
	CreatedAt time.Time
	UpdatedAt time.Time
}

// Lease is a server's claim to an operation. Who finds that one has not changed
// for as long as it is given may take the operation over.
type Lease struct {
	Holder string // empty: nobody
	Until  time.Time
}

// Due reports whether there is something to do at t.
func (op Operation) Due(t time.Time) bool { return op.State.Open() && !op.DueAt.After(t) }

// OperationQuery lists operations, the newest first. Empty fields select all.
type OperationQuery struct {
	Organization OrganizationID
	Kind         OperationKind
	States       []OperationState
	Before       OperationID // only ids that sort before this one
	Limit        int         // at least 1
}
