//! Decrypt: opens a ciphertext of a symmetric key. The key is named by the ciphertext; a KeyId can only confirm it.
//!
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_Decrypt.html>

use base::{Call, SecretBytes};
use crypto::{Ciphertext, EncryptionContext};
use wire::kms::{Decrypt, DecryptRequest, DecryptResponse, EncryptionAlgorithmSpec};

use super::request::{
    encryption_context, ignores_ciphertext, no_grant_tokens, no_recipient, stop_if_dry_run,
    symmetric_algorithm,
};
use crate::Kms;
use crate::authorize::{Authorized, CryptographicAction, Identifiers, KeyAction, StateRule, Usable};
use crate::error::{InvalidRequest, KmsError};
use crate::paths::Place;
use crate::table::Handle;

impl KeyAction for Decrypt {
    const NAME: &'static str = "Decrypt";
    const IDENTIFIERS: Identifiers = Identifiers::KeyOrAlias;
    const STATES: StateRule = StateRule::Enabled;
}

impl CryptographicAction for Decrypt {}

impl Handle for Decrypt {
    const READ_ONLY: bool = true;

    async fn handle(kms: &Kms, call: &Call, request: DecryptRequest) -> Result<DecryptResponse, KmsError> {
        no_grant_tokens(request.grant_tokens.as_ref())?;
        no_recipient(request.recipient.as_ref())?;
        if ignores_ciphertext(request.dry_run, request.dry_run_modifiers.as_ref())? {
            return Err(authorization_only(kms, call, request.key_id.as_deref()).await?);
        }
        let blob = request.ciphertext_blob.as_deref().ok_or(InvalidRequest::Missing("ciphertextBlob"))?;
        let (key, ciphertext) = kms.key_of_ciphertext::<Self>(call, request.key_id.as_deref(), blob).await?;
        let key = key.usable()?;
        symmetric_algorithm(request.encryption_algorithm)?;
        let context = encryption_context(request.encryption_context.as_ref());
        let plaintext = kms.materials.decrypt(&key, &ciphertext, &context).await?;
        stop_if_dry_run(request.dry_run)?;
        Ok(answer(&key, &ciphertext, plaintext))
    }
}

fn answer(key: &Usable<Decrypt>, ciphertext: &Ciphertext<'_>, plaintext: SecretBytes) -> DecryptResponse {
    DecryptResponse {
        key_id: Some(key.arn_text()),
        plaintext: Some(plaintext),
        encryption_algorithm: Some(EncryptionAlgorithmSpec::SymmetricDefault),
        key_material_id: Some(ciphertext.material_id().to_string()),
        ..DecryptResponse::default()
    }
}

/// DryRun with IGNORE_CIPHERTEXT: tells whether the key may be used, without a ciphertext.
async fn authorization_only(kms: &Kms, call: &Call, key_id: Option<&str>) -> Result<KmsError, KmsError> {
    let key_id = key_id.ok_or(InvalidRequest::Missing("keyId"))?;
    kms.keys.find::<Decrypt>(call, key_id).await?.authorize::<Decrypt>(call)?.usable()?;
    Ok(KmsError::DryRun)
}

impl Kms {
    /// Finds and authorizes the key of a ciphertext. `confirmed_by` is the KeyId of the request: it must name the
    /// same key. Without it, a key out of reach is not told apart from one that never was.
    pub(super) async fn key_of_ciphertext<'a, A: KeyAction>(
        &self,
        call: &Call,
        confirmed_by: Option<&str>,
        blob: &'a [u8],
    ) -> Result<(Authorized<A>, Ciphertext<'a>), KmsError> {
        let named = match confirmed_by {
            Some(key_id) => Some(self.keys.find::<A>(call, key_id).await?.authorize::<A>(call)?),
            None => None,
        };
        let ciphertext = Ciphertext::parse(blob).map_err(|_| KmsError::InvalidCiphertext)?;
        let place = Place { account: ciphertext.account(), region: call.region };
        let arn = place.key_arn(ciphertext.key_id());
        match named {
            Some(key) if key.arn() == arn => Ok((key, ciphertext)),
            Some(_) => Err(KmsError::IncorrectKey),
            None => {
                let key = self.keys.cached(&arn).await?.ok_or_else(KmsError::ciphertext_key_out_of_reach)?;
                let key = crate::authorize::Unchecked::new(key).authorize::<A>(call);
                Ok((key.map_err(|_| KmsError::ciphertext_key_out_of_reach())?, ciphertext))
            }
        }
    }

    /// Encrypts a secret under a key that may be used.
    pub(super) async fn encrypt_under<A: CryptographicAction>(
        &self,
        key: &Usable<A>,
        context: &EncryptionContext,
        secret: &SecretBytes,
    ) -> Result<Vec<u8>, KmsError> {
        self.materials.encrypt(key, context, secret.expose()).await
    }
}
