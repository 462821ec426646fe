package documents

import (
	"context"
	"errors"
	"time"

	"tenantry/app"
)

const (
	// defaultHold is how long an act waits for an organization that is moved.
	defaultHold = 5 * time.Second
	// firstLook and longestLook are between looks whether it has been moved.
	firstLook   = 5 * time.Millisecond
	longestLook = 50 * time.Millisecond
)

// Holding makes the service hold what meets an organization that is just being
// moved for as long as this. It returns s, and must come before any use.
func (s *Service) Holding(d time.Duration) *Service {
	s.hold = d
	return s
}

// home is an organization whose documents the actor may reach.
type home struct {
	s          *Service
	actor      app.Actor
	permission app.Permission
	org        app.Organization
}

// locate decides whether the actor may, and finds the organization.
func (s *Service) locate(ctx context.Context, actor app.Actor, ref string, p app.Permission) (*home, error) {
	org, err := s.organizations.Resolve(ctx, actor, ref, p)
	if err != nil {
		return nil, err
	}
	return &home{s: s, actor: actor, permission: p, org: org}, nil
}

// do acts where the documents are. When they have moved it looks for them
// again; while they take no writes, or are not to be had, it waits: an act is
// held and not refused. act must do nothing when it returns app.ErrMoved or
// app.ErrFrozen, which the clusters see to.
func (p *home) do(ctx context.Context, act func(app.Cluster, app.Namespace) error) error {
	var end time.Time
	for pause := firstLook; ; pause = min(2*pause, longestLook) {
		cluster, ns, err := p.s.organizations.Located(ctx, p.org)
		if err != nil {
			return err
		}
		err = act(cluster, ns)
		moved, frozen := errors.Is(err, app.ErrMoved), errors.Is(err, app.ErrFrozen)
		if !moved && !frozen {
			return err
		}
		if frozen {
			if err := wait(ctx, &end, pause, p.s.hold); err != nil {
				return err
			}
		}
		// What is remembered of it may be old, and by now the actor may not be
		// allowed any more.
		p.s.organizations.Forget(p.org.ID)
		org, resolving := p.s.organizations.Resolve(ctx, p.actor, string(p.org.ID), p.permission)
		if resolving != nil {
			return resolving
		}
		same := org.Placement == p.org.Placement
		p.org = org
		switch {
		case same && moved && errors.Is(err, app.ErrNotFound):
			// It has not moved: it is not there. And it is no document that is not.
			return app.Lost(errors.New(err.Error()))
		case same && moved:
			if err := wait(ctx, &end, pause, p.s.hold); err != nil {
				return err
			}
		}
	}
}

// wait waits a little, until the end, which begins to count with the first
// wait.
func wait(ctx context.Context, end *time.Time, pause, hold time.Duration) error {
	if end.IsZero() {
		*end = time.Now().Add(hold)
	}
	left := time.Until(*end)
	if left <= 0 {
		return &app.Error{Kind: app.ErrUnavailable, Code: "organization_moving", RetryAfter: time.Second,
			Detail: "This organization is being moved to another place, and that takes longer than expected. Nothing was changed. Try again shortly."}
	}
	timer := time.NewTimer(min(pause, left))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
