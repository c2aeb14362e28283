//! GetParametersForImport: a fresh RSA public key to wrap key material with, and the token that goes with it. Both are
//! valid for 24 hours, for one key.
//!
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_GetParametersForImport.html>

use base::{Call, SecretBytes};
use crypto::{KeyPairSpec, WrappingAlgorithm};
use wire::kms::{
    AlgorithmSpec, GetParametersForImport, GetParametersForImportRequest, GetParametersForImportResponse,
    WrappingKeySpec,
};

use crate::authorize::{Identifiers, KeyAction, StateRule, Usable};
use crate::error::KmsError;
use crate::facts::Facts;
use crate::kind::KeyKind;
use crate::table::Handle;
use crate::{Kms, import_token};

impl KeyAction for GetParametersForImport {
    const NAME: &'static str = "GetParametersForImport";
    const IDENTIFIERS: Identifiers = Identifiers::KeyOnly;
    const STATES: StateRule = StateRule::NotPendingDeletion;
    const IMPORTS: bool = true;
}

impl Handle for GetParametersForImport {
    const READ_ONLY: bool = true;

    async fn handle(
        kms: &Kms,
        call: &Call,
        request: GetParametersForImportRequest,
    ) -> Result<GetParametersForImportResponse, KmsError> {
        let facts = Facts {
            wrapping: Some((request.wrapping_algorithm.as_str(), request.wrapping_key_spec.as_str())),
            ..Facts::default()
        };
        let key = kms.usable::<Self>(call, &request.key_id, &facts).await?;
        let (spec, algorithm) = wrapping(&key, request.wrapping_key_spec, request.wrapping_algorithm)?;
        let pair = kms.materials.generate_pair(spec).await?;
        let valid_to = import_token::valid_to(call.time);
        let token = import_token::issue(&kms.domain_keys, &key.arn(), &pair, algorithm, valid_to).await?;
        Ok(GetParametersForImportResponse {
            key_id: Some(key.arn_text()),
            import_token: Some(token),
            // The model's shape is that of secrets; the key is none.
            public_key: Some(SecretBytes::new(pair.public_key().spki_der().to_vec())),
            parameters_valid_to: Some(valid_to),
        })
    }
}

/// What is asked for, if material of this key can be wrapped that way.
///
/// <https://docs.aws.amazon.com/kms/latest/developerguide/importing-keys-get-public-key-and-token.html>
fn wrapping(
    key: &Usable<GetParametersForImport>,
    spec: WrappingKeySpec,
    algorithm: AlgorithmSpec,
) -> Result<(KeyPairSpec, WrappingAlgorithm), KmsError> {
    let refused = || {
        KmsError::Unsupported(format!(
            "WrappingAlgorithm {algorithm} with WrappingKeySpec {spec} is not valid for key spec {}.",
            key.record().spec
        ))
    };
    let pair: KeyPairSpec = spec.as_str().parse().map_err(|_| refused())?;
    let wrapping: WrappingAlgorithm = algorithm.as_str().parse().map_err(|_| refused())?;
    let kind = KeyKind::of(key.record().spec).ok_or_else(refused)?;
    let fits = match (kind, wrapping.is_hybrid()) {
        (KeyKind::Symmetric | KeyKind::Mac(_), hybrid) => !hybrid,
        (KeyKind::Pair(_), true) => true,
        (KeyKind::Pair(own), false) => fits_directly(own, pair),
    };
    if fits { Ok((pair, wrapping)) } else { Err(refused()) }
}

/// Whether the private key is short enough to be encrypted with RSA itself.
fn fits_directly(own: KeyPairSpec, wrapping: KeyPairSpec) -> bool {
    match own {
        KeyPairSpec::EccNistP521 => wrapping != KeyPairSpec::Rsa2048,
        KeyPairSpec::EccNistP256
        | KeyPairSpec::EccNistP384
        | KeyPairSpec::EccSecgP256k1
        | KeyPairSpec::EccNistEdwards25519 => true,
        KeyPairSpec::Rsa2048 | KeyPairSpec::Rsa3072 | KeyPairSpec::Rsa4096 => false,
        KeyPairSpec::MlDsa44 | KeyPairSpec::MlDsa65 | KeyPairSpec::MlDsa87 => false,
        KeyPairSpec::MlKem512 | KeyPairSpec::MlKem768 | KeyPairSpec::MlKem1024 => false,
    }
}
