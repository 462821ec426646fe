package storagetest

import (
	"testing"
	"time"

	"tenantry/app"
)

// Inhabited is a registry with one of everything in it: see [Inhabit].
type Inhabited struct {
	w                *world
	renaming, twice  tenant
	rename, deletion app.Operation
	relocating       app.Operation
	ended            app.Operation
	half             app.Creation
	create           app.Operation
	second           app.Organization // of twice's owner
	rotated          app.Session
	outdated         app.Session // that a new password has ended
	outdatedProof    app.Proof
	keys             []app.OperatorKey
	signing          []app.SigningKey
	clusters         []app.AddedCluster
	repetition       app.Repetition
}

// Inhabit fills a registry: organizations in every state, operations of every
// kind in the middle of their way, users, sign-ins, keys and clusters.
func Inhabit(t *testing.T, r app.Registry) *Inhabited {
	w := newWorld(t, r)
	i := &Inhabited{w: w}
	w.neighbour = w.tenant("neighbour")

	i.renaming = w.tenant("acme")
	i.rename = w.rename(i.renaming.org, "bolt")
	i.rename.Change.User = &app.CredentialChange{UserID: i.renaming.owner.ID, Email: ptr("New@x"), EmailKey: ptr("new@x")}
	must(t, w.BeginRename(w.ctx, i.rename))

	i.half = w.repeatable("half", "a key", beginning.Add(time.Hour))
	i.create = w.begin(i.half)
	i.repetition = *i.half.Repetition

	i.deletion = w.retained(w.tenant("deleted").org)
	i.relocating = w.beginRelocation(w.tenant("moving").org)
	i.relocating.Lease = app.Lease{Holder: "a server", Until: w.now()}
	must(t, w.ClaimOperation(w.ctx, i.relocating.ID, app.Lease{}, i.relocating.Lease))

	// Somebody with two organizations, a sign-in that was refreshed, and one that
	// a new password has ended.
	i.twice = w.tenant("twice")
	c := w.creation("second")
	c.Owner, c.Organization.OwnerID, c.Membership.UserID = nil, i.twice.owner.ID, i.twice.owner.ID
	c.Organization.ExternalID, c.Organization.Metadata = "", nil
	i.second = w.create(c)
	i.outdated, i.outdatedProof = i.twice.session, w.proof(i.twice.org.ID, i.twice.owner)
	_, err := w.ChangeOrganization(w.ctx, app.OrganizationChange{OrganizationID: i.second.ID, At: w.now(), State: ptr(app.StateSuspended),
		User: &app.CredentialChange{UserID: i.twice.owner.ID, PasswordHash: ptr("another hash")}})
	must(t, err)
	i.second, i.twice.owner = w.organization(i.second.ID), w.user(i.twice.owner.ID)
	i.rotated = w.signIn(i.second, i.twice.owner)
	previous := i.rotated.RefreshHash
	i.rotated.RefreshHash, i.rotated.PreviousHash, i.rotated.LastUsedAt = hashOf("next"), previous, w.now()
	must(t, w.RotateSession(w.ctx, i.rotated.ID, previous, i.rotated.RefreshHash, i.rotated.LastUsedAt, i.rotated.ExpiresAt))

	i.ended = w.rename(w.tenant("given-up").org, "other")
	must(t, w.BeginRename(w.ctx, i.ended))
	must(t, w.AbandonRename(w.ctx, i.ended, "a reason", w.now()))
	i.ended = w.recorded(i.ended.ID)

	for _, name := range []string{"revoked", "good"} {
		k := w.operatorKey(name)
		k.ExpiresAt = w.now()
		must(t, w.CreateOperatorKey(w.ctx, k))
		if name == "revoked" {
			k, err = w.RevokeOperatorKey(w.ctx, k.ID, w.now())
			must(t, err)
		}
		i.keys = append(i.keys, k)
	}
	must(t, w.AddSigningKey(w.ctx, w.signingKey("one"), ""))
	must(t, w.AddSigningKey(w.ctx, w.signingKey("two"), "one"))
	i.signing, err = w.SigningKeys(w.ctx)
	must(t, err)
	for _, name := range []string{"eu", "us"} {
		k := w.addedCluster(name)
		must(t, w.AddCluster(w.ctx, k))
		i.clusters = append(i.clusters, k)
	}
	return i
}

// Check tests that another registry is the one that was filled, and works: what
// was begun there can be ended, what was taken is taken, who was signed in is.
// It changes it, so it can be done once.
func (i *Inhabited) Check(t *testing.T, r app.Registry) {
	t.Helper()
	w := i.w
	w.Registry, w.t = r, t
	w.neighbourIsUntouched()
	i.checkEntries(t)
	i.checkSignIns(t)
	i.checkNames(t)
	i.checkOperations(t)
}

