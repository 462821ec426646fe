package storagetest

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"tenantry/app"
)

// modelOfRegistry is to the registry what modelOfCluster is to a cluster: the
// lives of organizations that want the same few names.
func modelOfRegistry(t *testing.T, place func(t *testing.T) (open func() app.Registry)) {
	t.Run("Model/SameAnswersAsAMap", func(t *testing.T) {
		t.Parallel()
		rapid.Check(t, func(r *rapid.T) {
			open := place(t)
			m := &registryModel{open: open, w: newWorld(t, open())}
			defer func() {
				if err := m.w.Close(); err != nil {
					r.Errorf("close: %v", err)
				}
			}()
			r.Repeat(map[string]func(*rapid.T){
				"begin to create": m.beginCreate, "begin to rename": m.beginRename, "begin to delete": m.beginDelete,
				"finish": m.finish, "abandon": m.abandon, "change": m.change, "sign in": m.signIn,
				"reopen": m.reopen, "": m.compare,
			})
		})
	})
}

type registryModel struct {
	open func() app.Registry
	w    *world
	// lives are of every organization that was ever begun.
	lives []*life
}

// life is an organization as it must be.
type life struct {
	org      app.Organization
	owner    app.User
	gone     bool
	sessions []app.Session
	op       *app.Operation // the open one
	ended    []app.Operation
}

// pick is some organization, gone or not.
func (m *registryModel) pick(r *rapid.T) *life {
	if len(m.lives) == 0 {
		r.Skip("there is none yet")
	}
	return m.lives[rapid.IntRange(0, len(m.lives)-1).Draw(r, "organization")]
}

func drawSlug(r *rapid.T) string { return rapid.SampledFrom(modelSlugs).Draw(r, "slug") }

// taken reports whether a name of some kind is somebody's beside the one who
// asks, in force or reserved by an open rename.
func (m *registryModel) taken(asks *life, value string, of func(*life) []string) bool {
	return slices.ContainsFunc(m.lives, func(l *life) bool {
		return l != asks && !l.gone && slices.Contains(of(l), value)
	})
}

func slugsOf(l *life) []string {
	if l.op != nil && l.op.Change != nil {
		return []string{l.org.Slug, *l.op.Change.Slug}
	}
	return []string{l.org.Slug}
}

func externalIDsOf(l *life) []string {
	if l.org.ExternalID == "" {
		return nil
	}
	return []string{l.org.ExternalID}
}

func emailKeysOf(l *life) []string { return []string{l.owner.EmailKey} }

func (m *registryModel) beginCreate(r *rapid.T) {
	c := m.w.creation(drawSlug(r))
	c.Organization.ExternalID = rapid.SampledFrom([]string{"", "x", "y"}).Draw(r, "external id")
	c.Owner.EmailKey = rapid.SampledFrom([]string{"ann@x", "ben@x", "cat@x"}).Draw(r, "email")
	l := &life{org: c.Organization, owner: *c.Owner}
	op := m.w.operation(app.OperationCreate, c.Organization)
	checked := m.w.CheckCreate(r.Context(), c, op.CreatedAt)
	err := m.w.BeginCreate(r.Context(), op, c)
	answers(r, checked, err)
	var fields []app.ConflictField
	for field, taken := range map[app.ConflictField]bool{
		app.ConflictSlug:       m.taken(l, l.org.Slug, slugsOf),
		app.ConflictExternalID: l.org.ExternalID != "" && m.taken(l, l.org.ExternalID, externalIDsOf),
		app.ConflictEmail:      m.taken(l, l.owner.EmailKey, emailKeysOf),
	} {
		if taken {
			fields = append(fields, field)
		}
	}
	if len(fields) > 0 {
		answersOne(r, err, fields)
		return
	}
	answers(r, err, nil)
	l.op = &op
	m.lives = append(m.lives, l)
}

// answersOne checks that a refusal names one of the fields that conflict.
func answersOne(r *rapid.T, err error, fields []app.ConflictField) {
	r.Helper()
	var refusal *app.TakenError
	if !errors.As(err, &refusal) || !slices.Contains(fields, refusal.Field) {
		r.Fatalf("answered %v, the model says that one of %v is taken", err, fields)
	}
}

