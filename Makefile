.PHONY: test format lint generated tidy unit e2e fuzz

# Everything that must hold before a change lands.
test: format lint generated tidy unit e2e

format:
	cargo fmt --all --check

lint:
	cargo clippy --workspace --all-targets --locked -- -D warnings

# The generated code is what the pinned models say.
generated:
	cargo xtask gen --check

# The directions of dependencies, and other rules that no compiler knows.
tidy:
	cargo xtask tidy

# Unit, property and contract tests.
unit:
	cargo test --workspace --locked --quiet

# Real AWS clients against the built binary.
e2e:
	e2e/run

# Interleavings of what locks and waits by itself, alone; `make unit` runs them too (docs/adr/0029-interleavings-are-explored.md).
.PHONY: interleavings
interleavings:
	cargo test --locked --quiet --package testkit --package store --package audit --package kms --package keywright --lib interleavings::

# Hostile input for every parser and codec, guided by coverage: each target in turn, for so many seconds.
SECONDS_EACH ?= 60
# One target alone, or several: make fuzz TARGET=policy_document
TARGET ?=
fuzz:
	fuzz/run --seconds $(SECONDS_EACH) $(TARGET)

# Crashes and failing disks beneath the release binary, again and again; CONTRIBUTING.md tells what the disk does.
RUNS ?= 200
SEED ?= 1
# A crash that was kept, once more: make torture AGAIN=target/torture/kept/…
AGAIN ?=
.PHONY: torture
torture:
	$(if $(KEYWRIGHT_BINARY),,cargo build --release --locked --package keywright)
	e2e/python-clients
	e2e/torture/run $(if $(AGAIN),--again $(abspath $(AGAIN)),--runs $(RUNS) --seed $(SEED))

# So many seconds of mixed load by many clients, with every answer checked; CONTRIBUTING.md tells what is checked.
SECONDS ?= 3600
.PHONY: soak
soak:
	$(if $(KEYWRIGHT_BINARY),,cargo build --release --locked --package keywright)
	e2e/python-clients
	e2e/soak/run --seconds $(SECONDS) --seed $(SEED)

# How fast it is, beside a server that does nothing and beside peers: writes docs/benchmarks.md and docs/benchmarks.json.
# Some suites alone, and what they give on the terminal: make bench ONLY=hot,record
ONLY ?=
.PHONY: bench
bench:
	cargo build --release --package keywright --package load
	./target/release/load bench $(if $(ONLY),--only $(ONLY))

# Instructions of single steps under valgrind, and whether any takes more than load/instructions.json says.
.PHONY: instructions
instructions:
	cargo build --release --package load
	./target/release/load instructions

# What encryption costs objects, and what long ones and many of them take: writes docs/benchmarks-objects.md.
.PHONY: bench-objects
bench-objects:
	load/objects/run

# What dependencies may be: licences, sources, duplicates (docs/adr/0028-dependencies-and-unsafe-code.md).
TOOLS = target/tools
.PHONY: deny advisories sbom
deny: $(TOOLS)/bin/cargo-deny
	$< --locked check licenses bans sources

# What is known against their versions. It changes from day to day, whatever is changed here.
advisories: $(TOOLS)/bin/cargo-deny
	@if $< fetch db >/dev/null 2>&1; then $< --locked check --disable-fetch advisories; \
	else echo "advisories: not checked: their database (github.com/RustSec/advisory-db) cannot be fetched from here"; fi

$(TOOLS)/bin/cargo-deny:
	@echo "installing cargo-deny into $(TOOLS); this takes some minutes, once"
	cargo install --quiet --locked --root $(TOOLS) cargo-deny@0.20.2

# What the binary is made of, as CycloneDX: target/keywright.cdx.json.
sbom: $(TOOLS)/bin/cargo-cyclonedx
	PATH="$(abspath $(TOOLS))/bin:$$PATH" cargo cyclonedx --quiet --manifest-path crates/server/Cargo.toml --format json \
		--no-build-deps --override-filename sbom-of-keywright
	mv crates/server/sbom-of-keywright.json target/keywright.cdx.json
	rm -f */sbom-of-keywright.json crates/*/sbom-of-keywright.json
	@echo "target/keywright.cdx.json"

$(TOOLS)/bin/cargo-cyclonedx:
	@echo "installing cargo-cyclonedx into $(TOOLS); this takes some minutes, once"
	cargo install --quiet --locked --root $(TOOLS) cargo-cyclonedx@0.5.9

.PHONY: run
run: ## Build and start on 127.0.0.1:4599, with everything in ./data
	@command -v cargo >/dev/null || { \
		echo "make run needs Rust, and there is no cargo. Install it with rustup, as https://rustup.rs tells, and open a new shell." >&2; exit 1; }
	@command -v cc >/dev/null || { \
		echo "make run needs a C compiler, and there is no cc. Install one, on Debian and Ubuntu with: apt-get install build-essential" >&2; exit 1; }
	cargo build --release --package keywright
	./target/release/keywright serve --data-dir ./data
