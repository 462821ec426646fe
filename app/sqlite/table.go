package sqlite

import (
	"strings"

	"tenantry/app"
)

// table is where an organization's documents are in a file. Whatever is read
// or written of documents is so by the statements made here, and each of them
// holds two conditions, both bound to the organization's id as ?1: that the
// table is the organization's at the moment at which the statement runs, in a
// phase that allows it, and, where organizations share a table, that the rows
// are its own.
type table struct {
	isolation app.Isolation
	name      collection
}

// The phases in which a statement finds anything, as they stand in it.
const (
	whileOpen     = `'open'` // nothing has to be noted
	whileWritable = `'open', 'recording'`
	whileReadable = `'open', 'recording', 'frozen'`
	whileThere    = `'open', 'recording', 'frozen', 'closed'`
	whileClosed   = `'closed'`
	whileDropping = `'dropping'`
)

const documentColumns = `id, type, revision, created, updated, crc, data`

// sharedTable is where the documents of all are that share a table.
var sharedTable = table{app.IsolationShared, app.SharedCollection}

func (t table) isShared() bool { return t.isolation == app.IsolationShared }

// owned is the condition that the table is the organization's, in one of the
// phases.
func (t table) owned(phases string) string {
	return `EXISTS (SELECT 1 FROM namespaces WHERE organization_id = ?1 AND isolation = '` + string(t.isolation) +
		`' AND collection = '` + string(t.name) + `' AND phase IN (` + phases + `))`
}

// rows begins the condition on rows.
func (t table) rows(phases string) string {
	if t.isShared() {
		return ` WHERE org_id = ?1 AND ` + t.owned(phases)
	}
	return ` WHERE ` + t.owned(phases)
}

// get reads the document ?2.
func (t table) get(phases string) string {
	return `SELECT ` + documentColumns + ` FROM ` + t.name.sql() + t.rows(phases) + ` AND id = ?2`
}

// list reads at most ?3 documents after ?2; if byType, those of type ?4.
func (t table) list(phases string, byType bool) string {
	query := `SELECT ` + documentColumns + ` FROM ` + t.name.sql() + t.rows(phases) + ` AND id > ?2`
	if byType {
		query += ` AND type = ?4`
	}
	return query + ` ORDER BY id LIMIT ?3`
}

// insert stores a document, given as the columns ?2 to ?8, unless its id is
// taken.
func (t table) insert(phases string) string {
	return t.into(phases) + ` ON CONFLICT DO NOTHING`
}

// putAtOnce is how many documents one statement stores: more save little.
const putAtOnce = 32

// put stores n documents, each given as seven columns from ?2 on, over those
// that have their ids.
func (t table) put(phases string, n int) string {
	key, org := `id`, ``
	if t.isShared() {
		key, org = `org_id, id`, `?1, `
	}
	// Those after the first count on from it. With a number each, binding one would
	// take as long as there are others.
	given := `(?2` + strings.Repeat(`, ?`, 6) + `)` + strings.Repeat(`, (?`+strings.Repeat(`, ?`, 6)+`)`, n-1)
	return `INSERT INTO ` + t.name.sql() + ` (` + t.columns() + `) SELECT ` + org + `* FROM (VALUES ` + given + `) WHERE ` + t.owned(phases) +
		` ON CONFLICT (` + key + `) DO UPDATE SET type = excluded.type, revision = excluded.revision,
		created = excluded.created, updated = excluded.updated, crc = excluded.crc, data = excluded.data`
}

// columns are those of a row that is written.
func (t table) columns() string {
	if t.isShared() {
		return `org_id, ` + documentColumns
	}
	return documentColumns
}

func (t table) into(phases string) string {
	values := `?2, ?3, ?4, ?5, ?6, ?7, ?8`
	if t.isShared() {
		values = `?1, ` + values
	}
	return `INSERT INTO ` + t.name.sql() + ` (` + t.columns() + `) SELECT ` + values + ` WHERE ` + t.owned(phases)
}

// update changes what may change of the document ?2.
func (t table) update(phases string) string {
	return `UPDATE ` + t.name.sql() + ` SET type = ?3, revision = ?4, updated = ?5, crc = ?6, data = ?7` + t.rows(phases) + ` AND id = ?2`
}

// revision reads that of the document ?2.
func (t table) revision(phases string) string {
	return `SELECT revision FROM ` + t.name.sql() + t.rows(phases) + ` AND id = ?2`
}

// remove removes the document ?2.
func (t table) remove(phases string) string {
	return `DELETE FROM ` + t.name.sql() + t.rows(phases) + ` AND id = ?2`
}

// removeSome removes at most ?2 documents.
func (t table) removeSome(phases string) string {
	return `DELETE FROM ` + t.name.sql() + ` WHERE rowid IN (SELECT rowid FROM ` + t.name.sql() + t.rows(phases) + ` LIMIT ?2)`
}

// measure counts the documents and the bytes of their data.
func (t table) measure(phases string) string {
	return `SELECT count(*), coalesce(sum(octet_length(data)), 0) FROM ` + t.name.sql() + t.rows(phases)
}
