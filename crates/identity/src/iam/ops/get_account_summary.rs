//! GetAccountSummary: how much of each kind there is in the account, and how much there may be.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountSummary.html>

use base::Call;
use wire::iam::{GetAccountSummary, GetAccountSummaryRequest, GetAccountSummaryResponse, SummaryKeyType};

use crate::Identity;
use crate::iam::error::IamError;
use crate::iam::plan::Done;
use crate::iam::quota;
use crate::iam::resource::Resource;
use crate::iam::table::Handle;

impl Handle for GetAccountSummary {
    const READ_ONLY: bool = true;

    async fn handle(
        identity: &Identity,
        call: &Call,
        _request: &GetAccountSummaryRequest,
    ) -> Result<Done<Self>, IamError> {
        let permit = identity.authorize::<Self>(call, Resource::Account).await?;
        let account = identity.account_of(call).await?.record;
        let has_root_access_keys = u32::from(!account.root_access_keys.is_empty());
        let counts = [
            (SummaryKeyType::AccountAccessKeysPresent, has_root_access_keys),
            (SummaryKeyType::Users, account.users),
            (SummaryKeyType::UsersQuota, quota::USERS),
            (SummaryKeyType::Groups, account.groups),
            (SummaryKeyType::GroupsQuota, quota::GROUPS),
            (SummaryKeyType::Roles, account.roles),
            (SummaryKeyType::RolesQuota, quota::ROLES),
            (SummaryKeyType::Policies, account.policies),
            (SummaryKeyType::PoliciesQuota, quota::POLICIES),
            (SummaryKeyType::Providers, account.providers),
        ];
        let counts = counts.into_iter().filter_map(|(key, count)| Some((key, i32::try_from(count).ok()?)));
        let sizes = SIZES.into_iter().filter_map(|(key, size)| Some((key, i32::try_from(size).ok()?)));
        let summary = counts.chain(sizes).chain(NONE.map(|key| (key, 0))).collect();
        Ok(permit.answer(GetAccountSummaryResponse { summary_map: Some(summary) }))
    }
}

const SIZES: [(SummaryKeyType, usize); 10] = [
    (SummaryKeyType::AccessKeysPerUserQuota, quota::ACCESS_KEYS_PER_USER),
    (SummaryKeyType::AssumeRolePolicySizeQuota, quota::TRUST_POLICY_SIZE),
    (SummaryKeyType::AttachedPoliciesPerGroupQuota, quota::ATTACHED_POLICIES),
    (SummaryKeyType::AttachedPoliciesPerRoleQuota, quota::ATTACHED_POLICIES),
    (SummaryKeyType::AttachedPoliciesPerUserQuota, quota::ATTACHED_POLICIES),
    (SummaryKeyType::GroupPolicySizeQuota, quota::GROUP_POLICY_SIZE),
    (SummaryKeyType::GroupsPerUserQuota, quota::GROUPS_PER_USER),
    (SummaryKeyType::PolicySizeQuota, quota::POLICY_SIZE),
    (SummaryKeyType::UserPolicySizeQuota, quota::USER_POLICY_SIZE),
    (SummaryKeyType::VersionsPerPolicyQuota, quota::VERSIONS_PER_POLICY),
];

/// Of these there are none here.
const NONE: [SummaryKeyType; 5] = [
    SummaryKeyType::AccountMFAEnabled,
    SummaryKeyType::InstanceProfiles,
    SummaryKeyType::MFADevices,
    SummaryKeyType::MFADevicesInUse,
    SummaryKeyType::ServerCertificates,
];
