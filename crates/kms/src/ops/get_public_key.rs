//! GetPublicKey: the public half of an asymmetric key, as DER SubjectPublicKeyInfo. Works for disabled keys too.
//!
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_GetPublicKey.html>

use base::Call;
use wire::kms::{GetPublicKey, GetPublicKeyRequest, GetPublicKeyResponse, KeyUsageType, OriginType};

use crate::Kms;
use crate::authorize::{CryptographicAction, Identifiers, KeyAction, StateRule, Usable};
use crate::cryptographic_operation::{CryptographicOperation, Used};
use crate::error::{KmsError, StateRefusal};
use crate::facts::Facts;
use crate::kind::{self, KeyKind};

impl KeyAction for GetPublicKey {
    const NAME: &'static str = "GetPublicKey";
    const IDENTIFIERS: Identifiers = Identifiers::KeyOrAlias;
    const STATES: StateRule = StateRule::NotPendingDeletion;
    const ACROSS_ACCOUNTS: bool = true;
}

impl CryptographicAction for GetPublicKey {
    type Operation = Self;
    const USAGES: &'static [KeyUsageType] = &[
        KeyUsageType::EncryptDecrypt,
        KeyUsageType::SignVerify,
        KeyUsageType::KeyAgreement,
        KeyUsageType::EncapsulateDecapsulate,
        KeyUsageType::GenerateVerifyMac,
    ];
}

impl CryptographicOperation for GetPublicKey {
    async fn carry_out(kms: &Kms, call: &Call, request: GetPublicKeyRequest) -> Result<Used<Self>, KmsError> {
        let key = kms.usable::<Self>(call, &request.key_id, &Facts::default()).await?;
        kms.check_grant_tokens(request.grant_tokens.as_ref(), &[key.arn()]).await?;
        let (spec, usage) = (key.record().spec, key.record().usage);
        let KeyKind::Pair(_) = key.kind()? else {
            let text = format!("{} key spec is {spec} which is not valid for this operation.", key.arn());
            return Err(KmsError::Unsupported(text));
        };
        let public_key = match imported_public_key(&key)? {
            Some(public_key) => public_key,
            None => {
                let work = |private_key: &crypto::PrivateKey| private_key.public_key().spki_der().to_vec();
                kms.materials.with_private_key(&key, work).await?
            }
        };
        let algorithms = kind::algorithms(spec, usage);
        Ok(key.used(GetPublicKeyResponse {
            key_id: Some(key.arn_text()),
            public_key: Some(public_key),
            customer_master_key_spec: spec.as_str().parse().ok(),
            key_spec: Some(spec),
            key_usage: Some(usage),
            encryption_algorithms: algorithms.encryption,
            signing_algorithms: algorithms.signing,
            key_agreement_algorithms: algorithms.key_agreement,
            encapsulation_algorithms: algorithms.encapsulation,
        }))
    }
}

/// The public key of imported material; it outlasts the private one. A key that never had material has none.
fn imported_public_key(key: &Usable<GetPublicKey>) -> Result<Option<Vec<u8>>, KmsError> {
    let record = key.record();
    if record.origin != OriginType::External {
        return Ok(None);
    }
    let text = record.imported.first().and_then(|material| material.public_key.as_ref());
    let text = text.ok_or_else(|| StateRefusal::PendingImport(key.arn()))?;
    let decoded = base64_simd::STANDARD.decode_to_vec(text);
    decoded.map(Some).map_err(|_| KmsError::Bug("a stored public key is not base64"))
}
