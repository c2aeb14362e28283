//! The table of operations, and the one way through which every call of them goes.

use std::future::Future;
use std::pin::Pin;

use base::{Call, UnsignedCall};
use wire::Fault;
use wire::event;
use wire::query::{self, Form};
use wire::sts::{self, NAMESPACE, Operation as _, VERSION};

use super::error::StsError;
use crate::Identity;
use crate::error::IdentityError;
use crate::trail::{event_error, sts_event};

/// A handler that answers with the body of a success or with what was wrong.
type Handler =
    for<'a> fn(&'a Identity, &'a Call, &'a Form) -> Pin<Box<dyn Future<Output = Answer> + Send + 'a>>;

type Answer = Result<Vec<u8>, Refused>;

/// Why a call was not carried out.
#[derive(Debug)]
pub enum Refused {
    /// The parameters are not a valid request of the operation.
    Request(Fault),
    /// The event of the call cannot be logged: the answer is withheld.
    Unrecorded(StsError),
    /// The operation refused or failed.
    Operation(StsError),
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

/// One operation of the service. None changes anything that is stored.
pub struct Operation {
    /// The name as in `Action=<name>`.
    pub name: &'static str,
    handler: Handler,
}

/// What an operation file declares. The typed request has passed the model's constraints.
pub(crate) trait Handle: sts::Operation + Sized {
    /// Whether its event shows the response: it is a session.
    const MAKES_SESSION: bool = false;

    /// Answers, if the caller may ask.
    fn handle(
        identity: &Identity,
        call: &Call,
        request: Self::Request,
    ) -> impl Future<Output = Result<Self::Response, StsError>> + Send;
}

const fn row<O: Handle>() -> Operation
where
    O::Request: Send,
    O::Response: Send,
{
    Operation { name: O::NAME, handler: run::<O> }
}

fn run<'a, O: Handle>(
    identity: &'a Identity,
    call: &'a Call,
    form: &'a Form,
) -> Pin<Box<dyn Future<Output = Answer> + Send + 'a>>
where
    O::Request: Send,
    O::Response: Send,
{
    Box::pin(async move {
        let request = query::decode::<O::Request>(form).map_err(Refused::Request)?;
        call.event.set_request_parameters(event::shown(&request));
        let response = O::handle(identity, call, request).await;
        let response = response.inspect_err(|error| identity.note_refusal(call, O::NAME, error));
        let response = response.map_err(Refused::Operation)?;
        if O::MAKES_SESSION {
            call.event.set_response_elements(event::shown(&response));
        }
        Ok(query::encode(NAMESPACE, O::NAME, &response, &call.request_id.to_string()))
    })
}

/// Every operation that works and must be signed, in alphabetical order.
static OPERATIONS: [Operation; 6] = [
    row::<sts::AssumeRole>(),
    row::<sts::DecodeAuthorizationMessage>(),
    row::<sts::GetAccessKeyInfo>(),
    row::<sts::GetCallerIdentity>(),
    row::<sts::GetFederationToken>(),
    row::<sts::GetSessionToken>(),
];

/// What the file of an operation that nobody signs declares.
pub(crate) trait HandleUnsigned: sts::Operation + Sized {
    /// Answers, if the request proves that whoever sent it may ask.
    fn handle(
        identity: &Identity,
        call: &UnsignedCall,
        request: Self::Request,
    ) -> impl Future<Output = Result<Self::Response, StsError>> + Send;
}

impl Identity {
    /// Tells the witness of a refusal for which no policy was asked.
    fn note_refusal(&self, call: &Call, operation: &str, error: &StsError) {
        if let Some(reasons) = error.reasons(&call.caller, operation).filter(|_| self.witness.wants(false)) {
            self.witness.note(call.request_id, reasons);
        }
    }

    /// Whether a form names an operation that needs no signature.
    pub fn is_unsigned(form: &Form) -> bool {
        form.action() == Some(sts::AssumeRoleWithWebIdentity::NAME) && form.version() == Some(VERSION)
    }

    /// Carries out the operation that needs no signature.
    ///
    /// # Errors
    /// The request is not valid, or the operation refused or failed.
    pub async fn call_sts_unsigned(&self, call: &UnsignedCall, form: &Form) -> Result<Vec<u8>, Refused> {
        let answer = self.answer_unsigned(call, form).await;
        let fault = answer.as_ref().err().map(Refused::to_fault);
        let name = sts_event(sts::AssumeRoleWithWebIdentity::NAME);
        let recorded = self.trail.record_unsigned(call, name, fault.as_ref().map(event_error)).await;
        recorded.map_err(|error| Refused::Unrecorded(IdentityError::from(error).into()))?;
        answer
    }

    async fn answer_unsigned(&self, call: &UnsignedCall, form: &Form) -> Result<Vec<u8>, Refused> {
        let request = query::decode(form).map_err(Refused::Request)?;
        call.event.set_request_parameters(event::shown(&request));
        let answered = <sts::AssumeRoleWithWebIdentity as HandleUnsigned>::handle(self, call, request).await;
        let response = answered.map_err(Refused::Operation)?;
        call.event.set_response_elements(event::shown(&response));
        let (name, id) = (sts::AssumeRoleWithWebIdentity::NAME, call.request_id.to_string());
        Ok(query::encode(NAMESPACE, name, &response, &id))
    }

    /// The STS operation that a form names, if it is offered in the version that it asks for.
    ///
    /// # Errors
    /// MissingAction if the form names no operation, InvalidAction if there is none of that name and version.
    pub fn sts_operation(form: &Form) -> Result<&'static Operation, Fault> {
        let action = form.action().filter(|action| !action.is_empty());
        let action = action.ok_or_else(super::missing_action)?;
        let found = OPERATIONS.binary_search_by(|operation| operation.name.cmp(action)).ok();
        let found = found.filter(|_| form.version() == Some(VERSION)).and_then(|at| OPERATIONS.get(at));
        found.ok_or_else(|| super::unknown_operation(form))
    }

    /// Reads the form, carries the operation out and encodes its result.
    ///
    /// # Errors
    /// The request is not valid, or the operation refused or failed.
    pub async fn call_sts(
        &self,
        operation: &Operation,
        call: &Call,
        form: &Form,
    ) -> Result<Vec<u8>, Refused> {
        let recording = self.trail.begin(call);
        let answer = (operation.handler)(self, call, form).await;
        let fault = answer.as_ref().err().map(Refused::to_fault);
        let recorded =
            recording.finish(call, sts_event(operation.name), fault.as_ref().map(event_error)).await;
        recorded.map_err(|error| Refused::Unrecorded(IdentityError::from(error).into()))?;
        answer
    }
}
