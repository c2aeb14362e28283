//! A stanza wraps the key of a file for one recipient.
//!
//! ```text
//! -> X25519 <share, base64>
//! <wrapped key, base64, in lines of 64 characters, the last one shorter>
//! ```

use aws_lc_rs::error::Unspecified;
use base::{Randomness, SecretArray};

use super::header::OpenError;
use super::keys::{self, Identity, Recipient};
use super::payload::EncryptError;
use super::{FILE_KEY, TAG, cipher, derive, open, seal};

/// The kind of stanza that is understood.
const KIND: &str = "X25519";
/// A kind that must be alone in its file.
const PASSPHRASE: &str = "scrypt";
const PURPOSE: &[u8] = b"age-encryption.org/v1/X25519";
/// Each key is used for one message.
const NONCE: [u8; 12] = [0; 12];

/// A stanza, of any kind.
pub(super) struct Stanza {
    pub(super) arguments: Vec<String>,
    pub(super) body: Vec<u8>,
}

impl Stanza {
    /// Wraps the key of a file for a recipient, and gives the lines of that.
    pub(super) fn wrap(
        recipient: &Recipient,
        file_key: &SecretArray<FILE_KEY>,
        randomness: &dyn Randomness,
    ) -> Result<String, EncryptError> {
        let mut secret = SecretArray::zeroed();
        randomness.fill(secret.expose_mut())?;
        let share = keys::public_half(&secret).map_err(|_| EncryptError::Refused)?;
        let mut body = file_key.expose().to_vec();
        let wrapped = keys::agree_with(&secret, recipient.bytes(), |shared| {
            seal(&cipher(&wrapping_key(shared, &share, recipient)?)?, NONCE, &mut body)
        });
        // Only a recipient that is no public key of anybody comes to nothing here.
        wrapped.map_err(|_| EncryptError::UnusableRecipient(*recipient))?;
        let encode = |bytes: &[u8]| base64_simd::STANDARD_NO_PAD.encode_to_string(bytes);
        Ok(format!("-> {KIND} {}\n{}\n", encode(&share), encode(&body)))
    }

    /// The key of the file, if this stanza wraps it for the identity.
    pub(super) fn unwrap(&self, identity: &Identity) -> Result<Option<SecretArray<FILE_KEY>>, OpenError> {
        let Some((KIND, arguments)) = self.kind() else { return Ok(None) };
        let [share] = arguments else { return Err(OpenError::Damaged) };
        let share = base64_simd::STANDARD_NO_PAD.decode_to_vec(share).map_err(|_| OpenError::Damaged)?;
        let share: [u8; 32] = share.try_into().map_err(|_| OpenError::Damaged)?;
        if self.body.len() != FILE_KEY + TAG {
            return Err(OpenError::Damaged);
        }
        let key = identity.agree(&share, |shared| wrapping_key(shared, &share, &identity.recipient()));
        let key = key.and_then(|key| cipher(&key)).map_err(|_| OpenError::Damaged)?;
        let mut body = zeroize::Zeroizing::new(self.body.clone());
        let Ok(length) = open(&key, NONCE, &mut body) else { return Ok(None) };
        Ok(body.get(..length).and_then(SecretArray::copy_from))
    }

    /// Whether it is of the kind that must be alone.
    pub(super) fn must_be_alone(&self) -> bool {
        self.kind().is_some_and(|(kind, _)| kind == PASSPHRASE)
    }

    fn kind(&self) -> Option<(&str, &[String])> {
        self.arguments.split_first().map(|(kind, rest)| (kind.as_str(), rest))
    }
}

fn wrapping_key(
    shared: &[u8],
    share: &[u8; 32],
    recipient: &Recipient,
) -> Result<SecretArray<32>, Unspecified> {
    derive(shared, &[share.as_slice(), recipient.bytes()].concat(), PURPOSE)
}
