package app

import (
	"context"
	"time"
)

// Registry is the master database, joined of small roles so that a capability
// asks for what it needs.
//
// For every method: the context's deadline is honoured, but a write that has
// begun is not torn by a cancellation; errors are those of errors.go, by
// errors.Is; times are UTC in milliseconds and come back equal. What one
// method changes becomes visible and durable together or not at all, and is
// durable when the method returns nil.
type Registry interface {
	Organizations
	Lifecycle
	Relocations
	Drains
	Repetitions
	Users
	Sessions
	OperatorKeys
	SigningKeys
	AddedClusters
	Journal
	// Subscribe calls f for everything that changes, after it is durable and
	// before the changing method returns. f must not block nor call back.
	// It serves the caches: see package cache. What another server changes is
	// announced as well, later; see Trusted.
	Subscribe(f func(Invalidation))
	// Trusted reports whether everything has been announced that any server
	// changed up to the placement lease ago. While it has not, nothing that was
	// read earlier may be relied on.
	Trusted() bool
	// Shared reports whether other servers may work on the registry.
	Shared() bool
	// Health says whether reads and writes work: nil, or an ErrUnavailable or
	// ErrNoSpace with a sentence for the operator.
	Health(ctx context.Context) error
	Close() error
}

// Invalidation names a thing that changed or went away. Organization and User
// together name their membership, and each of the two.
type Invalidation struct {
	// Everything may have changed: announcements were missed.
	Everything   bool
	Organization OrganizationID
	User         UserID
	Session      SessionID
	OperatorKey  OperatorKeyID
	Clusters     bool // those that were added
}

// Organizations reads organizations in every state; the capabilities decide
// who sees which.
type Organizations interface {
	// Organization MUST return ErrNotFound for an unknown id.
	Organization(ctx context.Context, id OrganizationID) (Organization, error)
	// OrganizationBySlug MUST compare bytes, and return ErrNotFound.
	OrganizationBySlug(ctx context.Context, slug string) (Organization, error)
	// ListOrganizations MUST page in the query's order without leaving out or
	// repeating what was there all the time.
	ListOrganizations(ctx context.Context, q OrganizationQuery) ([]Organization, error)
	// CountOrganizations MUST count what the query would list without its
	// After and Limit.
	CountOrganizations(ctx context.Context, q OrganizationQuery) (int64, error)
}

// OrganizationQuery selects organizations. Empty fields select all.
type OrganizationQuery struct {
	// Text is looked for as a part of the folded name, the slug and the external
	// id (without regard to ASCII case there). It comes folded.
	Text       string
	ExternalID string
	States     []OrganizationState
	Cluster    string
	Isolation  Isolation
	// Member limits the list to the organizations this user is a member of.
	Member UserID
	Sort   OrganizationSort
	After  *OrganizationCursor
	Limit  int // at least 1
}

// OrganizationSort is an order of a list; the id breaks ties.
type OrganizationSort string

const (
	SortCreated     OrganizationSort = "created_at"
	SortCreatedDesc OrganizationSort = "-created_at"
	SortName        OrganizationSort = "name" // by the folded name
	SortNameDesc    OrganizationSort = "-name"
)

// OrganizationCursor is the place in a list after which a page begins.
type OrganizationCursor struct {
	// Key is the last entry's sort key: its folded name, or empty when sorted by
	// creation (ids are in order of creation).
	Key string
	ID  OrganizationID
}

