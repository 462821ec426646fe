// Package app says what Tenantry's nouns are and what the rest of the program
// may expect of whatever stores them. It imports nothing of this module.
//
// # Words
//
//   - organization: a tenant. Every right and every reference hangs on its
//     UUIDv7 id; name and slug can be given to someone else after a rename or
//     a deletion and carry nothing.
//   - user, membership, role: a person signs in once (the email address is
//     unique in the installation) and is a member of organizations, in each
//     with a role.
//   - operator: whoever runs the installation. Never a member by that fact.
//   - registry: the master database, port [Registry].
//   - cluster: a named place that stores tenant data, port [Cluster].
//   - isolation, placement: how and where an organization's documents live.
//   - operation: a durable act of several steps that any server can finish.
//   - document: tenant data, an envelope and a JSON object.
//
// # Import rules
//
// Data flows one way:
//
//	main -> cli -> web, tui -> capabilities -> app <- engines
//
// The capabilities are tenancy, identity and documents; siblings never import
// each other, they name the little they need of one another as an interface
// of their own. Engines (sqlite) implement the ports of store.go and import
// only this package. package appliance alone joins engines and capabilities.
// golangci-lint (depguard) and TestImportDirections hold this.
package app
