package mongodb

import (
	"sync"

	"tenantry/app"
)

// subscribers are told of changes: of this server's own when they are durable,
// of the others' as they are read.
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

func (s *subscribers) publish(changed ...app.Invalidation) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, i := range changed {
		for _, f := range s.list {
			f(i)
		}
	}
}

// notice is an invalidation as it is stored.
type notice struct {
	Organization string `bson:"organization,omitempty"`
	User         string `bson:"user,omitempty"`
	Session      string `bson:"session,omitempty"`
	OperatorKey  string `bson:"operator_key,omitempty"`
	Clusters     bool   `bson:"clusters,omitempty"`
	// Mark: the registry is opened or closed.
	Mark bool `bson:"mark,omitempty"`
}

func noticeOf(i app.Invalidation) notice {
	return notice{Organization: string(i.Organization), User: string(i.User),
		Session: string(i.Session), OperatorKey: string(i.OperatorKey), Clusters: i.Clusters}
}

func (n notice) invalidation() app.Invalidation {
	return app.Invalidation{Organization: app.OrganizationID(n.Organization), User: app.UserID(n.User),
		Session: app.SessionID(n.Session), OperatorKey: app.OperatorKeyID(n.OperatorKey), Clusters: n.Clusters}
}
