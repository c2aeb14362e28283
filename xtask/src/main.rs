//! The project's own chores: `cargo xtask gen` and `cargo xtask tidy`.

fn main() {}
