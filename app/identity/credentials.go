package identity

import "context"

// ParseEmail is the function of the same name, for who holds the service
// behind an interface.
func (s *Service) ParseEmail(text string) (display, key string, err error) { return ParseEmail(text) }

// CheckPassword is the first half of [Service.NewPassword]: it says what is
// wrong with a password without spending the time of a hash, so that an
// answer can name this together with everything else that is wrong.
func (s *Service) CheckPassword(password string, contextual ...string) error {
	return CheckPassword(password, contextual...)
}

// HashPassword is the second half: the password was checked.
func (s *Service) HashPassword(ctx context.Context, password string) (string, error) {
	return s.hasher.Hash(ctx, normalPassword(password))
}

// IsPassword reports whether the password is that of the hash, in the time of
// one hash. It may be refused as HashPassword.
func (s *Service) IsPassword(ctx context.Context, hash, password string) (bool, error) {
	return s.hasher.Compare(ctx, hash, normalPassword(password))
}
