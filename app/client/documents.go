package client

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Document is a document of an organization.
type Document struct {
	ID        string          `json:"id"`
	Type      string          `json:"type"`
	Revision  int64           `json:"revision"`
	CreatedAt time.Time       `json:"created_at"`
	UpdatedAt time.Time       `json:"updated_at"`
	Data      json.RawMessage `json:"data"` // an object
}

// NewDocument is what a document is made of. Without an ID the server makes
// one.
type NewDocument struct {
	ID   string          `json:"id,omitempty"`
	Type string          `json:"type"`
	Data json.RawMessage `json:"data"`
}

// DocumentPage is a part of a list.
type DocumentPage struct {
	Items      []Document `json:"items"`
	NextCursor string     `json:"next_cursor"` // "" on the last page
}

func documents(org string) string { return organizations + "/" + segment(org) + "/documents" }

// CreateDocument adds a document.
func (c *Client) CreateDocument(ctx context.Context, org string, in NewDocument) (Document, error) {
	var out Document
	_, err := c.do(ctx, call{method: http.MethodPost, path: documents(org), body: in}, &out)
	return out, err
}

// Document gives the document with this id.
func (c *Client) Document(ctx context.Context, org, id string) (Document, error) {
	var out Document
	_, err := c.do(ctx, call{method: http.MethodGet, path: documents(org) + "/" + segment(id)}, &out)
	return out, err
}

// PutDocument replaces a document's data, and its type unless that is "".
// ifRevision is the revision that must still be the one; 0 takes any.
func (c *Client) PutDocument(ctx context.Context, org, id, typ string, data json.RawMessage, ifRevision int64) (Document, error) {
	body := struct {
		Type string          `json:"type,omitempty"`
		Data json.RawMessage `json:"data"`
	}{typ, data}
	var out Document
	_, err := c.do(ctx, call{method: http.MethodPut, path: documents(org) + "/" + segment(id), body: body, ifMatch: ifRevision}, &out)
	return out, err
}

// PatchDocument changes a document's data by a JSON merge patch (RFC 7396).
func (c *Client) PatchDocument(ctx context.Context, org, id string, patch json.RawMessage, ifRevision int64) (Document, error) {
	var out Document
	_, err := c.do(ctx, call{method: http.MethodPatch, path: documents(org) + "/" + segment(id), body: patch,
		media: "application/merge-patch+json", ifMatch: ifRevision}, &out)
	return out, err
}

// DeleteDocument deletes a document.
func (c *Client) DeleteDocument(ctx context.Context, org, id string, ifRevision int64) error {
	_, err := c.do(ctx, call{method: http.MethodDelete, path: documents(org) + "/" + segment(id), ifMatch: ifRevision}, nil)
	return err
}

// ListDocuments gives one page of documents in order of id, of one type unless
// that is "".
func (c *Client) ListDocuments(ctx context.Context, org, typ, cursor string, limit int) (DocumentPage, error) {
	q := url.Values{}
	if typ != "" {
		q.Set("type", typ)
	}
	if cursor != "" {
		q.Set("cursor", cursor)
	}
	if limit != 0 {
		q.Set("limit", strconv.Itoa(limit))
	}
	var out DocumentPage
	_, err := c.do(ctx, call{method: http.MethodGet, path: documents(org), query: q}, &out)
	return out, err
}
