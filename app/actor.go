package app

// ActorKind says as what somebody acts.
type ActorKind int

const (
	// Anonymous showed nothing.
	Anonymous ActorKind = iota
	// AsUser showed an access token.
	AsUser
	// AsOperator showed an operator key or came over the data folder's socket.
	AsOperator
)

// Actor is who asks. Every capability takes one and decides by it; nothing
// below the capabilities ever sees one.
type Actor struct {
	Kind ActorKind
	// UserID, OrganizationID (the one that was signed in to) and SessionID are
	// set for AsUser.
	UserID         UserID
	OrganizationID OrganizationID
	SessionID      SessionID
	// KeyID is set for an operator that showed a key.
	KeyID OperatorKeyID
}

// Operator reports whether the actor runs the installation.
func (a Actor) Operator() bool { return a.Kind == AsOperator }
