package tenancy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"tenantry/app"
)

// What a comparison of the registry with the clusters finds. The words are
// stable.
const (
	// FindingClusterAway: the cluster cannot be looked at.
	FindingClusterAway = "cluster_away"
	// FindingMissing: the registry has the organization, its cluster has no data
	// of it. What is lost is in a backup; nothing is mended.
	FindingMissing = "namespace_missing"
	// FindingUnfenced: something else than this program has made the place of the
	// organization's documents again. What is in it is taken over.
	FindingUnfenced = "namespace_unfenced"
	// FindingMisnamed: the data is there under another name or generation than
	// the registry has. It is renamed.
	FindingMisnamed = "namespace_misnamed"
	// FindingOrphan: data of an organization that the registry does not know or
	// has elsewhere. It is removed if there is no document in it.
	FindingOrphan = "namespace_orphan"
	// FindingStuck: an operation that was refused and is still open. It is tried
	// again.
	FindingStuck = "operation_stuck"
	// FindingAdrift: the organization is in a state that only an open operation
	// leads out of, and there is none. Nothing is mended.
	FindingAdrift = "organization_adrift"
	// FindingNamespacesLow: a cluster has used most of its max_namespaces, or all
	// of them. Nothing is mended.
	FindingNamespacesLow = "namespaces_low"
)

// Finding is one thing that is not as it should be.
type Finding struct {
	Kind         string
	Organization app.OrganizationID
	Cluster      string
	Database     string
	Collection   string
	Operation    app.OperationID
	// Detail is a sentence for the operator.
	Detail string
	// Repaired: it is as it should be now.
	Repaired bool
}

// adriftAfter is how long a state may be between two others before the lack of
// an operation is remarkable.
const adriftAfter = 10 * time.Second

// Doctor compares the registry with every cluster. It changes nothing unless
// repair says so, and then only what no data can be lost by. It may run while
// the server serves: what looks wrong is looked at once more. For operators.
func (s *Service) Doctor(ctx context.Context, actor app.Actor, repair bool) ([]Finding, error) {
	if err := operatorOnly(actor); err != nil {
		return nil, err
	}
	d := &doctor{Service: s, places: s.clusters.All(), repair: repair}
	if err := d.operations(ctx); err != nil {
		return nil, err
	}
	if err := d.budgets(ctx); err != nil {
		return nil, err
	}
	found := map[string]map[spot]app.Placement{}
	for _, name := range slices.Sorted(maps.Keys(d.places)) {
		list, err := d.places[name].Namespaces(ctx)
		if err != nil {
			s.log.Warn("a cluster was not compared", "cluster", name, "error", err)
			d.found(Finding{Kind: FindingClusterAway, Cluster: name,
				Detail: "The cluster cannot be looked at, so nothing is known of what is in it. See the server's log."}, false)
			continue
		}
		found[name] = make(map[spot]app.Placement, len(list))
		for _, ns := range list {
			found[name][spotOf(ns.Organization, ns.Placement)] = ns.Placement
		}
	}
	if err := d.organizations(ctx, found); err != nil {
		return nil, err
	}
	return d.findings, d.orphans(ctx, found)
}

// spot is what a namespace is known by within a cluster: an organization that
// moves there has two. Where its data is in files, the file belongs to it only
// as long as the registry agrees.
type spot struct {
	org       app.OrganizationID
	isolation app.Isolation
	database  string
}

func spotOf(org app.OrganizationID, p app.Placement) spot { return spot{org, p.Isolation, p.Database} }

func (s spot) compare(to spot) int {
	return cmp.Or(cmp.Compare(s.org, to.org), cmp.Compare(s.isolation, to.isolation), cmp.Compare(s.database, to.database))
}

type doctor struct {
	*Service
	places   map[string]Place
	repair   bool
	findings []Finding
}

func (d *doctor) found(f Finding, repaired bool) {
	f.Repaired = repaired
	d.findings = append(d.findings, f)
}

// operations finds those that do not come on.
func (d *doctor) operations(ctx context.Context) error {
	open, err := d.registry.OpenOperations(ctx, d.clock())
	if err != nil {
		return fmt.Errorf("list open operations: %w", err)
	}
	for _, op := range open {
		if op.Attempts == 0 || op.Relocation != nil && op.Error == "" {
			continue // somebody works on it, or is about to
		}
		repaired := false
		if d.repair {
			repaired, _ = d.runner.Resume(context.WithoutCancel(ctx), op.ID)
		}
		d.found(Finding{Kind: FindingStuck, Organization: op.OrganizationID, Operation: op.ID, Cluster: op.Placement.Cluster,
			Detail: fmt.Sprintf("The %s was refused %d times at the step %q: %s", op.Kind, op.Attempts, op.Step, op.Error)}, repaired)
	}
	return nil
}

// budgets finds clusters whose namespaces are running out.
func (d *doctor) budgets(ctx context.Context) error {
	budgets, err := d.Budgets(ctx)
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(budgets)) {
		if b := budgets[name]; b.State() != BudgetOK {
			d.found(Finding{Kind: FindingNamespacesLow, Cluster: name, Detail: fmt.Sprintf(
				"%d of the %d namespaces that max_namespaces of %s allows are used. When all are, new organizations are shared, or go elsewhere.",
				b.Used, b.Max, name)}, false)
		}
	}
	return nil
}

// organizations walks the registry. What is as it should be is taken out of
// found, so that orphans stay.
func (d *doctor) organizations(ctx context.Context, found map[string]map[spot]app.Placement) error {
	q := app.OrganizationQuery{Sort: app.SortCreated, Limit: MaxLimit}
	for {
		page, err := d.registry.ListOrganizations(ctx, q)
		if err != nil {
			return fmt.Errorf("list organizations: %w", err)
		}
		for _, org := range page {
			there, looked := found[org.Placement.Cluster]
			here := spotOf(org.ID, org.Placement)
			at, is := there[here]
			delete(there, here)
			if err := d.organization(ctx, org, looked, is, at); err != nil {
				return err
			}
		}
		if len(page) < q.Limit {
			return nil
		}
		q.After = &app.OrganizationCursor{ID: page[len(page)-1].ID}
	}
}

