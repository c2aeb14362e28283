//! Operations that use key material. What one of them answers names the keys that it used, so none can forget it.
//!
//! Material can be had for a [`CryptographicAction`] only, which belongs to a [`CryptographicOperation`], which can
//! answer nothing but [`Used`], which is made of a key and of the answer. A refusal and a dry run are errors: they name
//! no key.

use std::sync::Arc;

use base::Call;
use wire::kms::{KeyLastUsageTrackingOperation, Operation};

use crate::Kms;
use crate::authorize::{CryptographicAction, Usable};
use crate::error::KmsError;
use crate::keys::LoadedKey;
use crate::table::Handle;
use crate::usage::KeyUse;

/// An operation that uses key material. It changes nothing.
pub(crate) trait CryptographicOperation: Operation + Sized + 'static {
    /// What its event shows of a request.
    fn parameters(request: &Self::Request) -> Option<Vec<u8>> {
        wire::event::shown(request)
    }

    /// Carries the call out.
    fn carry_out<'a>(
        kms: &'a Kms,
        call: &'a Call,
        request: Self::Request,
    ) -> impl Future<Output = Result<Used<Self>, KmsError>> + Send + 'a;
}

/// The answer of an operation, with the keys that it used.
pub(crate) struct Used<O: Operation> {
    response: O::Response,
    key: Arc<LoadedKey>,
    second: Option<Arc<LoadedKey>>,
}

impl<A: CryptographicAction> Usable<A> {
    /// The answer that this key was used for.
    pub(crate) fn used(&self, response: <A::Operation as Operation>::Response) -> Used<A::Operation> {
        Used { response, key: self.share(), second: None }
    }
}

impl<O: CryptographicOperation> Used<O> {
    /// The same, used for with another key too.
    pub(crate) fn and<A: CryptographicAction<Operation = O>>(self, key: &Usable<A>) -> Self {
        Self { second: Some(key.share()), ..self }
    }
}

impl<O: CryptographicOperation> Handle for O
where
    O::Request: Send,
    O::Response: Send,
{
    const READ_ONLY: bool = true;

    fn parameters(request: &O::Request) -> Option<Vec<u8>> {
        <O as CryptographicOperation>::parameters(request)
    }

    async fn handle(kms: &Kms, call: &Call, request: O::Request) -> Result<O::Response, KmsError> {
        let used = O::carry_out(kms, call, request).await?;
        // The names of the enumeration are those of the operations. GetPublicKey is not among them: it gives out
        // what is public anyway.
        if let Ok(operation) = O::NAME.parse::<KeyLastUsageTrackingOperation>() {
            let (at, request_id, event_id) = (call.time, call.request_id, call.event.id());
            let key_use = KeyUse { operation, at, request_id, event_id };
            for key in [Some(used.key), used.second].into_iter().flatten() {
                kms.note_use(&key, key_use).await;
            }
        }
        Ok(used.response)
    }
}
