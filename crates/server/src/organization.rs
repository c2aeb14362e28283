//! The policies of the organisation, as the setting `organization` names their files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base::AccountId;
use policy::{
    AccountGuardrails, AttachedPolicy, Guardrails, MalformedPolicy, Organization, Policy, PolicyKind,
    PolicySource, full_aws_access,
};

use crate::config::{LevelChoice, OrganizationChoice};

/// AWS's quota on the size of a document, in characters:
/// <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html>
const SIZE_MAX: usize = 5_120;

/// A policy of the organisation cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OrganizationError {
    #[error("the policy {} (setting `organization`) cannot be read: {source}", path.display())]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("the policy {} (setting `organization`) has more than {SIZE_MAX} characters", path.display())]
    TooLong { path: PathBuf },
    #[error("the policy {} (setting `organization`) is not one: {source}", path.display())]
    Malformed { path: PathBuf, source: MalformedPolicy },
    #[error("AWS's policy of full access cannot be read: {0}")]
    FullAccess(#[from] MalformedPolicy),
}

/// Reads and checks all policies.
///
/// # Errors
/// A file cannot be used.
pub(crate) fn read(choice: Option<&OrganizationChoice>) -> Result<Guardrails, OrganizationError> {
    let Some(choice) = choice else { return Ok(Guardrails::default()) };
    let mut listed = BTreeMap::new();
    for (account, levels) in &choice.members {
        listed.insert(*account, Arc::new(guardrails(choice, levels)?));
    }
    if let Some(management) = choice.management_account {
        let levels = choice.members.get(&management).map_or(&[][..], Vec::as_slice);
        listed.insert(management, Arc::new(unguarded(choice, levels)));
    }
    Ok(Guardrails::new(listed, Arc::new(guardrails(choice, &[])?)))
}

fn guardrails(
    choice: &OrganizationChoice,
    levels: &[LevelChoice],
) -> Result<AccountGuardrails, OrganizationError> {
    let all = || std::iter::once(&choice.root).chain(levels);
    Ok(AccountGuardrails {
        service_control: all()
            .map(|level| {
                let full = level.full_aws_access;
                policies(choice, &level.service_control, PolicyKind::ServiceControl, full)
            })
            .collect::<Result<_, _>>()?,
        resource_control: all()
            .map(|level| policies(choice, &level.resource_control, PolicyKind::ResourceControl, true))
            .collect::<Result<_, _>>()?,
        ..unguarded(choice, levels)
    })
}

/// Where an account stands; no policy concerns the management account.
fn unguarded(choice: &OrganizationChoice, levels: &[LevelChoice]) -> AccountGuardrails {
    let units = levels.iter().filter(|level| level.name.parse::<AccountId>().is_err());
    let names = [choice.id.as_str(), choice.root.name.as_str()].into_iter();
    let path: String =
        names.chain(units.map(|unit| unit.name.as_str())).map(|name| format!("{name}/")).collect();
    AccountGuardrails {
        organization: Organization { id: choice.id.clone(), paths: vec![path] },
        service_control: Vec::new(),
        resource_control: Vec::new(),
    }
}

fn policies(
    choice: &OrganizationChoice,
    files: &[PathBuf],
    kind: PolicyKind,
    full_aws_access_too: bool,
) -> Result<Vec<AttachedPolicy>, OrganizationError> {
    let mut policies = Vec::new();
    if full_aws_access_too {
        policies.push(full_aws_access(kind)?);
    }
    for path in files {
        policies.push(read_policy(choice, path, kind)?);
    }
    Ok(policies)
}

fn read_policy(
    choice: &OrganizationChoice,
    path: &Path,
    kind: PolicyKind,
) -> Result<AttachedPolicy, OrganizationError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| OrganizationError::Unreadable { path: path.to_owned(), source })?;
    if text.chars().count() > SIZE_MAX {
        return Err(OrganizationError::TooLong { path: path.to_owned() });
    }
    let policy = Policy::parse(&text, kind)
        .map_err(|source| OrganizationError::Malformed { path: path.to_owned(), source })?;
    let word = if kind == PolicyKind::ResourceControl { "resource" } else { "service" };
    let management = choice.management_account.map_or_else(String::new, |account| account.to_string());
    let name = path.file_stem().unwrap_or_default().to_string_lossy();
    let arn =
        format!("arn:aws:organizations::{management}:policy/{}/{word}_control_policy/{name}", choice.id);
    Ok(AttachedPolicy { policy: Arc::new(policy), source: PolicySource::Managed(arn) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn level(name: &str, service_control: Vec<PathBuf>) -> LevelChoice {
        LevelChoice {
            name: name.to_owned(),
            full_aws_access: true,
            service_control,
            resource_control: Vec::new(),
        }
    }

    fn organization(files: Vec<PathBuf>) -> OrganizationChoice {
        let account: AccountId = "111122223333".parse().unwrap();
        let levels = vec![level("ou-f6g7-app", files), level("111122223333", Vec::new())];
        OrganizationChoice {
            id: "o-a1b2c3".to_owned(),
            management_account: Some("999999999999".parse().unwrap()),
            root: level("r-f6g7", Vec::new()),
            members: BTreeMap::from([(account, levels)]),
        }
    }

    #[test]
    fn each_level_has_its_policies_and_the_management_account_none() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("deny.json");
        std::fs::write(&file, r#"{"Statement":{"Effect":"Deny","Action":"kms:*","Resource":"*"}}"#).unwrap();
        let guardrails = read(Some(&organization(vec![file]))).unwrap();
        let of = |account: &str| guardrails.of(account.parse().unwrap()).unwrap();
        let member = of("111122223333");
        assert_eq!(member.organization.paths, ["o-a1b2c3/r-f6g7/ou-f6g7-app/"]);
        let counts: Vec<usize> = member.service_control.iter().map(Vec::len).collect();
        assert_eq!((counts, member.resource_control.len()), (vec![1, 2, 1], 3));
        let source = member.service_control[1][1].source.to_string();
        assert_eq!(source, "arn:aws:organizations::999999999999:policy/o-a1b2c3/service_control_policy/deny");
        assert!(of("999999999999").service_control.is_empty());
        assert_eq!(of("444455556666").organization.paths, ["o-a1b2c3/r-f6g7/"]);
        assert!(read(None).unwrap().of("111122223333".parse().unwrap()).is_none());
    }

    #[test]
    fn files_that_cannot_be_used_are_told_by_name_and_reason() {
        let folder = tempfile::tempdir().unwrap();
        let (none, wrong, long) =
            (folder.path().join("none"), folder.path().join("wrong"), folder.path().join("long"));
        std::fs::write(&wrong, r#"{"Statement":{"Effect":"Deny","Principal":"*"}}"#).unwrap();
        std::fs::write(&long, " ".repeat(SIZE_MAX + 1)).unwrap();
        for (file, words) in [(none, "cannot be read"), (wrong, "is not one"), (long, "5120 characters")] {
            let told = read(Some(&organization(vec![file.clone()]))).err().unwrap().to_string();
            assert!(told.contains(words) && told.contains(&file.display().to_string()), "{told}");
        }
    }
}
