# "make help" lists what there is. Go alone is needed; the tools that lint, vuln
# and the release targets use are built once into .cache/bin, in the versions
# pinned here.

GOLANGCI_LINT_VERSION   := v2.15.0
GOVULNCHECK_VERSION     := v1.9.0
# Later ones ask for Go 1.27, or for modules that not every proxy has.
GORELEASER_VERSION      := v2.16.0
CYCLONEDX_GOMOD_VERSION := v1.10.0

GO      ?= go
FUZZTIME ?= 30s

BIN             := $(CURDIR)/.cache/bin
GOLANGCI_LINT   := $(BIN)/golangci-lint-$(GOLANGCI_LINT_VERSION)
GOVULNCHECK     := $(BIN)/govulncheck-$(GOVULNCHECK_VERSION)
GORELEASER      := $(BIN)/goreleaser-$(GORELEASER_VERSION)
CYCLONEDX_GOMOD := $(BIN)/cyclonedx-gomod-$(CYCLONEDX_GOMOD_VERSION)

# GoReleaser asks git where releases go, and a clone of a bare folder cannot tell.
# Nothing is published by the targets here.
REMOTE := git remote get-url origin >/dev/null 2>&1 || export GIT_CONFIG_COUNT=1 \
	GIT_CONFIG_KEY_0=remote.origin.url GIT_CONFIG_VALUE_0=https://github.com/tenantry/tenantry.git;

TARGETS := linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64

.DEFAULT_GOAL := help
.PHONY: tour help run build test race lint vuln bench fuzz cross release-check snapshot man fmt tools clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: ## run the server on http://127.0.0.1:8000
	$(GO) run . serve

build: ## build ./tenantry as a release does, for this machine
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '-s -w' -o tenantry .

test: ## go vet and every test; what needs a browser or tmux skips without one, unless CI=true
	$(GO) vet ./...
	$(GO) test -timeout 40m ./...

race: ## every test under the race detector; needs a C compiler
	CGO_ENABLED=1 $(GO) test -race -short -timeout 40m ./...

lint: $(GOLANGCI_LINT) ## golangci-lint
	$(GOLANGCI_LINT) run
	$(GOLANGCI_LINT) fmt --diff

vuln: $(GOVULNCHECK) ## known vulnerabilities; REQUIRE_VULN=1 fails where the database is out of reach
	@.ci/vuln $(GOVULNCHECK) ./...

bench: ## speed and size, as ratios measured in one run
	$(GO) run ./bench

tour: ## the frames of the terminal UI in README.md and docs/tour.md; needs tmux
	@.ci/tour

fuzz: ## every fuzz target for FUZZTIME each (30s)
	@.ci/fuzz $(FUZZTIME)

cross: ## compile for every system of a release, and type-check the tests on each
	@set -e; for target in $(TARGETS); do \
		echo "build $$target"; \
		CGO_ENABLED=0 GOOS=$${target%/*} GOARCH=$${target#*/} $(GO) build -trimpath -o /dev/null .; \
	done
	@set -e; for system in darwin windows; do \
		echo "vet $$system"; \
		CGO_ENABLED=0 GOOS=$$system $(GO) vet ./...; \
	done

release-check: $(GORELEASER) ## goreleaser.yaml is valid, and so is the packages' configuration file
	$(REMOTE) $(GORELEASER) check
	$(GO) run . config check --config packaging/tenantry.toml

snapshot: $(GORELEASER) $(CYCLONEDX_GOMOD) ## build a whole release into dist, without publishing it
	ln -sf $(CYCLONEDX_GOMOD) $(BIN)/cyclonedx-gomod
	$(REMOTE) PATH="$(BIN):$$PATH" $(GORELEASER) release --snapshot --clean

man: ## write manual pages and shell completions to .cache/release
	packaging/release-files.sh

fmt: $(GOLANGCI_LINT) ## format
	$(GOLANGCI_LINT) fmt

tools: $(GOLANGCI_LINT) $(GOVULNCHECK) $(GORELEASER) $(CYCLONEDX_GOMOD) ## build the tools

clean: ## remove what was built; data stays
	rm -rf tenantry dist .cache/release

# $(call install,module,version): one binary, its version in its name.
define install
@mkdir -p $(BIN)
GOBIN=$(BIN)/new-$(@F) CGO_ENABLED=0 $(GO) install $(1)@$(2)
@mv $(BIN)/new-$(@F)/* $@ && rmdir $(BIN)/new-$(@F)
endef

$(GOLANGCI_LINT):
	$(call install,github.com/golangci/golangci-lint/v2/cmd/golangci-lint,$(GOLANGCI_LINT_VERSION))

$(GOVULNCHECK):
	$(call install,golang.org/x/vuln/cmd/govulncheck,$(GOVULNCHECK_VERSION))

$(GORELEASER):
	$(call install,github.com/goreleaser/goreleaser/v2,$(GORELEASER_VERSION))

$(CYCLONEDX_GOMOD):
	$(call install,github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod,$(CYCLONEDX_GOMOD_VERSION))
