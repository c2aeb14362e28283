.PHONY: test format lint generated tidy unit e2e

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
