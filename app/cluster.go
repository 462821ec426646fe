package app

// ClusterUsage is what a cluster is and how much is in it.
type ClusterUsage struct {
	// Engine is "sqlite" or "mongodb", and Version that of the engine.
	Engine  string
	Version string
	// Isolations are those that namespaces can have here.
	Isolations []Isolation
	// Transactions: what one act changes in several places of the cluster is
	// changed together.
	Transactions bool
	Namespaces   int64
	Documents    int64
	// Bytes are those that the cluster takes on disk.
	Bytes int64
}