func (m *registryModel) beginRename(r *rapid.T) {
	l, slug := m.pick(r), drawSlug(r)
	op := m.w.rename(l.org, slug)
	op.Change.IfRevision = m.drawRevision(r, l)
	err := m.w.BeginRename(r.Context(), op)
	switch refusal := m.mayChange(l, op.Change.IfRevision); {
	case refusal != nil:
		answers(r, err, refusal)
	case m.taken(l, slug, slugsOf):
		answers(r, err, app.Taken(app.ConflictSlug))
	default:
		answers(r, err, nil)
		l.op = &op
	}
}

func (m *registryModel) drawRevision(r *rapid.T, l *life) int64 {
	return rapid.SampledFrom([]int64{app.AnyRevision, l.org.Revision, l.org.Revision + 1}).Draw(r, "revision")
}

// mayChange is why an organization cannot be renamed or deleted now, or nil.
func (m *registryModel) mayChange(l *life, revision int64) error {
	switch {
	case l.gone || !l.org.State.Visible():
		return app.ErrNotFound
	case revision != app.AnyRevision && revision != l.org.Revision:
		return app.ErrStale
	case l.op != nil:
		return app.Taken(app.ConflictOpenChange)
	}
	return nil
}

func (m *registryModel) beginDelete(r *rapid.T) {
	l := m.pick(r)
	op := m.w.operation(app.OperationDelete, l.org)
	revision := m.drawRevision(r, l)
	err := m.w.BeginDelete(r.Context(), op, revision)
	if refusal := m.mayChange(l, revision); refusal != nil {
		answers(r, err, refusal)
		return
	}
	answers(r, err, nil)
	l.op, l.sessions = &op, nil
	l.org.State, l.org.Revision, l.org.UpdatedAt = app.StateDeleting, l.org.Revision+1, op.CreatedAt
}

func (m *registryModel) finish(r *rapid.T) {
	l := m.pick(r)
	if l.op == nil {
		r.Skip("nothing is open")
	}
	at := m.w.now()
	switch l.op.Kind {
	case app.OperationCreate:
		got, err := m.w.FinishCreate(r.Context(), *l.op, at)
		answers(r, err, nil)
		l.org.State = app.StateActive
		sameAs(r, "the new organization", plain(got), plain(l.org))
	case app.OperationRename:
		got, err := m.w.FinishRename(r.Context(), *l.op, at)
		answers(r, err, nil)
		c := l.op.Change
		l.org.Name, l.org.NameKey, l.org.Slug = *c.Name, *c.NameKey, *c.Slug
		l.org.Placement.Collection, l.org.Placement.Generation = *c.Collection, l.org.Placement.Generation+1
		l.org.Revision, l.org.UpdatedAt = l.org.Revision+1, at
		sameAs(r, "the renamed organization", plain(got), plain(l.org))
	case app.OperationDelete:
		answers(r, m.w.FinishDelete(r.Context(), *l.op, at), nil)
		answers(r, m.w.FinishDelete(r.Context(), *l.op, at), nil) // twice is once
		l.gone = true
	}
	m.end(l, app.OperationCompleted)
}

func (m *registryModel) abandon(r *rapid.T) {
	l := m.pick(r)
	if l.op == nil || l.op.Kind == app.OperationDelete {
		r.Skip("nothing can be undone")
	}
	for range 2 { // twice is once
		if l.op.Kind == app.OperationCreate {
			answers(r, m.w.AbandonCreate(r.Context(), *l.op, "why", m.w.now()), nil)
		} else {
			answers(r, m.w.AbandonRename(r.Context(), *l.op, "why", m.w.now()), nil)
		}
	}
	l.gone = l.op.Kind == app.OperationCreate
	m.end(l, app.OperationFailed)
}

func (m *registryModel) end(l *life, state app.OperationState) {
	op := *l.op
	op.State = state
	l.ended, l.op = append(l.ended, op), nil
	if l.gone {
		l.sessions = nil
	}
}

func (m *registryModel) change(r *rapid.T) {
	l := m.pick(r)
	if l.op != nil && l.op.Kind == app.OperationRename {
		r.Skip("what a rename allows beside it has tests of its own")
	}
	id := rapid.SampledFrom([]string{"", "x", "y", "z"}).Draw(r, "external id")
	state := rapid.SampledFrom([]app.OrganizationState{app.StateActive, app.StateSuspended}).Draw(r, "state")
	c := app.OrganizationChange{
		OrganizationID: l.org.ID, IfRevision: m.drawRevision(r, l), ExternalID: &id, State: &state,
		Metadata: map[string]string{"external": id}, At: m.w.now(),
	}
	got, err := m.w.ChangeOrganization(r.Context(), c)
	switch refusal := m.mayChange(l, c.IfRevision); {
	case refusal != nil:
		answers(r, err, refusal)
	case id != "" && m.taken(l, id, externalIDsOf):
		answers(r, err, app.Taken(app.ConflictExternalID))
	default:
		answers(r, err, nil)
		l.org.ExternalID, l.org.State, l.org.Metadata = id, state, c.Metadata
		l.org.Revision, l.org.UpdatedAt = l.org.Revision+1, c.At
		sameAs(r, "the changed organization", plain(got), plain(l.org))
	}
}

