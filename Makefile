# Everything a person runs. Each target sets up what it needs; build trees and caches live outside the clone.
SHELL := /bin/bash
.DEFAULT_GOAL := help
export PORTCULLIS_TESTDATA ?= $(abspath ../shared/testdata)

##@ Use
.PHONY: demo
demo: build ## Run the main job on a throw-away control plane on loopback, and say what happened and why
	@tests/e2e/demo.sh

.PHONY: test
test: deps ## Build everything and run all tests: unit, integration, end to end
	@tests/run.sh

##@ Build
.PHONY: deps
deps: ## Install missing Debian packages, by name
	@scripts/bootstrap.sh

.PHONY: build
build: deps ## Build all executables; they are linked into build/bin
	@set -e; dir=$$(scripts/build.sh release | tail -1); mkdir -p build; rm -rf build/bin; ln -s $$dir/bin build/bin

.PHONY: controlplane
controlplane: ## Build etcd, the Kubernetes API server, kubectl and helm into the cache
	@tests/controlplane/build.sh >/dev/null

##@ Check
.PHONY: lint
lint: deps ## Formatting, layers, forbidden calls, clang-tidy on what changed
	@scripts/lint.sh

.PHONY: format
format: deps ## Rewrite all sources as .clang-format says
	@git ls-files '*.h' '*.cpp' | xargs clang-format-14 -i

.PHONY: golden
golden: deps ## Rewrite tests/golden; the diff is the review
	@PORTCULLIS_GOLDEN=write tests/run.sh --golden

.PHONY: asan
asan: deps ## Run the unit tests under ASan and UBSan
	@tests/run.sh --preset dev --unit

.PHONY: tsan
tsan: deps ## Run the unit tests under ThreadSanitizer
	@tests/run.sh --preset tsan --unit

.PHONY: fuzz
fuzz: deps ## Run every fuzz target for FUZZ_SECONDS (default 60) each
	@tests/fuzz/run.sh $${FUZZ_SECONDS:-60}

.PHONY: differential
differential: deps ## Compare our verifiers with those that others wrote (needs Go and cargo on PATH)
	@tests/differential/run.sh

.PHONY: bench
bench: build ## Figures beside the bare OpenSSL operations of the same run
	@tests/bench/run.sh

.PHONY: e2e
e2e: build ## Only the end-to-end tests
	@tests/run.sh --e2e

##@ Other
.PHONY: clean
clean: ## Remove this clone's build trees (the shared compiler cache stays)
	@rm -rf build "$${PORTCULLIS_CACHE:-$${XDG_CACHE_HOME:-$$HOME/.cache}/portcullis}/build/$$(printf %s "$(CURDIR)" | sha256sum | cut -c1-16)"

.PHONY: help
help: ## List all targets
	@awk 'BEGIN {FS = ":.*##"} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z0-9_-]+:.*##/ {printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
