//! The organisation that the accounts are in: its units, who is in them, and which policies guard each level.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use base::AccountId;

use super::check::{Check, path};
use super::settings::{MemberSettings, OrganizationSettings, UnitSettings};
use super::{ConfigError, LevelChoice, OrganizationChoice};

const UNIT: &str = "organization.unit";
const ACCOUNT: &str = "organization.account";
/// AWS's quota of levels of units below the root: <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html>
const UNITS_DEEP_MAX: usize = 5;

impl Check<'_> {
    /// The organisation, if there is one.
    pub(super) fn organization(
        &self,
        settings: &OrganizationSettings,
    ) -> Result<Option<OrganizationChoice>, ConfigError> {
        if *settings == OrganizationSettings::default() {
            return Ok(None);
        }
        let id = self.name("organization.id", &settings.id, "o-")?;
        let root = self.name("organization.root", &settings.root, "r-")?;
        let management_account = match settings.management_account.as_str() {
            "" => None,
            text => Some(self.account("organization.management_account", text)?),
        };
        let units = Units::of(self, &root, &settings.unit)?;
        let root = self.level(
            root,
            settings.full_aws_access,
            &settings.service_control_policies,
            &settings.resource_control_policies,
            "organization",
        )?;
        let mut members = BTreeMap::new();
        for member in &settings.account {
            let account = self.account(ACCOUNT, &member.id)?;
            let levels = self.levels_of(member, &units, &root)?;
            if members.insert(account, levels).is_some() {
                return Err(self.problem(ACCOUNT, format!("holds {account} twice")));
            }
        }
        Ok(Some(OrganizationChoice { id, management_account, root, members }))
    }

    /// The levels above and at an account, the root apart.
    fn levels_of(
        &self,
        member: &MemberSettings,
        units: &Units,
        root: &LevelChoice,
    ) -> Result<Vec<LevelChoice>, ConfigError> {
        let mut levels = Vec::new();
        if !member.unit.is_empty() && member.unit != root.name {
            let above = units.chain(&member.unit);
            let unknown = || {
                self.problem(ACCOUNT, format!("puts {} into `{}`, which is no unit", member.id, member.unit))
            };
            levels.extend(above.ok_or_else(unknown)?);
        }
        levels.push(self.level(
            member.id.clone(),
            member.full_aws_access,
            &member.service_control_policies,
            &member.resource_control_policies,
            ACCOUNT,
        )?);
        Ok(levels)
    }

    fn level(
        &self,
        name: String,
        full_aws_access: bool,
        service_control: &[String],
        resource_control: &[String],
        key: &str,
    ) -> Result<LevelChoice, ConfigError> {
        let files = |names: &[String]| {
            let file = |name: &String| {
                let wrong = || self.problem(key, "holds an empty name of a policy file".to_owned());
                path(name).ok_or_else(wrong)
            };
            names.iter().map(file).collect::<Result<Vec<PathBuf>, _>>()
        };
        Ok(LevelChoice {
            name,
            full_aws_access,
            service_control: files(service_control)?,
            resource_control: files(resource_control)?,
        })
    }

    /// An id of an organisation, root or unit: its prefix and letters, digits and dashes.
    fn name(&self, key: &str, text: &str, prefix: &str) -> Result<String, ConfigError> {
        let rest = text.strip_prefix(prefix).unwrap_or_default();
        let is_name = !rest.is_empty()
            && text.len() <= 68
            && rest.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        if is_name {
            return Ok(text.to_owned());
        }
        let rule = "followed by lower-case letters, digits and dashes";
        Err(self.problem(key, format!("is `{text}`, but must be {prefix} {rule}")))
    }

    fn account(&self, key: &str, text: &str) -> Result<AccountId, ConfigError> {
        text.parse().map_err(|error| self.problem(key, format!("is `{text}`, but {error}")))
    }
}

/// The units, by their ids.
struct Units {
    root: String,
    units: BTreeMap<String, (String, LevelChoice)>,
}

impl Units {
    fn of(check: &Check<'_>, root: &str, settings: &[UnitSettings]) -> Result<Self, ConfigError> {
        let mut units = Self { root: root.to_owned(), units: BTreeMap::new() };
        for unit in settings {
            let id = check.name(UNIT, &unit.id, "ou-")?;
            let parent = if unit.parent.is_empty() { root } else { &unit.parent };
            let (service_control, resource_control) =
                (&unit.service_control_policies, &unit.resource_control_policies);
            let level =
                check.level(id.clone(), unit.full_aws_access, service_control, resource_control, UNIT)?;
            if units.units.insert(id, (parent.to_owned(), level)).is_some() {
                return Err(check.problem(UNIT, format!("holds `{}` twice", unit.id)));
            }
        }
        for id in units.units.keys() {
            if units.chain(id).is_none() {
                let problem = format!(
                    "holds `{id}`, which does not lead to the root `{root}` in at most {UNITS_DEEP_MAX} steps"
                );
                return Err(check.problem(UNIT, problem));
            }
        }
        Ok(units)
    }

    /// The levels from below the root to a unit; `None` if there is none of this id, or no way up.
    fn chain(&self, id: &str) -> Option<Vec<LevelChoice>> {
        let (mut levels, mut seen, mut at) = (Vec::new(), BTreeSet::new(), id);
        while at != self.root {
            let (parent, level) = self.units.get(at)?;
            if !seen.insert(at) || levels.len() >= UNITS_DEEP_MAX {
                return None;
            }
            levels.push(level.clone());
            at = parent;
        }
        levels.reverse();
        Some(levels)
    }
}