func (d *doctor) organization(ctx context.Context, org app.Organization, looked, is bool, at app.Placement) error {
	between := org.State == app.StateCreating || org.State == app.StateDeleting
	_, configured := d.places[org.Placement.Cluster]
	same := is && at.Collection == org.Placement.Collection && at.Generation == org.Placement.Generation
	if configured && (same || !looked) && !between {
		return nil
	}
	// It may have been seen in the middle of a change, and what follows is for
	// what nobody works on.
	now, err := d.registry.Organization(ctx, org.ID)
	if errors.Is(err, app.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	open, err := d.registry.ListOperations(ctx, app.OperationQuery{Organization: org.ID, Limit: 1,
		States: app.OpenStates()})
	if err != nil {
		return err
	}
	if len(open) > 0 && now.State != app.StateDeleted || now.Revision != org.Revision {
		return nil
	}
	f := Finding{Organization: org.ID, Cluster: org.Placement.Cluster, Database: org.Placement.Database, Collection: org.Placement.Collection}
	switch {
	case between && d.clock().Sub(now.UpdatedAt) > adriftAfter:
		f.Kind = FindingAdrift
		f.Detail = fmt.Sprintf("The organization is %s and no operation works on it. Please report this.", now.State)
		d.found(f, false)
	case between:
	case !configured:
		f.Kind = FindingClusterAway
		f.Detail = fmt.Sprintf("The organization %s is on a cluster that is neither in the configuration nor added, or that cannot be opened.", org.Slug)
		d.found(f, false)
	case !is:
		f.Kind = FindingMissing
		f.Detail = fmt.Sprintf("The data of %s is not on its cluster. Restore it from a backup.", org.Slug)
		_, err := d.places[org.Placement.Cluster].Stats(ctx, namespace(now))
		switch {
		case errors.Is(err, app.ErrUnfenced):
			f.Kind = FindingUnfenced
			f.Detail = fmt.Sprintf("The data of %s was removed, and its place made again by something else. "+
				"What is missing is in a backup.", org.Slug)
			d.found(f, d.takeOver(ctx, now))
		case errors.Is(err, app.ErrNotFound) || errors.Is(err, app.ErrLost):
			d.found(f, false)
		} // else it has come meanwhile, or cannot be looked at
	default:
		f.Kind = FindingMisnamed
		f.Detail = fmt.Sprintf("The data of %s is there as %s (generation %d) in %s.", org.Slug, at.Collection, at.Generation, at.Database)
		d.found(f, d.rename(ctx, now, at))
	}
	return nil
}

// takeOver makes what something else has made the organization's own.
func (d *doctor) takeOver(ctx context.Context, org app.Organization) bool {
	if !d.repair {
		return false
	}
	err := d.places[org.Placement.Cluster].Provision(ctx, namespace(org))
	if err != nil {
		d.log.Warn("what stands in the place of a namespace was not taken over", "org_id", org.ID, "error", err)
	}
	return err == nil
}

// rename gives the data the name that the registry has for it.
func (d *doctor) rename(ctx context.Context, org app.Organization, at app.Placement) bool {
	if !d.repair {
		return false
	}
	ns := app.Namespace{Organization: org.ID, Placement: at}
	err := d.places[org.Placement.Cluster].Rename(ctx, ns, org.Placement.Collection, org.Placement.Generation)
	if err != nil {
		d.log.Warn("a namespace was not renamed", "org_id", org.ID, "error", err)
	}
	return err == nil
}

// orphans looks at the data that no organization came for.
func (d *doctor) orphans(ctx context.Context, found map[string]map[spot]app.Placement) error {
	for _, cluster := range slices.Sorted(maps.Keys(found)) {
		for _, here := range slices.SortedFunc(maps.Keys(found[cluster]), spot.compare) {
			if err := d.orphan(ctx, cluster, here.org, found[cluster][here]); err != nil {
				return err
			}
		}
	}
	return nil
}

func (d *doctor) orphan(ctx context.Context, cluster string, id app.OrganizationID, at app.Placement) error {
	org, err := d.registry.Organization(ctx, id)
	if err == nil && org.Placement.Cluster == cluster && spotOf(id, org.Placement) == spotOf(id, at) {
		return nil // made meanwhile
	}
	if err != nil && !errors.Is(err, app.ErrNotFound) {
		return err
	}
	open, err := d.registry.ListOperations(ctx, app.OperationQuery{Organization: id, Limit: 1, States: app.OpenStates()})
	if err != nil || len(open) > 0 {
		return err // it is being moved there, or from there
	}
	ns := app.Namespace{Organization: id, Placement: at}
	stats, err := d.places[cluster].Stats(ctx, ns)
	if errors.Is(err, app.ErrNotFound) {
		return nil // removed meanwhile
	}
	if err != nil {
		return err
	}
	repaired := false
	if d.repair && stats.Documents == 0 {
		err := d.places[cluster].Drop(ctx, ns)
		if err != nil {
			d.log.Warn("an orphan was not removed", "org_id", id, "error", err)
		}
		repaired = err == nil
	}
	d.found(Finding{Kind: FindingOrphan, Organization: id, Cluster: cluster, Database: at.Database, Collection: at.Collection,
		Detail: fmt.Sprintf("%s holds %d documents of an organization that the registry does not have here.", at.Collection, stats.Documents)}, repaired)
	return nil
}