// Lifecycle changes organizations. All uniqueness (slug, email key, external
// id, collection) MUST be held by unique indexes and reported as a TakenError
// naming the field; nothing of a refused change may be applied.
type Lifecycle interface {
	// BeginCreate records the operation, the organization (StateCreating), its
	// owner and membership, and takes all their names. ErrNotFound when the
	// membership's user, not being created with it, does not exist. A repetition
	// whose key is recorded already, and not expired at the operation's
	// CreatedAt, is a TakenError of ConflictRepetition, whatever else is taken.
	BeginCreate(ctx context.Context, op Operation, c Creation) error
	// CheckCreate refuses, as BeginCreate would, what is taken at this moment, and
	// records nothing: it spares the work before a creation that is bound to
	// fail. The placement may be empty still.
	CheckCreate(ctx context.Context, c Creation, at time.Time) error
	// FinishCreate makes the organization active and completes the operation.
	FinishCreate(ctx context.Context, op Operation, at time.Time) (Organization, error)
	// AbandonCreate removes all that BeginCreate recorded, its repetition too,
	// gives the names back and ends the operation. Doing it twice is doing it
	// once.
	AbandonCreate(ctx context.Context, op Operation, reason string, at time.Time) error

	// ChangeOrganization applies a change without a new slug. ErrStale when
	// IfRevision is not the revision there is; ErrNotFound when the
	// organization is unknown or not visible. A change that FinishRename of an
	// open rename would overwrite is a TakenError of ConflictOpenChange.
	ChangeOrganization(ctx context.Context, c OrganizationChange) (Organization, error)

	// BeginRename records the operation (whose Change has the new slug) and
	// takes the new names (slug, email) while the old ones stay taken and in
	// force. A second open operation on one organization is a TakenError of
	// ConflictOpenChange. ErrStale and ErrNotFound as ChangeOrganization; ErrStale
	// as well when the operation's Placement is not the organization's.
	BeginRename(ctx context.Context, op Operation) error
	// FinishRename applies the operation's Change, raises the placement's
	// generation, gives the old names back and completes the operation.
	FinishRename(ctx context.Context, op Operation, at time.Time) (Organization, error)
	// AbandonRename gives the new names back and fails the operation.
	AbandonRename(ctx context.Context, op Operation, reason string, at time.Time) error

	// BeginDelete records the operation, with the state that the organization
	// has as its Before, moves the organization to StateDeleting, or to
	// StateDeleted where the operation has a DueAt, and ends its sessions; the
	// invalidations name each of its members.
	// ErrStale as above; ErrNotFound when it is not visible; TakenError of
	// ConflictOpenChange as above.
	BeginDelete(ctx context.Context, op Operation, ifRevision int64) error
	// RestoreOrganization takes a deletion back: the organization is in the
	// state that it was in before, and the operation cancelled. A TakenError of
	// ConflictOpenChange when the deletion is past StateDeleted.
	RestoreOrganization(ctx context.Context, op Operation, at time.Time) (Organization, error)
	// BeginPurge moves a StateDeleted organization to StateDeleting, from where
	// there is no way back, and makes its operation due at once, however early
	// that is. Doing it twice is doing it once.
	BeginPurge(ctx context.Context, op Operation, at time.Time) error
	// FinishDelete removes the organization, its memberships, and the users who
	// are members of nothing else; gives the names back; completes the operation.
	FinishDelete(ctx context.Context, op Operation, at time.Time) error
}

// Relocations change where organizations' documents are. What is recorded of
// one has the generation of the mover, which fences it: whoever takes a
// relocation over raises it, and from then on whatever the one before sends is
// ErrStale, whenever it arrives.
type Relocations interface {
	// BeginRelocation records the operation. ErrNotFound when the organization is
	// not visible; a second open operation is a TakenError of
	// ConflictOpenChange; ErrStale when the operation's Placement is not the
	// organization's.
	BeginRelocation(ctx context.Context, op Operation) error
	// NoteRelocation records Relocation, Step, Error, Attempts and DueAt of op, if
	// the operation is open, its recorded generation is from, and the recorded
	// Flips are those of op; else ErrStale.
	// It returns the operation as it is recorded now: it may be being undone.
	// The generation in op may be from or a higher one. ErrNotFound for an
	// unknown id.
	NoteRelocation(ctx context.Context, op Operation, from int64, at time.Time) (Operation, error)
	// FlipRelocation records op's Relocation and DueAt, and makes its Place the
	// organization's, both or neither. ErrStale when the recorded generation is
	// not that of op's, or the recorded Flips are not one less; ErrConflict when
	// the operation is not running.
	FlipRelocation(ctx context.Context, op Operation, at time.Time) (Organization, error)
	// EndRelocation ends the operation in a state, with op's Relocation, and gives
	// the organization's placement the generation of that. ErrStale when the
	// recorded generation or Flips are not those of op; one that has ended so
	// already is no error.
	EndRelocation(ctx context.Context, op Operation, state OperationState, reason string, at time.Time) error
}

// Drains move everybody out of a cluster. There is one at a time. What is
// recorded of it is refused, with ErrStale, to whom does not hold its lease any
// more.
type Drains interface {
	// BeginDrain records the operation, which has no organization. A TakenError
	// of ConflictOpenChange when another one is open.
	BeginDrain(ctx context.Context, op Operation) error
	// NoteDrain records Drain, Step, Error and Attempts of op, if the operation is
	// open and its holder is op's; else ErrStale. It returns the operation as it is
	// recorded now: it may be being undone, and keeps its reason then. ErrNotFound
	// for an unknown id.
	NoteDrain(ctx context.Context, op Operation, at time.Time) (Operation, error)
	// EndDrain ends the operation, with op's Drain, on the same condition.
	EndDrain(ctx context.Context, op Operation, state OperationState, reason string, at time.Time) error
}

// Repetitions keep what a request that is repeated is answered with. They are
// recorded by [Lifecycle.BeginCreate].
type Repetitions interface {
	// Repetition MUST return ErrNotFound for an unknown key, and one that has
	// expired as it is.
	Repetition(ctx context.Context, key string) (Repetition, error)
	// PruneRepetitions removes those that expired before t and returns how many.
	PruneRepetitions(ctx context.Context, t time.Time) (int, error)
}

