//! Recipients and identities of the kind X25519, and the files that hold them.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::agreement::{PrivateKey, UnparsedPublicKey, X25519, agree};
use aws_lc_rs::error::Unspecified;
use base::{Randomness, RandomnessUnavailable, SecretArray, SecretString};
use bech32::primitives::decode::CheckedHrpstring;
use bech32::{Bech32, Hrp};

const RECIPIENT: Hrp = Hrp::parse_unchecked("age");
const IDENTITY: Hrp = Hrp::parse_unchecked("age-secret-key-");
const KEY: usize = 32;

/// The public half: `age1…`. Whoever has it can encrypt.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Recipient([u8; KEY]);

/// The text is no recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an age recipient of the kind X25519: such a one is `age1` and 58 small letters and digits")]
pub struct InvalidRecipient;

/// The text is no identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "not an age identity of the kind X25519: such a one is `AGE-SECRET-KEY-1` and 58 capital letters and digits"
)]
pub struct InvalidIdentity;

/// The private half: `AGE-SECRET-KEY-1…`. Whoever has it can decrypt.
pub struct Identity {
    secret: SecretArray<KEY>,
    recipient: Recipient,
}

impl Recipient {
    pub(super) fn bytes(&self) -> &[u8; KEY] {
        &self.0
    }
}

impl FromStr for Recipient {
    type Err = InvalidRecipient;

    fn from_str(text: &str) -> Result<Self, InvalidRecipient> {
        let bytes = decode(text, RECIPIENT).ok_or(InvalidRecipient)?;
        let recipient = Self(*bytes.expose());
        // One text for each key: no capitals, no bits behind the end.
        if recipient.to_string() == text { Ok(recipient) } else { Err(InvalidRecipient) }
    }
}

impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        bech32::encode_lower_to_fmt::<Bech32, _>(f, RECIPIENT, &self.0).map_err(|_| fmt::Error)
    }
}

impl fmt::Debug for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Identity {
    /// A new one.
    ///
    /// # Errors
    /// The system gave no random bytes.
    pub fn draw(randomness: &dyn Randomness) -> Result<Self, RandomnessUnavailable> {
        let mut secret = SecretArray::zeroed();
        randomness.fill(secret.expose_mut())?;
        Self::of(secret).map_err(|_| RandomnessUnavailable)
    }

    fn of(secret: SecretArray<KEY>) -> Result<Self, Unspecified> {
        let recipient = Recipient(public_half(&secret)?);
        Ok(Self { secret, recipient })
    }

    /// The public half.
    pub fn recipient(&self) -> Recipient {
        self.recipient
    }

    /// The secret half as a text.
    pub fn to_text(&self) -> SecretString {
        // Too long is what no text of 32 bytes is.
        SecretString::new(bech32::encode_upper::<Bech32>(IDENTITY, self.secret.expose()).unwrap_or_default())
    }

    pub(super) fn agree<T>(
        &self,
        share: &[u8; KEY],
        then: impl FnOnce(&[u8]) -> Result<T, Unspecified>,
    ) -> Result<T, Unspecified> {
        agree_with(&self.secret, share, then)
    }
}

impl FromStr for Identity {
    type Err = InvalidIdentity;

    fn from_str(text: &str) -> Result<Self, InvalidIdentity> {
        let secret = decode(text, IDENTITY).ok_or(InvalidIdentity)?;
        let identity = Self::of(secret).map_err(|_| InvalidIdentity)?;
        if identity.to_text().expose() == text { Ok(identity) } else { Err(InvalidIdentity) }
    }
}

/// The public half of a secret.
pub(super) fn public_half(secret: &SecretArray<KEY>) -> Result<[u8; KEY], Unspecified> {
    let key = PrivateKey::from_private_key(&X25519, secret.expose()).map_err(|_| Unspecified)?;
    key.compute_public_key()?.as_ref().try_into().map_err(|_| Unspecified)
}

/// X25519 (RFC 7748), refused if what comes out is all zero.
pub(super) fn agree_with<T>(
    secret: &SecretArray<KEY>,
    share: &[u8; KEY],
    then: impl FnOnce(&[u8]) -> Result<T, Unspecified>,
) -> Result<T, Unspecified> {
    let key = PrivateKey::from_private_key(&X25519, secret.expose()).map_err(|_| Unspecified)?;
    agree(&key, UnparsedPublicKey::new(&X25519, share), Unspecified, then)
}

/// The recipients of a text with one in each line; empty lines and those that begin with `#` do not count.
///
/// # Errors
/// The number of the first line, from 1 on, that is none.
pub fn read_recipients(text: &str) -> Result<Vec<Recipient>, usize> {
    read(text)
}

/// The identities of a file such as age-keygen writes: one in each line; empty lines and those that begin with `#` do
/// not count.
///
/// # Errors
/// The number of the first line, from 1 on, that is none.
pub fn read_identities(text: &str) -> Result<Vec<Identity>, usize> {
    read(text)
}

fn read<T: FromStr>(text: &str) -> Result<Vec<T>, usize> {
    let lines = text.lines().map(str::trim).enumerate();
    let lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    lines.map(|(number, line)| line.parse().map_err(|_| number + 1)).collect()
}

/// The 32 bytes of a text in Bech32 (BIP 173) with this beginning.
fn decode(text: &str, beginning: Hrp) -> Option<SecretArray<KEY>> {
    let checked = CheckedHrpstring::new::<Bech32>(text).ok().filter(|checked| checked.hrp() == beginning)?;
    let mut bytes = checked.byte_iter();
    if bytes.len() != KEY {
        return None;
    }
    let mut key = SecretArray::zeroed();
    for (place, byte) in key.expose_mut().iter_mut().zip(&mut bytes) {
        *place = byte;
    }
    Some(key)
}
