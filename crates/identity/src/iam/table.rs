//! The table of operations, and the one way through which every call of them goes.

use std::future::Future;
use std::pin::Pin;

use base::{Call, Caller, Principal};
use store::CommitError;
use wire::Fault;
use wire::event;
use wire::iam::{self, NAMESPACE, VERSION};
use wire::query::{self, Form};

use super::error::IamError;
use super::plan::Done;
use crate::Identity;
use crate::error::IdentityError;
use crate::trail::{event_error, iam_event};

/// How often a change is tried against faster writers before it gives up.
const ATTEMPTS_MAX: u32 = 32;

/// A handler that answers with the body of a success or with what was wrong.
type Handler =
    for<'a> fn(&'a Identity, &'a Call, &'a Form) -> Pin<Box<dyn Future<Output = Answer> + Send + 'a>>;

type Answer = Result<Vec<u8>, Refused>;

/// Why a call was not carried out.
#[derive(Debug)]
pub enum Refused {
    /// The parameters are not a valid request of the operation.
    Request(Fault),
    /// The event of the call cannot be logged: nothing is done, or the answer is withheld.
    Unrecorded(IamError),
    /// The operation refused or failed.
    Operation(IamError),
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
    /// The name as in `Action=<name>`.
    pub name: &'static str,
    /// True if it changes nothing.
    pub read_only: bool,
    handler: Handler,
}

/// What an operation file declares. The typed request has passed the model's constraints.
pub(crate) trait Handle: iam::Operation + Sized {
    /// True if it changes nothing.
    const READ_ONLY: bool;

    /// Decides what to answer and what to change. It runs again when another writer was faster, so it changes nothing
    /// itself.
    fn handle<'a>(
        identity: &'a Identity,
        call: &'a Call,
        request: &'a Self::Request,
    ) -> impl Future<Output = Result<Done<Self>, IamError>> + Send + 'a;
}

const fn row<O: Handle>() -> Operation
where
    O::Request: Send + Sync,
    O::Response: Send,
{
    Operation { name: O::NAME, read_only: O::READ_ONLY, handler: run::<O> }
}

fn run<'a, O: Handle>(
    identity: &'a Identity,
    call: &'a Call,
    form: &'a Form,
) -> Pin<Box<dyn Future<Output = Answer> + Send + 'a>>
where
    O::Request: Send + Sync,
    O::Response: Send,
{
    Box::pin(async move {
        let request = query::decode::<O::Request>(form).map_err(Refused::Request)?;
        call.event.set_request_parameters(event::shown(&request));
        let response = respond::<O>(identity, call, &request).await.map_err(Refused::Operation)?;
        Ok(query::encode(NAMESPACE, O::NAME, &response, &call.request_id.to_string()))
    })
}