// Users reads and changes people and their memberships.
type Users interface {
	// User MUST return ErrNotFound for an unknown id.
	User(ctx context.Context, id UserID) (User, error)
	// UserByEmail finds by the email key in force (not one that an open rename
	// has only reserved). ErrNotFound.
	UserByEmail(ctx context.Context, emailKey string) (User, error)
	// Account finds by the email key in force, as UserByEmail, with where the
	// user can sign in: who can nowhere has no places. MUST return ErrNotFound
	// for an unknown email key.
	Account(ctx context.Context, q AccountQuery) (Account, error)
	// ReplacePasswordHash swaps a hash for an equivalent one (another cost) if
	// it is still old; sessions stay. No error when it is not.
	ReplacePasswordHash(ctx context.Context, id UserID, old, hash string) error
	// Memberships lists a user's, in visible organizations, oldest first.
	Memberships(ctx context.Context, user UserID) ([]Membership, error)
	// Membership MUST return ErrNotFound where there is none.
	Membership(ctx context.Context, org OrganizationID, user UserID) (Membership, error)
}

// Sessions keeps sign-ins.
type Sessions interface {
	// CreateSession MUST refuse, with ErrUnauthenticated, when the user or the
	// membership is gone, the organization is not visible, or the proof, which
	// Account gave, is old: the user's password hash is another, or one of the
	// epochs. A sign-in that began before a password change must not outlive it.
	CreateSession(ctx context.Context, s Session, p Proof) error
	// Session MUST return ErrNotFound for an unknown id, and where the user or
	// the membership is gone or the organization is not visible.
	Session(ctx context.Context, id SessionID) (SignedIn, error)
	// RotateSession replaces the refresh hash if it is still old, keeping old
	// as the previous one. ErrStale when it is not, ErrNotFound when the session
	// is gone.
	RotateSession(ctx context.Context, id SessionID, old, hash []byte, at, expires time.Time) error
	// DeleteSession ends one; an unknown id is no error.
	DeleteSession(ctx context.Context, id SessionID) error
	// PruneSessions removes those that expired before t and returns how many.
	PruneSessions(ctx context.Context, t time.Time) (int, error)
}

// OperatorKeys keeps operators' keys.
type OperatorKeys interface {
	// CreateOperatorKey MUST refuse the name of a key that is not revoked, with a
	// TakenError of ConflictOperatorKey.
	CreateOperatorKey(ctx context.Context, k OperatorKey) error
	// OperatorKeyByHash MUST return ErrNotFound; revoked and expired ones are
	// returned.
	OperatorKeyByHash(ctx context.Context, hash []byte) (OperatorKey, error)
	// ListOperatorKeys lists all in order of id.
	ListOperatorKeys(ctx context.Context) ([]OperatorKey, error)
	// RevokeOperatorKey MUST return ErrNotFound; revoking twice keeps the first
	// time.
	RevokeOperatorKey(ctx context.Context, id OperatorKeyID, at time.Time) (OperatorKey, error)
	// TouchOperatorKeys records last uses; unknown ids are passed over.
	TouchOperatorKeys(ctx context.Context, used map[OperatorKeyID]time.Time) error
	// CreateFirstOperatorKey creates k if there is no key at all, also no
	// revoked one, and reports whether it did.
	CreateFirstOperatorKey(ctx context.Context, k OperatorKey) (bool, error)
}

// SigningKeys keeps the keys that sign access tokens.
type SigningKeys interface {
	// SigningKeys lists all, the newest first.
	SigningKeys(ctx context.Context) ([]SigningKey, error)
	// AddSigningKey adds k as the one that signs and retires, at k.CreatedAt,
	// the one that did, if that one is still current (empty: if there is none).
	// ErrStale when another server was first.
	AddSigningKey(ctx context.Context, k SigningKey, current string) error
	// RemoveSigningKeys removes those retired before t.
	RemoveSigningKeys(ctx context.Context, t time.Time) error
}

// AddedClusters keeps the clusters that were added while servers ran.
type AddedClusters interface {
	// AddedClusters lists all by name.
	AddedClusters(ctx context.Context) ([]AddedCluster, error)
	// AddCluster MUST refuse the name of one that is there, with a TakenError of
	// ConflictCluster, and the place of one, with ConflictClusterPlace.
	AddCluster(ctx context.Context, c AddedCluster) error
	// ReplaceCluster stores c, with the next revision, instead of the one of its
	// name and revision. ErrStale when there is another, ErrNotFound. The place of
	// another MUST be refused with a TakenError of ConflictClusterPlace.
	ReplaceCluster(ctx context.Context, c AddedCluster) error
	// RemoveCluster MUST refuse while the registry places an organization there,
	// in whichever state, or a relocation is open that begins or ends there, with a
	// TakenError of ConflictInhabited. ErrNotFound.
	RemoveCluster(ctx context.Context, name string) error
}

