//! Domain keys: made on first use, sealed under the root, kept in the store, rotated.
