package sqlite

import (
	"sync"

	"tenantry/app"
)

// keptNames bounds what one shard remembers. An entry is about 150 bytes.
const keptNames = 4096

// names remembers which table is an organization's, as a guess: whatever is
// read or written by it is so on condition that the guess is true.
type names struct {
	mu   sync.RWMutex
	kept map[app.OrganizationID]knownTable
}

// knownTable is a table as it was at some moment. An index that it had then it
// has for good.
type knownTable struct {
	table
	indexed bool
}

// guess is where the documents of a namespace probably are. All that share a
// table share the same.
func (n *names) guess(ns app.Namespace) (knownTable, bool) {
	if ns.Placement.Isolation == app.IsolationShared {
		return knownTable{table: sharedTable}, true
	}
	n.mu.RLock()
	defer n.mu.RUnlock()
	t, ok := n.kept[ns.Organization]
	return t, ok
}

// put remembers where the documents of an organization are that has a table.
func (n *names) put(org app.OrganizationID, t knownTable) {
	if t.isShared() {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.kept == nil || len(n.kept) >= keptNames {
		n.kept = make(map[app.OrganizationID]knownTable)
	}
	n.kept[org] = t
}

func (n *names) drop(org app.OrganizationID) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.kept, org)
}
