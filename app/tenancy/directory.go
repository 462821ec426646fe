package tenancy

import (
	"context"
	"errors"

	"tenantry/app"
	"tenantry/app/cache"
)

// How many of each the directory keeps in memory. An organization is about
// half a kilobyte; one with more metadata than maxKept is not kept.
const (
	keptOrganizations = 60_000
	keptRoles         = 60_000
	maxKept           = 4 << 10
)

func worthKeeping(o app.Organization) bool {
	size := 0
	for k, v := range o.Metadata {
		size += len(k) + len(v)
	}
	return size <= maxKept
}

// directoryRegistry is what the directory reads.
type directoryRegistry interface {
	app.Organizations
	Membership(ctx context.Context, org app.OrganizationID, user app.UserID) (app.Membership, error)
	Subscribe(f func(app.Invalidation))
	Trusted() bool
}

// Directory reads organizations and roles through caches that the registry's
// invalidations keep true, and decides who may do what.
type Directory struct {
	registry      directoryRegistry
	organizations *cache.Cache[app.OrganizationID, app.Organization]
	slugs         *cache.Cache[string, app.OrganizationID]
	roles         *cache.Cache[member, app.Role]
}

type member struct {
	org  app.OrganizationID
	user app.UserID
}

// NewDirectory makes the directory of a registry and subscribes it.
func NewDirectory(registry directoryRegistry) *Directory {
	d := &Directory{
		registry:      registry,
		organizations: cache.New[app.OrganizationID, app.Organization](keptOrganizations, registry.Trusted).Keeping(worthKeeping),
		slugs:         cache.New[string, app.OrganizationID](keptOrganizations, registry.Trusted),
		roles:         cache.New[member, app.Role](keptRoles, registry.Trusted),
	}
	registry.Subscribe(func(i app.Invalidation) {
		if i.Everything {
			d.organizations.Clear()
			d.roles.Clear()
		}
		if i.Organization == "" {
			return
		}
		d.organizations.Drop(i.Organization)
		if i.User != "" {
			d.roles.Drop(member{i.Organization, i.User})
		}
	})
	return d
}

// Reading is for a read that is about to begin and brings the organization and
// the user's role there: what it hands to keep need not be read again.
func (d *Directory) Reading(org app.OrganizationID, user app.UserID) (keep func(app.Organization, app.Role)) {
	organization, role := d.organizations.Reading(org), d.roles.Reading(member{org, user})
	return func(o app.Organization, r app.Role) {
		organization(o)
		role(r)
		d.slugs.Put(o.Slug, o.ID)
	}
}

// Organization gives the organization in whichever state, or ErrNotFound.
func (d *Directory) Organization(ctx context.Context, id app.OrganizationID) (app.Organization, error) {
	return d.organizations.Get(ctx, id, func(ctx context.Context) (app.Organization, error) {
		return d.registry.Organization(ctx, id)
	})
}

// Forget drops what is remembered of an organization, so that the next look
// reads the registry.
func (d *Directory) Forget(id app.OrganizationID) { d.organizations.Drop(id) }

// BySlug gives the organization that has the slug now, in whichever state, or
// ErrNotFound.
func (d *Directory) BySlug(ctx context.Context, slug string) (app.Organization, error) {
	if id, kept := d.slugs.Peek(slug); kept {
		// The slug may have gone to someone else since; the organization itself,
		// kept true by invalidations, knows.
		if org, err := d.Organization(ctx, id); err == nil && org.Slug == slug {
			return org, nil
		}
		d.slugs.Drop(slug)
	}
	org, err := d.registry.OrganizationBySlug(ctx, slug)
	if err != nil {
		return app.Organization{}, err
	}
	d.slugs.Put(slug, org.ID)
	return org, nil
}

// Role gives the user's role in the organization, or ErrNotFound.
func (d *Directory) Role(ctx context.Context, org app.OrganizationID, user app.UserID) (app.Role, error) {
	return d.roles.Get(ctx, member{org, user}, func(ctx context.Context) (app.Role, error) {
		m, err := d.registry.Membership(ctx, org, user)
		return m.Role, err
	})
}

// find resolves a reference, which is an id or a slug, to an organization that
// the actor may know of: a visible one, or for operators one that can still be
// restored.
func (d *Directory) find(ctx context.Context, actor app.Actor, ref string) (app.Organization, error) {
	var org app.Organization
	var err error
	if app.IsID(ref) {
		org, err = d.Organization(ctx, app.OrganizationID(ref))
	} else {
		org, err = d.BySlug(ctx, ref)
	}
	known := org.State.Visible() || org.State == app.StateDeleted && actor.Operator()
	if errors.Is(err, app.ErrNotFound) || err == nil && !known {
		return app.Organization{}, errUnknown()
	}
	return org, err
}

// Resolve finds the organization and decides whether the actor may do the act
// there. Somebody else's organization is ErrNotFound, as if there were none.
func (d *Directory) Resolve(ctx context.Context, actor app.Actor, ref string, p app.Permission) (app.Organization, error) {
	if actor.Kind == app.Anonymous {
		return app.Organization{}, app.Fail(app.ErrUnauthenticated, "token_required",
			"Sign in first and send the access token as \"Authorization: Bearer …\".")
	}
	org, err := d.find(ctx, actor, ref)
	if err != nil {
		return app.Organization{}, err
	}
	if actor.Operator() {
		if org.State == app.StateDeleted && p == app.UpdateOrganization {
			return app.Organization{}, app.Fail(app.ErrConflict, "organization_deleted",
				"This organization is deleted. Restore it before you change it.")
		}
		if p == app.ReadDocuments || p == app.WriteDocuments {
			return app.Organization{}, app.Fail(app.ErrForbidden, "operator_not_member",
				"An operator runs the installation and does not read or write an organization's documents. Sign in as one of its members.")
		}
		return org, nil
	}
	role, err := d.Role(ctx, org.ID, actor.UserID)
	if errors.Is(err, app.ErrNotFound) {
		return app.Organization{}, errUnknown()
	}
	if err != nil {
		return app.Organization{}, err
	}
	if org.State == app.StateSuspended {
		return app.Organization{}, app.Fail(app.ErrForbidden, "organization_suspended",
			"This organization is suspended. Ask the operator of this server.")
	}
	if !role.Can(p) {
		return app.Organization{}, app.Fail(app.ErrForbidden, "role_insufficient",
			"Your role "+string(role)+" does not allow this. Ask an owner of the organization.")
	}
	return org, nil
}

func errUnknown() error {
	return app.Fail(app.ErrNotFound, "organization_not_found",
		"There is no organization with this id or name that you can see.")
}
