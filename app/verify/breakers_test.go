package verify

import (
	"maps"
	"net/http"
	"slices"
	"strings"
)

// breaker is a server that breaks one promise, and the check that must notice.
type breaker struct {
	check, promise string
	hurt           func(*proxy, *exchange)
	// leaves: the broken server keeps what it is told to delete.
	leaves bool
}

const orgPath = "/v1/organizations/[^/]+"

// borrow lets who may not in with the token of who may.
func borrow(x *exchange, which string) { x.Token = x.p.token(which) }

// stranger is a breaker of one attempt of the second organization's owner on
// the first one.
func stranger(promise, method, below string) breaker {
	return breaker{check: "isolation", promise: promise, hurt: func(_ *proxy, x *exchange) {
		if x.by("second") && x.about("first", method, below) {
			borrow(x, "first")
		}
	}}
}

var breakers = []breaker{
	{check: "ready", promise: "a part fails", hurt: func(_ *proxy, x *exchange) {
		if x.is("GET", "/readyz") {
			x.answer(http.StatusServiceUnavailable, map[string]any{"status": "not_ready",
				"checks": []any{map[string]string{"name": "registry", "status": "failing", "detail": "the disk is full"}}})
		}
	}},
	{check: "ready", promise: "it is stopping", hurt: func(_ *proxy, x *exchange) {
		if x.is("GET", "/readyz") {
			x.change("status", "stopping")
		}
	}},
	{check: "create", promise: "another name", hurt: func(_ *proxy, x *exchange) {
		if x.creates() {
			x.change("name", "Somebody else")
		}
	}},
	{check: "create", promise: "no id", hurt: func(_ *proxy, x *exchange) {
		if x.creates() {
			x.change("id", "")
		}
	}},
	{check: "create", promise: "not active", hurt: func(_ *proxy, x *exchange) {
		if x.creates() {
			x.change("state", "provisioning")
		}
	}},
	{check: "create", promise: "made, and said to have failed", hurt: func(_ *proxy, x *exchange) {
		if x.creates() {
			x.forward()
			x.refuse(http.StatusInternalServerError, "internal")
		}
	}},
	{check: "name taken", promise: "a name given twice", hurt: func(p *proxy, x *exchange) {
		if x.creates() && x.field("name") == p.orgs["first"].Name {
			x.answer(http.StatusCreated, p.orgs["first"])
		}
	}},
	{check: "name taken", promise: "refused with another status", hurt: func(p *proxy, x *exchange) {
		if x.creates() && x.field("name") == p.orgs["first"].Name {
			x.refuse(http.StatusBadRequest, "organization_name_taken")
		}
	}},
	{check: "name taken", promise: "refused without a code", hurt: func(p *proxy, x *exchange) {
		if x.creates() && x.field("name") == p.orgs["first"].Name {
			x.answer(http.StatusConflict, "taken")
		}
	}},
	{check: "login", promise: "the right password is refused", hurt: func(p *proxy, x *exchange) {
		// Later sign-ins work, so that the run can clean up.
		if x.is("POST", "/v1/auth/login") && p.nth("login", 1) {
			x.refuse(http.StatusUnauthorized, "unauthenticated")
		}
	}},
	{check: "login", promise: "to another organization", hurt: func(p *proxy, x *exchange) {
		if x.is("POST", "/v1/auth/login") && p.nth("login", 1) {
			x.change("organization", map[string]string{"id": "another"})
		}
	}},
	{check: "login", promise: "the token is another's", hurt: func(_ *proxy, x *exchange) {
		if x.is("GET", "/v1/me") {
			x.change("email", "another@example.com")
		}
	}},
	{check: "get", promise: "another name", hurt: func(_ *proxy, x *exchange) {
		if x.about("first", "GET", "") {
			x.change("name", "Somebody else")
		}
	}},
	{check: "get", promise: "not by id", hurt: func(p *proxy, x *exchange) {
		if x.is("GET", "/v1/organizations/"+p.orgs["first"].ID) {
			x.refuse(http.StatusNotFound, "not_found")
		}
	}},
	{check: "get", promise: "not by slug", hurt: func(p *proxy, x *exchange) {
		if x.is("GET", "/v1/organizations/"+p.orgs["first"].Slug) {
			x.refuse(http.StatusNotFound, "not_found")
		}
	}},
	{check: "document", promise: "a number changed", hurt: func(_ *proxy, x *exchange) {
		if x.about("first", "GET", "/documents/[^/]+") {
			x.forward()
			x.Answer = []byte(strings.Replace(string(x.Answer), "42", "43", 1))
		}
	}},
	{check: "document", promise: "not kept", hurt: func(_ *proxy, x *exchange) {
		if x.about("first", "GET", "/documents/[^/]+") {
			x.refuse(http.StatusNotFound, "not_found")
		}
	}},
	{check: "document", promise: "not listed", hurt: func(_ *proxy, x *exchange) {
		if x.about("first", "GET", `/documents\?.*`) {
			x.answer(http.StatusOK, map[string]any{"items": []any{}})
		}
	}},
	{check: "wrong password", promise: "let in", hurt: func(_ *proxy, x *exchange) {
		if x.is("POST", "/v1/auth/login") && hasNot(x.field("password")) {
			x.Body = []byte(strings.Replace(string(x.Body), `-not"`, `"`, 1))
		}
	}},
	{check: "wrong password", promise: "refused with another status", hurt: func(_ *proxy, x *exchange) {
		if x.is("POST", "/v1/auth/login") && hasNot(x.field("password")) {
			x.refuse(http.StatusForbidden, "forbidden")
		}
	}},
	{check: "no token", promise: "reads the organization", hurt: func(_ *proxy, x *exchange) {
		if x.Token == "" && x.about("first", "GET", "") {
			borrow(x, "first")
		}
	}},
	{check: "no token", promise: "lists the documents", hurt: func(_ *proxy, x *exchange) {
		if x.Token == "" && x.about("first", "GET", "/documents.*") {
			borrow(x, "first")
		}
	}},
	{check: "no token", promise: "any token will do", hurt: func(_ *proxy, x *exchange) {
		if x.Token == "none" {
			borrow(x, "first")
		}
	}},
	{check: "second organization", promise: "one is enough", hurt: func(_ *proxy, x *exchange) {
		if x.creates() && strings.HasSuffix(x.field("name"), "second") {
			x.refuse(http.StatusForbidden, "signup_closed")
		}
	}},
	{check: "second organization", promise: "its owner is refused", hurt: func(p *proxy, x *exchange) {
		if x.is("POST", "/v1/auth/login") && strings.Contains(x.field("email"), "-second@") && p.nth("second", 1) {
			x.refuse(http.StatusUnauthorized, "unauthenticated")
		}
	}},
	stranger("reads it", "GET", ""),
	stranger("reads its document", "GET", "/documents/[^/?]+"),
	stranger("lists its documents", "GET", `/documents\?.*`),
	stranger("writes its document", "PUT", "/documents/[^/]+"),
	stranger("renames it", "PATCH", ""),
	stranger("deletes it", "DELETE", ""),
	{check: "isolation", promise: "is told that it is there", hurt: func(_ *proxy, x *exchange) {
		if x.by("second") && x.about("first", "GET", "") {
			x.refuse(http.StatusForbidden, "forbidden")
		}
	}},
	{check: "isolation", promise: "one collection for all", hurt: func(p *proxy, x *exchange) {
		if x.by("second") && x.about("second", "GET", "/documents/[^/?]+") {
			x.answer(http.StatusOK, p.docs[0])
		}
	}},
	{check: "isolation", promise: "a new one begins with documents", hurt: func(p *proxy, x *exchange) {
		if x.by("second") && x.about("second", "GET", `/documents\?.*`) {
			x.answer(http.StatusOK, map[string]any{"items": p.docs})
		}
	}},
	{check: "isolation", promise: "sees all organizations", hurt: func(p *proxy, x *exchange) {
		if x.by("second") && x.is("GET", `/v1/organizations(\?.*)?`) {
			x.answer(http.StatusOK, map[string]any{"items": slices.Collect(maps.Values(p.orgs))})
		}
	}},
	{check: "update", promise: "says the old name", hurt: func(p *proxy, x *exchange) {
		if x.by("first") && x.about("first", "PATCH", "") {
			x.change("name", p.orgs["first"].Name)
		}
	}},
	{check: "update", promise: "keeps the slug", hurt: func(p *proxy, x *exchange) {
		if x.by("first") && x.about("first", "PATCH", "") {
			x.change("slug", p.orgs["first"].Slug)
		}
	}},
	{check: "update", promise: "becomes another", hurt: func(_ *proxy, x *exchange) {
		if x.by("first") && x.about("first", "PATCH", "") {
			x.change("id", "another")
		}
	}},
	{check: "update", promise: "refused", hurt: func(_ *proxy, x *exchange) {
		if x.by("first") && x.about("first", "PATCH", "") {
			x.refuse(http.StatusForbidden, "forbidden")
		}
	}},
	{check: "new name", promise: "not found", hurt: func(p *proxy, x *exchange) {
		if x.is("GET", "/v1/organizations/"+p.orgs["renamed"].Slug) {
			x.refuse(http.StatusNotFound, "not_found")
		}
	}},
	{check: "new name", promise: "another's", hurt: func(p *proxy, x *exchange) {
		if x.is("GET", "/v1/organizations/"+p.orgs["renamed"].Slug) {
			x.change("id", "another")
		}
	}},
	{check: "old name", promise: "still answers", hurt: func(p *proxy, x *exchange) {
		if renamed, done := p.orgs["renamed"]; done && x.is("GET", "/v1/organizations/"+p.orgs["first"].Slug) {
			x.Path = "/v1/organizations/" + renamed.Slug
		}
	}},
	{check: "documents follow", promise: "lost", hurt: func(p *proxy, x *exchange) {
		if x.is("GET", "/v1/organizations/"+p.orgs["renamed"].Slug+"/documents/.*") {
			x.refuse(http.StatusNotFound, "not_found")
		}
	}},
	{check: "documents follow", promise: "listed nowhere", hurt: func(p *proxy, x *exchange) {
		if x.is("GET", "/v1/organizations/"+p.orgs["renamed"].Slug+`/documents\?.*`) {
			x.answer(http.StatusOK, map[string]any{"items": []any{}})
		}
	}},
	{check: "documents follow", promise: "changed", hurt: func(p *proxy, x *exchange) {
		if x.is("GET", "/v1/organizations/"+p.orgs["renamed"].Slug+"/documents/[^/?]+") {
			x.change("data", map[string]any{})
		}
	}},
	{check: "delete", promise: "refused", hurt: func(p *proxy, x *exchange) {
		if x.by("first") && x.is("DELETE", orgPath) && p.nth("delete", 1) {
			x.refuse(http.StatusForbidden, "forbidden")
		}
	}},
	{check: "gone", promise: "nothing was deleted", hurt: func(p *proxy, x *exchange) {
		if x.by("first") && x.is("DELETE", orgPath) && p.nth("delete", 1) {
			x.answer(http.StatusNoContent, nil)
		}
	}},
	{check: "gone", promise: "its owner signs in", hurt: func(p *proxy, x *exchange) {
		if x.is("POST", "/v1/auth/login") && strings.Contains(x.field("email"), "-first@") {
			if x.forward(); x.Status == http.StatusUnauthorized && !hasNot(x.field("password")) {
				x.answer(http.StatusOK, map[string]string{"access_token": p.token("first")})
			}
		}
	}},
	{check: "gone", promise: "the name stays taken", hurt: func(p *proxy, x *exchange) {
		if x.creates() && p.orgs["renamed"].Name != "" && x.field("name") == p.orgs["renamed"].Name {
			x.refuse(http.StatusConflict, "organization_name_taken")
		}
	}},
	{check: "gone", promise: "the next one finds its documents", hurt: func(p *proxy, x *exchange) {
		if x.by("next") && x.is("GET", orgPath+`/documents\?.*`) {
			x.answer(http.StatusOK, map[string]any{"items": p.docs})
		}
	}},
	{check: "clean up", promise: "nothing can be deleted any more", leaves: true, hurt: func(_ *proxy, x *exchange) {
		if x.by("second") && x.about("second", "DELETE", "") {
			x.refuse(http.StatusForbidden, "forbidden")
		}
	}},
}