// Journal reads operations and records how far they came. Operations are
// recorded and completed by the methods of Lifecycle, in one transaction with
// what they change.
type Journal interface {
	// Operation MUST return ErrNotFound for an unknown id.
	Operation(ctx context.Context, id OperationID) (Operation, error)
	// OpenOperations lists those with work left that is due, oldest first.
	OpenOperations(ctx context.Context, due time.Time) ([]Operation, error)
	// ListOperations lists in descending order of id.
	ListOperations(ctx context.Context, q OperationQuery) ([]Operation, error)
	// AbortOperation moves a running operation to aborting or cancelling, with
	// the reason. One that is being undone already stays as it is; ErrConflict
	// when it has ended, or is a relocation that has flipped.
	AbortOperation(ctx context.Context, id OperationID, to OperationState, reason string, at time.Time) error
	// NoteOperation records that a step was refused, if the operation is still
	// open: it counts an attempt. One that is being undone keeps its reason.
	NoteOperation(ctx context.Context, id OperationID, step, reason string, at time.Time) error
	// ClaimOperation gives an open operation another lease. ErrStale when its
	// lease is not from, or it has ended; ErrNotFound for an unknown id.
	ClaimOperation(ctx context.Context, id OperationID, from, to Lease) error
	// PruneOperations removes those that ended before t and returns how many.
	PruneOperations(ctx context.Context, t time.Time) (int, error)
}

// Namespace names one organization's data and the generation of its placement
// that the caller knows.
type Namespace struct {
	Organization OrganizationID
	Placement    Placement
}

// Cluster stores tenant data. Every method on a namespace touches that
// organization's data alone, by construction. The documents' methods MUST
// return ErrStale-free answers under concurrent renames: a reader or writer
// never finds the namespace missing, and never somebody else's, while it is
// renamed; a namespace that is not there is ErrNotFound.
type Cluster interface {
	// Locate names where a new organization's data will be. It writes nothing.
	Locate(org OrganizationID, slug string, isolation Isolation) (Placement, error)
	// Provision makes the namespace. Doing it twice is doing it once.
	Provision(ctx context.Context, ns Namespace) error
	// Rename gives the namespace another collection name and raises its
	// generation to the one given. Doing it twice is doing it once; renaming
	// back (to the old collection and generation) undoes it.
	Rename(ctx context.Context, ns Namespace, collection string, generation int64) error
	// Drop removes the namespace and all in it. One that is not there is no
	// error.
	Drop(ctx context.Context, ns Namespace) error
	// Stats counts the namespace's documents and bytes.
	Stats(ctx context.Context, ns Namespace) (NamespaceStats, error)
	// Namespaces lists every namespace of the cluster, in any order, with its
	// organization and placement.
	Namespaces(ctx context.Context) ([]Namespace, error)
	// Usage says what the cluster is and how much is in it.
	Usage(ctx context.Context) (ClusterUsage, error)
	// Room says how much more it can take; it can be asked for each of many
	// organizations, and need not be newer than some seconds. The error has a
	// VersionError where nothing must be brought here, as long as things are as
	// they are.
	Room(ctx context.Context) (Room, error)
	// Health is as Registry.Health.
	Health(ctx context.Context) error
	Close() error
	Documents
	Moving
}

// Documents are tenant data.
type Documents interface {
	// InsertDocument MUST return a TakenError of ConflictDocumentID when the id
	// is there already.
	InsertDocument(ctx context.Context, ns Namespace, d Document) error
	// Document MUST return ErrNotFound.
	Document(ctx context.Context, ns Namespace, id DocumentID) (Document, error)
	// UpdateDocument applies f to the document and stores it with the next
	// revision, atomically: no other write comes between. f is pure, may run
	// more than once, and its error is returned as it is. ErrStale when
	// expected is neither AnyRevision nor the revision there is; ErrNotFound.
	UpdateDocument(ctx context.Context, ns Namespace, id DocumentID, expected int64, f func(*Document) error) (Document, error)
	// ReplaceDocument stores r in the place of what is there, with the next
	// revision, atomically, and returns the whole. It is for changes that do not
	// depend on what was there, for which an engine need not read it first.
	// ErrStale and ErrNotFound as above.
	ReplaceDocument(ctx context.Context, ns Namespace, id DocumentID, expected int64, r Replacement) (Document, error)
	// DeleteDocument: ErrStale and ErrNotFound as above.
	DeleteDocument(ctx context.Context, ns Namespace, id DocumentID, expected int64) error
	// ListDocuments lists in byte order of ids.
	ListDocuments(ctx context.Context, ns Namespace, q DocumentQuery) ([]Document, error)
}
