//! Where records of this room lie in the store. Every path is made here and nowhere else.
//!
//! | path | record |
//! |---|---|
//! | `kms/key/<account>/<region>/<key>` | the key |
//! | `kms/material/<account>/<region>/<key>/<material id>` | sealed material |
//! | `kms/material/<account>/<region>/<key>/-` | a replica is in the making, empty value |
//! | `kms/rotation/<account>/<region>/<key>/<number>` | history, in order |
//! | `kms/alias/<account>/<region>/alias/<name>` | alias |
//! | `kms/key-alias/<account>/<region>/<key>/alias/<name>` | the aliases of one key, empty value |
//! | `kms/grant/<account>/<region>/<key>/<grant id>` | grant |
//! | `kms/grant-name/<account>/<region>/<key>/<digest>` | which grant has a name and such terms |
//! | `kms/granted/<account>/<region>/<key>/<operation>/<grantee>/<place>/<grant id>` | what a grant demands, for decisions |
//! | `kms/retirable-grant/<retirer>/<account>/<region>/<key>/<grant id>` | grants by who may retire them, empty value |
//! | `kms/key-count/<account>/<region>/<shard>` | how many keys there are |
//! | `kms/last-usage/<account>/<region>/<key>` | the last use of a key |
//! | `kms/last-usage-tracking` | since when uses are recorded |

use std::fmt::Display;

use base::{AccountId, Call, KeyArn, KeyId, Region};
use store::{Key, StoreError};

/// The prefix of all keys.
pub(crate) const KEY: &str = "kms/key/";
const ALIAS: &str = "kms/alias/";
const MATERIAL: &str = "kms/material/";

/// An account's part of the name space in one Region.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Place {
    pub(crate) account: AccountId,
    pub(crate) region: Region,
}

impl Place {
    /// The caller's own account in the Region that it called.
    pub(crate) fn of(call: &Call) -> Self {
        Self { account: call.caller.account, region: call.region }
    }

    pub(crate) fn key_arn(&self, id: KeyId) -> KeyArn {
        KeyArn { account: self.account, region: self.region, id }
    }

    pub(crate) fn alias_arn(&self, name: &str) -> String {
        format!("arn:{}:kms:{}:{}:{name}", self.region.partition(), self.region, self.account)
    }
}

impl From<KeyArn> for Place {
    fn from(arn: KeyArn) -> Self {
        Self { account: arn.account, region: arn.region }
    }
}

pub(crate) fn key(arn: &KeyArn) -> Result<Key, StoreError> {
    path(format_args!("{KEY}{}/{}/{}", arn.account, arn.region, arn.id))
}

pub(crate) fn keys(place: &Place) -> String {
    format!("{KEY}{}/{}/", place.account, place.region)
}

pub(crate) fn material(arn: &KeyArn, id: impl Display) -> Result<Key, StoreError> {
    path(format_args!("{}{id}", materials(arn)))
}

pub(crate) fn materials(arn: &KeyArn) -> String {
    format!("{MATERIAL}{}/{}/{}/", arn.account, arn.region, arn.id)
}

/// The mark of a replica in the making. It sorts before every material, so that what removes them removes it first.
pub(crate) fn staging(arn: &KeyArn) -> Result<Key, StoreError> {
    material(arn, "-")
}

pub(crate) fn rotation(arn: &KeyArn, number: u32) -> Result<Key, StoreError> {
    path(format_args!("{}{number:010}", rotations(arn)))
}

pub(crate) fn rotations(arn: &KeyArn) -> String {
    format!("kms/rotation/{}/{}/{}/", arn.account, arn.region, arn.id)
}

pub(crate) fn alias(place: &Place, name: &str) -> Result<Key, StoreError> {
    path(format_args!("{}{name}", aliases(place)))
}

pub(crate) fn aliases(place: &Place) -> String {
    format!("{ALIAS}{}/{}/", place.account, place.region)
}

pub(crate) fn key_alias(arn: &KeyArn, name: &str) -> Result<Key, StoreError> {
    path(format_args!("{}{name}", key_aliases(arn)))
}

pub(crate) fn key_aliases(arn: &KeyArn) -> String {
    format!("kms/key-alias/{}/{}/{}/", arn.account, arn.region, arn.id)
}

pub(crate) fn grant(arn: &KeyArn, id: impl Display) -> Result<Key, StoreError> {
    path(format_args!("{}{id}", grants(arn)))
}

pub(crate) fn grants(arn: &KeyArn) -> String {
    format!("kms/grant/{}/", reference(arn))
}

pub(crate) fn grant_name(arn: &KeyArn, digest: &str) -> Result<Key, StoreError> {
    path(format_args!("kms/grant-name/{}/{digest}", reference(arn)))
}

/// The grants of a key that let a grantee (by its digest) carry out an operation.
pub(crate) fn granted_for(arn: &KeyArn, operation: &str, grantee: &str) -> String {
    format!("{}{operation}/{grantee}/", granted_on(arn))
}

/// All entries of [`granted_for`] for a key.
pub(crate) fn granted_on(arn: &KeyArn) -> String {
    format!("kms/granted/{}/", reference(arn))
}

