// Package tenancy is what can be done with organizations: their names, their
// coming and going, who may reach which, and where their data lives.
//
// All authorization of organizations is here, in [Directory.Resolve]; the
// stores below ask nobody who they are.
package tenancy
