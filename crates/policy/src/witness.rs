//! Who is told what was decided, and why.

use base::RequestId;

use crate::decide::Decision;
use crate::explain::Explanation;
use crate::reasons::Reasons;
use crate::request::Request;
use crate::sides::{IdentitySide, ResourceSide};

/// Somebody who keeps the reasons of decisions.
pub trait Witness: Send + Sync {
    /// Whether it wants to know of a decision. To find its reasons takes many times longer than to decide.
    fn wants(&self, is_allowed: bool) -> bool;

    /// Takes the reasons of one check of a request.
    fn note(&self, request: RequestId, reasons: Reasons);
}

/// Nobody wants to know.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unwitnessed;

impl Witness for Unwitnessed {
    fn wants(&self, _: bool) -> bool {
        false
    }

    fn note(&self, _: RequestId, _: Reasons) {}
}

impl<'a> Decision<'a> {
    /// Tells a witness, if it wants to know, what was decided in request `id` about these sides, and why.
    pub fn witnessed(
        self,
        (witness, id): (&dyn Witness, RequestId),
        request: &'a Request<'a>,
        identity: &'a IdentitySide<'a>,
        resource: &'a ResourceSide<'a>,
    ) -> Self {
        if witness.wants(self.is_allowed()) {
            let explanation = Explanation::of(self, request, identity, resource);
            witness.note(id, Reasons::of(request, &explanation));
        }
        self
    }
}
