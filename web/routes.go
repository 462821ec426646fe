package web

import (
	"net/http"

	"github.com/gofiber/fiber/v2"
)

// statusPath is what a watcher asks for again and again.
const statusPath = "/v1/status"

// table is every route. Those asked for most come first: Fiber looks through
// them in order.
func (s *Server) table() []*route {
	const orgs, org = "/v1/organizations", "/v1/organizations/{org}"
	const docs, doc = org + "/documents", org + "/documents/{id}"
	routes := []*route{
		at("GET "+org, required, noBody, s.getOrganization, "get-organization", "Get an organization").
			tag("Organizations").header("If-None-Match"),
		at("GET "+doc, required, noBody, s.getDocument, "get-document", "Get a document").
			tag("Documents").header("If-None-Match"),
		at("POST "+docs, required, rawJSON, s.createDocument, "create-document", "Create a document").
			tag("Documents").answers(http.StatusCreated).accepts(createDocumentView{}),
		at("GET "+docs, required, noBody, s.listDocuments, "list-documents", "List documents").
			tag("Documents").says("In order of id."),
		at("PUT "+doc, required, rawJSON, s.putDocument, "put-document", "Replace a document's data").
			tag("Documents").header("If-Match").accepts(putDocumentView{}),
		at("PATCH "+doc, required, rawJSON, s.patchDocument, "patch-document", "Change a document's data").
			tag("Documents").header("If-Match").accepts(Object{}).in(mergeType, jsonType).
			says("The body is a JSON merge patch (RFC 7396) of the data: null removes a key."),
		at("DELETE "+doc, required, noBody, s.deleteDocument, "delete-document", "Delete a document").
			tag("Documents").header("If-Match").answers(http.StatusNoContent),

		at("POST "+orgs, optional, jsonBody, s.createOrganization, "create-organization", "Create an organization").
			tag("Organizations").answers(http.StatusCreated).header("Idempotency-Key").goesOn().
			says("Anybody may, unless the operator closed signup."),
		at("GET "+orgs, required, noBody, s.listOrganizations, "list-organizations", "List organizations").
			tag("Organizations").says("Operators see all, users their own."),
		at("PATCH "+org, required, rawJSON, s.patchOrganization, "patch-organization", "Change an organization").
			tag("Organizations").header("If-Match").accepts(organizationPatchView{}).in(mergeType, jsonType).goesOn().
			says("For owners and admins. The body is a JSON merge patch (RFC 7396). With a new slug the documents follow."),
		at("DELETE "+org, required, noBody, s.deleteOrganization, "delete-organization", "Delete an organization").
			tag("Organizations").header("If-Match").answers(http.StatusNoContent).goesOn().
			says("For owners and operators. None of its members sees it from now on and its tokens are worth nothing. Answered 202 where " +
				"its data is removed later: with a retention in the configuration, until when an operator can restore it."),
		at("POST "+org+"/restore", required, noBody, s.restoreOrganization, "restore-organization", "Take a deletion back").
			tag("Organizations").says("For operators, within the retention of the configuration."),
		at("POST "+org+"/suspend", required, noBody, s.suspendOrganization, "suspend-organization", "Suspend an organization").
			tag("Organizations").says("For operators. Its members are refused; its data stays."),
		at("POST "+org+"/resume", required, noBody, s.resumeOrganization, "resume-organization", "Resume a suspended organization").
			tag("Organizations").says("For operators."),
		at("POST "+org+"/relocate", required, jsonBody, s.relocateOrganization, "relocate-organization", "Move an organization to another place").
			tag("Organizations").goesOn().
			says("For operators. Its documents move to another cluster or isolation while they are in use. Answered when it has switched, or 202 " +
				"while it is under way; asked for the same again, with the operation that is under way. After the switch the old place is " +
				"kept for the grace period of the configuration, until when it can be reverted."),
		at("GET "+org+"/placement", required, noBody, s.getPlacement, "get-placement", "Say where an organization's data is, and how much").
			tag("Organizations").says("For owners, admins and operators."),

		at("GET "+org+"/owner", required, noBody, s.getOwner, "get-owner", "Say who owns an organization").
			tag("Organizations").says("The first owner. For owners, admins and operators."),
		at("PATCH "+org+"/owner", required, jsonBody, s.patchOwner, "patch-owner", "Change an owner's email address or password").
			tag("Organizations").in(mergeType, jsonType).
			says("For that owner and for operators. A new password ends the owner's sign-ins."),

		at("GET /v1/operations", required, noBody, s.listOperations, "list-operations", "List operations").
			tag("Operations").says("The newest first. Operators see all; owners and admins those of their organization."),
		at("GET /v1/operations/{id}", required, noBody, s.getOperation, "get-operation", "Get an operation").
			tag("Operations").says("For operators, and owners and admins of its organization."),
		at("POST /v1/operations/{id}/retry", required, noBody, s.retryOperation, "retry-operation", "Go on with an operation now").
			tag("Operations").says("For operators. An operation that was refused is tried again by itself; this does not wait for that."),
		at("POST /v1/operations/{id}/cancel", required, noBody, s.cancelOperation, "cancel-operation", "Give an operation up").
			tag("Operations").says("For operators. What it did is undone. A deletion can be cancelled until its due_at; 409 for what can only go forward."),
		at("POST /v1/operations/{id}/complete", required, noBody, s.completeOperation, "complete-operation", "End the grace period of a relocation").
			tag("Operations").goesOn().says("For operators. The place that the organization has left is removed, and there is no way back."),
		at("POST /v1/operations/{id}/revert", required, noBody, s.revertOperation, "revert-operation", "Take a relocation back").
			tag("Operations").goesOn().says("For operators, after it has switched and until it is completed. What was written since is kept."),

		at("GET "+statusPath, required, noBody, s.serverStatus, "get-status", "Give the server's and the installation's figures").
			tag("Operation").says("For operators. Measures no data, so that it can be asked for often."),
		at("GET /v1/clusters", required, noBody, s.listClusters, "list-clusters", "List clusters").
			tag("Operation").says("For operators. Measures each of them, which takes a second for every 10,000 organizations."),
		at("POST /v1/clusters", required, jsonBody, s.addCluster, "add-cluster", "Add a cluster").
			tag("Operation").answers(http.StatusCreated).shows(http.StatusOK, "A dry run: what would be added", clusterView{}).
			says("For operators. It must be reachable, and a place of its own. In force on this server at once, on the others within " +
				"placement_lease; nobody is moved there by it."),
		at("DELETE /v1/clusters/{cluster}", required, noBody, s.removeCluster, "remove-cluster", "Remove a cluster").
			tag("Operation").
			says("For operators. Of those that were added, and only when nobody lives there. What is in its store stays there."),
		at("POST /v1/clusters/{cluster}/drain", required, jsonBody, s.drainCluster, "drain-cluster", "Move everybody out of a cluster").
			tag("Operation").goesOn().
			says("For operators. The cluster takes nobody any more, and each organization in it is moved while it is in use, a few at a time; " +
				"those that cannot be are listed at the end. Asked for the same again, the operation that is under way; one at a time. " +
				"Cancelling the operation opens the cluster again; those who have moved stay where they are."),
		at("POST /v1/clusters/{cluster}/open", required, noBody, s.openCluster, "open-cluster", "Let a cluster take organizations again").
			tag("Operation").says("For operators, after it was drained."),
		at("POST /v1/doctor", required, jsonBody, s.doctor, "doctor", "Compare the registry with the clusters").
			tag("Operation").says("For operators. Says what is not as it should be, and mends on request what no data can be lost by."),

		at("POST /v1/auth/login", limited, jsonBody, s.login, "login", "Sign in").
			tag("Sign-in").says("409 organization_required lists the choices of a user who is in several and named none."),
		at("POST /v1/auth/refresh", limited, jsonBody, s.refresh, "refresh", "Get new tokens").
			tag("Sign-in").says("The refresh token is good once. Whoever shows it a second time ends the sign-in."),
		at("POST /v1/auth/logout", limited, jsonBody, s.logout, "logout", "Sign out").
			tag("Sign-in").answers(http.StatusNoContent),
		at("GET /v1/me", required, noBody, s.me, "me", "Say who I am").tag("Sign-in"),

		at("POST /v1/operator-keys", required, jsonBody, s.createOperatorKey, "create-operator-key", "Make an operator key").
			tag("Operation").answers(http.StatusCreated).says("For operators. The key is shown this once."),
		at("GET /v1/operator-keys", required, noBody, s.listOperatorKeys, "list-operator-keys", "List operator keys").
			tag("Operation").says("For operators."),
		at("DELETE /v1/operator-keys/{id}", required, noBody, s.revokeOperatorKey, "revoke-operator-key", "Revoke an operator key").
			tag("Operation").answers(http.StatusNoContent).says("For operators."),

		at("GET /healthz", exempt, noBody, s.healthz, "healthz", "Say that the server is alive").tag("Operation"),
		at("GET /readyz", exempt, noBody, s.readyz, "readyz", "Say whether the server works").
			tag("Operation").says("503 when it does not; the checks say why.").
			shows(http.StatusServiceUnavailable, "Not ready", readyView{}),
		at("GET /.well-known/jwks.json", exempt, noBody, s.jwks, "jwks", "List the keys that verify access tokens").tag("Sign-in"),
		at("GET /errors", exempt, noBody, s.listCodes, "list-errors", "List the codes of errors").tag("Reference"),
		at("GET /errors/{code}", exempt, noBody, s.getCode, "get-error", "Explain the code of an error").tag("Reference"),
		serve("GET /openapi.json", s.openAPIDocument, "openapi", "Describe this API in OpenAPI 3.1").tag("Reference"),
		serve("GET /", s.root, "root", "Say what this is").tag("Reference").
			says("A browser is sent to the documentation page."),
	}
	if s.opts.CompatEnabled {
		routes = append(routes, s.seedTable()...)
	}
	return routes
}

