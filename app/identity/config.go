package identity

import (
	"fmt"
	"runtime"
	"time"
)

// Config is how sign-in works. Zero fields take the defaults.
type Config struct {
	// BcryptCost is the binary logarithm of the rounds of a password hash: 4 to
	// 20, default 12. Hashes of another cost are replaced at the next sign-in.
	BcryptCost int
	// Workers is how many passwords are hashed at once. Default: 1 on one or two
	// CPUs, else half of them.
	Workers int
	// MaxWait is how long a sign-in may take altogether, waiting included;
	// beyond that it is refused. Default 4 s.
	MaxWait time.Duration
	// Issuer and Audience are the iss and aud of access tokens. Default
	// "tenantry" both.
	Issuer, Audience string
	// AccessTokenTTL is the life of an access token. Default 15 minutes.
	AccessTokenTTL time.Duration
	// RefreshTokenTTL is how long a session lives without being refreshed.
	// Default 30 days; at least AccessTokenTTL.
	RefreshTokenTTL time.Duration
	// KeyRotation is the age at which a signing key is replaced. Default 30 days.
	KeyRotation time.Duration
}

const (
	minCost = 4
	maxCost = 20
)

func (c Config) withDefaults() (Config, error) {
	cpus := min(runtime.NumCPU(), runtime.GOMAXPROCS(0))
	c.BcryptCost = or(c.BcryptCost, 12)
	c.Workers = or(c.Workers, max(1, cpus/2))
	c.MaxWait = or(c.MaxWait, 4*time.Second)
	c.Issuer = or(c.Issuer, "tenantry")
	c.Audience = or(c.Audience, "tenantry")
	c.AccessTokenTTL = or(c.AccessTokenTTL, 15*time.Minute)
	c.RefreshTokenTTL = or(c.RefreshTokenTTL, 30*24*time.Hour)
	c.KeyRotation = or(c.KeyRotation, 30*24*time.Hour)
	switch {
	case c.BcryptCost < minCost || c.BcryptCost > maxCost:
		return c, fmt.Errorf("identity: bcrypt cost %d is not between %d and %d", c.BcryptCost, minCost, maxCost)
	case c.Workers < 0 || c.MaxWait < 0 || c.AccessTokenTTL < time.Second || c.KeyRotation < 0:
		return c, fmt.Errorf("identity: a count or duration is too small: %+v", c)
	case c.RefreshTokenTTL < c.AccessTokenTTL:
		return c, fmt.Errorf("identity: refresh tokens live %s, less than access tokens (%s)", c.RefreshTokenTTL, c.AccessTokenTTL)
	}
	return c, nil
}

func or[T comparable](v, otherwise T) T {
	var zero T
	if v == zero {
		return otherwise
	}
	return v
}
