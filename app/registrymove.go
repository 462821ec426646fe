package app

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// RegistryNoun is a kind of what a registry holds. All of them together are the
// registry: what is in none of them (feeds, locks, epochs, the claims that
// follow from other entries) each engine makes for itself.
type RegistryNoun string

const (
	NounUsers         RegistryNoun = "users"          // [User], by id
	NounOrganizations RegistryNoun = "organizations"  // [Organization] in every state, by id
	NounMemberships   RegistryNoun = "memberships"    // [Membership], by the ids of organization and user
	NounClaims        RegistryNoun = "claims"         // [Claim], by kind and value
	NounOperations    RegistryNoun = "operations"     // [Operation], the open ones too, by id
	NounRepetitions   RegistryNoun = "repetitions"    // [Repetition], by key
	NounSessions      RegistryNoun = "sessions"       // [Session] that counts, by id
	NounOperatorKeys  RegistryNoun = "operator_keys"  // [OperatorKey], the revoked ones too, by id
	NounSigningKeys   RegistryNoun = "signing_keys"   // [SigningKey], by id
	NounAddedClusters RegistryNoun = "added_clusters" // [AddedCluster], by name
)

// RegistryNouns lists all, in the order in which they are moved.
func RegistryNouns() []RegistryNoun {
	return []RegistryNoun{NounUsers, NounOrganizations, NounMemberships, NounClaims, NounOperations,
		NounRepetitions, NounSessions, NounOperatorKeys, NounSigningKeys, NounAddedClusters}
}

// Claim says who may use a name. An open rename holds the old and the new.
type Claim struct {
	Kind  string // slug, external_id or email
	Value string
	Owner string // an organization's or a user's id
}

// RegistryEntry is one thing that a registry holds, as all engines write it: the
// same thing has the same bytes on each.
type RegistryEntry struct {
	Key  string
	Data []byte // JSON
}

// Entry is an entry with v in it.
func Entry[T any](key string, v T) (RegistryEntry, error) {
	data, err := json.Marshal(plain(any(v)))
	if err != nil {
		return RegistryEntry{}, fmt.Errorf("entry %q: %w", key, err)
	}
	return RegistryEntry{Key: key, Data: data}, nil
}

// plain makes the same what a store may not be able to tell apart: an empty
// list or map, and none.
func plain(v any) any {
	switch v := v.(type) {
	case Organization:
		if len(v.Metadata) == 0 {
			v.Metadata = nil
		}
		return v
	case Session:
		if len(v.PreviousHash) == 0 {
			v.PreviousHash = nil
		}
		return v
	case AddedCluster:
		if len(v.Isolations) == 0 {
			v.Isolations = nil
		}
		if len(v.Place) == 0 {
			v.Place = nil
		}
		return v
	}
	return v
}

// EntryValue gives what is in an entry.
func EntryValue[T any](e RegistryEntry) (v T, err error) {
	if err := json.Unmarshal(e.Data, &v); err != nil {
		return v, fmt.Errorf("entry %q: %w", e.Key, err)
	}
	return v, nil
}

// RegistryPage is all that a registry holds of a noun in a range of keys.
type RegistryPage struct {
	// The range begins behind After, which is empty at the beginning, and ends
	// with Through, or has no end where that is empty.
	After, Through string
	Entries        []RegistryEntry // in byte order of keys
}

// Last reports that nothing comes after the page.
func (p RegistryPage) Last() bool { return p.Through == "" }

// RegistryState says whether servers may work on a registry.
type RegistryState string

const (
	// RegistryOpen: they may. Every registry that was never moved is open.
	RegistryOpen RegistryState = "open"
	// RegistryReceiving: it is being filled from another one.
	RegistryReceiving RegistryState = "receiving"
	// RegistryMoving: it is being copied to another one.
	RegistryMoving RegistryState = "moving"
	// RegistryMoved: another one is in its place.
	RegistryMoved RegistryState = "moved"
)

// RegistryMark is a registry's state, and why it is in it.
type RegistryMark struct {
	State RegistryState
	// Migration names the try: both registries have the same.
	Migration string
	// Peer is where the other registry is, without user and password.
	Peer string
	At   time.Time
}

// Closed is the refusal of a registry that is not open, or nil.
func (m RegistryMark) Closed() error {
	if m.State == RegistryOpen {
		return nil
	}
	return &ClosedRegistryError{Mark: m}
}

// ClosedRegistryError says that no server may work on a registry, and what to
// do. It is an ErrUnavailable.
type ClosedRegistryError struct{ Mark RegistryMark }

func (e *ClosedRegistryError) Error() string {
	at := e.Mark.At.UTC().Format(time.RFC3339)
	switch e.Mark.State {
	case RegistryReceiving:
		return fmt.Sprintf("a migration into this registry from %s, begun at %s, has not ended; run it again", e.Mark.Peer, at)
	case RegistryMoving:
		return fmt.Sprintf("the registry is being moved to %s since %s, and that has not ended; run the migration again, or give it up with "+
			`"tenantry registry migrate --cancel"`, e.Mark.Peer, at)
	case RegistryMoved, RegistryOpen:
	}
	return fmt.Sprintf("the registry was moved to %s at %s, and is not written here any more; give registry.url the place where it is, "+
		`or move it back from there with "tenantry registry migrate"`, e.Mark.Peer, at)
}

// Is makes errors.Is see ErrUnavailable.
func (e *ClosedRegistryError) Is(target error) bool { return target == ErrUnavailable }

// MovableRegistry is what an engine does for moving a registry, offline, to
// another place or engine.
type MovableRegistry interface {
	// Mark MUST give RegistryOpen where none was ever set.
	Mark(ctx context.Context) (RegistryMark, error)
	// SetMark gives the registry a state, durably. Doing it twice is doing it
	// once. When it has returned nil for one that is not open: a server that opens
	// the registry is refused with a ClosedRegistryError; no write of a server
	// that has it open can take effect any more, however late it comes, but the
	// pruning of what has expired; and none relies on what it remembers. When it
	// has returned nil for RegistryOpen, servers can open it and work.
	SetMark(ctx context.Context, m RegistryMark) error
	// ExportEntries gives the page of a noun that begins behind a key, of at most
	// limit entries. It may have none though it is not the last.
	ExportEntries(ctx context.Context, noun RegistryNoun, after string, limit int) (RegistryPage, error)
	// ImportEntries makes what the registry holds of a noun, in the page's range,
	// what the page has, and takes the names that follow from it. Doing it twice is
	// doing it once.
	ImportEntries(ctx context.Context, noun RegistryNoun, page RegistryPage) error
	// Clear removes everything but the mark.
	Clear(ctx context.Context) error
	// Room says how much more it can take.
	Room(ctx context.Context) (Room, error)
	Close() error
}
