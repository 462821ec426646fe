package documents

import (
	"context"
	"fmt"
	"time"

	"tenantry/app"
)

// Bounds of a page and of a document.
const (
	DefaultLimit = 50
	MaxLimit     = 200
	// MaxData is the most bytes of one document's data, in compact form. BSON
	// allows 16 MiB for the whole.
	MaxData = 8 << 20
	// maxPageData is the most bytes of data in one page, which ends before its
	// limit where documents are large: a list is held in memory. One document
	// always fits.
	maxPageData = MaxData
	maxType     = 64
)

// Organizations finds an organization, decides whether the actor may, and says
// where its documents are. tenancy.Service does it.
type Organizations interface {
	Resolve(ctx context.Context, actor app.Actor, ref string, p app.Permission) (app.Organization, error)
	Located(ctx context.Context, org app.Organization) (app.Cluster, app.Namespace, error)
	// Forget drops what is remembered of an organization.
	Forget(id app.OrganizationID)
}

// Service does what can be done with documents.
type Service struct {
	organizations Organizations
	clock         app.Clock
	hold          time.Duration
	scouts        scouts
}

// New makes the service.
func New(organizations Organizations, clock app.Clock) *Service {
	return &Service{organizations: organizations, clock: clock, hold: defaultHold}
}

// CreateInput is a new document.
type CreateInput struct {
	ID   string // empty: made here
	Type string
	Data []byte // a JSON object
}

// Create stores a new document, durably.
func (s *Service) Create(ctx context.Context, actor app.Actor, org string, in CreateInput) (app.Document, error) {
	at, err := s.locate(ctx, actor, org, app.WriteDocuments)
	if err != nil {
		return app.Document{}, err
	}
	d := app.Document{Type: in.Type, Revision: 1}
	if in.ID == "" {
		d.ID = app.NewID[app.DocumentID]()
	} else if d.ID, err = app.ParseDocumentID(in.ID); err != nil {
		return app.Document{}, err
	}
	if err := CheckType(in.Type); err != nil {
		return app.Document{}, err
	}
	if d.Data, err = compactData("data", in.Data); err != nil {
		return app.Document{}, err
	}
	d.CreatedAt = s.clock()
	d.UpdatedAt = d.CreatedAt
	err = at.do(ctx, func(cluster app.Cluster, ns app.Namespace) error { return cluster.InsertDocument(ctx, ns, d) })
	if err != nil {
		return app.Document{}, fmt.Errorf("create document: %w", spoken(gone(err)))
	}
	return d, nil
}

// Get gives one document.
func (s *Service) Get(ctx context.Context, actor app.Actor, org, id string) (app.Document, error) {
	at, err := s.locate(ctx, actor, org, app.ReadDocuments)
	if err != nil {
		return app.Document{}, err
	}
	docID, err := app.ParseDocumentID(id)
	if err != nil {
		return app.Document{}, errUnknown()
	}
	var d app.Document
	err = at.do(ctx, func(cluster app.Cluster, ns app.Namespace) (err error) {
		d, err = cluster.Document(ctx, ns, docID)
		return err
	})
	if err != nil {
		return app.Document{}, fmt.Errorf("get document: %w", spoken(err))
	}
	return d, nil
}

// PutInput replaces a document's data, and its type where one is given.
type PutInput struct {
	Type       *string
	Data       []byte
	IfRevision int64 // or app.AnyRevision
}

// Put replaces the data of a document that is there.
func (s *Service) Put(ctx context.Context, actor app.Actor, org, id string, in PutInput) (app.Document, error) {
	t, err := s.target(ctx, actor, org, id)
	if err != nil {
		return app.Document{}, err
	}
	if in.Type != nil {
		if err := CheckType(*in.Type); err != nil {
			return app.Document{}, err
		}
	}
	data, err := compactData("data", in.Data)
	if err != nil {
		return app.Document{}, err
	}
	r := app.Replacement{Data: data, At: s.clock()}
	if in.Type != nil {
		r.Type = *in.Type
	}
	return t.update(ctx, func(cluster app.Cluster, ns app.Namespace) (app.Document, error) {
		return cluster.ReplaceDocument(ctx, ns, t.id, in.IfRevision, r)
	})
}

// PatchInput is a JSON merge patch (RFC 7396) of a document's data.
type PatchInput struct {
	Patch      []byte
	IfRevision int64 // or app.AnyRevision
}

