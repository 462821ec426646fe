package app

// Account is a user with where they can sign in, as it was at one moment.
type Account struct {
	User   User
	Places []Place // the oldest membership first
}

// Place is a visible organization that a user is a member of.
type Place struct {
	Organization Organization
	Role         Role
	Proof        Proof
}

// Proof is what a sign-in rests on: it was read before the password was
// compared, and the session that is opened on it must not outlive it.
type Proof struct {
	PasswordHash string
	// UserEpoch and OrganizationEpoch are the engine's: what ends sessions gives
	// the user, or the organization, another one. An engine that ends sessions
	// otherwise leaves them zero.
	UserEpoch, OrganizationEpoch int64
}

// AccountQuery says who wants to sign in, and where.
type AccountQuery struct {
	EmailKey string
	// Organization is the id or slug of the one place that is asked for; empty:
	// all.
	Organization string
	// Limit is how many places are given at most, at least 1.
	Limit int
}

// SignedIn is a session with the organization that it is in, and what the user
// is there.
type SignedIn struct {
	Session
	Organization Organization
	Role         Role
}
