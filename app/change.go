package app

import "time"

// Creation is everything that comes into being with an organization.
type Creation struct {
	Organization Organization
	// Owner is nil when a user who exists already becomes the owner.
	Owner      *User
	Membership Membership
}

// OrganizationChange is a change of one organization and, with it or not at
// all, of one user's credentials. A nil field stays as it is.
type OrganizationChange struct {
	OrganizationID OrganizationID
	// IfRevision is the revision that must be there, or AnyRevision.
	IfRevision int64
	// Name and NameKey change together.
	Name    *string
	NameKey *string
	// Slug and Collection change together, and only by a rename operation.
	Slug       *string
	Collection *string
	// ExternalID: the empty string takes it away.
	ExternalID *string
	// Metadata replaces the whole map.
	Metadata map[string]string
	State    *OrganizationState
	User     *CredentialChange
	At       time.Time
}

// CredentialChange is a change of how one user signs in. A change of the
// password ends all the user's sessions in the same transaction.
type CredentialChange struct {
	UserID       UserID
	Email        *string
	EmailKey     *string
	PasswordHash *string
}
