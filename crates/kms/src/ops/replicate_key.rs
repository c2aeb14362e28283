//! ReplicateKey: a replica of a multi-Region primary key in another Region, with the same id and material, and with a
//! policy, a description and tags of its own.
//!
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_ReplicateKey.html>
//!
//! The answer says Creating, as AWS's does; the replica can be used as soon as the answer is there.

use std::collections::BTreeMap;

use base::{Call, KeyArn, Region};
use wire::kms::{CreateKey, KeyState, ReplicateKey, ReplicateKeyRequest, ReplicateKeyResponse, Tag};

use crate::authorize::{Identifiers, KeyAction, StateRule, Usable};
use crate::change::{Attempts, Committed, Edit};
use crate::error::{InvalidRequest, KmsError, LimitExceeded};
use crate::facts::{Facts, NewKeyFacts};
use crate::key_policy::{Guarded, KeyPolicy};
use crate::multi_region::{RELATED_KEYS_MAX, ReplicaRegion};
use crate::ops::NewKey;
use crate::quota::ShardTurn;
use crate::record::KeyRecord;
use crate::table::Handle;
use crate::{Kms, metadata, tags};

impl KeyAction for ReplicateKey {
    const NAME: &'static str = "ReplicateKey";
    const IDENTIFIERS: Identifiers = Identifiers::KeyOnly;
    const STATES: StateRule = StateRule::Enabled;
}

impl Handle for ReplicateKey {
    const READ_ONLY: bool = false;

    async fn handle(
        kms: &Kms,
        call: &Call,
        request: ReplicateKeyRequest,
    ) -> Result<ReplicateKeyResponse, KmsError> {
        let arn = kms.keys.resolve::<Self>(call, &request.key_id).await?;
        let _turn = kms.turns.take(&arn).await;
        let mut attempts = Attempts::new();
        let named = tags::named(request.tags.as_deref().unwrap_or_default());
        let facts =
            Facts { replica_region: Some(&request.replica_region), tags: Some(&named), ..Facts::default() };
        loop {
            let key = kms.changeable::<Self>(call, &arn, &facts).await?;
            let to = kms.replica_place(&key, &request.replica_region)?;
            kms.authorize_creation(call, key.record(), &to, &named).await?;
            let new = kms.new_replica(call, &key, &to, &request).await?;
            let counter = kms.count_shards.take().await;
            if let Some(edit) = kms.replication(call, &key, &to, &new, &counter).await? {
                let response = answer(&to, &edit, &request);
                let record = kms.call_record(call, <Self as KeyAction>::NAME, &[key.arn()])?;
                let created = kms.service_record("CreateKey", &to, call.time)?;
                let transaction = edit.into_transaction(record)?.outbox(created);
                if kms.commit(transaction).await? == Committed::Yes {
                    return Ok(response);
                }
            }
            attempts.again().await?;
        }
    }
}

impl Kms {
    /// The ARN of the replica, if there can be one.
    fn replica_place(&self, key: &Usable<ReplicateKey>, region: &str) -> Result<KeyArn, KmsError> {
        let arn = key.arn();
        let related = key.record().multi_region.as_ref().filter(|related| related.primary == arn.region);
        let related = related.ok_or_else(|| KmsError::not_primary(arn))?;
        let refused = |why| InvalidRequest::ReplicaRegion { key: arn, region: region.to_owned(), why };
        let region: Region = region.parse().map_err(|_| refused("it is no Region"))?;
        if region.partition() != arn.region.partition() {
            return Err(refused("it is in another partition").into());
        }
        if region == arn.region {
            return Err(refused("the primary key is there").into());
        }
        if !self.settings.serves(region) {
            return Err(refused("this service does not serve it").into());
        }
        let to = KeyArn { region, ..arn };
        if related.replicas.contains(&ReplicaRegion(region)) {
            return Err(KmsError::ReplicaExists(to));
        }
        if related.replicas.len() + 1 >= RELATED_KEYS_MAX {
            return Err(LimitExceeded::RelatedKeys { key: arn, limit: RELATED_KEYS_MAX }.into());
        }
        Ok(to)
    }

    /// ReplicateKey needs CreateKey in the Region of the replica too, and TagResource if it has tags.
    async fn authorize_creation(
        &self,
        call: &Call,
        primary: &KeyRecord,
        to: &KeyArn,
        tags: &BTreeMap<String, String>,
    ) -> Result<(), KmsError> {
        let new_key = NewKeyFacts {
            spec: primary.spec,
            usage: primary.usage,
            origin: primary.origin,
            multi_region: true,
        };
        let facts = Facts { new_key: Some(new_key), tags: Some(tags), ..Facts::default() };
        let there = Call { region: to.region, ..call.clone() };
        self.authorize_account::<CreateKey>(&there, &facts).await?;
        self.authorize_tags_of_new_key(&there, &facts).await
    }

    /// What the replica has of its own: nothing of it comes from the primary key.
    async fn new_replica(
        &self,
        call: &Call,
        key: &Usable<ReplicateKey>,
        to: &KeyArn,
        request: &ReplicateKeyRequest,
    ) -> Result<NewKey, KmsError> {
        let policy = match &request.policy {
            Some(policy) => {
                let bypass = request.bypass_policy_lockout_safety_check == Some(true);
                let facts = Facts {
                    bypass_policy_lockout_safety_check: request.bypass_policy_lockout_safety_check,
                    ..Facts::default()
                };
                // A replica has what policies can ask for from its primary key.
                let on = Guarded { arn: *to, key: Some(key.key()), facts: &facts };
                self.check_policy(call, policy, on, bypass).await?
            }
            None => KeyPolicy::default_of(to.account, to.region),
        };
        let mut held = BTreeMap::new();
        tags::add(&mut held, request.tags.as_deref().unwrap_or_default())?;
        Ok(NewKey {
            spec: key.record().spec,
            usage: key.record().usage,
            origin: key.record().origin,
            created_at: call.time.millis(),
            description: request.description.clone().unwrap_or_default(),
            policy,
            tags: held,
        })
    }

    /// The edit that makes the replica and tells all related keys of it; `None` if others were faster.
    async fn replication(
        &self,
        call: &Call,
        key: &Usable<ReplicateKey>,
        to: &KeyArn,
        new: &NewKey,
        counter: &ShardTurn<'_>,
    ) -> Result<Option<Edit>, KmsError> {
        let mut primary = Edit::of(key.key())?;
        if let Some(related) = &mut primary.record.multi_region {
            related.replicas.insert(ReplicaRegion(to.region));
        }
        let Some(related) = self.related_edits(key.key()).await? else { return Ok(None) };
        let Some(staged) = self.stage_replica(key, to, call.time).await? else { return Ok(None) };
        let mut replica = Edit::create(*to, new.record(to))?;
        replica.take_staged(staged);
        replica.share(&primary.record)?;
        replica.record.retired = key.record().retired;
        self.count_shards.count_new_key(&mut replica, counter).await?;
        primary.join_related(related)?;
        replica.join(primary)?;
        Ok(Some(replica))
    }
}

fn answer(to: &KeyArn, edit: &Edit, request: &ReplicateKeyRequest) -> ReplicateKeyResponse {
    let mut metadata = metadata::of(to, &edit.record);
    metadata.key_state = Some(KeyState::Creating);
    metadata.enabled = Some(false);
    let tags: Option<Vec<Tag>> = request.tags.clone().filter(|tags| !tags.is_empty());
    ReplicateKeyResponse {
        replica_key_metadata: Some(metadata),
        replica_policy: Some(edit.record.policy.clone()),
        replica_tags: tags,
    }
}
