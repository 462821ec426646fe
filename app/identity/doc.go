// Package identity knows who somebody is: passwords, sign-ins, the tokens and
// keys that prove them, and how soon a proof stops being one.
//
// # What a proof is worth
//
// An access token is a JSON Web Token that only this installation signs, and
// it names a session. Its signature and expiry say that it was ours; whether
// it still counts is decided by the session in the registry, on every request,
// through caches that the registry's invalidations empty. Deleting an
// organization, changing a password or suspending an organization is therefore
// in force with the next request. Others verify tokens offline with the public
// keys of [Service.JWKS] and learn of such changes when the token expires.
//
// A refresh token is opaque, belongs to one session, is good once, and when an
// old one is shown again the session ends, because two people have it.
//
// An operator key is opaque too and is looked up by its hash.
//
// # Load
//
// Nothing here but bcrypt is slow. It runs on a few threads of low priority
// behind a queue that admits only who will be served in time; see hasher.
package identity
