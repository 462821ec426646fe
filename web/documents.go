package web

import (
	"context"

	"github.com/go-json-experiment/json/jsontext"

	"tenantry/app"
	"tenantry/app/documents"
)

// documentRef is the {org} and {id} of a path.
type documentRef struct {
	Org string `path:"org" doc:"The organization's id or slug."`
	ID  string `path:"id" doc:"The document's id."`
}

// createDocumentView documents createDocumentBody.
type createDocumentView struct {
	ID   string `json:"id,omitempty" doc:"1 to 128 letters, digits, \"-\", \"_\", \".\" or \"~\". Default: a UUIDv7."`
	Type string `json:"type" doc:"1 to 64 letters, digits, \"-\", \"_\" or \".\"."`
	Data Object `json:"data"`
}

type createDocumentBody struct {
	ID   string         `json:"id"`
	Type string         `json:"type"`
	Data jsontext.Value `json:"data"`
}

type createdDocument struct {
	Location string `header:"Location"`
	ETag     string `header:"ETag"`
	Body     *documentAnswer
}

func (s *Server) createDocument(ctx context.Context, in *organizationRef) (*createdDocument, error) {
	c := callOf(ctx)
	var body createDocumentBody
	if err := readBody(c.fiber.Request().Body(), &body); err != nil {
		return nil, err
	}
	d, err := s.services.Documents.Create(ctx, c.actor, in.Org, documents.CreateInput{ID: body.ID, Type: body.Type, Data: body.Data})
	if err != nil {
		return nil, err
	}
	return &createdDocument{
		Location: s.opts.PublicURL + "/v1/organizations/" + in.Org + "/documents/" + string(d.ID),
		ETag:     etag(d.Revision), Body: (*documentAnswer)(&d),
	}, nil
}

type documentOutput struct {
	ETag string `header:"ETag"`
	Body *documentAnswer
}

func documentOut(d app.Document, err error) (*documentOutput, error) {
	if err != nil {
		return nil, err
	}
	return &documentOutput{ETag: etag(d.Revision), Body: (*documentAnswer)(&d)}, nil
}

func (s *Server) getDocument(ctx context.Context, in *documentRef) (*documentOutput, error) {
	c := callOf(ctx)
	out, err := documentOut(s.services.Documents.Get(ctx, c.actor, in.Org, in.ID))
	if err == nil && c.unchanged(out.ETag) {
		return nil, &notModified{out.ETag}
	}
	return out, err
}

// putDocumentView documents putDocumentBody.
type putDocumentView struct {
	Type string `json:"type,omitempty" doc:"Default: as it is."`
	Data Object `json:"data"`
}

type putDocumentBody struct {
	Type *string        `json:"type"`
	Data jsontext.Value `json:"data"`
}

func (s *Server) putDocument(ctx context.Context, in *documentRef) (*documentOutput, error) {
	c := callOf(ctx)
	var body putDocumentBody
	if err := readBody(c.fiber.Request().Body(), &body); err != nil {
		return nil, err
	}
	revision, err := c.expected(s.documentRevision(ctx, in))
	if err != nil {
		return nil, err
	}
	return documentOut(s.services.Documents.Put(ctx, c.actor, in.Org, in.ID,
		documents.PutInput{Type: body.Type, Data: body.Data, IfRevision: revision}))
}

func (s *Server) patchDocument(ctx context.Context, in *documentRef) (*documentOutput, error) {
	c := callOf(ctx)
	revision, err := c.expected(s.documentRevision(ctx, in))
	if err != nil {
		return nil, err
	}
	return documentOut(s.services.Documents.Patch(ctx, c.actor, in.Org, in.ID,
		documents.PatchInput{Patch: c.fiber.Request().Body(), IfRevision: revision}))
}

func (s *Server) deleteDocument(ctx context.Context, in *documentRef) (*struct{}, error) {
	c := callOf(ctx)
	revision, err := c.expected(s.documentRevision(ctx, in))
	if err != nil {
		return nil, err
	}
	return nil, s.services.Documents.Delete(ctx, c.actor, in.Org, in.ID, revision)
}

func (s *Server) documentRevision(ctx context.Context, in *documentRef) func() (int64, error) {
	return func() (int64, error) {
		d, err := s.services.Documents.Get(ctx, callOf(ctx).actor, in.Org, in.ID)
		return d.Revision, err
	}
}

type listDocumentsInput struct {
	Org    string `path:"org" doc:"The organization's id or slug."`
	Type   string `query:"type" doc:"Only documents of this type."`
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
	Cursor string `query:"cursor" doc:"The next_cursor of the page before."`
}

type listDocumentsOutput struct{ Body *documentPage }

func (s *Server) listDocuments(ctx context.Context, in *listDocumentsInput) (*listDocumentsOutput, error) {
	page, err := s.services.Documents.List(ctx, callOf(ctx).actor, in.Org,
		documents.ListInput{Type: in.Type, Cursor: in.Cursor, Limit: in.Limit})
	if err != nil {
		return nil, err
	}
	return &listDocumentsOutput{(*documentPage)(&page)}, nil
}
