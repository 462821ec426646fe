package app

import "time"

// User is a person who signs in.
type User struct {
	ID UserID
	// Email is the address as the person spelled it.
	Email string
	// EmailKey is what is unique and compared; see identity.EmailKey.
	EmailKey string
	Name     string
	// PasswordHash is in bcrypt's modular crypt format.
	PasswordHash string
	Revision     int64
	CreatedAt    time.Time
	UpdatedAt    time.Time
}

// Role is what a member may do in one organization.
type Role string

const (
	RoleOwner  Role = "owner"
	RoleAdmin  Role = "admin"
	RoleMember Role = "member"
	RoleViewer Role = "viewer"
)

// Permission is an act in one organization that a role allows or not.
type Permission int

const (
	ReadOrganization Permission = iota
	ReadDocuments
	WriteDocuments
	ReadPlacement
	ReadOperations
	UpdateOrganization
	DeleteOrganization
)

// Can reports whether the role allows the act. An unknown role allows none.
func (r Role) Can(p Permission) bool {
	switch r {
	case RoleOwner:
		return true
	case RoleAdmin:
		return p != DeleteOrganization
	case RoleMember:
		return p == ReadOrganization || p == ReadDocuments || p == WriteDocuments
	case RoleViewer:
		return p == ReadOrganization || p == ReadDocuments
	}
	return false
}

// Membership joins a user to an organization.
type Membership struct {
	OrganizationID OrganizationID
	UserID         UserID
	Role           Role
	CreatedAt      time.Time
}

// Session is one sign-in. Access tokens name it, and it ends them: a token
// whose session is gone is worth nothing.
type Session struct {
	ID             SessionID
	UserID         UserID
	OrganizationID OrganizationID
	// RefreshHash is the SHA-256 of the refresh token that is good now.
	RefreshHash []byte
	// PreviousHash is that of the one it replaced. Whoever shows that one has a
	// copy, and the session ends.
	PreviousHash []byte
	CreatedAt    time.Time
	LastUsedAt   time.Time
	ExpiresAt    time.Time
}

// OperatorKey lets a program or a person act as operator.
type OperatorKey struct {
	ID   OperatorKeyID
	Name string
	// Hash is the SHA-256 of the key. The key itself is shown once and not kept.
	Hash       []byte
	CreatedAt  time.Time
	LastUsedAt time.Time // zero: never
	ExpiresAt  time.Time // zero: never
	RevokedAt  time.Time // zero: not
}

// SigningKey signs access tokens.
type SigningKey struct {
	// ID is the kid of RFC 7517: the key's RFC 7638 thumbprint.
	ID string
	// Public is the 32-byte Ed25519 public key.
	Public []byte
	// Sealed is the private key under the installation's seal key.
	Sealed    []byte
	CreatedAt time.Time
	// RetiredAt is when it stopped signing; zero while it signs. It verifies
	// until every token it signed has expired.
	RetiredAt time.Time
}
