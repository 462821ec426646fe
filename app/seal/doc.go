// Package seal keeps secrets that lie in the registry: the private keys that
// sign access tokens, and the connection strings of clusters.
//
// A sealed value is XChaCha20-Poly1305 under the installation's one seal key,
// bound to a context such as "signing-key:KID", so that a value moved to
// another row does not open there. Its form, in bytes:
//
//	1   version, 1
//	8   which key sealed it: the beginning of SHA-256 over a label and the key
//	24  nonce, random
//	n   the secret, encrypted
//	16  authentication tag
//
// Naming the key lets [Key.Open] tell "sealed with another key", which an
// operator can mend, from "damaged".
package seal
