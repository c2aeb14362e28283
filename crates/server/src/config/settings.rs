//! The settings as they stand in a file, with their defaults: the one table of both.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The whole file. An empty text means "not set".
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Settings {
    pub(super) listen: String,
    pub(super) data_dir: String,
    pub(super) seed: String,
    pub(super) dev: bool,
    pub(super) default_region: String,
    pub(super) regions: Vec<String>,
    pub(super) signature_window_seconds: u64,
    pub(super) attestation_roots: Vec<String>,
    pub(super) root: RootSettings,
    pub(super) process: ProcessSettings,
    pub(super) limits: LimitSettings,
    pub(super) kms: KmsSettings,
    pub(super) objects: ObjectSettings,
    pub(super) request_quotas: RequestQuotaSettings,
    pub(super) tls: TlsSettings,
    pub(super) cors: CorsSettings,
    pub(super) web_identity: WebIdentitySettings,
    pub(super) organization: OrganizationSettings,
    pub(super) explanations: ExplanationSettings,
    pub(super) backup: BackupSettings,
    pub(super) trail: TrailSettings,
    pub(super) metrics: MetricsSettings,
    pub(super) log: LogSettings,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RootSettings {
    pub(super) passphrase_file: String,
    pub(super) passphrase_prompt: bool,
}

/// Whom backups are encrypted to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BackupSettings {
    pub(super) recipients: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ProcessSettings {
    pub(super) lock_memory: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MetricsSettings {
    pub(super) listen: String,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExportSettings {
    pub(super) standard_output: bool,
    pub(super) syslog: String,
    pub(super) otlp: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LimitSettings {
    pub(super) body_max_bytes: u64,
    pub(super) body_memory_max_bytes: u64,
    pub(super) header_max_bytes: u64,
    pub(super) header_max_count: u64,
    pub(super) connections_max: u64,
    pub(super) header_read_timeout_seconds: u64,
    pub(super) body_read_timeout_seconds: u64,
    pub(super) request_deadline_seconds: u64,
    pub(super) idle_timeout_seconds: u64,
    pub(super) shutdown_timeout_seconds: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KmsSettings {
    pub(super) encrypt_plaintext_max_bytes: u64,
    pub(super) deletion_window_days: u64,
    pub(super) retained_materials: u64,
    pub(super) keys_per_region_max: u64,
    pub(super) aliases_per_key_max: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ObjectSettings {
    pub(super) block_customer_keys: bool,
    pub(super) bucket_key_seconds: u64,
    pub(super) host_names: Vec<String>,
    pub(super) upstream: UpstreamSettings,
}

/// Where contents of objects are kept; in the data folder if no bucket is named.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct UpstreamSettings {
    pub(super) bucket: String,
    pub(super) prefix: String,
    pub(super) endpoint: String,
    pub(super) plain_http: bool,
    pub(super) region: String,
    pub(super) path_style: bool,
    pub(super) access_key_id: String,
    pub(super) secret_access_key_file: String,
    pub(super) certificate_authority_file: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RequestQuotaSettings {
    pub(super) enabled: bool,
    /// By the names of the quotas; 0 stands for AWS's rate in each Region.
    pub(super) per_second: BTreeMap<String, u64>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TlsSettings {
    pub(super) certificate: String,
    pub(super) key: String,
    pub(super) development: bool,
    pub(super) min_version: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CorsSettings {
    pub(super) origins: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WebIdentitySettings {
    pub(super) discovery: bool,
    pub(super) provider: Vec<KeySetSettings>,
}

/// One provider; what is not said is empty.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct KeySetSettings {
    pub(super) url: String,
    pub(super) key_set_file: String,
    pub(super) key_set_url: String,
    pub(super) certificate_authority_file: String,
    pub(super) bearer_token_file: String,
}

/// The organisation; there is none if nothing is said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct OrganizationSettings {
    pub(super) id: String,
    pub(super) root: String,
    pub(super) management_account: String,
    pub(super) full_aws_access: bool,
    pub(super) service_control_policies: Vec<String>,
    pub(super) resource_control_policies: Vec<String>,
    pub(super) unit: Vec<UnitSettings>,
    pub(super) account: Vec<MemberSettings>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct UnitSettings {
    pub(super) id: String,
    /// The unit above, or the root if empty.
    pub(super) parent: String,
    pub(super) full_aws_access: bool,
    pub(super) service_control_policies: Vec<String>,
    pub(super) resource_control_policies: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct MemberSettings {
    pub(super) id: String,
    /// The unit that the account is in, or the root if empty.
    pub(super) unit: String,
    pub(super) full_aws_access: bool,
    pub(super) service_control_policies: Vec<String>,
    pub(super) resource_control_policies: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExplanationSettings {
    pub(super) memory_max_mebibytes: u64,
    pub(super) allowed: bool,
    pub(super) in_answers: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TrailSettings {
    pub(super) sync_interval_milliseconds: u64,
    pub(super) wait_max_seconds: u64,
    pub(super) segment_mebibytes: u64,
    pub(super) free_min_mebibytes: u64,
    pub(super) lookup_days: u64,
    pub(super) name: String,
    pub(super) retention_days: u64,
    /// 0: delivered files are kept.
    pub(super) delivered_retention_days: u64,
    pub(super) delivery: DeliverySettings,
    pub(super) export: ExportSettings,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DeliverySettings {
    pub(super) destination: String,
    pub(super) bucket: String,
    pub(super) interval_seconds: u64,
    pub(super) digest_interval_seconds: u64,
    pub(super) s3: BucketSettings,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BucketSettings {
    pub(super) endpoint: String,
    pub(super) region: String,
    pub(super) path_style: bool,
    pub(super) access_key_id: String,
    pub(super) secret_access_key_file: String,
    pub(super) certificate_authority_file: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LogSettings {
    pub(super) level: String,
    pub(super) format: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:4599".to_owned(),
            data_dir: "./data".to_owned(),
            seed: String::new(),
            dev: false,
            default_region: "us-east-1".to_owned(),
            regions: Vec::new(),
            signature_window_seconds: 300,
            attestation_roots: Vec::new(),
            root: RootSettings { passphrase_file: String::new(), passphrase_prompt: false },
            process: ProcessSettings { lock_memory: false },
            limits: LimitSettings::default(),
            kms: KmsSettings::default(),
            objects: ObjectSettings::default(),
            request_quotas: RequestQuotaSettings::default(),
            tls: TlsSettings {
                certificate: String::new(),
                key: String::new(),
                development: false,
                min_version: "1.2".to_owned(),
            },
            cors: CorsSettings { origins: Vec::new() },
            organization: OrganizationSettings::default(),
            metrics: MetricsSettings { listen: String::new() },
            explanations: ExplanationSettings { memory_max_mebibytes: 32, allowed: false, in_answers: false },
            web_identity: WebIdentitySettings { discovery: false, provider: Vec::new() },
            backup: BackupSettings::default(),
            trail: TrailSettings::default(),
            log: LogSettings { level: "info".to_owned(), format: "text".to_owned() },
        }
    }
}

impl Default for UpstreamSettings {
    fn default() -> Self {
        Self {
            bucket: String::new(),
            prefix: String::new(),
            endpoint: String::new(),
            plain_http: false,
            region: String::new(),
            path_style: true,
            access_key_id: String::new(),
            secret_access_key_file: String::new(),
            certificate_authority_file: String::new(),
        }
    }
}

impl Default for TrailSettings {
    fn default() -> Self {
        Self {
            sync_interval_milliseconds: 0,
            wait_max_seconds: 5,
            segment_mebibytes: 64,
            free_min_mebibytes: 256,
            lookup_days: 90,
            export: ExportSettings::default(),
            name: "keywright".to_owned(),
            retention_days: 90,
            delivered_retention_days: 0,
            delivery: DeliverySettings {
                destination: String::new(),
                bucket: "keywright-trail".to_owned(),
                interval_seconds: 300,
                digest_interval_seconds: 3_600,
                s3: BucketSettings {
                    endpoint: String::new(),
                    region: String::new(),
                    path_style: true,
                    access_key_id: String::new(),
                    secret_access_key_file: String::new(),
                    certificate_authority_file: String::new(),
                },
            },
        }
    }
}

impl Default for OrganizationSettings {
    fn default() -> Self {
        Self {
            id: String::new(),
            root: String::new(),
            management_account: String::new(),
            full_aws_access: true,
            service_control_policies: Vec::new(),
            resource_control_policies: Vec::new(),
            unit: Vec::new(),
            account: Vec::new(),
        }
    }
}

impl Default for UnitSettings {
    fn default() -> Self {
        Self {
            id: String::new(),
            parent: String::new(),
            full_aws_access: true,
            service_control_policies: Vec::new(),
            resource_control_policies: Vec::new(),
        }
    }
}

impl Default for MemberSettings {
    fn default() -> Self {
        Self {
            id: String::new(),
            unit: String::new(),
            full_aws_access: true,
            service_control_policies: Vec::new(),
            resource_control_policies: Vec::new(),
        }
    }
}

impl Default for KmsSettings {
    fn default() -> Self {
        Self {
            encrypt_plaintext_max_bytes: 4_096,
            deletion_window_days: 30,
            retained_materials: 0,
            keys_per_region_max: 100_000,
            aliases_per_key_max: 50,
        }
    }
}

impl Default for ObjectSettings {
    fn default() -> Self {
        Self {
            block_customer_keys: true,
            bucket_key_seconds: 300,
            host_names: ["localhost", "s3.localhost"].map(str::to_owned).to_vec(),
            upstream: UpstreamSettings::default(),
        }
    }
}

impl Default for RequestQuotaSettings {
    fn default() -> Self {
        let of_aws = |quota: &kms::RequestQuota| {
            (quota.setting().to_owned(), quota.default_per_second().unwrap_or_default())
        };
        Self { enabled: false, per_second: kms::REQUEST_QUOTAS.iter().map(of_aws).collect() }
    }
}

impl Default for LimitSettings {
    fn default() -> Self {
        Self {
            body_max_bytes: 1_048_576,
            body_memory_max_bytes: 67_108_864,
            header_max_bytes: 16_384,
            header_max_count: 100,
            connections_max: 1_024,
            header_read_timeout_seconds: 10,
            body_read_timeout_seconds: 20,
            request_deadline_seconds: 30,
            idle_timeout_seconds: 75,
            shutdown_timeout_seconds: 10,
        }
    }
}
