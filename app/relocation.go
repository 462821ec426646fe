package app

import "time"

// RelocationPhase is where a relocation stands.
//
//	preflight ─► provisioning ─► copying ─► catching_up ─► verifying ─► cutover ─► switched ─► (completed)
//	                                                                               │ taken back
//	                                                                               └──► reverting ─► (reverted)
//
// Up to cutover it can be cancelled, which leaves the source as it was.
type RelocationPhase string

const (
	// RelocationPreflight: it is recorded, and nothing else.
	RelocationPreflight    RelocationPhase = "preflight"
	RelocationProvisioning RelocationPhase = "provisioning"
	RelocationCopying      RelocationPhase = "copying"
	// RelocationCatchingUp: what was written since is copied.
	RelocationCatchingUp RelocationPhase = "catching_up"
	RelocationVerifying  RelocationPhase = "verifying"
	// RelocationCutover: writes are held now and then, to switch.
	RelocationCutover RelocationPhase = "cutover"
	// RelocationSwitched: the target is the organization's place. The source is
	// kept until the grace period ends.
	RelocationSwitched RelocationPhase = "switched"
	// RelocationReverting: what was written at the target is copied back.
	RelocationReverting RelocationPhase = "reverting"
)

// RelocationPhases are all of them.
func RelocationPhases() []RelocationPhase {
	return []RelocationPhase{RelocationPreflight, RelocationProvisioning, RelocationCopying, RelocationCatchingUp,
		RelocationVerifying, RelocationCutover, RelocationSwitched, RelocationReverting}
}

// Relocation is how far the moving of an organization to another place came.
type Relocation struct {
	// Source and Target are where the documents were and will be. The
	// generations in them are those of the beginning.
	Source, Target Placement
	// Drain is the operation that has begun it; empty: an operator has.
	Drain OperationID `json:",omitempty"`
	Phase RelocationPhase
	// Generation is that of the mover: both namespaces have it, or are about to.
	// Whoever takes the relocation over raises it, here first, and so shuts out
	// who worked on it before.
	Generation int64
	// Flips counts how often the organization's place was switched: 1 at the
	// target, 2 back at the source.
	Flips int
	// Settled: since the last flip, the place takes writes and the other one is
	// closed.
	Settled bool
	// Completing: the source is being dropped, and there is no way back.
	Completing bool

	// CopiedTo is the last document that was copied in order of ids; empty:
	// none yet. VerifiedTo likewise.
	CopiedTo   DocumentID
	VerifiedTo DocumentID
	// Total is how much there was at the beginning.
	Total NamespaceStats
	// Copied, CaughtUp and Verified count documents and bytes. A document that
	// was written several times is caught up with several times.
	Copied, CaughtUp, Verified NamespaceStats
	// Suspects are documents that differed when they were compared and are to be
	// compared again when nobody writes.
	Suspects []DocumentID
	// Cutovers counts the tries to switch.
	Cutovers int
	// Held is how long writes were held, of all tries together.
	Held time.Duration
	// Differences are documents that were not the same on both sides when they
	// had to be, the first of them.
	Differences []DocumentID

	PhaseAt    time.Time // when the phase began
	SwitchedAt time.Time // zero: not yet
}

// Place is where the organization's documents are now.
func (r *Relocation) Place() Placement {
	p := r.Source
	if r.Flips == 1 {
		p = r.Target
	}
	p.Generation = r.Generation
	return p
}

// Revertible reports whether it can be taken back: switched, and not being
// completed.
func (r *Relocation) Revertible() bool {
	return r.Phase == RelocationSwitched && r.Settled && !r.Completing
}
