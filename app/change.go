package app

import "time"

// Creation is everything that comes into being with an organization.
type Creation struct {
	Organization Organization
	// Owner is nil when a user who exists already becomes the owner.
	Owner      *User
	Membership Membership
	// Repetition is nil when the caller gave no idempotency key.
	Repetition *Repetition
}

// Repetition is what a request with an idempotency key is answered with when
// it comes again.
type Repetition struct {
	// Key is a hash of the caller's key and of what it is for.
	Key string
	// Fingerprint is a keyed hash of the request: another request under the
	// same key is refused.
	Fingerprint []byte
	ExpiresAt   time.Time
	// Organization is the answer: the organization as it is when its creation
	// has finished. While it is StateCreating, the first request is still on its
	// way.
	Organization Organization
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
