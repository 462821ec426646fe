// Package web is the HTTP server: routes, input and output, errors, the
// OpenAPI document and the documentation page. It decides nothing: who may do
// what, and how, is for the capabilities.
//
// A request flows: listener, entry (what the framework would answer by
// itself), the route's pipeline (request id, deadline, limits, who asks), Huma
// (input), a handler of about ten lines, one call of a capability, Huma
// (output), and back through the pipeline (log, metrics). routes.go is the
// table of all routes and problem.go that of all failures.
package web
