//! What has domain keys of its own.

use std::fmt;

use base::Region;

/// A Region, or what is above Regions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Domain(Option<Region>);

impl Domain {
    /// The domain of one Region.
    pub fn region(region: Region) -> Self {
        Self(Some(region))
    }

    /// The domain of what is in no Region: identities and their access keys.
    pub fn global() -> Self {
        Self(None)
    }
}

impl fmt::Display for Domain {
    /// The name in store keys and bindings: that of the Region, or `global`, which no Region can be called.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(region) => region.fmt(f),
            None => f.write_str("global"),
        }
    }
}
