package verify

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"tenantry/app/client"
)

// check is one promise.
type check struct {
	name, promise string
	// needs are the checks without which this one cannot be made.
	needs []string
	do    func(*run, context.Context) error
}

// checks are in the order in which they are made.
var checks = []check{
	{"ready", "The server says that all its parts work.", nil, (*run).ready},
	{"create", "An organization is created with its owner.", nil, (*run).createFirst},
	{"name taken", "A second organization of that name is refused.", []string{"create"}, (*run).nameTaken},
	{"login", "Its owner signs in and is known by the token.", []string{"create"}, (*run).loginFirst},
	{"get", "It can be read by its id and by its slug.", []string{"login"}, (*run).get},
	{"document", "A document is stored and read back as it was.", []string{"login"}, (*run).storeDocument},
	{"wrong password", "A wrong password is refused.", []string{"create"}, (*run).wrongPassword},
	{"no token", "Who shows no token is refused.", []string{"create"}, (*run).noToken},
	{"second organization", "Another organization is created and its owner signs in.", []string{"create"}, (*run).createSecond},
	{"isolation", "The second one's owner sees nothing of the first, nor can change it.", []string{"document", "second organization"}, (*run).isolation},
	{"update", "It is renamed, and its slug with it.", []string{"login"}, (*run).update},
	{"new name", "It is found under the new name.", []string{"update"}, (*run).newName},
	{"old name", "The old name is gone.", []string{"update"}, (*run).oldName},
	{"documents follow", "Its documents are under the new name, unchanged.", []string{"document", "update"}, (*run).documentsFollow},
	{"delete", "It is deleted by its owner.", []string{"login"}, (*run).deleteFirst},
	{"gone", "Its token and its sign-in are worth nothing, and its name is free, or kept as long as it can be restored.", []string{"delete"}, (*run).gone},
}

func (r *run) ready(ctx context.Context) error {
	ready, err := r.client.Ready(ctx)
	if err != nil {
		return err
	}
	for _, c := range ready.Checks {
		if c.Status != "ok" {
			return fmt.Errorf("%s is %s: %s", c.Name, c.Status, c.Detail)
		}
	}
	if ready.Status != "ready" {
		return fmt.Errorf("the server says %q", ready.Status)
	}
	return nil
}

func (r *run) createFirst(ctx context.Context) error {
	r.first = r.plan("first")
	if err := r.create(ctx, &r.first); err != nil {
		return err
	}
	org := r.first.org
	switch {
	case org.ID == "" || org.Slug == "":
		return fmt.Errorf("the answer has no id or no slug: %+v", org)
	case org.Name != r.first.name:
		return fmt.Errorf("it was made with the name %q, not %q", org.Name, r.first.name)
	case org.State != "active":
		return fmt.Errorf("its state is %q, not active", org.State)
	}
	return nil
}

func (r *run) nameTaken(ctx context.Context) error {
	other := r.plan("other")
	other.name = r.first.name
	return refused(r.create(ctx, &other), http.StatusConflict)
}

func (r *run) loginFirst(ctx context.Context) error {
	tokens, err := r.login(ctx, &r.first)
	if err != nil {
		return err
	}
	if tokens.Organization.ID != r.first.org.ID {
		return fmt.Errorf("the sign-in is to organization %s, not %s", tokens.Organization.ID, r.first.org.ID)
	}
	me, err := r.first.owner.Me(ctx)
	if err != nil {
		return err
	}
	if me.ID != tokens.UserID || me.Email != r.first.email {
		return fmt.Errorf("the token is that of %s (%s), not of %s", me.Email, me.ID, r.first.email)
	}
	return nil
}

func (r *run) get(ctx context.Context) error {
	for _, ref := range []string{r.first.org.ID, r.first.org.Slug} {
		org, err := r.first.owner.Organization(ctx, ref)
		if err != nil {
			return fmt.Errorf("read as %s: %w", ref, err)
		}
		if org.ID != r.first.org.ID || org.Name != r.first.name || org.Slug != r.first.org.Slug {
			return fmt.Errorf("read as %s, it is another: %s, %q, %s", ref, org.ID, org.Name, org.Slug)
		}
	}
	return nil
}

func (r *run) storeDocument(ctx context.Context) error {
	data := json.RawMessage(fmt.Sprintf(`{"run":%q,"number":42,"list":[1,"zwei",null],"text":"naïve ☃"}`, r.id))
	made, err := r.first.owner.CreateDocument(ctx, r.first.org.Slug, client.NewDocument{Type: "verify", Data: data})
	if err != nil {
		return err
	}
	r.document = client.Document{ID: made.ID, Data: data}
	return r.sameDocument(ctx, r.first.org.Slug)
}

func (r *run) sameDocument(ctx context.Context, slug string) error {
	got, err := r.first.owner.Document(ctx, slug, r.document.ID)
	if err != nil {
		return err
	}
	if got.ID != r.document.ID || !bytes.Equal(canonical(got.Data), canonical(r.document.Data)) {
		return fmt.Errorf("document %s came back as %s: %s", r.document.ID, got.ID, got.Data)
	}
	list, err := r.first.owner.ListDocuments(ctx, slug, "verify", "", 10)
	if err != nil {
		return fmt.Errorf("list: %w", err)
	}
	if len(list.Items) != 1 || list.Items[0].ID != r.document.ID {
		return fmt.Errorf("the list has %d documents, not the one that was stored", len(list.Items))
	}
	return nil
}

func (r *run) wrongPassword(ctx context.Context) error {
	wrong := tenant{email: r.first.email, password: r.first.password + "-not"}
	_, err := r.login(ctx, &wrong)
	return refused(err, http.StatusUnauthorized)
}

