//! The keys that sign digests: one RSA key pair of 2048 bits per Region at a time, a new one each year.
//!
//! The private half is sealed under the domain key of the Region, and forgotten when the next key takes over: whoever
//! gets hold of everything cannot sign anew what was signed with older keys. Public halves are kept for ever.

use std::sync::Arc;

use base::{Region, Timestamp};
use base64_simd::STANDARD;
use crypto::digest::sha256;
use crypto::{KeyPairSpec, Message, PrivateKey, SigningAlgorithm};
use keyring::{Domain, DomainKeys};
use store::{Entry, Key, Range, Store, StoreError, Transaction, decode_record, encode_record};
use tokio::sync::Mutex;

use super::DeliveryError;
use super::records::{DigestKeyRecord, KEYS, hexadecimal, key_binding, key_path, keys_of};

/// How long a key signs, in days.
const VALID_DAYS: i64 = 366;

/// How far clocks may differ between who signs and who asks for keys, in seconds.
const CLOCK_SKEW_SECONDS: i64 = 3_600;

/// Bytes of the digest of a public key that make its fingerprint. AWS does not say how it makes its own.
const FINGERPRINT_BYTES: usize = 16;

/// The public half of a key that signs digests, as ListPublicKeys tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicDigestKey {
    /// DER RSAPublicKey (PKCS#1).
    pub value: Vec<u8>,
    /// From when on it signs.
    pub valid_from: Timestamp,
    /// Until when it signs.
    pub valid_until: Timestamp,
    /// 32 hexadecimal digits: the beginning of the SHA-256 digest of `value`.
    pub fingerprint: String,
}

impl PublicDigestKey {
    fn of(record: &DigestKeyRecord, entry: &Entry) -> Result<Self, StoreError> {
        let damaged = |_| StoreError::damaged(entry.key.as_str(), "its public key is not base64");
        let value = STANDARD.decode_to_vec(&record.public).map_err(damaged)?;
        Ok(Self {
            fingerprint: fingerprint(&value),
            value,
            valid_from: Timestamp::from_seconds(record.valid_from),
            valid_until: Timestamp::from_seconds(record.valid_until),
        })
    }
}

/// The name of a public key in digests.
pub(crate) fn fingerprint(public: &[u8]) -> String {
    hexadecimal(sha256(public).get(..FINGERPRINT_BYTES).unwrap_or_default())
}

/// A key that signs.
pub(super) struct SigningKey {
    pub(super) fingerprint: String,
    pair: Arc<PrivateKey>,
}

impl SigningKey {
    /// The signature in hexadecimal digits; the same text always has the same one.
    pub(super) async fn sign(&self, text: String) -> Result<String, DeliveryError> {
        let pair = Arc::clone(&self.pair);
        let signed = tokio::task::spawn_blocking(move || {
            pair.sign(SigningAlgorithm::RsassaPkcs1V15Sha256, Message::Raw(text.as_bytes()))
        });
        let signature = signed.await.map_err(|_| DeliveryError::Interrupted)?;
        signature.map(|signature| hexadecimal(&signature)).map_err(|_| DeliveryError::NoKeyPair)
    }
}

/// The keys of all Regions.
pub struct DigestKeys {
    store: Arc<dyn Store>,
    domain_keys: Arc<DomainKeys>,
    /// Nobody makes the first key of a Region twice.
    making: Mutex<()>,
}

/// The newest key of a Region.
struct Newest {
    number: u32,
    entry: Entry,
    record: DigestKeyRecord,
}

impl DigestKeys {
    /// Makes no key yet.
    pub fn new(store: Arc<dyn Store>, domain_keys: Arc<DomainKeys>) -> Self {
        Self { store, domain_keys, making: Mutex::new(()) }
    }

