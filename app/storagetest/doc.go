// Package storagetest is what every engine must pass: one test for each
// promise of the ports in app/store.go, named after the method and the
// promise.
//
// An engine's test is a few lines:
//
//	func TestRegistry(t *testing.T) {
//		storagetest.Registry(t, func(t *testing.T) app.Registry { return openTemp(t) })
//	}
//
// Every test has a second tenant in the same store, and fails when anything of
// that one changed or shows up where it does not belong. The suite knows
// nothing of any engine; it is never linked into the binary.
package storagetest
