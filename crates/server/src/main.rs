//! The binary `keywright`.

fn main() {}
