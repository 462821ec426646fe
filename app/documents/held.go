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
	h := held{home: p}
	defer h.through()
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
		told := false
		if frozen {
			if told, err = h.wait(ctx, pause); err != nil {
				return err
			}
		}
		// What is remembered of it may be old, and by now the actor may not be
		// allowed any more.
		if !told {
			p.s.organizations.Forget(p.org.ID)
		}
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
			if err := h.rest(ctx, pause, nil); err != nil {
				return err
			}
		}
	}
}

// held is an act that waits for its organization.
type held struct {
	*home
	end time.Time // when it has waited for long enough; counts from the first wait on
	own *scout    // when it is the one who finds out
}

// wait waits until it is worth another try. It reports whether another act was
// through just now, so that what is remembered of the organization is new.
func (h *held) wait(ctx context.Context, pause time.Duration) (told bool, err error) {
	for {
		sent, mine := h.s.scouts.send(h.org.ID, h.own)
		if mine {
			h.own = sent
			return false, h.rest(ctx, pause, nil)
		}
		if err := h.rest(ctx, overdue, sent.back); err != nil {
			return false, err
		}
		select {
		case <-sent.back:
			return true, nil
		default:
		}
	}
}

// through lets those know who wait for this one.
func (h *held) through() {
	if h.own != nil {
		h.s.scouts.end(h.org.ID, h.own)
	}
}

// rest waits a little, or until something is closed.
func (h *held) rest(ctx context.Context, pause time.Duration, closed <-chan struct{}) error {
	if h.end.IsZero() {
		h.end = time.Now().Add(h.s.hold)
	}
	left := time.Until(h.end)
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
	case <-closed:
	}
	return nil
}