// Patch merges into the data of a document that is there.
func (s *Service) Patch(ctx context.Context, actor app.Actor, org, id string, in PatchInput) (app.Document, error) {
	t, err := s.target(ctx, actor, org, id)
	if err != nil {
		return app.Document{}, err
	}
	patch, err := compactData("data", in.Patch)
	if err != nil {
		return app.Document{}, err
	}
	now := s.clock()
	return t.update(ctx, func(cluster app.Cluster, ns app.Namespace) (app.Document, error) {
		return cluster.UpdateDocument(ctx, ns, t.id, in.IfRevision, func(d *app.Document) error {
			d.UpdatedAt = app.Later(now, d.UpdatedAt)
			merged, err := Merge(d.Data, patch)
			if err != nil {
				return fmt.Errorf("merge into document %s: %w", d.ID, err)
			}
			// The merge can nest deeper and grow larger than either side.
			d.Data, err = compactData("data", merged)
			return err
		})
	})
}

// Delete removes one document.
func (s *Service) Delete(ctx context.Context, actor app.Actor, org, id string, ifRevision int64) error {
	t, err := s.target(ctx, actor, org, id)
	if err != nil {
		return err
	}
	err = t.do(ctx, func(cluster app.Cluster, ns app.Namespace) error {
		return cluster.DeleteDocument(ctx, ns, t.id, ifRevision)
	})
	if err != nil {
		return fmt.Errorf("delete document: %w", spoken(err))
	}
	return nil
}

// target is a document that the actor may write.
type target struct {
	*home
	id app.DocumentID
}

func (s *Service) target(ctx context.Context, actor app.Actor, org, id string) (target, error) {
	at, err := s.locate(ctx, actor, org, app.WriteDocuments)
	if err != nil {
		return target{}, err
	}
	docID, err := app.ParseDocumentID(id)
	if err != nil {
		return target{}, errUnknown()
	}
	return target{at, docID}, nil
}

func (t target) update(ctx context.Context, act func(app.Cluster, app.Namespace) (app.Document, error)) (d app.Document, err error) {
	err = t.do(ctx, func(cluster app.Cluster, ns app.Namespace) (err error) {
		d, err = act(cluster, ns)
		return err
	})
	if err != nil {
		return app.Document{}, fmt.Errorf("update document: %w", spoken(err))
	}
	return d, nil
}

// ListInput selects documents.
type ListInput struct {
	Type   string // empty: all
	Cursor string // a page's NextCursor
	Limit  int    // 0: DefaultLimit
}

// ListPage is a part of a list, in order of id.
type ListPage struct {
	Items      []app.Document
	NextCursor string // empty: this was the last
}

// List lists an organization's documents.
func (s *Service) List(ctx context.Context, actor app.Actor, org string, in ListInput) (ListPage, error) {
	at, err := s.locate(ctx, actor, org, app.ReadDocuments)
	if err != nil {
		return ListPage{}, err
	}
	q := app.DocumentQuery{Type: in.Type, Limit: in.Limit, MaxBytes: maxPageData}
	if in.Limit == 0 {
		q.Limit = DefaultLimit
	}
	if q.Limit < 1 || q.Limit > MaxLimit {
		return ListPage{}, app.Invalid("limit", "invalid_limit", fmt.Sprintf("A limit is 1 to %d.", MaxLimit))
	}
	if in.Cursor != "" {
		if q.After, err = decodeCursor(at.org.ID, in.Type, in.Cursor); err != nil {
			return ListPage{}, err
		}
	}
	limit := q.Limit
	q.Limit++ // one more tells whether there is a next page
	var items []app.Document
	err = at.do(ctx, func(cluster app.Cluster, ns app.Namespace) (err error) {
		items, err = cluster.ListDocuments(ctx, ns, q)
		return err
	})
	if err != nil {
		return ListPage{}, fmt.Errorf("list documents: %w", spoken(gone(err)))
	}
	fit, size := 0, 0
	for fit < min(limit, len(items)) {
		if size += len(items[fit].Data); size > maxPageData && fit > 0 {
			break
		}
		fit++
	}
	page := ListPage{Items: items[:fit]}
	if len(items) > fit {
		page.NextCursor = encodeCursor(at.org.ID, in.Type, items[fit-1].ID)
	}
	return page, nil
}

// CheckType is the rule of a document's type. The error is app.FieldErrors at
// "type".
func CheckType(s string) error {
	ok := s != "" && len(s) <= maxType
	for i := 0; ok && i < len(s); i++ {
		c := s[i]
		ok = c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '.'
	}
	if !ok {
		return app.Invalid("type", "invalid_type", `A type is 1 to 64 letters, digits, "-", "_" or ".".`)
	}
	return nil
}

func compactData(location string, data []byte) ([]byte, error) {
	compact, err := Compact(location, data)
	if err == nil && len(compact) > MaxData {
		return nil, app.Fail(app.ErrTooLarge, "document_too_large", "A document's data is at most 8 MiB.")
	}
	return compact, err
}
