package app

import (
	"fmt"
	"time"
)

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
	// Fenced: the store itself refuses writes that are out of date. Where it does
	// not, organizations are served, and cannot be moved.
	Fenced     bool
	Namespaces int64
	Documents  int64
	// Bytes are those that the cluster takes on disk.
	Bytes int64
}

// Room is how much more a store can take.
type Room struct {
	// Known: the store tells.
	Known bool
	// Free is how many bytes nothing has, where its data is.
	Free int64
}

// RoomFor is about how many bytes a store needs free for so many pieces of so many
// bytes in all, with a margin of a quarter, and of what it needs to work itself.
func RoomFor(pieces, bytes int64) int64 {
	const (
		each    = 256 // what is kept beside a piece, its place in indexes too
		reserve = 16 << 20
	)
	n := bytes + each*pieces
	return n + n/4 + reserve
}

// SizeWords is a number of bytes in a sentence.
func SizeWords(n int64) string {
	const kilo, mega, giga = 1e3, 1e6, 1e9
	switch {
	case n >= giga:
		return fmt.Sprintf("%.1f GB", float64(n)/giga)
	case n >= mega:
		return fmt.Sprintf("%.1f MB", float64(n)/mega)
	}
	return fmt.Sprintf("%.0f kB", float64(n)/kilo)
}

// AddedCluster is a cluster that was added while servers ran: the registry has
// it, not their configuration.
type AddedCluster struct {
	Name string
	// Sealed is its connection string, sealed for this name. Empty: it is one of the
	// configuration, and here because it is closing.
	Sealed []byte
	// Place marks where its store is, so that no two have one; empty: not known.
	// What it is cannot be read from it.
	Place         []byte
	Shards        int // of a folder
	Isolations    []Isolation
	MaxNamespaces int // 0: no limit
	// Closing: it is about to be removed, or being emptied, and nobody moves in any
	// more.
	Closing bool
	// Instead is where those go who would come here while it is closing; empty:
	// nowhere but to where else the placement sends them.
	Instead   string
	Revision  int64 // counts the changes, from 1
	CreatedAt time.Time
}

// Site is what there is where a cluster is to be added.
type Site struct {
	// Engine and Version are as in ClusterUsage.
	Engine, Version string
	// Namespaces are those that are there already.
	Namespaces []Namespace
	// Strange names things that no cluster has, the first of them: it is the place
	// of something else.
	Strange []string
}