func (r *run) noToken(ctx context.Context) error {
	nobody := map[string]*client.Client{"without a token": r.client.As(""), "with one that is none": r.client.As("none")}
	if r.client.OverSocket() {
		delete(nobody, "without a token") // there, that is the operator
	}
	for how, c := range nobody {
		if err := refused(answered(c.Organization(ctx, r.first.org.Slug)), http.StatusUnauthorized); err != nil {
			return fmt.Errorf("read an organization %s: %w", how, err)
		}
		if err := refused(answered(c.ListDocuments(ctx, r.first.org.Slug, "", "", 1)), http.StatusUnauthorized); err != nil {
			return fmt.Errorf("list documents %s: %w", how, err)
		}
	}
	return nil
}

func (r *run) createSecond(ctx context.Context) error {
	r.second = r.plan("second")
	if err := r.create(ctx, &r.second); err != nil {
		return err
	}
	_, err := r.login(ctx, &r.second)
	return err
}

func (r *run) isolation(ctx context.Context) error {
	stranger, slug, id := r.second.owner, r.first.org.Slug, r.document.ID
	for _, attempt := range []struct {
		what string
		err  error
	}{
		{"read the organization", answered(stranger.Organization(ctx, slug))},
		{"read it by id", answered(stranger.Organization(ctx, r.first.org.ID))},
		{"read its document", answered(stranger.Document(ctx, slug, id))},
		{"list its documents", answered(stranger.ListDocuments(ctx, slug, "", "", 1))},
		{"write its document", answered(stranger.PutDocument(ctx, slug, id, "", json.RawMessage(`{}`), 0))},
		{"rename it", answered(stranger.UpdateOrganization(ctx, slug, client.OrganizationPatch{Name: r.plan("stolen").name}))},
		{"delete it", answered(stranger.DeleteOrganization(ctx, slug))},
		{"read the document as one of its own", answered(stranger.Document(ctx, r.second.org.Slug, id))},
	} {
		if err := refused(attempt.err, http.StatusNotFound); err != nil {
			return fmt.Errorf("%s: %w", attempt.what, err)
		}
	}
	own, err := stranger.ListDocuments(ctx, r.second.org.Slug, "", "", 10)
	if err != nil {
		return err
	}
	if len(own.Items) > 0 {
		return fmt.Errorf("an organization just made has %d documents", len(own.Items))
	}
	page, err := stranger.ListOrganizations(ctx, client.ListOrganizations{})
	if err != nil {
		return err
	}
	if len(page.Items) != 1 || page.Items[0].ID != r.second.org.ID {
		return fmt.Errorf("its owner sees %d organizations, not the own one alone", len(page.Items))
	}
	return nil
}

func (r *run) update(ctx context.Context) error {
	name := r.plan("renamed").name
	org, err := r.first.owner.UpdateOrganization(ctx, r.first.org.ID, client.OrganizationPatch{Name: name})
	if err != nil {
		return err
	}
	r.renamed = org
	if org.ID != r.first.org.ID || org.Name != name || org.Slug == r.first.org.Slug {
		return fmt.Errorf("renamed, it is %s, %q, %s", org.ID, org.Name, org.Slug)
	}
	return nil
}

func (r *run) newName(ctx context.Context) error {
	org, err := r.first.owner.Organization(ctx, r.renamed.Slug)
	if err != nil {
		return err
	}
	if org.ID != r.first.org.ID || org.Name != r.renamed.Name {
		return fmt.Errorf("%s is %s, %q", r.renamed.Slug, org.ID, org.Name)
	}
	return nil
}

func (r *run) oldName(ctx context.Context) error {
	return refused(answered(r.first.owner.Organization(ctx, r.first.org.Slug)), http.StatusNotFound)
}

func (r *run) documentsFollow(ctx context.Context) error {
	return r.sameDocument(ctx, r.renamed.Slug)
}

func (r *run) deleteFirst(ctx context.Context) error { return r.remove(ctx, &r.first) }

func (r *run) gone(ctx context.Context) error {
	// Until that is seen, the cleaning up is not to take the server's word.
	r.first.doubted = true
	if err := refused(answered(r.first.owner.Organization(ctx, r.first.org.ID)), http.StatusUnauthorized); err != nil {
		return fmt.Errorf("its token: %w", err)
	}
	again := tenant{email: r.first.email, password: r.first.password}
	if err := refused(answered(r.login(ctx, &again)), http.StatusUnauthorized); err != nil {
		return fmt.Errorf("its owner's sign-in: %w", err)
	}
	r.first.doubted = false
	return r.nameIsFree(ctx)
}

// nameIsFree takes the name again, finds nothing of its former owner's under
// it, and gives it back. What has been deleted may go on being removed for a
// moment.
func (r *run) nameIsFree(ctx context.Context) error {
	next := r.plan("next")
	next.name = r.first.name
	if r.renamed.Name != "" {
		next.name = r.renamed.Name
	}
	if r.first.retained {
		return refused(r.create(ctx, &next), http.StatusConflict)
	}
	for wait := 50 * time.Millisecond; ; wait *= 2 {
		err := r.create(ctx, &next)
		if err == nil {
			break
		}
		if !isStatus(err, http.StatusConflict) || wait > 2*time.Second {
			return fmt.Errorf("its name cannot be taken again: %w", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
	}
	if _, err := r.login(ctx, &next); err != nil {
		return err
	}
	docs, err := next.owner.ListDocuments(ctx, next.org.ID, "", "", 1)
	if err == nil && len(docs.Items) > 0 {
		err = errors.New("who takes its name next finds its documents")
	}
	return errors.Join(err, r.remove(ctx, &next))
}
