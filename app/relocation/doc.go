// Package relocation moves an organization's documents to another place while
// they are read and written: to another isolation, cluster or engine.
//
//	preflight     what would move, and whether it can
//	provisioning  the target is made, closed
//	copying       the source notes what is written from here on; all is copied
//	              in order of ids
//	catching_up   what was noted is copied, until it is short
//	verifying     both sides are read side by side and compared whole
//	cutover       writes are held, the rest is copied, the place is switched
//	switched      the target notes what is written, so that going back loses
//	              nothing; the source is kept for the grace period
//
// Who moves can stop at any instant, and another goes on: what is recorded in
// the registry says where. What fences the one from the other is a generation.
// Whoever takes a relocation over raises it, first in the registry and then in
// both namespaces, and from then on nothing that was sent with a lower one is
// done, whenever it arrives. So no step asks whether it is still its turn: it is
// refused when it is not.
//
// After a failure nothing is undone by guessing. The relocation is taken over
// once more, by the same server, which shuts out what may still be under way,
// and goes on from what is recorded. That holds for the flip above all: one that
// did not answer may have happened, and the source must not take writes again
// before it is known that it did not. A server that cannot reach one of the places
// gives the relocation back before long, soonest when writes may be held: another
// server may have a way there.
package relocation
