//! The table of operations: everything the pipeline must know of an operation, as data.

use std::future::Future;
use std::pin::Pin;

use audit::{EventError, EventName};
use base::Call;
use wire::keywright::{ExplainRequest, ListKeyAccess, ListKeyUsage};
use wire::{Fault, event, json};

use crate::Management;
use crate::error::ManagementError;

/// In the form that events have of AWS's services.
const EVENT_SOURCE: &str = "keywright.amazonaws.com";

/// A handler that answers with the body of a success or with the error to map.
type Handler =
    for<'a> fn(&'a Management, &'a Call, &'a [u8]) -> Pin<Box<dyn Future<Output = Answer> + Send + 'a>>;

type Answer = Result<Vec<u8>, Refused>;

/// Why a call was not carried out.
#[derive(Debug)]
pub enum Refused {
    /// The body is not a valid request of the operation.
    Request(Fault),
    /// The event of the call cannot be logged: the answer is withheld.
    Unrecorded(ManagementError),
    /// The operation refused or failed.
    Operation(ManagementError),
}

impl Refused {
    /// The answer for the client.
    pub fn to_fault(&self) -> Fault {
        match self {
            Self::Request(fault) => fault.clone(),
            Self::Operation(error) | Self::Unrecorded(error) => error.to_fault(),
        }
    }
}

/// One operation of the service whose answer is JSON. None changes anything.
pub struct Operation {
    /// The name as in `X-Amz-Target: Keywright.<name>`.
    pub name: &'static str,
    handler: Handler,
}

/// What an operation file declares. The typed request has passed the model's constraints.
pub(crate) trait Handle: wire::keywright::Operation {
    /// Carries the call out.
    fn handle<'a>(
        management: &'a Management,
        call: &'a Call,
        request: Self::Request,
    ) -> impl Future<Output = Result<Self::Response, ManagementError>> + Send + 'a;
}

const fn row<O: Handle>() -> Operation
where
    O::Request: Send,
    O::Response: Send,
{
    Operation { name: O::NAME, handler: run::<O> }
}

fn run<'a, O: Handle>(
    management: &'a Management,
    call: &'a Call,
    body: &'a [u8],
) -> Pin<Box<dyn Future<Output = Answer> + Send + 'a>>
where
    O::Request: Send,
    O::Response: Send,
{
    Box::pin(async move {
        let request = json::decode::<O::Request>(body).map_err(Refused::Request)?;
        call.event.set_request_parameters(event::shown(&request));
        let response = O::handle(management, call, request).await.map_err(Refused::Operation)?;
        Ok(json::encode(&response))
    })
}

static OPERATIONS: [Operation; 3] = [row::<ExplainRequest>(), row::<ListKeyAccess>(), row::<ListKeyUsage>()];

impl Management {
    /// The operation of this name (case sensitive), if it is offered.
    pub fn operation(name: &str) -> Option<&'static Operation> {
        OPERATIONS.iter().find(|operation| operation.name == name)
    }

    /// Decodes the body, carries the operation out and encodes its result. What came of it is in the audit log before this
    /// returns.
    pub async fn call(&self, operation: &Operation, call: &Call, body: &[u8]) -> Result<Vec<u8>, Refused> {
        self.recorded(call, (operation.name, true), (operation.handler)(self, call, body)).await
    }

    /// Carries a call to its end, and gives what came of it once that is in the audit log. `name` is the operation's, beside
    /// whether that only reads.
    pub(crate) async fn recorded<T>(
        &self,
        call: &Call,
        (operation, read_only): (&'static str, bool),
        carried_out: impl Future<Output = Result<T, Refused>>,
    ) -> Result<T, Refused> {
        let recording = self.trail.begin(call);
        let answer = carried_out.await;
        let fault = answer.as_ref().err().map(Refused::to_fault);
        let error = fault.as_ref();
        let error = error.map(|fault| EventError { code: fault.code, message: fault.message.as_deref() });
        let name = EventName { source: EVENT_SOURCE, operation, read_only, is_global: false, is_data: false };
        let recorded = recording.finish(call, name, error).await;
        recorded.map_err(|error| Refused::Unrecorded(error.into()))?;
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_every_operation_of_the_model_whose_answer_is_json() {
        let names: Vec<_> = OPERATIONS.iter().map(|operation| operation.name).collect();
        let others = wire::keywright::OPERATION_NAMES.into_iter().filter(|name| !Management::is_backup(name));
        assert_eq!(names, others.collect::<Vec<_>>());
        assert!(Management::operation("ExplainRequest").is_some());
        assert!(Management::operation("explainrequest").is_none());
    }
}
