//! What a client is told: the AWS code and text of each error.
//!
//! Texts are those recorded from or published by AWS KMS; where none is known, the text is ours and says what to do.

use keyring::KeyringError;
use wire::Fault;
use wire::kms::ErrorCode;

use super::{InvalidRequest, KmsError, StateRefusal};

const THROTTLED: &str =
    "You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls.";

/// Nothing happens without a record.
const TRAIL_BROKEN: &str = "The audit trail cannot be written, so the request was not carried out, or its answer is withheld. The \
                            operator of this service finds the cause in its log.";

impl KmsError {
    /// The answer for the client of an operation that may answer with the codes in `modelled`. What only the operator may
    /// know stays in `Display`.
    pub fn to_fault(&self, modelled: &[ErrorCode]) -> Fault {
        let message = self.client_text();
        match self.code() {
            Code::Modelled(code) if modelled.contains(&code) => {
                Fault { code: code.as_str(), status: code.status(), message }
            }
            Code::Modelled(code) => {
                let (code, status) = instead_of(code);
                Fault { code, status, message }
            }
            Code::Framework(code) => Fault { code, status: 400, message },
        }
    }

    fn code(&self) -> Code {
        Code::Modelled(match self {
            Self::AccessDenied(_) => return Code::Framework("AccessDeniedException"),
            Self::Invalid(_) | Self::InvalidGrant(_) => return Code::Framework("ValidationException"),
            Self::Throttled => return Code::Framework("ThrottlingException"),
            Self::NotFound(_) => ErrorCode::NotFoundException,
            Self::InvalidArn(_) | Self::InvalidPrincipal(_) | Self::AliasNotSupported => {
                ErrorCode::InvalidArnException
            }
            Self::InvalidGrantId(_) => ErrorCode::InvalidGrantIdException,
            Self::AliasReserved(_) => ErrorCode::InvalidAliasNameException,
            Self::AliasExists(_) | Self::ReplicaExists(_) => ErrorCode::AlreadyExistsException,
            Self::State(StateRefusal::Disabled(_)) => ErrorCode::DisabledException,
            Self::State(_) => ErrorCode::KMSInvalidStateException,
            Self::IncorrectKeyMaterial(_) => ErrorCode::IncorrectKeyMaterialException,
            Self::InvalidImportToken => ErrorCode::InvalidImportTokenException,
            Self::ExpiredImportToken => ErrorCode::ExpiredImportTokenException,
            Self::IncorrectKey => ErrorCode::IncorrectKeyException,
            Self::InvalidCiphertext => ErrorCode::InvalidCiphertextException,
            Self::InvalidSignature => ErrorCode::KMSInvalidSignatureException,
            Self::InvalidMac => ErrorCode::KMSInvalidMacException,
            Self::InvalidKeyUsage(_) => ErrorCode::InvalidKeyUsageException,
            Self::InvalidGrantToken => ErrorCode::InvalidGrantTokenException,
            Self::InvalidMarker => ErrorCode::InvalidMarkerException,
            Self::Tag(_) => ErrorCode::TagException,
            Self::MalformedPolicy(_) => ErrorCode::MalformedPolicyDocumentException,
            Self::LimitExceeded(_) => ErrorCode::LimitExceededException,
            Self::CustomKeyStoreNotFound(_) => ErrorCode::CustomKeyStoreNotFoundException,
            Self::CloudHsmClusterNotFound(_) => ErrorCode::CloudHsmClusterNotFoundException,
            Self::XksProxyUnreachable(_) => ErrorCode::XksProxyUriUnreachableException,
            Self::Unsupported(_) | Self::RotationOfOneMaterial => ErrorCode::UnsupportedOperationException,
            Self::RotationImminent(_) => ErrorCode::ConflictException,
            Self::Keyring(KeyringError::TooManyDomains { .. }) => ErrorCode::LimitExceededException,
            Self::DryRun => ErrorCode::DryRunOperationException,
            Self::Contention(_) => ErrorCode::DependencyTimeoutException,
            Self::Store(_)
            | Self::Commit(_)
            | Self::Encrypt(_)
            | Self::Envelope(_)
            | Self::KeyPair(_)
            | Self::Audit(_)
            | Self::Keyring(_)
            | Self::Principals(_)
            | Self::Randomness(_)
            | Self::Bug(_) => ErrorCode::KMSInternalException,
        })
    }

