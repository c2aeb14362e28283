//! ReEncrypt: decrypts under one key and encrypts under another without the plaintext leaving the service.
//!
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_ReEncrypt.html>

use base::Call;
use crypto::Ciphertext;
use wire::kms::{EncryptionAlgorithmSpec, KeyUsageType, ReEncrypt, ReEncryptRequest, ReEncryptResponse};

use super::encryption::{Located, checked, key_of};
use super::request::{ignores_ciphertext, stop_if_dry_run};
use crate::Kms;
use crate::authorize::{CryptographicAction, Identifiers, KeyAction, StateRule};
use crate::cryptographic_operation::{CryptographicOperation, Used};
use crate::error::{InvalidRequest, KmsError};
use crate::facts::Facts;
use crate::trail::note_material;

/// What is asked of the key that decrypts.
pub(crate) struct ReEncryptFrom;

impl KeyAction for ReEncryptFrom {
    const NAME: &'static str = "ReEncryptFrom";
    const IDENTIFIERS: Identifiers = Identifiers::KeyOrAlias;
    const STATES: StateRule = StateRule::Enabled;
    const ACROSS_ACCOUNTS: bool = true;
}

/// What is asked of the key that encrypts.
pub(crate) struct ReEncryptTo;

impl KeyAction for ReEncryptTo {
    const NAME: &'static str = "ReEncryptTo";
    const IDENTIFIERS: Identifiers = Identifiers::KeyOrAlias;
    const STATES: StateRule = StateRule::Enabled;
    const ACROSS_ACCOUNTS: bool = true;
}

impl CryptographicAction for ReEncryptFrom {
    type Operation = ReEncrypt;
    const USAGES: &'static [KeyUsageType] = &[KeyUsageType::EncryptDecrypt];
}

impl CryptographicAction for ReEncryptTo {
    type Operation = ReEncrypt;
    const USAGES: &'static [KeyUsageType] = &[KeyUsageType::EncryptDecrypt];
}

impl CryptographicOperation for ReEncrypt {
    fn parameters(request: &ReEncryptRequest) -> Option<Vec<u8>> {
        let default = |given: Option<EncryptionAlgorithmSpec>, name| {
            given.is_none().then_some((name, EncryptionAlgorithmSpec::SymmetricDefault.as_str()))
        };
        let source = default(request.source_encryption_algorithm, "sourceEncryptionAlgorithm");
        let destination = default(request.destination_encryption_algorithm, "destinationEncryptionAlgorithm");
        wire::event::shown_with(request, source.into_iter().chain(destination))
    }

    async fn carry_out(kms: &Kms, call: &Call, request: ReEncryptRequest) -> Result<Used<Self>, KmsError> {
        if ignores_ciphertext(request.dry_run, request.dry_run_modifiers.as_ref())? {
            return Err(authorization_only(kms, call, &request).await?);
        }
        let blob = request.ciphertext_blob.as_deref().ok_or(InvalidRequest::Missing("ciphertextBlob"))?;
        let named = request.source_key_id.as_deref();
        let (from, to) = kms.re_encryption_facts(call, &request).await;
        let Located { key: source, ciphertext } = kms
            .locate::<ReEncryptFrom>(call, named, request.source_encryption_algorithm, &from, blob)
            .await?;
        let destination = kms.authorized::<ReEncryptTo>(call, &request.destination_key_id, &to).await?;
        let (source, destination) = (source.usable()?, destination.usable()?);
        let keys = [source.arn(), destination.arn()];
        kms.check_grant_tokens(request.grant_tokens.as_ref(), &keys).await?;
        let opened = kms.open(&source, &ciphertext, request.source_encryption_context.as_ref()).await?;
        let default = EncryptionAlgorithmSpec::SymmetricDefault;
        let algorithm = request.destination_encryption_algorithm.unwrap_or(default);
        let context = request.destination_encryption_context.as_ref();
        checked(&destination, algorithm, context, opened.plaintext.len())?;
        stop_if_dry_run(request.dry_run)?;
        let sealed = kms.seal(&destination, algorithm, context, opened.plaintext).await?;
        note_material(call, "sourceKeyMaterialId", opened.material_id.as_ref());
        note_material(call, "destinationKeyMaterialId", sealed.material_id.as_ref());
        Ok(destination
            .used(ReEncryptResponse {
                ciphertext_blob: Some(sealed.blob),
                source_key_id: Some(source.arn_text()),
                key_id: Some(destination.arn_text()),
                source_encryption_algorithm: Some(request.source_encryption_algorithm.unwrap_or(default)),
                destination_encryption_algorithm: Some(algorithm),
                source_key_material_id: opened.material_id,
                destination_key_material_id: sealed.material_id,
            })
            .and(&source))
    }
}

/// DryRun with IGNORE_CIPHERTEXT: tells whether both keys may be used, without a ciphertext.
async fn authorization_only(
    kms: &Kms,
    call: &Call,
    request: &ReEncryptRequest,
) -> Result<KmsError, KmsError> {
    let source = request.source_key_id.as_deref().ok_or(InvalidRequest::Missing("sourceKeyId"))?;
    let (from, to) = kms.re_encryption_facts(call, request).await;
    let source = kms.authorized::<ReEncryptFrom>(call, source, &from).await?;
    let destination = kms.authorized::<ReEncryptTo>(call, &request.destination_key_id, &to).await?;
    let (source, destination) = (source.usable()?, destination.usable()?);
    let keys = [source.arn(), destination.arn()];
    kms.check_grant_tokens(request.grant_tokens.as_ref(), &keys).await?;
    source.kind()?;
    destination.kind()?;
    Ok(KmsError::DryRun)
}

impl Kms {
    /// What policies can ask about either half.
    async fn re_encryption_facts<'a>(
        &self,
        call: &Call,
        request: &'a ReEncryptRequest,
    ) -> (Facts<'a>, Facts<'a>) {
        let same = Some(self.on_same_key(call, request).await);
        let from = Facts::of_encryption(
            request.source_encryption_algorithm,
            request.source_encryption_context.as_ref(),
        );
        let to = Facts::of_encryption(
            request.destination_encryption_algorithm,
            request.destination_encryption_context.as_ref(),
        );
        (Facts { re_encrypt_on_same_key: same, ..from }, Facts { re_encrypt_on_same_key: same, ..to })
    }

    /// Whether the key that encrypts is the one that decrypts. Names that stand for nothing are refused elsewhere.
    async fn on_same_key(&self, call: &Call, request: &ReEncryptRequest) -> bool {
        let source = match (&request.source_key_id, &request.ciphertext_blob) {
            (Some(key_id), _) => self.keys.resolve::<ReEncryptFrom>(call, key_id).await.ok(),
            (None, Some(blob)) => Ciphertext::parse(blob).ok().map(|ciphertext| key_of(call, &ciphertext)),
            (None, None) => None,
        };
        let destination = self.keys.resolve::<ReEncryptTo>(call, &request.destination_key_id).await.ok();
        source.is_some() && source == destination
    }
}