func (m *registryModel) signIn(r *rapid.T) {
	l := m.pick(r)
	s := m.w.newSession(l.org.ID, l.owner.ID)
	err := m.w.CreateSession(r.Context(), s, m.w.proof(l.org.ID, l.owner))
	if l.gone || !l.org.State.Visible() {
		answers(r, err, app.ErrUnauthenticated)
		return
	}
	answers(r, err, nil)
	l.sessions = append(l.sessions, s)
}

func (m *registryModel) reopen(r *rapid.T) {
	answers(r, m.w.Close(), nil)
	m.w.Registry = m.open()
}

// compare reads everything that there is, and that nothing else is.
func (m *registryModel) compare(r *rapid.T) {
	var there []app.Organization
	var open []app.OperationID
	for _, l := range m.lives {
		org, err := m.w.Organization(r.Context(), l.org.ID)
		user, userErr := m.w.User(r.Context(), l.owner.ID)
		for _, s := range l.sessions {
			got, err := m.w.Session(r.Context(), s.ID)
			answers(r, err, nil)
			sameAs(r, "a session", plain(got.Session), plain(s))
			sameAs(r, "the organization of a session", plain(got.Organization), plain(l.org))
		}
		for _, op := range l.ended {
			got, err := m.w.Operation(r.Context(), op.ID)
			answers(r, err, nil)
			sameAs(r, "the end of an operation", got.State, op.State)
		}
		if l.op != nil {
			open = append(open, l.op.ID)
		}
		if l.gone {
			answers(r, err, app.ErrNotFound)
			answers(r, userErr, app.ErrNotFound)
			continue
		}
		answers(r, err, nil)
		answers(r, userErr, nil)
		sameAs(r, "an organization", plain(org), plain(l.org))
		sameAs(r, "an owner", user, l.owner)
		there = append(there, l.org)
		m.compareAccount(r, l)
	}
	m.compareNames(r, there)
	slices.SortFunc(there, func(a, b app.Organization) int { return strings.Compare(string(a.ID), string(b.ID)) })
	list, err := m.w.ListOrganizations(r.Context(), app.OrganizationQuery{Sort: app.SortCreated, Limit: 1000})
	answers(r, err, nil)
	sameAs(r, "all organizations", plain(list), plain(there))
	operations, err := m.w.OpenOperations(r.Context(), m.w.now())
	answers(r, err, nil)
	var got []app.OperationID
	for _, op := range operations {
		got = append(got, op.ID)
	}
	slices.Sort(got)
	slices.Sort(open)
	sameAs(r, "open operations", got, open)
}

func (m *registryModel) compareAccount(r *rapid.T, l *life) {
	byEmail, err := m.w.UserByEmail(r.Context(), l.owner.EmailKey)
	answers(r, err, nil)
	sameAs(r, "whose an email is", byEmail.ID, l.owner.ID)
	account, err := m.w.Account(r.Context(), app.AccountQuery{EmailKey: l.owner.EmailKey, Limit: 5})
	answers(r, err, nil)
	sameAs(r, "whose an account is", account.User, l.owner)
	sameAs(r, "whether they can sign in", len(account.Places) == 1, l.org.State.Visible())
	for _, p := range account.Places {
		sameAs(r, "where they can sign in", plain(p.Organization), plain(l.org))
	}
}

func (m *registryModel) compareNames(r *rapid.T, there []app.Organization) {
	for _, slug := range modelSlugs {
		got, err := m.w.OrganizationBySlug(r.Context(), slug)
		i := slices.IndexFunc(there, func(o app.Organization) bool { return o.Slug == slug })
		if i < 0 {
			answers(r, err, app.ErrNotFound)
			continue
		}
		answers(r, err, nil)
		sameAs(r, "whose a slug is", got.ID, there[i].ID)
	}
}
