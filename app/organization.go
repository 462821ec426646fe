package app

import (
	"strings"
	"time"
)

// OrganizationState says what an organization may do.
type OrganizationState string

const (
	// StateCreating: recorded and its names taken, invisible to everyone until
	// its operation has finished.
	StateCreating OrganizationState = "creating"
	StateActive   OrganizationState = "active"
	// StateSuspended: an operator closed it. Its members are refused; its data
	// and names stay.
	StateSuspended OrganizationState = "suspended"
	// StateDeleted: deleted, and an operator can still bring it back. Operators
	// alone see it; its names stay taken.
	StateDeleted OrganizationState = "deleted"
	// StateDeleting: invisible to everyone; its names stay taken until its data
	// is gone.
	StateDeleting OrganizationState = "deleting"
)

// Visible reports whether the organization exists as far as its members can
// see.
func (s OrganizationState) Visible() bool { return s == StateActive || s == StateSuspended }

// Organization is a tenant.
type Organization struct {
	ID OrganizationID
	// Name is the display name as its owner spelled it, trimmed, in Unicode NFC.
	Name string
	// NameKey is the name folded for searching and sorting; see tenancy.FoldName.
	NameKey string
	// Slug is unique; see tenancy.Slugify.
	Slug string
	// ExternalID is the caller's own id for it; unique unless empty.
	ExternalID string
	Metadata   map[string]string
	State      OrganizationState
	Placement  Placement
	// OwnerID is the user shown as its administrator by the seed-compatible
	// routes: the first owner.
	OwnerID UserID
	// Revision counts the changes, from 1. It is the ETag.
	Revision  int64
	CreatedAt time.Time
	UpdatedAt time.Time
}

// Isolation is how an organization's documents are kept from the others'.
type Isolation string

const (
	IsolationCollection Isolation = "collection"
	IsolationShared     Isolation = "shared"
	IsolationDatabase   Isolation = "database"
)

// Isolations are all of them.
func Isolations() []Isolation {
	return []Isolation{IsolationCollection, IsolationShared, IsolationDatabase}
}

// Placement is where an organization's documents live now.
type Placement struct {
	Cluster   string
	Isolation Isolation
	// Database is, on SQLite, the name of the file without its extension.
	Database string
	// Collection is a collection's or a table's name: "org_" and the slug with
	// "-" written "_", or SharedCollection.
	Collection string
	// Generation goes up with every change of the placement, from 1.
	Generation int64
}

// SharedCollection is where the documents of organizations in
// IsolationShared are, each with its organization's id.
const SharedCollection = "shared"

// CollectionIn is the collection of an organization with this slug in an
// isolation.
func CollectionIn(isolation Isolation, slug string) string {
	if isolation == IsolationShared {
		return SharedCollection
	}
	return CollectionName(slug)
}

// CollectionName is the collection of an organization with this slug. Slugs
// have no "_", so two slugs never share one.
func CollectionName(slug string) string {
	return "org_" + strings.ReplaceAll(slug, "-", "_")
}

// NamespaceStats is the size of one organization's data.
type NamespaceStats struct {
	Documents int64
	Bytes     int64
}