func (i *Inhabited) checkEntries(t *testing.T) {
	t.Helper()
	w := i.w
	equal(t, "second organization", w.organization(i.second.ID), i.second)
	equal(t, "its owner", w.user(i.twice.owner.ID), i.twice.owner)
	equal(t, "renaming organization", w.organization(i.renaming.org.ID), i.renaming.org)
	equal(t, "half an organization", w.organization(i.half.Organization.ID), i.half.Organization)
	for _, op := range []app.Operation{i.rename, i.create, i.relocating, i.ended} {
		equal(t, string(op.Kind), w.recorded(op.ID), op)
	}
	open, err := w.OpenOperations(w.ctx, w.now())
	must(t, err)
	equal(t, "open operations that are due", len(open), 3)
	keys, err := w.ListOperatorKeys(w.ctx)
	must(t, err)
	equal(t, "operator keys", keys, i.keys)
	signing, err := w.SigningKeys(w.ctx)
	must(t, err)
	equal(t, "signing keys", signing, i.signing)
	clusters, err := w.AddedClusters(w.ctx)
	must(t, err)
	equal(t, "added clusters", clusters, i.clusters)
	repetition, err := w.Repetition(w.ctx, i.repetition.Key)
	must(t, err)
	equal(t, "repetition", repetition, i.repetition)
	members, err := w.Memberships(w.ctx, i.twice.owner.ID)
	must(t, err)
	equal(t, "memberships of the one with two", len(members), 2)
}

func (i *Inhabited) checkSignIns(t *testing.T) {
	t.Helper()
	w := i.w
	s, err := w.Session(w.ctx, i.rotated.ID)
	must(t, err)
	equal(t, "session", s.Session, i.rotated)
	must(t, w.RotateSession(w.ctx, i.rotated.ID, i.rotated.RefreshHash, hashOf("third"), w.now(), i.rotated.ExpiresAt))
	_, err = w.Session(w.ctx, i.outdated.ID)
	is(t, err, app.ErrNotFound)
	is(t, w.CreateSession(w.ctx, w.newSession(i.twice.org.ID, i.twice.owner.ID), i.outdatedProof), app.ErrUnauthenticated)
	w.signIn(i.twice.org, i.twice.owner)
}

func (i *Inhabited) checkNames(t *testing.T) {
	t.Helper()
	w := i.w
	for field, change := range map[app.ConflictField]func(c *app.Creation){
		app.ConflictSlug:       func(c *app.Creation) { c.Organization.Slug = "bolt" },
		app.ConflictExternalID: func(c *app.Creation) { c.Organization.ExternalID = i.renaming.org.ExternalID },
		app.ConflictEmail:      func(c *app.Creation) { c.Owner.EmailKey = "new@x" },
		app.ConflictCollection: func(c *app.Creation) { c.Organization.Placement.Collection = app.CollectionName("twice") },
		app.ConflictRepetition: func(c *app.Creation) { c.Repetition = &i.repetition },
	} {
		c := w.creation("free")
		change(&c)
		taken(t, w.BeginCreate(w.ctx, w.operation(app.OperationCreate, c.Organization), c), field)
	}
	taken(t, w.CreateOperatorKey(w.ctx, app.OperatorKey{ID: app.NewID[app.OperatorKeyID](), Name: "good", Hash: hashOf("x"), CreatedAt: w.now()}),
		app.ConflictOperatorKey)
	first, err := w.CreateFirstOperatorKey(w.ctx, w.operatorKey("first"))
	must(t, err)
	equal(t, "a first operator key was made", first, false)
	must(t, w.CreateOperatorKey(w.ctx, app.OperatorKey{ID: app.NewID[app.OperatorKeyID](), Name: "revoked", Hash: hashOf("y"), CreatedAt: w.now()}))
	is(t, w.AddSigningKey(w.ctx, w.signingKey("three"), "one"), app.ErrStale)
	must(t, w.AddSigningKey(w.ctx, w.signingKey("three"), "two"))
	taken(t, w.AddCluster(w.ctx, w.addedCluster("eu")), app.ConflictCluster)
	beside := w.addedCluster("beside")
	beside.Place = w.addedCluster("eu").Place
	taken(t, w.AddCluster(w.ctx, beside), app.ConflictClusterPlace)
	must(t, w.RemoveCluster(w.ctx, "us"))
}

func (i *Inhabited) checkOperations(t *testing.T) {
	t.Helper()
	w := i.w
	second := w.operation(app.OperationDelete, i.renaming.org)
	taken(t, w.BeginDelete(w.ctx, second, app.AnyRevision), app.ConflictOpenChange)
	org, err := w.FinishRename(w.ctx, i.rename, w.now())
	must(t, err)
	equal(t, "slug", org.Slug, "bolt")
	must(t, w.AbandonCreate(w.ctx, i.create, "the server that ran it stopped", w.now()))
	for _, slug := range []string{"acme", "half"} { // their names and collections are free
		c := w.creation(slug)
		c.Organization.ExternalID = "new-" + slug // it keeps that
		w.create(c)
	}
	c := w.creation("late")
	c.Organization.Placement.Collection = app.CollectionName("bolt")
	taken(t, w.BeginCreate(w.ctx, w.operation(app.OperationCreate, c.Organization), c), app.ConflictCollection)

	to := app.Lease{Holder: "another server", Until: w.now()}
	must(t, w.ClaimOperation(w.ctx, i.relocating.ID, i.relocating.Lease, to))
	moved := flipped(i.relocating)
	_, err = w.FlipRelocation(w.ctx, moved, w.now())
	must(t, err)
	must(t, w.EndRelocation(w.ctx, moved, app.OperationCompleted, "", w.now()))
	w.ended(moved.ID, app.OperationCompleted)

	restored, err := w.RestoreOrganization(w.ctx, i.deletion, w.now())
	must(t, err)
	equal(t, "state", restored.State, app.StateActive)
}
