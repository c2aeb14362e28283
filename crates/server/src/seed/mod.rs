//! Seed files: accounts, users, access keys, KMS keys and aliases that should be there at start.
//!
//! A file is read and checked as a whole before anything is made of it ([`SeedFile`]); applying it never changes what
//! exists ([`apply`]). `--dev` has a seed of its own ([`SeedFile::development`]), and seed files of local-kms can be
//! converted ([`convert`]).

mod apply;
mod convert;
mod file;
mod local_kms;
mod raw;
#[cfg(test)]
mod tests;

pub(crate) use apply::{ApplyError, KeySeeder, SeedOutcome, apply};
pub(crate) use convert::{ConvertError, convert};
pub(crate) use file::{Purpose, SeedError, SeedFile, SeedKey};
