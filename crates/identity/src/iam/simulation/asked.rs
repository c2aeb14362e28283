//! The parameters of a simulation.

use base::{AccountId, Arn, Call};
use policy::{Action, ContextEntries};
use wire::iam::ContextEntry;

use super::context;
use super::held::Subject;
use super::principal::{Named, nobody};
use super::scenario::{Levels, Parts, Scenario};
use crate::iam::error::IamError;
use crate::iam::resource::Kind;

/// The parameters that both operations have.
pub(crate) struct Asked<'r> {
    pub(crate) action_names: &'r [String],
    pub(crate) resource_arns: Option<&'r Vec<String>>,
    pub(crate) resource_policy: Option<&'r String>,
    pub(crate) resource_owner: Option<&'r String>,
    pub(crate) caller_arn: Option<&'r String>,
    pub(crate) context_entries: Option<&'r Vec<ContextEntry>>,
    pub(crate) boundaries: Option<&'r Vec<String>>,
    pub(crate) policies: Option<&'r Vec<String>>,
}

impl<'r> Asked<'r> {
    /// Reads the parameters. `subject` is the one whose policies are simulated, if there is one; `levels` are service control
    /// policies.
    ///
    /// # Errors
    /// InvalidInput for a parameter that has no meaning.
    pub(crate) fn scenario(
        &self,
        call: &'r Call,
        subject: Option<Subject>,
        levels: Levels<'_>,
    ) -> Result<Scenario<'r>, IamError> {
        let own = subject.as_ref().map(|subject| (subject.arn.clone(), subject.unique_id.clone()));
        let caller_arn = self.caller_arn.cloned().or_else(|| own.as_ref().map(|(arn, _)| arn.clone()));
        let resources = self.resources()?;
        let mut entries = context::entries(self.context_entries)?;
        entries.presume_time("aws:CurrentTime", call.time);
        let (account, caller) = match &caller_arn {
            None => (call.caller.account, nobody(call.caller.account)),
            Some(arn) => {
                let named = Named::read(arn).ok_or_else(invalid_caller)?;
                let unique_id = own.filter(|(own, _)| own == arn).map(|(_, unique_id)| unique_id);
                presume_caller(&mut entries, &named, unique_id.as_deref());
                (named.account, named.caller(&unique_id.unwrap_or_default()))
            }
        };
        entries.presume("aws:PrincipalAccount", &account.to_string());
        self.check_resource_policy(caller_arn.is_some(), &resources)?;
        let owner = self.resource_owner.map(|owner| read_owner(owner)).transpose()?;
        let mut scenario = Scenario {
            call,
            actions: self.actions()?,
            resources,
            caller,
            account,
            owner: owner.unwrap_or(account),
            entries,
            policies: Vec::new(),
            boundary: None,
            service_control: Vec::new(),
            resource_policy: None,
            parts: Parts::default(),
            missing: Vec::new(),
        };
        scenario.take_held(subject)?;
        scenario.take_given(self)?;
        scenario.take_levels(levels)?;
        scenario.check_size()?;
        scenario.missing = scenario.missing_keys();
        Ok(scenario)
    }

    fn actions(&self) -> Result<Vec<(&'r str, Action<'r>)>, IamError> {
        let read = |name: &'r String| {
            let refusal = || {
                IamError::InvalidInput(format!(
                    "The action {name} is invalid. It must be a service and a name, such as iam:CreateUser, without \
                     wildcards."
                ))
            };
            Ok((name.as_str(), Action::read(name).ok_or_else(refusal)?))
        };
        let actions = self.action_names.iter().map(read).collect::<Result<Vec<_>, IamError>>()?;
        if actions.is_empty() {
            return Err(IamError::InvalidInput("ActionNames cannot be null or empty.".to_owned()));
        }
        Ok(actions)
    }

    fn resources(&self) -> Result<Vec<Option<&'r str>>, IamError> {
        match self.resource_arns.map_or(&[][..], Vec::as_slice) {
            [] => Ok(vec![None]),
            [one] if one == "*" => Ok(vec![None]),
            several => several
                .iter()
                .map(|arn| {
                    let text = || format!("ResourceNames are not in a valid ARN format: {arn}.");
                    Arn::parse(arn).map_err(|_| IamError::InvalidInput(text()))?;
                    Ok(Some(arn.as_str()))
                })
                .collect(),
        }
    }

    /// A resource's policy needs somebody for its principals and a resource that has it.
    fn check_resource_policy(&self, has_caller: bool, resources: &[Option<&str>]) -> Result<(), IamError> {
        let text = match self.resource_policy {
            Some(_) if !has_caller => "Invalid caller - Caller cannot be null or empty.",
            Some(_) if resources.contains(&None) => {
                "Invalid Entity Arn: * does not clearly define entity type and name."
            }
            Some(_) | None => return Ok(()),
        };
        Err(IamError::InvalidInput(text.to_owned()))
    }
}

fn presume_caller(entries: &mut ContextEntries, named: &Named<'_>, unique_id: Option<&str>) {
    entries.presume("aws:PrincipalArn", named.arn);
    if named.kind == Kind::User {
        entries.presume("aws:username", named.name());
        if let Some(unique_id) = unique_id {
            entries.presume("aws:userid", unique_id);
        }
    }
}

fn invalid_caller() -> IamError {
    let text = "Invalid caller - Caller must be an IAM user, role or group in this context.";
    IamError::InvalidInput(text.to_owned())
}

/// The account of `arn:aws:iam::123456789012:root`, or of the id alone.
fn read_owner(text: &str) -> Result<AccountId, IamError> {
    let of_root = |arn: Arn<'_>| {
        let is_root = arn.service == "iam" && arn.resource == "root";
        if is_root { arn.account.parse().ok() } else { None }
    };
    let account = text.parse().ok().or_else(|| Arn::parse(text).ok().and_then(of_root));
    account.ok_or_else(|| IamError::InvalidInput(format!("'{text}' is not a valid as a Resource Owner.")))
}
