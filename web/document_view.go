package web

import (
	"strconv"

	"tenantry/app"
	"tenantry/app/documents"
)

// documentView documents documentAnswer.
type documentView struct {
	ID        string `json:"id"`
	Type      string `json:"type"`
	Revision  int64  `json:"revision" doc:"Counts the writes; it is the ETag."`
	CreatedAt string `json:"created_at" format:"date-time"`
	UpdatedAt string `json:"updated_at" format:"date-time"`
	Data      Object `json:"data"`
}

type documentAnswer app.Document

func (d *documentAnswer) appendJSON(b []byte) []byte {
	b = append(b, `{"id":`...)
	b = appendString(b, string(d.ID))
	b = append(b, `,"type":`...)
	b = appendString(b, d.Type)
	b = append(b, `,"revision":`...)
	b = strconv.AppendInt(b, d.Revision, 10)
	b = append(b, `,"created_at":`...)
	b = appendTime(b, d.CreatedAt)
	b = append(b, `,"updated_at":`...)
	b = appendTime(b, d.UpdatedAt)
	b = append(b, `,"data":`...)
	b = append(b, d.Data...)
	return append(b, '}')
}

// documentPageView documents documentPage.
type documentPageView struct {
	Items      []documentView `json:"items" nullable:"false"`
	NextCursor string         `json:"next_cursor,omitempty" doc:"Give it as cursor to read on. Absent: this was the last page."`
}

type documentPage documents.ListPage

func (p *documentPage) appendJSON(b []byte) []byte {
	b = append(b, `{"items":[`...)
	for i := range p.Items {
		if i > 0 {
			b = append(b, ',')
		}
		b = (*documentAnswer)(&p.Items[i]).appendJSON(b)
	}
	b = append(b, ']')
	b = appendCursor(b, p.NextCursor)
	return append(b, '}')
}
