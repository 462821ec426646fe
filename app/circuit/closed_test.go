package circuit

import (
	"context"
	"errors"
	"log/slog"
	"testing"

	"tenantry/app"
)

// moved is a registry that can be closed; its own methods are not called then.
type moved struct {
	app.Registry
	closed error
}

func (m *moved) Closed() error { return m.closed }

func (m *moved) Organization(_ context.Context, id app.OrganizationID) (app.Organization, error) {
	return app.Organization{ID: id}, nil
}

func (m *moved) Health(context.Context) error { return nil }

func (m *moved) Close() error { return nil }

func TestNothingIsAskedOfAClosedRegistry(t *testing.T) {
	inner := &moved{}
	r, c := Registry(inner, slog.New(slog.DiscardHandler))
	defer func() { _ = r.Close() }()
	if o, err := r.Organization(t.Context(), "a"); err != nil || o.ID != "a" {
		t.Fatal(o, err)
	}
	inner.closed = app.Fail(app.ErrUnavailable, "unavailable", "It was moved.")
	if o, err := r.Organization(t.Context(), "a"); !errors.Is(err, app.ErrUnavailable) || o.ID != "" {
		t.Fatal(o, err)
	}
	if err := r.Health(t.Context()); !errors.Is(err, inner.closed) {
		t.Errorf("it is healthy: %v", err)
	}
	if s := c.State(); s.Open || s.Waiting != 0 {
		t.Errorf("%+v", s)
	}
	inner.closed = nil
	if _, err := r.Organization(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
}
