package web

import (
	"strconv"

	"tenantry/app"
	"tenantry/app/tenancy"
)

// organizationView is an organization as /v1 shows it. It documents
// organizationAnswer, which writes it.
type organizationView struct {
	ID         string            `json:"id" format:"uuid" doc:"UUIDv7. Never changes, and is never another's."`
	Name       string            `json:"name" doc:"The display name."`
	Slug       string            `json:"slug" doc:"Unique now; it may be another's after a rename or deletion."`
	ExternalID string            `json:"external_id,omitempty" doc:"The caller's own id for it."`
	Metadata   map[string]string `json:"metadata" nullable:"false"`
	State      string            `json:"state" enum:"active,suspended,deleted"`
	Revision   int64             `json:"revision" doc:"Counts the changes; it is the ETag."`
	CreatedAt  string            `json:"created_at" format:"date-time"`
	UpdatedAt  string            `json:"updated_at" format:"date-time"`
}

type organizationAnswer app.Organization

func (o *organizationAnswer) appendJSON(b []byte) []byte {
	b = append(b, `{"id":`...)
	b = appendString(b, string(o.ID))
	b = append(b, `,"name":`...)
	b = appendString(b, o.Name)
	b = append(b, `,"slug":`...)
	b = appendString(b, o.Slug)
	if o.ExternalID != "" {
		b = append(b, `,"external_id":`...)
		b = appendString(b, o.ExternalID)
	}
	b = append(b, `,"metadata":`...)
	if len(o.Metadata) == 0 {
		b = append(b, `{}`...)
	} else {
		b = appendAny(b, o.Metadata)
	}
	b = append(b, `,"state":`...)
	b = appendString(b, string(o.State))
	b = append(b, `,"revision":`...)
	b = strconv.AppendInt(b, o.Revision, 10)
	b = append(b, `,"created_at":`...)
	b = appendTime(b, o.CreatedAt)
	b = append(b, `,"updated_at":`...)
	b = appendTime(b, o.UpdatedAt)
	return append(b, '}')
}

// organizationPageView documents organizationPage.
type organizationPageView struct {
	Items      []organizationView `json:"items" nullable:"false"`
	NextCursor string             `json:"next_cursor,omitempty" doc:"Give it as cursor to read on. Absent: this was the last page."`
	Total      *int64             `json:"total,omitempty" doc:"How many there are in all, when count=true asked for it."`
}

type organizationPage tenancy.ListPage

func (p *organizationPage) appendJSON(b []byte) []byte {
	b = append(b, `{"items":[`...)
	for i := range p.Items {
		if i > 0 {
			b = append(b, ',')
		}
		b = (*organizationAnswer)(&p.Items[i]).appendJSON(b)
	}
	b = append(b, ']')
	b = appendCursor(b, p.NextCursor)
	if p.Total != nil {
		b = append(b, `,"total":`...)
		b = strconv.AppendInt(b, *p.Total, 10)
	}
	return append(b, '}')
}

func appendCursor(b []byte, cursor string) []byte {
	if cursor == "" {
		return b
	}
	b = append(b, `,"next_cursor":`...)
	return appendString(b, cursor)
}
