package web

import (
	"sync/atomic"
)

// tenant is an organization with its owner signed in.
type tenant struct {
	id, slug, name, email, password, token, refresh string
}

var tenants atomic.Int64

// document makes a document and gives its path.
func (w *world) document(o tenant, data string) string {
	w.t.Helper()
	a := w.do("POST", "/v1/organizations/"+o.slug+"/documents", o.token, `{"type":"note","data":`+data+`}`)
	if a.status != 201 {
		w.t.Fatal("create document:", a)
	}
	return a.header.Get("Location")
}
