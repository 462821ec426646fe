//go:build !unix

package cli_test

func becomeNobody() { panic("there is no such user here") }
