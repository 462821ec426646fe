package identity

import (
	"context"
	"encoding/base64"
)

// JWKS is a JSON Web Key Set (RFC 7517): the public keys with which others
// verify access tokens offline.
type JWKS struct {
	Keys []JWK `json:"keys" nullable:"false"`
}

// JWK is one Ed25519 public key (RFC 8037).
type JWK struct {
	KeyType   string `json:"kty" doc:"Always OKP."`
	Curve     string `json:"crv" doc:"Always Ed25519."`
	Use       string `json:"use" doc:"Always sig."`
	Algorithm string `json:"alg" doc:"Always EdDSA."`
	KeyID     string `json:"kid" doc:"The key's RFC 7638 thumbprint; tokens name it in their header."`
	X         string `json:"x" doc:"The public key in base64url."`
}

// JWKS lists the key that signs and the retired ones whose tokens may still
// live, newest first. Who meets a kid that is not there reads the set again.
func (s *Service) JWKS(context.Context) (JWKS, error) {
	published := s.keys.now.Load().published
	set := JWKS{Keys: make([]JWK, len(published))}
	for i, k := range published {
		set.Keys[i] = JWK{
			KeyType: "OKP", Curve: "Ed25519", Use: "sig", Algorithm: "EdDSA", KeyID: k.ID,
			X: base64.RawURLEncoding.EncodeToString(k.Public),
		}
	}
	return set, nil
}
