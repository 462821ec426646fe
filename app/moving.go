package app

import "context"

// NamespacePhase says what may be done with a namespace. Every namespace that
// is not being moved is open.
//
//	source   open ─► recording ─► frozen ─► closed ─► (dropped)
//	target                        closed ─► frozen ─► recording ─► open
//
// The target is frozen across the flip, so that it is read there at once while
// nobody writes. What does not come through goes back: frozen to recording at
// the source, frozen to closed at the target.
type NamespacePhase string

const (
	// PhaseOpen: read and written.
	PhaseOpen NamespacePhase = "open"
	// PhaseRecording: read and written; each write notes, in one with itself,
	// that it touched its document.
	PhaseRecording NamespacePhase = "recording"
	// PhaseFrozen: read; every write is refused with ErrFrozen, and what was
	// noted stays noted.
	PhaseFrozen NamespacePhase = "frozen"
	// PhaseClosed: what is being filled, or was left. Documents' methods refuse
	// with ErrMoved; Moving's work on it.
	PhaseClosed NamespacePhase = "closed"
)

// Change is a document that was touched while its namespace was recording.
type Change struct {
	ID DocumentID
	// Document is as it is now; nil when it was deleted.
	Document *Document
	// Mark is of the write that touched it last.
	Mark int64
}

// Sight is a document as it was seen where its namespace may be recording.
type Sight struct {
	ID DocumentID
	// Document is nil when there is none.
	Document *Document
	// Noted: Changes would list it.
	Noted bool
}

// Moving is what a cluster does for moving a namespace while it is in use. A
// namespace is known by its organization, isolation and database: while an
// organization moves within one cluster it has two. The collection's name in
// the placement is where it was made, and may be out of date.
//
// Who moves may be paused at any instant and overtaken by another server. The
// generation fences both writers and movers: whatever is sent with a lower one
// than the namespace has MUST be refused by the store itself, whenever it
// arrives.
type Moving interface {
	// Receive makes the namespace, in PhaseClosed at ns.Placement.Generation. One
	// that is there in PhaseClosed already gets that generation, and keeps what
	// it holds. ErrStale when its generation is higher or it is in another phase;
	// a TakenError of ConflictCollection when another has its name.
	Receive(ctx context.Context, ns Namespace) error
	// SetPhase gives the namespace a phase and ns.Placement.Generation. When it
	// returns nil, no write that the former phase or a lower generation let
	// through can take effect any more, and each that did is seen. Doing it twice
	// is doing it once. To PhaseRecording from PhaseOpen or PhaseClosed it begins
	// with nothing noted; to PhaseOpen, what was noted is forgotten. ErrStale
	// when the namespace has a higher generation, ErrNotFound when it is not there.
	SetPhase(ctx context.Context, ns Namespace, phase NamespacePhase) error
	// Phase reads the phase and the generation that the namespace has.
	Phase(ctx context.Context, ns Namespace) (NamespacePhase, int64, error)
	// Scan is ListDocuments in every phase.
	Scan(ctx context.Context, ns Namespace, q DocumentQuery) ([]Document, error)
	// Look tells of the documents of these ids, in order of ids and in every phase:
	// each as it is at one moment, and whether it is noted at that moment. bytes as
	// DocumentQuery.MaxBytes; those that are not told of have higher ids.
	Look(ctx context.Context, ns Namespace, ids []DocumentID, maxBytes int) ([]Sight, error)
	// Fill is Import of documents most of which are not there yet. It is quicker
	// then.
	Fill(ctx context.Context, ns Namespace, documents []Document) error
	// Import stores documents exactly as they are, over those there with the same
	// ids, and removes the ids in gone. Doing it twice is doing it once. The
	// namespace MUST be in PhaseClosed at ns.Placement.Generation: ErrStale.
	Import(ctx context.Context, ns Namespace, documents []Document, gone []DocumentID) error
	// Changes lists documents that were touched and not settled, each with its
	// state now, at most limit; and bytes as DocumentQuery.MaxBytes. Empty when
	// there are none.
	Changes(ctx context.Context, ns Namespace, limit, maxBytes int) ([]Change, error)
	// Settle forgets that documents were touched, unless they were touched again
	// since Changes told of them.
	Settle(ctx context.Context, ns Namespace, changes []Change) error
	// CountChanges counts what Changes would list, up to limit.
	CountChanges(ctx context.Context, ns Namespace, limit int) (int, error)
}
