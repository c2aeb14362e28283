//! The table of operations, and the one way through which every call of them goes.

use std::future::Future;
use std::pin::Pin;

use audit::{EventError, EventName};
use base::Call;
use store::{CommitError, Transaction};
use wire::cloudtrail::{self, ErrorCode};
use wire::{Fault, event, json};

use crate::CloudTrail;
use crate::error::CloudTrailError;

const EVENT_SOURCE: &str = "cloudtrail.amazonaws.com";
/// How often a change is tried against faster writers before it gives up.
const ATTEMPTS_MAX: u32 = 32;

/// A handler that answers with the body of a success or with what was wrong.
type Handler =
    for<'a> fn(&'a CloudTrail, &'a Call, &'a [u8]) -> Pin<Box<dyn Future<Output = Answer> + Send + 'a>>;

type Answer = Result<Vec<u8>, Refused>;

/// Why a call was not carried out.
#[derive(Debug)]
pub enum Refused {
    /// The body is not a valid request of the operation.
    Request(Fault),
    /// The event of the call cannot be logged: the answer is withheld.
    Unrecorded(CloudTrailError),
    /// The operation refused or failed.
    Operation(CloudTrailError),
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

/// One operation of the service.
pub struct Operation {
    /// The name as in `X-Amz-Target: com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.<name>`.
    pub name: &'static str,
    /// True if it changes nothing.
    pub read_only: bool,
    handler: Handler,
}

/// What an operation answers, and what it changes.
pub(crate) struct Done<O: cloudtrail::Operation> {
    pub(crate) response: O::Response,
    pub(crate) change: Option<Transaction>,
}

impl<O: cloudtrail::Operation> Done<O> {
    /// Nothing changes.
    pub(crate) fn unchanged(response: O::Response) -> Result<Self, CloudTrailError> {
        Ok(Self { response, change: None })
    }

    pub(crate) fn changed(response: O::Response, change: Transaction) -> Result<Self, CloudTrailError> {
        Ok(Self { response, change: Some(change) })
    }
}

/// What an operation file declares. The typed request has passed the model's constraints.
pub(crate) trait Handle: cloudtrail::Operation + Sized {
    /// True if it changes nothing.
    const READ_ONLY: bool;
    /// The service's own names for parameters that violate the model's constraints.
    const VIOLATIONS: &'static [(&'static str, ErrorCode)] = &[];

    /// Decides what to answer and what to change. It runs again when another writer was faster, so it changes nothing
    /// itself.
    fn handle<'a>(
        service: &'a CloudTrail,
        call: &'a Call,
        request: &'a Self::Request,
    ) -> impl Future<Output = Result<Done<Self>, CloudTrailError>> + Send + 'a;
}

const fn row<O: Handle>() -> Operation
where
    O::Request: Send + Sync,
    O::Response: Send,
{
    Operation { name: O::NAME, read_only: O::READ_ONLY, handler: run::<O> }
}

fn run<'a, O: Handle>(
    service: &'a CloudTrail,
    call: &'a Call,
    body: &'a [u8],
) -> Pin<Box<dyn Future<Output = Answer> + Send + 'a>>
where
    O::Request: Send + Sync,
    O::Response: Send,
{
    Box::pin(async move {
        let request =
            json::decode::<O::Request>(body).map_err(|fault| Refused::Request(renamed::<O>(fault)))?;
        call.event.set_request_parameters(event::shown(&request));
        let response = respond::<O>(service, call, &request).await.map_err(Refused::Operation)?;
        Ok(json::encode(&response))
    })
}

/// A violation of a constraint under the name that the service has for it.
fn renamed<O: Handle>(fault: Fault) -> Fault {
    let text = fault.message.as_deref().unwrap_or_default();
    let is_of = |member: &str| {
        text.contains(&format!(" at '{member}' failed")) || text.contains(&format!(" at '{member}."))
    };
    let own = O::VIOLATIONS.iter().find(|(member, _)| is_of(member));
    match own {
        Some((_, code)) => code.fault(text),
        None => fault,
    }
}

async fn respond<O: Handle>(
    service: &CloudTrail,
    call: &Call,
    request: &O::Request,
) -> Result<O::Response, CloudTrailError>
where
    O::Request: Send + Sync,
    O::Response: Send,
{
    if O::READ_ONLY {
        return Ok(O::handle(service, call, request).await?.response);
    }
    service.trail.ready().await?;
    let _changing = service.changing.lock().await;
    for _ in 0..ATTEMPTS_MAX {
        let Done { response, change } = O::handle(service, call, request).await?;
        call.event.set_response_elements(event::shown(&response));
        let Some(change) = change else { return Ok(response) };
        let event = service.trail.beside_change(call, event_name(O::NAME, false))?;
        let committed = service.store.commit(change.outbox(event)).await;
        service.trails.forget();
        match committed {
            Ok(_) => return Ok(response),
            Err(CommitError::Conflict { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(CloudTrailError::Contention)
}

const fn event_name(operation: &'static str, read_only: bool) -> EventName {
    EventName { source: EVENT_SOURCE, operation, read_only, is_global: false, is_data: false }
}

/// Every operation, in the order of the model.
static OPERATIONS: [Operation; 16] = [
    row::<cloudtrail::AddTags>(),
    row::<cloudtrail::CreateTrail>(),
    row::<cloudtrail::DeleteTrail>(),
    row::<cloudtrail::DescribeTrails>(),
    row::<cloudtrail::GetEventSelectors>(),
    row::<cloudtrail::GetTrail>(),
    row::<cloudtrail::GetTrailStatus>(),
    row::<cloudtrail::ListPublicKeys>(),
    row::<cloudtrail::ListTags>(),
    row::<cloudtrail::ListTrails>(),
    row::<cloudtrail::LookupEvents>(),
    row::<cloudtrail::PutEventSelectors>(),
    row::<cloudtrail::RemoveTags>(),
    row::<cloudtrail::StartLogging>(),
    row::<cloudtrail::StopLogging>(),
    row::<cloudtrail::UpdateTrail>(),
];

impl CloudTrail {
    /// The operation of this name (case sensitive), if it is offered.
    pub fn operation(name: &str) -> Option<&'static Operation> {
        OPERATIONS.iter().find(|operation| operation.name == name)
    }

    /// Decodes the body, carries the operation out and encodes its result. What came of it is in the audit log before this
    /// returns.
    pub async fn call(&self, operation: &Operation, call: &Call, body: &[u8]) -> Result<Vec<u8>, Refused> {
        let recording = self.trail.begin(call);
        let answer = (operation.handler)(self, call, body).await;
        let fault = answer.as_ref().err().map(Refused::to_fault);
        let error = fault.as_ref();
        let error = error.map(|fault| EventError { code: fault.code, message: fault.message.as_deref() });
        let name = event_name(operation.name, operation.read_only);
        let recorded = recording.finish(call, name, error).await;
        recorded.map_err(|error| Refused::Unrecorded(error.into()))?;
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_every_operation_of_the_model() {
        let names: Vec<_> = OPERATIONS.iter().map(|operation| operation.name).collect();
        assert_eq!(names, cloudtrail::OPERATION_NAMES);
        assert!(CloudTrail::operation("LookupEvents").is_some());
        assert!(CloudTrail::operation("lookupevents").is_none());
    }
}