// seedTable is the routes of the first system.
func (s *Server) seedTable() []*route {
	return []*route{
		at("POST /org/create", optional, jsonBody, s.seedCreate, "seed-create", "Create an organization").
			tag("Compatible").seed().answers(http.StatusCreated).header("Idempotency-Key").goesOn(),
		at("POST /admin/login", limited, formBody, s.seedLogin, "seed-login", "Sign in").
			tag("Compatible").seed().accepts(seedLoginView{}),
		at("GET /org/get", optional, noBody, s.seedGet, "seed-get", "Get an organization by its name").
			tag("Compatible").seed(),
		at("PUT /org/update", required, jsonBody, s.seedUpdate, "seed-update", "Rename an organization or change its administrator's credentials").
			tag("Compatible").seed().goesOn(),
		at("DELETE /org/delete", required, mayBody, s.seedDelete, "seed-delete", "Delete an organization").
			tag("Compatible").seed().accepts(seedDeleteView{}),
		at("GET /health", exempt, noBody, s.seedHealth, "seed-health", "Say that the server is alive").
			tag("Compatible").seed(),
	}
}

// register gives every route of the table to Fiber and to OpenAPI.
func (s *Server) register() error {
	s.unmatched = newRoute("* (none)", exempt, noBody, "", "")
	s.unmatched.metrics = s.metrics.of("other", s.unmatched.path)
	s.routes = s.table()
	api, registrar := s.newAPI()
	for _, rt := range s.routes {
		rt.metrics = s.metrics.of(rt.method, rt.path)
		if rt.method == http.MethodGet {
			rt.headMetrics = s.metrics.of(http.MethodHead, rt.path)
		}
		registrar.current = rt
		if rt.plain == nil {
			rt.describe(api.OpenAPI().Components.Schemas, s.opts.CompatEnabled)
			rt.register(api)
			rt.documentBody(api.OpenAPI())
			rt.knowQuery(api.OpenAPI())
			continue
		}
		registrar.Add(rt.method, rt.path, s.plainHandler(rt))
		s.documentPlain(api, rt)
	}
	if err := s.registerDocs(registrar); err != nil {
		return err
	}
	return s.finishAPI(api)
}

func (s *Server) plainHandler(rt *route) fiber.Handler {
	return func(f *fiber.Ctx) error {
		c := callOf(f.UserContext())
		if err := rt.plain(c); err != nil {
			c.refuse(problemOf(err))
		}
		return nil
	}
}

// registerDocs serves the documentation page and its files, which are no part
// of the API.
func (s *Server) registerDocs(r *registrar) error {
	if !s.opts.DocsEnabled {
		return nil
	}
	assets, err := docsAssets()
	if err != nil {
		return err
	}
	pages := []*route{serve("GET /docs", s.docsPage(assets["index.html"]), "docs", "")}
	for name, a := range assets {
		if name != "index.html" {
			pages = append(pages, serve("GET /docs/"+name, func(c *call) error { return c.send(a, "public, max-age=3600") }, "", ""))
		}
	}
	for _, rt := range pages {
		rt.metrics = s.metrics.of(rt.method, "/docs")
		rt.headMetrics = s.metrics.of(http.MethodHead, "/docs")
		r.current = rt
		r.Add(rt.method, rt.path, s.plainHandler(rt))
	}
	return nil
}