async fn respond<O: Handle>(
    identity: &Identity,
    call: &Call,
    request: &O::Request,
) -> Result<O::Response, IamError>
where
    O::Request: Send + Sync,
    O::Response: Send,
{
    if O::READ_ONLY {
        let done = O::handle(identity, call, request).await?;
        if let Some((kind, arn)) = done.resource.audited() {
            call.event.add_resource(kind, call.caller.account, arn);
        }
        return Ok(done.response);
    }
    let _turn = identity.turns.take(call.caller.account).await;
    for _ in 0..ATTEMPTS_MAX {
        let done = O::handle(identity, call, request).await?;
        if let Some((kind, arn)) = done.resource.audited() {
            call.event.add_resource(kind, call.caller.account, arn);
        }
        call.event.set_response_elements(event::shown(&done.response));
        if !done.plan.changes_anything() {
            return Ok(done.response);
        }
        let event = identity.trail.beside_change(call, iam_event(O::NAME, false))?;
        let transaction = done.plan.into_transaction(event);
        match identity.store.commit(transaction).await {
            Ok(_) => return Ok(done.response),
            Err(CommitError::Conflict { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(IamError::Contention)
}

/// A user's session may call IAM only if it used multi-factor authentication, a federated user's never.
///
/// <https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html>
fn refuse_sessions_of_users(caller: &Caller) -> Result<(), IamError> {
    let Some(session) = &caller.session else { return Ok(()) };
    match caller.principal {
        Principal::User { .. } | Principal::Root if session.multi_factor_at.is_none() => {
            Err(IamError::InvalidClientTokenId)
        }
        Principal::FederatedUser { .. } => Err(IamError::InvalidClientTokenId),
        Principal::User { .. }
        | Principal::Root
        | Principal::RoleSession { .. }
        | Principal::Service { .. }
        | Principal::Anonymous => Ok(()),
    }
}

/// Every operation that works, in alphabetical order.
static OPERATIONS: [Operation; 97] = [
    row::<iam::AddClientIDToOpenIDConnectProvider>(),
    row::<iam::AddUserToGroup>(),
    row::<iam::AttachGroupPolicy>(),
    row::<iam::AttachRolePolicy>(),
    row::<iam::AttachUserPolicy>(),
    row::<iam::CreateAccessKey>(),
    row::<iam::CreateAccountAlias>(),
    row::<iam::CreateGroup>(),
    row::<iam::CreateOpenIDConnectProvider>(),
    row::<iam::CreatePolicy>(),
    row::<iam::CreatePolicyVersion>(),
    row::<iam::CreateRole>(),
    row::<iam::CreateUser>(),
    row::<iam::DeleteAccessKey>(),
    row::<iam::DeleteAccountAlias>(),
    row::<iam::DeleteGroup>(),
    row::<iam::DeleteGroupPolicy>(),
    row::<iam::DeleteOpenIDConnectProvider>(),
    row::<iam::DeletePolicy>(),
    row::<iam::DeletePolicyVersion>(),
    row::<iam::DeleteRole>(),
    row::<iam::DeleteRolePermissionsBoundary>(),
    row::<iam::DeleteRolePolicy>(),
    row::<iam::DeleteUser>(),
    row::<iam::DeleteUserPermissionsBoundary>(),
    row::<iam::DeleteUserPolicy>(),
    row::<iam::DetachGroupPolicy>(),
    row::<iam::DetachRolePolicy>(),
    row::<iam::DetachUserPolicy>(),
    row::<iam::GetAccessKeyLastUsed>(),
    row::<iam::GetAccountPasswordPolicy>(),
    row::<iam::GetAccountSummary>(),
    row::<iam::GetContextKeysForCustomPolicy>(),
    row::<iam::GetContextKeysForPrincipalPolicy>(),
    row::<iam::GetGroup>(),
    row::<iam::GetGroupPolicy>(),
    row::<iam::GetInstanceProfile>(),
    row::<iam::GetLoginProfile>(),
    row::<iam::GetOpenIDConnectProvider>(),
    row::<iam::GetPolicy>(),
    row::<iam::GetPolicyVersion>(),
    row::<iam::GetRole>(),
    row::<iam::GetRolePolicy>(),
    row::<iam::GetUser>(),
    row::<iam::GetUserPolicy>(),
    row::<iam::ListAccessKeys>(),
    row::<iam::ListAccountAliases>(),
    row::<iam::ListAttachedGroupPolicies>(),
    row::<iam::ListAttachedRolePolicies>(),
    row::<iam::ListAttachedUserPolicies>(),
    row::<iam::ListEntitiesForPolicy>(),
    row::<iam::ListGroupPolicies>(),
    row::<iam::ListGroups>(),
    row::<iam::ListGroupsForUser>(),
    row::<iam::ListInstanceProfiles>(),
    row::<iam::ListInstanceProfilesForRole>(),
    row::<iam::ListMFADevices>(),
    row::<iam::ListOpenIDConnectProviderTags>(),
    row::<iam::ListOpenIDConnectProviders>(),
    row::<iam::ListPolicies>(),
    row::<iam::ListPolicyTags>(),
    row::<iam::ListPolicyVersions>(),
    row::<iam::ListRolePolicies>(),
    row::<iam::ListRoleTags>(),
    row::<iam::ListRoles>(),
    row::<iam::ListSSHPublicKeys>(),
    row::<iam::ListServiceSpecificCredentials>(),
    row::<iam::ListSigningCertificates>(),
    row::<iam::ListUserPolicies>(),
    row::<iam::ListUserTags>(),
    row::<iam::ListUsers>(),
    row::<iam::ListVirtualMFADevices>(),
    row::<iam::PutGroupPolicy>(),
    row::<iam::PutRolePermissionsBoundary>(),
    row::<iam::PutRolePolicy>(),
    row::<iam::PutUserPermissionsBoundary>(),
    row::<iam::PutUserPolicy>(),
    row::<iam::RemoveClientIDFromOpenIDConnectProvider>(),
    row::<iam::RemoveUserFromGroup>(),
    row::<iam::SetDefaultPolicyVersion>(),
    row::<iam::SimulateCustomPolicy>(),
    row::<iam::SimulatePrincipalPolicy>(),
    row::<iam::TagOpenIDConnectProvider>(),
    row::<iam::TagPolicy>(),
    row::<iam::TagRole>(),
    row::<iam::TagUser>(),
    row::<iam::UntagOpenIDConnectProvider>(),
    row::<iam::UntagPolicy>(),
    row::<iam::UntagRole>(),
    row::<iam::UntagUser>(),
    row::<iam::UpdateAccessKey>(),
    row::<iam::UpdateAssumeRolePolicy>(),
    row::<iam::UpdateGroup>(),
    row::<iam::UpdateOpenIDConnectProviderThumbprint>(),
    row::<iam::UpdateRole>(),
    row::<iam::UpdateRoleDescription>(),
    row::<iam::UpdateUser>(),
];

impl Identity {
    /// The IAM operation that a form names, if it is offered in the version that it asks for.
    ///
    /// # Errors
    /// MissingAction if the form names no operation, InvalidAction if there is none of that name and version.
    pub fn iam_operation(form: &Form) -> Result<&'static Operation, Fault> {
        let action = form.action().filter(|action| !action.is_empty());
        let action = action.ok_or_else(crate::sts::missing_action)?;
        let found = OPERATIONS.binary_search_by(|operation| operation.name.cmp(action)).ok();
        let found = found.filter(|_| form.version() == Some(VERSION)).and_then(|at| OPERATIONS.get(at));
        found.ok_or_else(|| crate::sts::unknown_operation(form))
    }

    /// Reads the form, carries the operation out and encodes its result. What came of it is in the audit log before this
    /// returns. The call's Region is us-east-1, where AWS
    /// records what is global.
    ///
    /// # Errors
    /// The request is not valid, or the operation refused or failed.
    pub async fn call_iam(
        &self,
        operation: &Operation,
        call: &Call,
        form: &Form,
    ) -> Result<Vec<u8>, Refused> {
        let unrecorded = |error| Refused::Unrecorded(IdentityError::Audit(error).into());
        if !operation.read_only {
            self.trail.ready().await.map_err(unrecorded)?;
        }
        let recording = self.trail.begin(call);
        let answer = match refuse_sessions_of_users(&call.caller) {
            Ok(()) => (operation.handler)(self, call, form).await,
            Err(error) => Err(Refused::Operation(error)),
        };
        let fault = answer.as_ref().err().map(Refused::to_fault);
        let (name, error) = (iam_event(operation.name, operation.read_only), fault.as_ref().map(event_error));
        recording.finish(call, name, error).await.map_err(unrecorded)?;
        answer
    }
}
