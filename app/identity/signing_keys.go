package identity

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"tenantry/app"
	"tenantry/app/seal"
)

const (
	// keysReread is how often the keys are read again, to learn of those that
	// other servers made.
	keysReread = 10 * time.Minute
	// keysRereadAtOnce is how often at most a token with an unknown kid makes
	// them be read, so that made-up ones are no load.
	keysRereadAtOnce = time.Second
	// keysMargin is how long retired keys are kept beyond the life of the last
	// token they signed: a server that has not read the keys again still signs
	// with them, and clocks differ.
	keysMargin = time.Hour
)

// keyring holds the keys that sign and verify access tokens.
type keyring struct {
	registry app.SigningKeys
	seal     seal.Key
	cfg      Config
	clock    app.Clock
	log      *slog.Logger
	now      atomic.Pointer[keys]

	mu     sync.Mutex // held while keys are read or made
	readAt time.Time  // by the monotonic clock
}

// keys is what the registry had at one moment.
type keys struct {
	current   string // the kid that signs
	private   ed25519.PrivateKey
	createdAt time.Time
	public    map[string]ed25519.PublicKey // by kid, retired ones too
	published []app.SigningKey             // newest first
}

// openKeyring reads the keys and makes the first one.
func openKeyring(ctx context.Context, registry app.SigningKeys, key seal.Key, cfg Config, clock app.Clock,
	log *slog.Logger,
) (*keyring, error) {
	r := &keyring{registry: registry, seal: key, cfg: cfg, clock: clock, log: log}
	err := r.refresh(ctx)
	if err != nil && r.now.Load() != nil { // a full disk must not keep the old key from signing
		log.Warn("the key that signs access tokens is due but could not be replaced", "error", err)
		err = nil
	}
	return r, err
}

// refresh reads the keys and makes a new one when there is none or the one
// that signs is too old.
func (r *keyring) refresh(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for range 3 { // another server can be first, then its key is there
		read, err := r.read(ctx)
		if err != nil {
			return err
		}
		r.readAt = time.Now()
		if read.current != "" {
			r.now.Store(read)
			if r.clock().Sub(read.createdAt) < r.cfg.KeyRotation {
				return nil
			}
		}
		switch err := r.add(ctx, read); {
		case err == nil:
			r.log.Info("access tokens are signed with a new key", "retired", read.current)
		case !errors.Is(err, app.ErrStale):
			return err
		}
	}
	if r.now.Load() == nil {
		return errors.New("other servers keep replacing the key that signs; is the clock of one of them wrong?")
	}
	return nil
}

// read gets the keys and proves that they are what they should be.
func (r *keyring) read(ctx context.Context) (*keys, error) {
	stored, err := r.registry.SigningKeys(ctx)
	if err != nil {
		return nil, err
	}
	out := &keys{public: make(map[string]ed25519.PublicKey, len(stored)), published: stored}
	for _, k := range stored {
		private, err := r.open(k)
		if err != nil {
			return nil, err
		}
		out.public[k.ID], _ = private.Public().(ed25519.PublicKey)
		if k.RetiredAt.IsZero() && out.current == "" {
			out.current, out.private, out.createdAt = k.ID, private, k.CreatedAt
		}
	}
	return out, nil
}

func (r *keyring) open(k app.SigningKey) (ed25519.PrivateKey, error) {
	seed, err := r.seal.Open(k.Sealed, sealContext(k.ID))
	switch {
	case errors.Is(err, seal.ErrOtherKey):
		return nil, fmt.Errorf("signing key %s was sealed with another seal key than this server has: %w. "+
			"Give this server the seal_key, or the file %s, that belongs to this registry. "+
			"(Several servers on one registry need the same.)", k.ID, err, seal.FileName)
	case err != nil:
		return nil, fmt.Errorf("signing key %s in the registry cannot be opened: %w. "+
			"Restore the registry from a backup", k.ID, err)
	case len(seed) != ed25519.SeedSize:
		return nil, fmt.Errorf("signing key %s in the registry has %d bytes instead of %d", k.ID, len(seed), ed25519.SeedSize)
	}
	private := ed25519.NewKeyFromSeed(seed)
	public, _ := private.Public().(ed25519.PublicKey)
	if !public.Equal(ed25519.PublicKey(k.Public)) || thumbprint(public) != k.ID {
		return nil, fmt.Errorf("signing key %s in the registry does not match its public half: the row was changed. "+
			"Restore the registry from a backup", k.ID)
	}
	return private, nil
}

// add makes a key that signs from now on.
func (r *keyring) add(ctx context.Context, before *keys) error {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return fmt.Errorf("make a signing key: %w", err)
	}
	kid := thumbprint(public)
	sealed, err := r.seal.Seal(private.Seed(), sealContext(kid))
	if err != nil {
		return err
	}
	at := r.clock()
	if len(before.published) > 0 {
		at = app.Later(at, before.published[0].CreatedAt.Add(time.Millisecond)) // newest first stays true
	}
	return r.registry.AddSigningKey(ctx, app.SigningKey{ID: kid, Public: public, Sealed: sealed, CreatedAt: at}, before.current)
}

// lookup gives the public key of a kid. One that is unknown may be another
// server's new one, so the keys are read again, but not often.
func (r *keyring) lookup(ctx context.Context, kid string) (ed25519.PublicKey, bool) {
	if public, ok := r.now.Load().public[kid]; ok {
		return public, true
	}
	if len(kid) != thumbprintLen {
		return nil, false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if public, ok := r.now.Load().public[kid]; ok || time.Since(r.readAt) < keysRereadAtOnce {
		return public, ok
	}
	r.readAt = time.Now()
	read, err := r.read(ctx)
	if err != nil || read.current == "" {
		r.log.Warn("signing keys could not be read again", "error", err)
		return nil, false
	}
	r.now.Store(read)
	public, ok := read.public[kid]
	return public, ok
}

// prune removes keys that no living token was signed with.
func (r *keyring) prune(ctx context.Context) error {
	return r.registry.RemoveSigningKeys(ctx, r.clock().Add(-r.cfg.AccessTokenTTL-keysMargin))
}

func sealContext(kid string) string { return "signing-key:" + kid }

const thumbprintLen = 43

// thumbprint is the RFC 7638 thumbprint of an Ed25519 key (RFC 8037, 2).
func thumbprint(public ed25519.PublicKey) string {
	sum := sha256.Sum256([]byte(`{"crv":"Ed25519","kty":"OKP","x":"` + base64.RawURLEncoding.EncodeToString(public) + `"}`))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
