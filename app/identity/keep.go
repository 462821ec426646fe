package identity

import (
	"context"
	"time"
)

// pruneEvery is how often what has expired is removed.
const pruneEvery = time.Hour

// keep does the work in the background until the context ends.
func (s *Service) keep(ctx context.Context) {
	uses := time.NewTicker(useEvery)
	defer uses.Stop()
	reread := time.NewTicker(keysReread)
	defer reread.Stop()
	prune := time.NewTicker(pruneEvery)
	defer prune.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-uses.C:
			s.tokens.dropExpired(s.clock())
			s.report("the last uses of operator keys were not recorded", s.operator.flush(ctx))
		case <-reread.C:
			s.report("signing keys were not renewed", s.keys.refresh(ctx))
		case <-prune.C:
			s.prune(ctx)
		}
	}
}

// prune removes expired sessions and keys that no living token needs.
func (s *Service) prune(ctx context.Context) {
	n, err := s.registry.PruneSessions(ctx, s.clock())
	s.report("expired sessions were not removed", err)
	if n > 0 {
		s.log.Debug("expired sessions were removed", "count", n)
	}
	s.report("old signing keys were not removed", s.keys.prune(ctx))
}

// report logs what failed in the background; it is tried again next time.
func (s *Service) report(what string, err error) {
	if err != nil {
		s.log.Warn(what+"; trying again later", "error", err)
	}
}
