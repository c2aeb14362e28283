//! Rotation of key material, automatic and on demand.
//!
//! <https://docs.aws.amazon.com/kms/latest/developerguide/rotate-keys.html>

use base::Timestamp;
use wire::kms::OriginType;

use crate::change::Edit;
use crate::due::DueWork;
use crate::error::{KmsError, StateRefusal};
use crate::keys::LoadedKey;
use crate::materials::NewMaterial;
use crate::record::{Rotated, RotationKind, RotationRecord, RotationSchedule};
use crate::{Kms, paths};

/// Rotations on demand that a key can have in its life.
pub(crate) const ON_DEMAND_ROTATIONS_MAX: u32 = 25;

const MILLIS_PER_DAY: i64 = 86_400_000;

impl Kms {
    /// The edit that rotates a key, with its replicas: to fresh material, or to the imported material that waits for it.
    /// `None` if a replica has gone meanwhile, with which the key has changed too.
    pub(crate) async fn rotation(
        &self,
        key: &LoadedKey,
        kind: RotationKind,
        now: Timestamp,
    ) -> Result<Option<Edit>, KmsError> {
        let Some(mut related) = self.related_edits(key).await? else { return Ok(None) };
        let mut edit = Edit::of(key)?;
        if key.record.origin == OriginType::External {
            if let Some(pending) = &key.record.pending_material
                && related.iter().any(|edit| !edit.record.holds(pending))
            {
                return Err(StateRefusal::NoMaterialPendingRotation(key.arn).into());
            }
            edit.promote_pending(kind, now)?;
        } else {
            let arns: Vec<_> = std::iter::once(key.arn).chain(related.iter().map(|edit| edit.arn)).collect();
            let mut materials = self.materials.generate_shared(&arns).await?.into_iter();
            let own = materials.next().ok_or(KmsError::Bug("no material was made"))?;
            edit.rotate_to(&own, kind, now)?;
            for (edit, material) in related.iter_mut().zip(materials) {
                edit.store_material(&material)?;
            }
        }
        match kind {
            RotationKind::OnDemand => edit.record.on_demand_rotations += 1,
            RotationKind::Automatic => edit.reschedule_rotation(now),
        }
        self.schedule_retirement(&mut edit, &mut related, now);
        edit.join_related(related)?;
        Ok(Some(edit))
    }
}

impl Edit {
    /// Stores the material that the key is created with.
    pub(crate) fn begin_with(&mut self, material: &NewMaterial) -> Result<(), KmsError> {
        self.store_as_current(material, None)
    }

    /// Makes `material` the one that encrypts; the ones before it go on decrypting.
    pub(crate) fn rotate_to(
        &mut self,
        material: &NewMaterial,
        kind: RotationKind,
        at: Timestamp,
    ) -> Result<(), KmsError> {
        self.store_as_current(material, Some(Rotated { at: at.millis(), kind }))
    }

    /// Notes which material encrypts from now on, and how it came to that.
    pub(crate) fn make_current(&mut self, id: &str, rotated: Option<Rotated>) -> Result<(), KmsError> {
        let number = self.record.materials;
        let entry = RotationRecord { material: id.to_owned(), rotated };
        self.put(paths::rotation(&self.arn, number)?, &entry)?;
        self.record.current_material = Some(id.to_owned());
        self.record.materials = number.checked_add(1).ok_or(KmsError::Bug("a key has 2^32 materials"))?;
        Ok(())
    }

    fn store_as_current(&mut self, material: &NewMaterial, rotated: Option<Rotated>) -> Result<(), KmsError> {
        self.store_material(material)?;
        self.make_current(&material.id.to_string(), rotated)
    }

    fn store_material(&mut self, material: &NewMaterial) -> Result<(), KmsError> {
        self.put(paths::material(&self.arn, material.id)?, &material.record)
    }

    /// Moves the schedule on to its first date after `now`, whole periods from the date that was due.
    fn reschedule_rotation(&mut self, now: Timestamp) {
        if let Some(schedule) = self.record.rotation {
            self.schedule_rotation(schedule.after(now));
        }
    }

    /// Sets the schedule and notes its next date.
    pub(crate) fn schedule_rotation(&mut self, schedule: RotationSchedule) {
        self.unschedule_rotation();
        self.record.rotation = Some(schedule);
        self.schedule(DueWork::Rotate, Timestamp::from_millis(schedule.next_at));
    }

    /// Ends the schedule.
    pub(crate) fn unschedule_rotation(&mut self) {
        if let Some(schedule) = self.record.rotation.take() {
            self.unschedule(DueWork::Rotate, Timestamp::from_millis(schedule.next_at));
        }
    }
}

impl RotationSchedule {
    /// A schedule that begins at `now`: the first rotation is a whole period later.
    pub(crate) fn starting(now: Timestamp, period_days: u32) -> Self {
        Self { period_days, next_at: now.plus_days(period_days.into()).millis() }
    }

    /// The same schedule with its first date after `now`.
    fn after(self, now: Timestamp) -> Self {
        let period = i64::from(self.period_days).max(1).saturating_mul(MILLIS_PER_DAY);
        let behind = now.millis().saturating_sub(self.next_at);
        if behind < 0 {
            return self;
        }
        let periods = behind.div_euclid(period).saturating_add(1);
        Self { next_at: self.next_at.saturating_add(periods.saturating_mul(period)), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = MILLIS_PER_DAY;

    #[test]
    fn a_schedule_keeps_its_rhythm_however_late_it_is_run() {
        let schedule = RotationSchedule { period_days: 100, next_at: 100 * DAY };
        let next = |now: i64| schedule.after(Timestamp::from_millis(now)).next_at;
        assert_eq!(next(99 * DAY), 100 * DAY);
        assert_eq!(next(100 * DAY), 200 * DAY);
        assert_eq!(next(199 * DAY), 200 * DAY);
        assert_eq!(next(450 * DAY), 500 * DAY);
    }

    #[test]
    fn the_first_rotation_is_a_period_after_enabling() {
        let schedule = RotationSchedule::starting(Timestamp::from_millis(5), 90);
        assert_eq!(schedule.next_at, 90 * DAY + 5);
    }
}
