package sqlite

import (
	"sync"

	"tenantry/app"
)

// keptNames bounds what one shard remembers. An entry is about 150 bytes.
const keptNames = 4096

// names remembers which table is an organization's, as a guess: whatever is
// read by it is read on condition that the guess is true.
type names struct {
	mu   sync.RWMutex
	kept map[app.OrganizationID]collection
}

func (n *names) get(org app.OrganizationID) (collection, bool) {
	n.mu.RLock()
	defer n.mu.RUnlock()
	name, ok := n.kept[org]
	return name, ok
}

func (n *names) put(org app.OrganizationID, name collection) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.kept == nil || len(n.kept) >= keptNames {
		n.kept = make(map[app.OrganizationID]collection)
	}
	n.kept[org] = name
}

func (n *names) drop(org app.OrganizationID) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.kept, org)
}
