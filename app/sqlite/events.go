package sqlite

import (
	"sync"

	"tenantry/app"
)

// subscribers are told of changes in process: this server alone writes the
// file, so nothing need be polled.
type subscribers struct {
	mu   sync.RWMutex
	list []func(app.Invalidation)
}

// Subscribe adds one.
func (s *subscribers) Subscribe(f func(app.Invalidation)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.list = append(s.list, f)
}

// Trusted is true: whatever changes the file announces it in this process.
func (s *subscribers) Trusted() bool { return true }

// Shared is false: one process holds the file.
func (s *subscribers) Shared() bool { return false }

func (s *subscribers) publish(changed ...app.Invalidation) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, i := range changed {
		for _, f := range s.list {
			f(i)
		}
	}
}
