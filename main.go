// Command tenantry manages organizations for multi-tenant products: a server
// with an HTTP API, and the commands to run and check it. See package app for
// how the code is laid out.
package main

import (
	"os"

	"tenantry/cli"
)

// Set by the linker in a release build.
var (
	version = "dev"
	commit  = ""
	date    = ""
)

func main() {
	os.Exit(cli.Main(cli.Build{Version: version, Commit: commit, Date: date}))
}
