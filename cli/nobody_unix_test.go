//go:build unix

package cli_test

import (
	"errors"
	"syscall"
)

// nobody is a user who owns nothing.
const nobody = 65534

// becomeNobody gives up all rights of root for good.
func becomeNobody() {
	if err := errors.Join(syscall.Setgroups(nil), syscall.Setgid(nobody), syscall.Setuid(nobody)); err != nil {
		panic(err)
	}
}
