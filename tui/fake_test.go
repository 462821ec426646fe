package tui

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"tenantry/app/client"
)

// noon is when the tests take place.
var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

// fake is a server that answers at once, the same at every run, and fails or
// waits on request. Stories on a real one are in server_test.go.
type fake struct {
	mu    sync.Mutex
	me    func() (client.Me, error)
	orgs  []client.Organization
	docs  []client.Document
	ops   []client.Operation
	keys  []client.OperatorKey
	owner client.Owner
	// closing: the first cluster takes nobody any more.
	closing bool
	// fail is the error of every call, or of the one that is named.
	fail map[string]error
	// hold makes calls wait until it is closed.
	hold  chan struct{}
	calls []string
	token string
}

func organizationNamed(i int, name, state string) client.Organization {
	return client.Organization{
		ID: fmt.Sprintf("01961000-0000-7000-8000-%012d", i), Name: name, Slug: fmt.Sprintf("slug-%d", i), State: state, Revision: 3,
		ExternalID: fmt.Sprintf("crm-%d", i), Metadata: map[string]string{"plan": "gold"},
		CreatedAt: noon.Add(-time.Duration(i+1) * time.Hour), UpdatedAt: noon.Add(-time.Minute),
	}
}

func newFake() *fake {
	f := &fake{fail: map[string]error{}, me: func() (client.Me, error) {
		return client.Me{}, &client.Error{Status: 403, Code: "user_required", Detail: "An operator key belongs to no user."}
	}}
	f.orgs = []client.Organization{
		organizationNamed(0, "Acme GmbH", "active"), organizationNamed(1, "株式会社サンプル", "active"),
		organizationNamed(2, "شركة المثال", "suspended"), organizationNamed(3, "Evil \x1b[31m\u202eCorp\nof it", "active"),
		organizationNamed(4, "Gone with the wind and a name that is far too long for any column of a table", "deleted"),
	}
	f.owner = client.Owner{ID: "01961000-0000-7000-8000-00000000aaaa", Email: "owner@acme.example", Name: "Olga"}
	for i := range 3 {
		f.docs = append(f.docs, client.Document{
			ID: fmt.Sprintf("doc-%d", i), Type: []string{"note", "invoice", "note"}[i], Revision: int64(i + 1),
			Data:      json.RawMessage(`{"title":"Hello 世界","evil":"\u001b[31m` + "\u202e" + `","list":[1,2.50,{"deep":true}],"none":null}`),
			CreatedAt: noon.Add(-time.Hour), UpdatedAt: noon.Add(-time.Minute),
		})
	}
	due := noon.Add(48 * time.Hour)
	f.ops = []client.Operation{
		{ID: "01961000-0000-7000-8000-0000000000b3", Kind: "delete", OrganizationID: f.orgs[4].ID, State: "running",
			Progress: client.Progress{Done: 1, Total: 3}, DueAt: &due, CreatedAt: noon.Add(-time.Minute), UpdatedAt: noon},
		{ID: "01961000-0000-7000-8000-0000000000b2", Kind: "rename", OrganizationID: f.orgs[1].ID, State: "running", Step: "collection", Attempts: 3,
			Progress: client.Progress{Done: 1, Total: 3}, Error: "The cluster \"default\" cannot be reached right now.",
			CreatedAt: noon.Add(-2 * time.Minute), UpdatedAt: noon},
		{ID: "01961000-0000-7000-8000-0000000000b1", Kind: "create", OrganizationID: f.orgs[0].ID, State: "completed",
			Progress: client.Progress{Done: 3, Total: 3}, CreatedAt: noon.Add(-time.Hour), UpdatedAt: noon.Add(-time.Hour)},
	}
	used, expired := noon.Add(-time.Minute), noon.Add(-time.Hour)
	f.keys = []client.OperatorKey{
		{ID: "01961000-0000-7000-8000-0000000000c1", Name: "first", CreatedAt: noon.Add(-72 * time.Hour), LastUsedAt: &used},
		{ID: "01961000-0000-7000-8000-0000000000c2", Name: "old", CreatedAt: noon.Add(-72 * time.Hour), ExpiresAt: &expired},
		{ID: "01961000-0000-7000-8000-0000000000c3", Name: "lost", CreatedAt: noon.Add(-72 * time.Hour), RevokedAt: &expired},
	}
	return f
}

