package web

import "net/http"

// Code is a stable word to branch on.
type Code struct {
	Name   string `json:"code"`
	Status int    `json:"status" doc:"The HTTP status it comes with."`
	Title  string `json:"title" doc:"What it means."`
}

// Codes lists every code of a Problem. docs/errors.md is made from it.
var Codes = []Code{
	{"bad_request", http.StatusBadRequest, "The request is not HTTP that this server understands"},
	{"body_required", http.StatusBadRequest, "The request has no body"},
	{"body_not_json", http.StatusBadRequest, "The body is not JSON"},
	{"body_not_utf8", http.StatusBadRequest, "The body is not UTF-8"},
	{"body_duplicate_key", http.StatusBadRequest, "A name stands twice in one object of the body"},
	{"body_too_deep", http.StatusBadRequest, "The body nests too deep"},
	{"if_match_malformed", http.StatusBadRequest, "The If-Match header cannot be read"},

	{"token_required", http.StatusUnauthorized, "Nobody is signed in"},
	{"authorization_malformed", http.StatusUnauthorized, "The Authorization header cannot be read"},
	{"token_invalid", http.StatusUnauthorized, "The access token is not one of this server"},
	{"token_expired", http.StatusUnauthorized, "The access token has expired"},
	{"session_ended", http.StatusUnauthorized, "The sign-in has ended"},
	{"key_invalid", http.StatusUnauthorized, "The operator key is unknown, revoked or expired"},
	{"credentials_invalid", http.StatusUnauthorized, "Email address or password is wrong"},
	{"membership_required", http.StatusUnauthorized, "The user is a member of no organization"},
	{"refresh_invalid", http.StatusUnauthorized, "The refresh token is not one of this server"},
	{"refresh_reused", http.StatusUnauthorized, "The refresh token was used before"},

	{"forbidden", http.StatusForbidden, "Not allowed"},
	{"operator_only", http.StatusForbidden, "Only an operator may do this"},
	{"operator_not_member", http.StatusForbidden, "An operator is not a member of the organization"},
	{"organization_suspended", http.StatusForbidden, "The organization is suspended"},
	{"role_insufficient", http.StatusForbidden, "The role in the organization does not allow this"},
	{"signup_closed", http.StatusForbidden, "Only the operator creates organizations here"},
	{"user_required", http.StatusForbidden, "This is for users, not for operator keys"},
	{"not_your_organization", http.StatusForbidden, "The token is not one of this organization"},

	{"not_found", http.StatusNotFound, "There is no such thing"},
	{"organization_not_found", http.StatusNotFound, "There is no such organization"},
	{"document_not_found", http.StatusNotFound, "There is no such document"},
	{"operation_not_found", http.StatusNotFound, "There is no such operation"},
	{"cluster_not_found", http.StatusNotFound, "There is no such cluster"},
	{"operator_key_not_found", http.StatusNotFound, "There is no such operator key"},
	{"route_not_found", http.StatusNotFound, "There is no such route"},
	{"method_not_allowed", http.StatusMethodNotAllowed, "The route has no such method"},
	{"request_timeout", http.StatusRequestTimeout, "The request did not arrive in time"},

	{"conflict", http.StatusConflict, "It exists already, or its state does not allow this"},
	{"organization_name_taken", http.StatusConflict, "The organization's name is taken"},
	{"email_taken", http.StatusConflict, "The email address belongs to another user"},
	{"external_id_taken", http.StatusConflict, "The external id is taken"},
	{"document_id_taken", http.StatusConflict, "The document's id is taken"},
	{"operator_key_name_taken", http.StatusConflict, "The operator key's name is taken"},
	{"organization_deleted", http.StatusConflict, "The organization is deleted"},
	{"organization_not_deleted", http.StatusConflict, "The organization is not deleted"},
	{"operation_ended", http.StatusConflict, "The operation has ended"},
	{"operation_not_cancellable", http.StatusConflict, "The operation cannot be cancelled"},
	{"already_there", http.StatusConflict, "The organization is there already"},
	{"drain_in_progress", http.StatusConflict, "A cluster is being drained"},
	{"relocation_in_progress", http.StatusConflict, "The organization is being moved"},
	{"relocation_not_switched", http.StatusConflict, "The relocation has not switched, or is past that"},
	{"relocation_target_occupied", http.StatusConflict, "There is data of the organization at the target"},
	{"not_a_relocation", http.StatusConflict, "The operation is no relocation"},
	{"idempotency_key_in_use", http.StatusConflict, "The first request with this idempotency key is on its way"},
	{"change_in_progress", http.StatusConflict, "Another change is under way"},
	{"organization_required", http.StatusConflict, "The user must say which organization to sign in to"},
	{"namespace_budget_full", http.StatusConflict, "The cluster has all the collections and databases that it may have"},
	{"cluster_configured", http.StatusConflict, "The cluster is one of the configuration"},
	{"cluster_inhabited", http.StatusConflict, "Organizations live in the cluster"},
	{"cluster_name_taken", http.StatusConflict, "There is a cluster with this name"},
	{"cluster_named", http.StatusConflict, "New organizations go to the cluster"},
	{"cluster_place_occupied", http.StatusConflict, "There is something else at the cluster's place"},
	{"cluster_place_wrong", http.StatusConflict, "The cluster's data is not at this place"},
	{"cluster_version", http.StatusConflict, "The cluster is of another version, or its server too old"},
	{"no_room_at_target", http.StatusConflict, "There is not enough room at the target"},
	{"cluster_unreachable", http.StatusConflict, "No cluster can be opened there"},
	{"clusters_fixed", http.StatusConflict, "The server's clusters cannot be changed while it runs"},
	{"revision_mismatch", http.StatusPreconditionFailed, "It has changed since it was read"},

	{"too_large", http.StatusRequestEntityTooLarge, "The body is too large"},
	{"document_too_large", http.StatusRequestEntityTooLarge, "The document is too large"},
	{"content_type_not_supported", http.StatusUnsupportedMediaType, "The body's media type is not taken"},
	{"encoding_not_supported", http.StatusUnsupportedMediaType, "The body's encoding is not taken"},
	{"invalid", http.StatusUnprocessableEntity, "Some fields are not valid"},
	{"idempotency_key_reused", http.StatusUnprocessableEntity, "The idempotency key was used for another request"},
	{"rate_limited", http.StatusTooManyRequests, "Too many requests from this address"},
	{"limit_reached", http.StatusTooManyRequests, "Too much at once"},
	{"headers_too_large", http.StatusRequestHeaderFieldsTooLarge, "The request's line and headers are too large"},

	{"internal", http.StatusInternalServerError, "The server made a mistake"},
	{"method_unknown", http.StatusNotImplemented, "The server does not know the method"},
	{"unavailable", http.StatusServiceUnavailable, "The server cannot do this right now"},
	{"namespaces_used_up", http.StatusServiceUnavailable, "There is no room for another organization"},
	{"organization_moving", http.StatusServiceUnavailable, "The organization is being moved, and that takes longer than expected"},
	{"sign_in_busy", http.StatusServiceUnavailable, "Too many sign in at once"},
	{"storage_busy", http.StatusServiceUnavailable, "Too many writes wait already"},
	{"storage_damaged", http.StatusServiceUnavailable, "A file of the server is damaged"},
	{"storage_missing", http.StatusServiceUnavailable, "The organization's data is not where it was put"},
	{"storage_unfenced", http.StatusServiceUnavailable, "The organization's data was made again by something else"},
	{"timeout", http.StatusServiceUnavailable, "The server could not do this in time"},
	{"storage_full", http.StatusInsufficientStorage, "The server's disk is full"},
}

// title gives the meaning of a code.
func title(name string) string {
	c, _ := findCode(name)
	return c.Title
}

func findCode(name string) (Code, bool) {
	for _, c := range Codes {
		if c.Name == name {
			return c, true
		}
	}
	return Code{}, false
}
