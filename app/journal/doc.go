// Package journal runs operations: durable acts of several steps that end in
// one of two states, done or never begun, wherever the process dies.
//
// An operation is recorded in the registry, in one transaction with the first
// of what it changes, before its first step. Each step is idempotent, and so
// is its undoing, which also accepts that the step never happened.
//
//	                   every step done
//	recorded ─► running ─────────────► completed
//	               │ a step is refused, or (Backward plans)
//	               │ the process that ran it is gone
//	               ▼      every step undone
//	           aborting ─────────────► failed
//
// The last step of a plan completes the operation in one transaction with what
// it makes visible; the undoing of the first step fails it likewise. So the
// journal costs a create no write beside the two it needs anyway.
//
// The package knows nothing of tenancy.
package journal