    /// The public keys of a Region that sign at any moment between the two, oldest first.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn public_keys(
        &self,
        region: Region,
        start: Timestamp,
        end: Timestamp,
    ) -> Result<Vec<PublicDigestKey>, StoreError> {
        let keys = public_keys_in(self.store.as_ref(), keys_of(region)).await?;
        Ok(keys.into_iter().filter(|key| key.valid_from <= end && key.valid_until >= start).collect())
    }

    /// All public keys of all Regions.
    pub(super) async fn all_public_keys(&self) -> Result<Vec<PublicDigestKey>, StoreError> {
        all_public_keys(self.store.as_ref()).await
    }

    /// The key that signs now; made if there is none. Then it is also good for what began at `begins`.
    pub(super) async fn signing(
        &self,
        region: Region,
        begins: Timestamp,
        now: Timestamp,
    ) -> Result<SigningKey, DeliveryError> {
        let _making = self.making.lock().await;
        let newest = self.newest(region).await?;
        let usable = newest.as_ref().filter(|newest| now.seconds() < newest.record.valid_until);
        match usable {
            Some(newest) => self.open(region, &newest.record, &newest.entry.key).await,
            None => self.make(region, begins.min(now), now, newest).await,
        }
    }

    async fn newest(&self, region: Region) -> Result<Option<Newest>, StoreError> {
        let prefix = keys_of(region);
        let mut newest = None;
        let mut range = Range::prefix(prefix.clone());
        loop {
            let page = self.store.range(range.clone()).await?;
            let Some(last) = page.entries.last() else { break };
            range = range.after(&last.key);
            newest = page.entries.last().cloned();
            if !page.more {
                break;
            }
        }
        let Some(entry) = newest else { return Ok(None) };
        let number = entry.key.as_str().strip_prefix(&prefix).and_then(|number| number.parse().ok());
        let number =
            number.ok_or_else(|| StoreError::damaged(entry.key.as_str(), "not the place of a key"))?;
        Ok(Some(Newest { number, record: decode_record(&entry)?, entry }))
    }

    async fn open(
        &self,
        region: Region,
        record: &DigestKeyRecord,
        place: &Key,
    ) -> Result<SigningKey, DeliveryError> {
        let damaged = |reason| DeliveryError::Store(StoreError::damaged(place.as_str(), reason));
        let public =
            STANDARD.decode_to_vec(&record.public).map_err(|_| damaged("its public key is not base64"))?;
        let sealed = record.private.as_ref().ok_or_else(|| damaged("it has no private key"))?;
        let binding = key_binding(region, &record.public);
        let stored = self.domain_keys.open(&Domain::region(region), &binding, sealed).await?;
        let pair = PrivateKey::from_stored(KeyPairSpec::Rsa2048, &stored)
            .map_err(|_| damaged("its private key is not one"))?;
        Ok(SigningKey { fingerprint: fingerprint(&public), pair: Arc::new(pair) })
    }

    async fn make(
        &self,
        region: Region,
        begins: Timestamp,
        now: Timestamp,
        before: Option<Newest>,
    ) -> Result<SigningKey, DeliveryError> {
        let made = tokio::task::spawn_blocking(|| PrivateKey::generate(KeyPairSpec::Rsa2048));
        let pair =
            made.await.map_err(|_| DeliveryError::Interrupted)?.map_err(|_| DeliveryError::NoKeyPair)?;
        let der = pair.public_key().rsa_pkcs1_der().ok_or(DeliveryError::NoKeyPair)?;
        let public = STANDARD.encode_to_string(der);
        let binding = key_binding(region, &public);
        let secret = pair.expose_for_sealing().expose();
        let private = self.domain_keys.seal(&Domain::region(region), &binding, secret).await?;
        let fingerprint = fingerprint(der);
        let valid_from = begins.plus_seconds(-CLOCK_SKEW_SECONDS).seconds();
        let valid_until = now.plus_days(VALID_DAYS).seconds();
        let record = DigestKeyRecord { public, valid_from, valid_until, private: Some(private) };
        let number = before.as_ref().map_or(1, |before| before.number + 1);
        let path = key_path(region, number).map_err(StoreError::from)?;
        let mut transaction =
            Transaction::new().expect_absent(path.clone()).put(path, encode_record(&record)?);
        if let Some(Newest { entry, record: old, .. }) = before {
            let forgotten = DigestKeyRecord { private: None, ..old };
            transaction = transaction
                .expect_revision(entry.key.clone(), entry.revision)
                .put(entry.key, encode_record(&forgotten)?);
        }
        self.store.commit(transaction).await?;
        tracing::info!(%region, %fingerprint, "a new key signs the trail's digests");
        Ok(SigningKey { fingerprint, pair: Arc::new(pair) })
    }
}

/// Every public key that a store holds, of all Regions.
///
/// # Errors
/// The store cannot be read.
pub async fn all_public_keys(store: &dyn Store) -> Result<Vec<PublicDigestKey>, StoreError> {
    public_keys_in(store, KEYS.to_owned()).await
}

async fn public_keys_in(store: &dyn Store, prefix: String) -> Result<Vec<PublicDigestKey>, StoreError> {
    let mut keys = Vec::new();
    let mut range = Range::prefix(prefix);
    loop {
        let page = store.range(range.clone()).await?;
        for entry in &page.entries {
            keys.push(PublicDigestKey::of(&decode_record(entry)?, entry)?);
        }
        match page.entries.last() {
            Some(last) if page.more => range = range.after(&last.key),
            Some(_) | None => return Ok(keys),
        }
    }
}