/// The entry for a grant among those of [`granted_for`], in one place by its constraint.
pub(crate) fn granted(prefix: &str, place: &str, id: impl Display) -> Result<Key, StoreError> {
    path(format_args!("{prefix}{place}/{id}"))
}

/// The retirer: `<region>/<digest of its name>`.
pub(crate) fn retirable_grants(region: &Region, digest: &str) -> String {
    format!("kms/retirable-grant/{region}/{digest}/")
}

/// The entry for a grant among those of [`retirable_grants`].
pub(crate) fn retirable_grant(prefix: &str, arn: &KeyArn, id: impl Display) -> Result<Key, StoreError> {
    path(format_args!("{prefix}{}/{id}", reference(arn)))
}

/// Reads the key and the grant's id out of [`retirable_grant`].
pub(crate) fn grant_reference<'a>(prefix: &str, path: &'a Key) -> Option<(KeyArn, &'a str)> {
    let (key, id) = path.as_str().strip_prefix(prefix)?.rsplit_once('/')?;
    Some((key_reference(key)?, id))
}

pub(crate) fn key_count(place: &Place, shard: usize) -> Result<Key, StoreError> {
    path(format_args!("{}{shard:02}", key_counts(place)))
}

/// Reads the shard out of [`key_count`].
pub(crate) fn key_count_shard(place: &Place, path: &Key) -> Option<usize> {
    path.as_str().strip_prefix(key_counts(place).as_str())?.parse().ok()
}

pub(crate) fn key_counts(place: &Place) -> String {
    format!("kms/key-count/{}/{}/", place.account, place.region)
}

pub(crate) fn key_usage(arn: &KeyArn) -> Result<Key, StoreError> {
    path(format_args!("kms/last-usage/{}", reference(arn)))
}

pub(crate) fn usage_tracking() -> Result<Key, StoreError> {
    path(format_args!("kms/last-usage-tracking"))
}

/// What a path that was committed means for the caches.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Cached<'a> {
    Key(KeyArn),
    Material(KeyArn, &'a str),
    Alias(Place, &'a str),
}

/// Reads a path back, if it is one that caches care for.
pub(crate) fn cached(key: &Key) -> Option<Cached<'_>> {
    let text = key.as_str();
    if let Some(rest) = text.strip_prefix(KEY) {
        return key_reference(rest).map(Cached::Key);
    }
    if let Some(rest) = text.strip_prefix(MATERIAL) {
        let (reference, material) = rest.rsplit_once('/')?;
        return Some(Cached::Material(key_reference(reference)?, material));
    }
    let (place, name) = place(text.strip_prefix(ALIAS)?)?;
    Some(Cached::Alias(place, name))
}

/// `<account>/<region>/<key>`: how due work, grant tokens and indexes name a key.
pub(crate) fn reference(arn: &KeyArn) -> String {
    format!("{}/{}/{}", arn.account, arn.region, arn.id)
}

/// Reads [`reference`] back.
pub(crate) fn key_reference(text: &str) -> Option<KeyArn> {
    let (place, id) = place(text)?;
    Some(place.key_arn(id.parse().ok()?))
}

fn place(text: &str) -> Option<(Place, &str)> {
    let (account, rest) = text.split_once('/')?;
    let (region, rest) = rest.split_once('/')?;
    Some((Place { account: account.parse().ok()?, region: region.parse().ok()? }, rest))
}

/// Account, Region, key id and alias name are bounded and free of control characters, so this cannot fail for
/// anything that passed the model's constraints.
fn path(text: std::fmt::Arguments<'_>) -> Result<Key, StoreError> {
    Key::new(text.to_string()).map_err(StoreError::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arn() -> KeyArn {
        key_reference("123456789012/eu-central-1/1234abcd-12ab-34cd-56ef-1234567890ab").unwrap()
    }

    #[test]
    fn committed_paths_are_read_back() {
        let place = Place::from(arn());
        assert_eq!(cached(&key(&arn()).unwrap()), Some(Cached::Key(arn())));
        assert_eq!(cached(&alias(&place, "alias/a/b").unwrap()), Some(Cached::Alias(place, "alias/a/b")));
        assert_eq!(cached(&material(&arn(), "ab12").unwrap()), Some(Cached::Material(arn(), "ab12")));
    }

    #[test]
    fn other_paths_concern_no_cache() {
        for path in [
            key_alias(&arn(), "alias/x"),
            rotation(&arn(), 7),
            grant(&arn(), "ab12"),
            grant_name(&arn(), "ab12"),
            retirable_grant("kms/retirable-grant/service/eu-central-1/ab12/", &arn(), "ab12"),
            key_count(&arn().into(), 7),
            key_usage(&arn()),
            usage_tracking(),
            Key::new("kms/key/x").map_err(StoreError::from),
        ] {
            assert_eq!(cached(&path.unwrap()), None);
        }
    }

    #[test]
    fn rotations_sort_by_number() {
        assert!(rotation(&arn(), 9).unwrap() < rotation(&arn(), 10).unwrap());
    }
}
