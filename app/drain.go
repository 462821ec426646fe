package app

// Drain is how far the moving of everybody out of a cluster came.
type Drain struct {
	// Cluster is the one that is emptied.
	Cluster string
	// To is where everybody goes; empty: to where the placement sends them.
	To string
	// Completing: what was left is removed as soon as an organization has
	// switched, without a grace period.
	Completing bool
	// Total is how many organizations there were at the beginning, and Left how
	// many at the last look.
	Total, Left int64
	// Failed are organizations that could not be moved, the first of them, and
	// Failures is how many.
	Failed   []DrainFailure
	Failures int64
}

// DrainFailure is an organization that could not be moved.
type DrainFailure struct {
	Organization OrganizationID
	Slug         string
	Reason       string // for the operator
}
