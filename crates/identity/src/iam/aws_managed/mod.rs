//! AWS's own managed policies: those that matter for work with keys, and the one that denies everything, for whoever attaches
//! it means it. Everybody may read and attach them, nobody can change them.
//!
//! Documents, versions and dates: <https://docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html>

/// A managed policy of AWS, in its default version.
#[derive(Debug)]
pub(crate) struct AwsManagedPolicy {
    pub(crate) name: &'static str,
    pub(crate) unique_id: &'static str,
    pub(crate) description: &'static str,
    /// The number of the default version, the only one that is known here.
    pub(crate) version: u32,
    /// Seconds since the epoch.
    pub(crate) created_at: i64,
    /// Seconds since the epoch.
    pub(crate) updated_at: i64,
    pub(crate) document: &'static str,
}

/// In the order of their names.
pub(crate) static AWS_MANAGED_POLICIES: [AwsManagedPolicy; 6] = [
    AwsManagedPolicy {
        name: "AWSDenyAll",
        unique_id: "ANPAZKAPJZG4P43IUQ5E5",
        description: "Deny all access.",
        version: 2,
        created_at: 1_556_750_160,
        updated_at: 1_702_917_720,
        document: include_str!("AWSDenyAll.json"),
    },
    AwsManagedPolicy {
        name: "AWSKeyManagementServicePowerUser",
        unique_id: "ANPAJNPP7PPPPMJRV2SA4",
        description: "Provides access to AWS Key Management Service (KMS).",
        version: 2,
        created_at: 1_423_248_000,
        updated_at: 1_488_848_100,
        document: include_str!("AWSKeyManagementServicePowerUser.json"),
    },
    AwsManagedPolicy {
        name: "AdministratorAccess",
        unique_id: "ANPAIWMBCKSKIEE64ZLYK",
        description: "Provides full access to AWS services and resources.",
        version: 1,
        created_at: 1_423_247_940,
        updated_at: 1_423_247_940,
        document: include_str!("AdministratorAccess.json"),
    },
    AwsManagedPolicy {
        name: "IAMFullAccess",
        unique_id: "ANPAI7XKCFMBPM3QQRRVQ",
        description: "Provides full access to IAM via the AWS Management Console.",
        version: 2,
        created_at: 1_423_248_000,
        updated_at: 1_561_146_000,
        document: include_str!("IAMFullAccess.json"),
    },
    AwsManagedPolicy {
        name: "IAMReadOnlyAccess",
        unique_id: "ANPAJKSO7NDY4T57MWDSQ",
        description: "Provides read only access to IAM via the AWS Management Console.",
        version: 4,
        created_at: 1_423_248_000,
        updated_at: 1_516_907_460,
        document: include_str!("IAMReadOnlyAccess.json"),
    },
    AwsManagedPolicy {
        name: "PowerUserAccess",
        unique_id: "ANPAJYRXTHIB4FOVS3ZXS",
        description: "Provides full access to AWS services and resources, but does not allow management of Users and \
                      groups.",
        version: 12,
        created_at: 1_423_247_940,
        updated_at: 1_770_919_140,
        document: include_str!("PowerUserAccess.json"),
    },
];

impl AwsManagedPolicy {
    /// The policy of this ARN: `arn:aws:iam::aws:policy/AdministratorAccess`. Case counts.
    pub(crate) fn of_arn(arn: &str) -> Option<&'static Self> {
        let name = arn.strip_prefix("arn:aws:iam::aws:policy/")?;
        AWS_MANAGED_POLICIES.iter().find(|policy| policy.name == name)
    }

    /// Its ARN.
    pub(crate) fn arn(&self) -> String {
        format!("arn:aws:iam::aws:policy/{}", self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::super::policy_document::{check, size};
    use super::*;
    use base::Timestamp;
    use policy::PolicyKind;

    #[test]
    fn the_table_is_sorted_and_every_document_is_a_policy() {
        assert!(AWS_MANAGED_POLICIES.is_sorted_by(|one, other| one.name < other.name));
        for policy in &AWS_MANAGED_POLICIES {
            check(policy.document, PolicyKind::Identity).unwrap();
            assert!(size(policy.document) > 50, "{}", policy.name);
            assert!(std::ptr::eq(AwsManagedPolicy::of_arn(&policy.arn()).unwrap(), policy));
            assert!(policy.unique_id.starts_with("ANPA") && policy.unique_id.len() == 21);
        }
    }

    #[test]
    fn dates_are_those_of_awss_reference() {
        let dates = |name: &str| {
            let policy = AWS_MANAGED_POLICIES.iter().find(|policy| policy.name == name).unwrap();
            [policy.created_at, policy.updated_at].map(|at| Timestamp::from_seconds(at).to_string())
        };
        assert_eq!(dates("AWSDenyAll"), ["2019-05-01T22:36:00Z", "2023-12-18T16:42:00Z"]);
        assert_eq!(
            dates("AWSKeyManagementServicePowerUser"),
            ["2015-02-06T18:40:00Z", "2017-03-07T00:55:00Z"]
        );
        assert_eq!(dates("AdministratorAccess"), ["2015-02-06T18:39:00Z", "2015-02-06T18:39:00Z"]);
        assert_eq!(dates("IAMFullAccess"), ["2015-02-06T18:40:00Z", "2019-06-21T19:40:00Z"]);
        assert_eq!(dates("IAMReadOnlyAccess"), ["2015-02-06T18:40:00Z", "2018-01-25T19:11:00Z"]);
        assert_eq!(dates("PowerUserAccess"), ["2015-02-06T18:39:00Z", "2026-02-12T17:59:00Z"]);
    }

    #[test]
    fn other_arns_are_none_of_awss() {
        for arn in [
            "",
            "AdministratorAccess",
            "arn:aws:iam::aws:policy/administratoraccess",
            "arn:aws:iam::123456789012:policy/AdministratorAccess",
            "arn:aws:iam::aws:policy/service-role/AdministratorAccess",
        ] {
            assert!(AwsManagedPolicy::of_arn(arn).is_none(), "{arn}");
        }
    }
}
