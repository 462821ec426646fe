package cli_test

import (
	"errors"
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"modernc.org/sqlite"

	"tenantry/cli"
)

// asCommand makes the test binary the program itself, so that tests start real
// processes of what they test.
const asCommand = "TENANTRY_TEST_AS_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) == "1" {
		os.Exit(cli.Main(cli.Build{Version: "0.0.0-test"}))
	}
	// Tests look into databases themselves, and the kind of locks is chosen
	// before the first is opened.
	if _, err := sqlite.OFDLocking(true); err != nil && !errors.Is(err, sqlite.ErrOFDLockingUnavailable) {
		panic(err)
	}
	program := func() { os.Exit(cli.Main(cli.Build{Version: "0.0.0-test"})) }
	testscript.Main(m, map[string]func(){
		"tenantry": program,
		// As root, who may do everything, no refusal of the file system is seen.
		"tenantry-as-nobody": func() {
			becomeNobody()
			program()
		},
	})
}
