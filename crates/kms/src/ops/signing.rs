//! What Sign and Verify share: the message as it is meant, and the algorithm that must go with key and message.

use base::SecretBytes;
use crypto::{KeyPairSpec, Message, SigningAlgorithm};
use wire::kms::{MessageType, SigningAlgorithmSpec};

use crate::authorize::{CryptographicAction, Usable};
use crate::error::{InvalidRequest, KmsError};
use crate::kind::KeyKind;

/// What is signed: the bytes of the request and what they are.
pub(super) struct Signed {
    bytes: SecretBytes,
    kind: MessageType,
}

impl Signed {
    pub(super) fn new(bytes: SecretBytes, kind: Option<MessageType>) -> Self {
        Self { bytes, kind: kind.unwrap_or(MessageType::Raw) }
    }

    pub(super) fn message(&self) -> Message<'_> {
        let bytes = self.bytes.expose();
        match self.kind {
            MessageType::Raw => Message::Raw(bytes),
            MessageType::Digest => Message::Digest(bytes),
            MessageType::ExternalMu => Message::ExternalMu(bytes),
        }
    }

    /// The message type does not go with the algorithm.
    pub(super) fn refused(&self, algorithm: SigningAlgorithmSpec) -> KmsError {
        let (message_type, algorithm) = (self.kind.as_str(), algorithm.as_str());
        InvalidRequest::MessageType { message_type, algorithm }.into()
    }
}

/// The message type that a request means: raw, if it does not say.
pub(super) fn message_type(asked: Option<MessageType>) -> &'static str {
    asked.unwrap_or(MessageType::Raw).as_str()
}

/// The algorithm, if the key has it.
pub(super) fn algorithm_of<A: CryptographicAction>(
    key: &Usable<A>,
    algorithm: SigningAlgorithmSpec,
) -> Result<SigningAlgorithm, KmsError> {
    let refused = || key.incompatible(algorithm.as_str());
    let KeyKind::Pair(pair) = key.kind()? else { return Err(refused()) };
    let known: SigningAlgorithm = algorithm.as_str().parse().map_err(|_| refused())?;
    if has(pair, known) { Ok(known) } else { Err(refused()) }
}

fn has(pair: KeyPairSpec, algorithm: SigningAlgorithm) -> bool {
    pair.signing_algorithms().contains(&algorithm)
}