// call notes a call, waits where calls are held, and gives the error that was
// asked for.
func (f *fake) call(ctx context.Context, name string) error {
	f.mu.Lock()
	f.calls = append(f.calls, name)
	hold, err := f.hold, f.fail[name]
	if err == nil {
		err = f.fail["all"]
	}
	f.mu.Unlock()
	if hold != nil {
		select {
		case <-hold:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return err
}

func (f *fake) called(name string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	for _, c := range f.calls {
		if c == name {
			n++
		}
	}
	return n
}

// calledWith reports whether any call begins like that.
func (f *fake) calledWith(begin string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.ContainsFunc(f.calls, func(c string) bool { return strings.HasPrefix(c, begin) })
}

func (f *fake) set(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

func (f *fake) as(token string) Backend {
	f.set(func() { f.token = token })
	return f
}

func (f *fake) Ready(ctx context.Context) (client.Readiness, error) {
	return client.Readiness{Status: "ready"}, f.call(ctx, "ready")
}

func (f *fake) Status(ctx context.Context) (client.Status, error) {
	return client.Status{Version: "1.2.3", StartedAt: noon.Add(-3 * time.Hour), Running: 2,
		Requests:      client.RequestCount{Answered: 12345, Failed: 2, InFlight: 1},
		Organizations: client.StateCount{Active: 1204, Suspended: 3, Deleted: 1},
		Clusters: []client.ClusterHealth{{Name: "default", Status: "ok", LatencyMS: 0.4, Organizations: 1200},
			{Name: "frankfurt", Status: "failing", Detail: "The disk is full.", LatencyMS: 1830, Organizations: 8}},
	}, f.call(ctx, "status")
}

func (f *fake) Clusters(ctx context.Context) ([]client.Cluster, error) {
	documents, bytes := int64(98765), int64(123456789)
	state := "open"
	if f.closing {
		state = "closing"
	}
	return []client.Cluster{
		{Name: "default", Status: "ok", State: state, Organizations: 1200, Engine: "sqlite", Version: "3.50.4",
			Isolations: []string{"collection", "shared", "database"}, Documents: &documents, Bytes: &bytes,
			Budget: &client.Budget{MaxNamespaces: 1500, Used: 1200, State: "low"}},
		{Name: "frankfurt", Status: "failing", State: "open", Detail: "The disk is full.", Organizations: 8, Isolations: []string{"shared"}},
	}, f.call(ctx, "clusters")
}

func (f *fake) DrainCluster(ctx context.Context, name string, in client.DrainCluster) (client.Operation, error) {
	op := drainOf(name, "running")
	op.Drain.To, op.Drain.Complete = in.To, in.Complete
	if op.DryRun = in.DryRun; in.DryRun {
		op.Drain.Plan = &client.DrainPlan{Documents: 98765, Bytes: 123456789, Stay: 2,
			Targets: []client.DrainTarget{{Cluster: "frankfurt", Organizations: 1198, Room: &client.Room{Needed: 150 << 20}}},
			Moves:   []client.DrainMove{{Slug: "acme", Cluster: "frankfurt", Isolation: "shared"}, {Slug: "gone", Reason: "its data is being removed"}}}
		return op, f.call(ctx, "plan drain "+name+" "+in.To)
	}
	f.set(func() { f.ops = append([]client.Operation{op}, f.ops...) })
	return op, f.call(ctx, fmt.Sprintf("drain %s %s %v", name, in.To, in.Complete))
}

func (f *fake) OpenCluster(ctx context.Context, name string) (client.Cluster, error) {
	return client.Cluster{Name: name, State: "open"}, f.call(ctx, "open "+name)
}

// drainOf is a drain that has come so far.
func drainOf(cluster, state string) client.Operation {
	op := client.Operation{
		ID: "01961000-0000-7000-8000-0000000000d1", Kind: "drain", State: state,
		Progress: client.Progress{Done: 450, Total: 1200}, Rate: 2.51, Estimate: 299,
		Drain:     &client.Drain{Cluster: cluster, Total: 1200, Left: 750},
		CreatedAt: noon.Add(-3 * time.Minute), UpdatedAt: noon.Add(-time.Second),
	}
	if state == "failed" {
		op.Drain.Left, op.Drain.Failures, op.Error = 2, 2, "2 organizations could not be moved."
		op.Drain.Failed = []client.DrainFailure{{Slug: "acme", Reason: "there is no room for another collection"},
			{Slug: "gone", Reason: "it is deleted and can still be restored; delete it once more to remove it now, restore it to move it, or wait"}}
		op.Progress.Done, op.Rate, op.Estimate = 1198, 0, 0
	}
	return op
}

// draining is a server whose first cluster is drained, or was.
func draining(state string) func(*fake) {
	return func(f *fake) {
		f.ops, f.closing = append([]client.Operation{drainOf("default", state)}, f.ops...), true
	}
}

func (f *fake) Login(ctx context.Context, email, _, organization string) (client.Tokens, error) {
	if email == "several@acme.example" && organization == "" {
		e := &client.Error{Status: 409, Code: "organization_required", Detail: "You are a member of several organizations."}
		for _, o := range f.orgs {
			e.Organizations = append(e.Organizations, client.OrganizationChoice{ID: o.ID, Name: o.Name, Slug: o.Slug})
		}
		return client.Tokens{}, e
	}
	if organization != "" {
		_ = f.call(ctx, "login to "+organization)
	}
	return client.Tokens{AccessToken: "token of " + email, RefreshToken: "refresh"}, f.call(ctx, "login")
}

func (f *fake) Refresh(ctx context.Context, _ string) (client.Tokens, error) {
	return client.Tokens{AccessToken: "renewed", RefreshToken: "next"}, f.call(ctx, "refresh")
}

func (f *fake) Logout(ctx context.Context, _ string) error { return f.call(ctx, "logout") }

func (f *fake) Me(ctx context.Context) (client.Me, error) {
	if err := f.call(ctx, "me"); err != nil {
		return client.Me{}, err
	}
	return f.me()
}

func (f *fake) CreateOrganization(ctx context.Context, in client.NewOrganization) (client.Organization, error) {
	return organizationNamed(9, in.Name, "active"), f.call(ctx, "create "+in.Name)
}

func (f *fake) Organization(ctx context.Context, ref string) (client.Organization, error) {
	err := f.call(ctx, "organization")
	for _, o := range f.orgs {
		if o.ID == ref {
			return o, err
		}
	}
	if err == nil {
		err = &client.Error{Status: 404, Code: "organization_not_found", Detail: "There is no organization with this id or name that you can see."}
	}
	return client.Organization{}, err
}

func (f *fake) ListOrganizations(ctx context.Context, in client.ListOrganizations) (client.OrganizationPage, error) {
	err := f.call(ctx, "list "+in.Text+in.State)
	f.mu.Lock()
	defer f.mu.Unlock()
	var found []client.Organization
	for _, o := range f.orgs {
		if strings.Contains(strings.ToLower(o.Name), strings.ToLower(in.Text)) && (in.State == "" || in.State == o.State) {
			found = append(found, o)
		}
	}
	if strings.HasPrefix(in.Sort, "-") {
		slices.Reverse(found)
	}
	total := int64(len(found))
	var from int
	_, _ = fmt.Sscan(in.Cursor, &from)
	page := client.OrganizationPage{Items: found[min(from, len(found)):min(from+in.Limit, len(found))]}
	if in.Count {
		page.Total = &total
	}
	if from+in.Limit < len(found) {
		page.NextCursor = fmt.Sprint(from + in.Limit)
	}
	return page, err
}

func (f *fake) UpdateOrganization(ctx context.Context, ref string, in client.OrganizationPatch) (client.Organization, error) {
	return organizationNamed(0, in.Name, "active"), f.call(ctx, "rename "+ref+" "+in.Name)
}

func (f *fake) DeleteOrganization(ctx context.Context, ref string) (client.Deletion, error) {
	return client.Deletion{}, f.call(ctx, "delete "+ref)
}

func (f *fake) act(ctx context.Context, act, ref string) (client.Organization, error) {
	return organizationNamed(0, "Acme GmbH", "active"), f.call(ctx, act+" "+ref)
}

func (f *fake) RestoreOrganization(ctx context.Context, ref string) (client.Organization, error) {
	return f.act(ctx, "restore", ref)
}

func (f *fake) SuspendOrganization(ctx context.Context, ref string) (client.Organization, error) {
	return f.act(ctx, "suspend", ref)
}

func (f *fake) ResumeOrganization(ctx context.Context, ref string) (client.Organization, error) {
	return f.act(ctx, "resume", ref)
}

func (f *fake) Placement(ctx context.Context, _ string) (client.Placement, error) {
	return client.Placement{Cluster: "default", Isolation: "collection", Database: "shard-07", Collection: "org_acme_gmbh",
		Generation: 1, Documents: 4321, Bytes: 7654321}, f.call(ctx, "placement")
}

func (f *fake) RelocateOrganization(ctx context.Context, ref string, in client.Relocate) (client.Operation, error) {
	op := moveOf(ref, "preflight")
	op.Relocation.Target = client.Place{Cluster: in.Cluster, Isolation: in.Isolation, Database: "tenants", Collection: "org_acme_gmbh"}
	if op.DryRun = in.DryRun; in.DryRun {
		free := int64(1 << 36)
		op.Relocation.Room = &client.Room{Needed: 30 << 20, Free: &free}
		return op, f.call(ctx, "plan "+in.Cluster+" "+in.Isolation)
	}
	f.set(func() { f.ops = append([]client.Operation{op}, f.ops...) })
	return op, f.call(ctx, "relocate "+ref+" "+in.Cluster+" "+in.Isolation)
}

// moveOf is a move that has come so far.
func moveOf(org, state string) client.Operation {
	op := client.Operation{
		ID: "01961000-0000-7000-8000-0000000000b9", Kind: "relocate", OrganizationID: org, State: state,
		Progress: client.Progress{Done: 5200, Total: 8642}, Rate: 812.4, Estimate: 4.24,
		Relocation: &client.Relocation{
			Source:   client.Place{Cluster: "default", Isolation: "collection", Database: "shard-07", Collection: "org_acme_gmbh"},
			Target:   client.Place{Cluster: "frankfurt", Isolation: "shared", Database: "tenants", Collection: "shared"},
			Total:    client.Amount{Documents: 4321, Bytes: 7654321},
			Copied:   client.Amount{Documents: 4321, Bytes: 7654321},
			CaughtUp: client.Amount{Documents: 17, Bytes: 1234}, Verified: client.Amount{Documents: 862, Bytes: 99999},
			PhaseAt: noon.Add(-3 * time.Second),
		},
		CreatedAt: noon.Add(-10 * time.Second), UpdatedAt: noon.Add(-time.Second),
	}
	if state == "switched" {
		due, switched := noon.Add(20*time.Hour), noon.Add(-time.Minute)
		op.Relocation.Revertible, op.Relocation.SwitchedAt, op.DueAt = true, &switched, &due
		op.Relocation.Cutovers, op.Relocation.HeldSeconds = 1, 0.0124
		op.Progress.Done, op.Rate, op.Estimate = op.Progress.Total, 0, 0
	}
	return op
}

// moving is a server where the first organization is being moved.
func moving(state string) func(*fake) {
	return func(f *fake) { f.ops = append([]client.Operation{moveOf(f.orgs[0].ID, state)}, f.ops...) }
}

func (f *fake) Owner(ctx context.Context, _ string) (client.Owner, error) {
	return f.owner, f.call(ctx, "owner")
}

func (f *fake) UpdateOwner(ctx context.Context, _ string, in client.OwnerPatch) (client.Owner, error) {
	return client.Owner{Email: in.Email}, f.call(ctx, "owner is "+in.Email)
}

func (f *fake) ListDocuments(ctx context.Context, _, typ, _ string, _ int) (client.DocumentPage, error) {
	err := f.call(ctx, "documents")
	var page client.DocumentPage
	for _, d := range f.docs {
		if typ == "" || d.Type == typ {
			page.Items = append(page.Items, d)
		}
	}
	return page, err
}

func (f *fake) Document(ctx context.Context, _, id string) (client.Document, error) {
	err := f.call(ctx, "document")
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, d := range f.docs {
		if d.ID == id {
			return d, err
		}
	}
	return client.Document{}, &client.Error{Status: 404, Code: "document_not_found", Detail: "There is no document with this id."}
}

func (f *fake) CreateDocument(ctx context.Context, _ string, in client.NewDocument) (client.Document, error) {
	return client.Document{ID: "doc-new", Type: in.Type, Data: in.Data, Revision: 1}, f.call(ctx, "create document "+string(in.Data))
}

func (f *fake) PutDocument(ctx context.Context, _, id, _ string, data json.RawMessage, revision int64) (client.Document, error) {
	return client.Document{ID: id, Data: data, Revision: revision + 1}, f.call(ctx, fmt.Sprintf("put %s %d %s", id, revision, strings.TrimSpace(string(data))))
}

func (f *fake) DeleteDocument(ctx context.Context, _, id string, _ int64) error {
	return f.call(ctx, "delete document "+id)
}

func (f *fake) ListOperations(ctx context.Context, in client.ListOperations) (client.OperationPage, error) {
	err := f.call(ctx, "operations")
	var page client.OperationPage
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, op := range f.ops {
		if (in.Kind == "" || in.Kind == op.Kind) && (in.Organization == "" || in.Organization == op.OrganizationID) && (in.State == "" || in.State == op.State) {
			page.Items = append(page.Items, op)
		}
	}
	return page, err
}

func (f *fake) Operation(ctx context.Context, id string) (client.Operation, error) {
	err := f.call(ctx, "operation")
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, op := range f.ops {
		if op.ID == id {
			return op, err
		}
	}
	return client.Operation{}, err
}

func (f *fake) RetryOperation(ctx context.Context, id string) (client.Operation, error) {
	return f.ops[0], f.call(ctx, "retry "+id)
}

func (f *fake) CancelOperation(ctx context.Context, id string) (client.Operation, error) {
	return f.ops[0], f.call(ctx, "cancel "+id)
}

func (f *fake) CompleteOperation(ctx context.Context, id string) (client.Operation, error) {
	return f.ops[0], f.call(ctx, "complete "+id)
}

func (f *fake) RevertOperation(ctx context.Context, id string) (client.Operation, error) {
	return f.ops[0], f.call(ctx, "revert "+id)
}

func (f *fake) OperatorKeys(ctx context.Context) ([]client.OperatorKey, error) {
	return f.keys, f.call(ctx, "keys")
}

func (f *fake) CreateOperatorKey(ctx context.Context, name string, _ time.Time) (client.NewOperatorKey, error) {
	return client.NewOperatorKey{ID: "01961000-0000-7000-8000-0000000000c9", Name: name, Key: "tnt_op_" + strings.Repeat("0123456789", 5)},
		f.call(ctx, "create key "+name)
}

func (f *fake) RevokeOperatorKey(ctx context.Context, id string) error {
	return f.call(ctx, "revoke "+id)
}
