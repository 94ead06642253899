# Martlet's house work. Needs a Swift toolchain; `scripts/bootstrap` brings the rest, as root or through sudo.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

SWIFT ?= swift

# One set of flags for every target, so that none of them rebuilds what another has built. SwiftPM keeps the first flag
# away from the packages that we depend on.
FLAGS := -Xswiftc -warnings-as-errors --explicit-target-dependency-import-check error

# How many times longer a campaign is than its short form within `make test`, as far as that is of use: `make chaos`
# makes 1,000 kills of a busy controller, and some 150 of one at rest, however large it is, and `make fuzz` tries a million
# inputs of each kind at most, which takes close to an hour.
ROUNDS ?= 50

# Suites that compute for a long while: among the others they would keep the threads from tests that wait for something.
COMPUTING := ^(SchemaTests|PlanningTests|ManifestYAMLTests)\.|ManifestCacheTests

# The end of a long log tells least: says once more which tests failed, and why.
FAILURES = echo "make test: failed:"; grep -a '^✘' .build/tests.log | cut -c1-2000

.PHONY: help bootstrap build test demo run lint bench bench-fleet bench-serving tsan chaos fuzz soak clean

help: ## Lists what can be made
	@sed -n 's/^\([a-z -]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand --tabs=26

bootstrap: # Debian packages and engines; does nothing where they are
	@command -v $(SWIFT) >/dev/null || { echo "make: no swift here: see https://www.swift.org/install" >&2; exit 1; }
	@scripts/bootstrap

build: bootstrap ## Builds the executable
	@$(SWIFT) build $(FLAGS)
	@echo "make build: $$($(SWIFT) build --show-bin-path)/martlet is ready"

test: bootstrap ## Builds and runs every test, the ones by foreign clients too
	@$(SWIFT) build --build-tests $(FLAGS)
	@$(SWIFT) test --skip-build $(FLAGS) --skip '$(COMPUTING)' 2>&1 | tee .build/tests.log || { $(FAILURES); exit 1; }
	@$(SWIFT) test --skip-build $(FLAGS) --filter '$(COMPUTING)' 2>&1 | tee .build/tests.log || { $(FAILURES); exit 1; }
	@if [ -x scripts/test-clients ]; then scripts/test-clients; fi
	@echo "make test: everything passed"

demo: build ## Shows the main job on a real repository, and ends by itself
	@scripts/demo
	@echo "make demo: done"

run: build ## Starts the example and stays up, with commands to try
	@scripts/demo --keep-running

lint: ## Checks layout, imports, lengths, scripts and links
	@scripts/lint

bench: bootstrap ## Measures what Benchmarks/README.md promises
	@$(SWIFT) build --configuration release --product martlet
	@scripts/bench
	@echo "make bench: done"

bench-fleet: bootstrap ## Measures the control loop with up to 100,000 manifests
	@$(SWIFT) build --configuration release --product martlet
	@Benchmarks/fleet
	@echo "make bench-fleet: done"

bench-serving: bootstrap ## Measures serving tensors, and proxying chats and streams, against other servers
	@$(SWIFT) build --configuration release --product martlet
	@Benchmarks/inference
	@Benchmarks/proxy
	@Benchmarks/streams
	@echo "make bench-serving: done"

tsan: bootstrap ## Runs the unit tests under the thread sanitizer
	@SWIFT=$(SWIFT) scripts/test-threads
	@echo "make tsan: no data race found"

chaos fuzz soak: bootstrap ## Runs the long form of the tests named so: chaos kills 1,000 times; ROUNDS=50
	@$(SWIFT) build --build-tests $(FLAGS)
	@scripts/campaign $@ $(ROUNDS) $(FLAGS)

clean: ## Removes what was built here; engines in the cache stay
	@rm -rf .build .build-tsan
	@echo "make clean: done"
