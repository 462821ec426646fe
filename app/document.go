package app

import "time"

// Document is tenant data: an envelope and a JSON object.
type Document struct {
	ID   DocumentID
	Type string
	// Revision counts the writes to this document, from 1. It is the ETag.
	Revision  int64
	CreatedAt time.Time
	UpdatedAt time.Time
	// Data is a JSON object in compact form: no white space between tokens, key
	// order and the spelling of numbers as they were sent.
	Data []byte
}

// Replacement is what a document becomes, whatever it was.
type Replacement struct {
	Type string // empty: as it is
	Data []byte // as Document.Data
	// At is the time of the change. A document that says that it was changed
	// later keeps that; see Later.
	At time.Time
}

// DocumentQuery lists documents in order of id.
type DocumentQuery struct {
	Type  string     // empty: all
	After DocumentID // only ids that sort after this one
	Limit int        // at least 1
	// MaxBytes ends the list with the document by which the data of all becomes
	// more than this; 0 is no bound.
	MaxBytes int
}

// AnyRevision as the expected revision of a write stands for whichever is
// there now.
const AnyRevision int64 = 0
