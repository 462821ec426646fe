package documents

import (
	"sync"
	"time"

	"tenantry/app"
)

// scouts finds out for all acts that are held for an organization whether it
// takes writes again. One of them asks the stores, and tells the others when it
// is through: thousands that are held must not be thousands that ask.
type scouts struct {
	mu  sync.Mutex
	out map[app.OrganizationID]*scout
}

type scout struct {
	// back is closed when it is through, or has given up.
	back chan struct{}
	// asked is when it began to ask last.
	asked time.Time
}

// overdue is how long a scout may ask before another is sent: its answer may
// never come.
const overdue = 250 * time.Millisecond

// send makes the caller a scout, if it is none yet and there is no other who can
// be waited for. It gives the scout, and whether that is the caller's.
func (s *scouts) send(org app.OrganizationID, mine *scout) (*scout, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if mine == nil {
		if other := s.out[org]; other != nil && now.Sub(other.asked) < overdue {
			return other, false
		}
		mine = &scout{back: make(chan struct{})}
		if s.out == nil {
			s.out = map[app.OrganizationID]*scout{}
		}
		s.out[org] = mine
	}
	mine.asked = now
	return mine, true
}

// end is for a scout that is through.
func (s *scouts) end(org app.OrganizationID, mine *scout) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.out[org] == mine {
		delete(s.out, org)
	}
	close(mine.back)
}