    fn client_text(&self) -> Option<String> {
        Some(match self {
            Self::InvalidCiphertext
            | Self::InvalidSignature
            | Self::InvalidMac
            | Self::RotationOfOneMaterial
            | Self::Invalid(InvalidRequest::PeerKey) => return None,
            Self::AccessDenied(denied) => denied.text().to_owned(),
            Self::InvalidKeyUsage(text) | Self::MalformedPolicy(text) | Self::Unsupported(text) => {
                text.clone()
            }
            Self::Invalid(rule) => rule.to_string(),
            Self::InvalidGrant(rule) => rule.to_string(),
            Self::NotFound(what) => what.to_string(),
            Self::State(refusal) => refusal.to_string(),
            Self::Tag(refusal) => refusal.to_string(),
            Self::LimitExceeded(limit) => limit.to_string(),
            Self::AliasExists(arn) => format!("An alias with the name {arn} already exists"),
            Self::ReplicaExists(key) => format!("The key {key} already exists."),
            Self::AliasReserved(name) => {
                format!(
                    "{name} is not valid: names that begin with alias/aws/ are reserved for AWS managed keys"
                )
            }
            Self::CustomKeyStoreNotFound(id) => format!("Custom key store {id} does not exist."),
            Self::CloudHsmClusterNotFound(place) | Self::XksProxyUnreachable(place) => {
                format!("{place} cannot be reached: this version of Keywright offers no custom key stores.")
            }
            Self::RotationImminent(key) => {
                format!("An automatic rotation of {key} is in progress or starts within 20 minutes.")
            }
            Self::Keyring(KeyringError::TooManyDomains { domain, .. }) => format!(
                "This service holds keys in as many Regions as it may, and none in {domain}. Use one of the others."
            ),
            Self::Throttled => THROTTLED.to_owned(),
            Self::InvalidArn(text) => format!("Invalid arn {text}"),
            Self::InvalidPrincipal(arn) => format!("ARN does not refer to a valid principal: {arn}"),
            Self::InvalidGrantId(text) => {
                format!("{text} is not valid: a grant ID has 64 lower-case hexadecimal digits.")
            }
            Self::AliasNotSupported => "Key Aliases are not supported for this operation".to_owned(),
            Self::IncorrectKey => {
                "The key ID in the request does not identify a CMK that can perform this operation."
                    .to_owned()
            }
            Self::IncorrectKeyMaterial(text) => (*text).to_owned(),
            Self::InvalidImportToken => {
                "The import token is not one that GetParametersForImport gave for this KMS key.".to_owned()
            }
            Self::ExpiredImportToken => {
                "The import token has expired: call GetParametersForImport for a new one.".to_owned()
            }
            Self::InvalidGrantToken => {
                "A grant token in the request does not belong to any grant on the key.".to_owned()
            }
            Self::InvalidMarker => "The marker was not issued by this listing.".to_owned(),
            Self::DryRun => "The request would have succeeded, but the DryRun option is set.".to_owned(),
            Self::Contention(_) => {
                "The key was changed by other requests at the same time. Try again.".to_owned()
            }
            Self::Audit(_) => TRAIL_BROKEN.to_owned(),
            Self::Store(_)
            | Self::Commit(_)
            | Self::Encrypt(_)
            | Self::Envelope(_)
            | Self::KeyPair(_)
            | Self::Keyring(_)
            | Self::Principals(_)
            | Self::Randomness(_)
            | Self::Bug(_) => OUR_FAILURE.to_owned(),
        })
    }
}

/// All that a client learns of a failure that is not its own.
const OUR_FAILURE: &str = "The request could not be carried out because of a failure of this service. Its operator \
                           finds the cause in the log under the request id.";

/// What an operation answers in the place of a code that its model does not have.
const STAND_INS: [(ErrorCode, &str, u16); 4] = [
    (ErrorCode::InvalidArnException, "NotFoundException", 400),
    (ErrorCode::InvalidAliasNameException, "NotFoundException", 400),
    (ErrorCode::InvalidMarkerException, "ValidationException", 400),
    (ErrorCode::DependencyTimeoutException, "KMSInternalException", 500),
];

fn instead_of(code: ErrorCode) -> (&'static str, u16) {
    let stand_in = STAND_INS.into_iter().find(|(missing, ..)| *missing == code);
    stand_in.map_or((code.as_str(), code.status()), |(_, code, status)| (code, status))
}

/// Where a code comes from: the service model knows its status, the framework's are all 400 on KMS.
enum Code {
    Modelled(ErrorCode),
    Framework(&'static str),
}
