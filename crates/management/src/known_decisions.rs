//! The decisions that are known with their reasons, in memory: the latest ones, as many as there is room for.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use audit::KnownReasons;
use base::{AccountId, RequestId};
use policy::{Reasons, Witness};

/// Checks of one request that are kept. No operation has more than a few.
const CHECKS_MAX: usize = 16;

/// A witness that keeps what it is told, for whoever asks why.
pub struct KnownDecisions {
    keeps_allowed: bool,
    bytes_max: usize,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    requests: HashMap<RequestId, Vec<Reasons>>,
    /// The requests, oldest first.
    order: VecDeque<RequestId>,
    bytes: usize,
}

impl KnownDecisions {
    /// Keeps decisions in about `bytes_max` bytes of memory: all that deny, and if `keeps_allowed` those that allow.
    pub fn new(bytes_max: usize, keeps_allowed: bool) -> Self {
        Self { keeps_allowed, bytes_max, known: Mutex::default() }
    }

    /// What an account may know of the decisions about a request, in the order in which they were taken; none if there
    /// are none, or none that concern the account.
    pub(crate) fn of(&self, request: RequestId, account: AccountId) -> Vec<Reasons> {
        let known = self.known();
        let checks = known.requests.get(&request).into_iter().flatten();
        checks.filter_map(|reasons| reasons.clone().told_to(account)).collect()
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Witness for KnownDecisions {
    fn wants(&self, is_allowed: bool) -> bool {
        self.bytes_max > 0 && (self.keeps_allowed || !is_allowed)
    }

    fn note(&self, request: RequestId, reasons: Reasons) {
        let mut known = self.known();
        known.add(request, reasons);
        while known.bytes > self.bytes_max && known.forget_oldest() {}
    }
}

impl KnownReasons for KnownDecisions {
    /// With both sides: they stay with the operator, and [`told_from`] tells each account its own.
    fn of_request(&self, request: RequestId) -> Option<Vec<u8>> {
        serde_json::to_vec(self.known().requests.get(&request)?).ok()
    }
}

/// What an account may know of decisions that [`KnownDecisions`] gave for the audit log; none if they are not to be read.
pub(crate) fn told_from(log: &[u8], account: AccountId) -> Vec<Reasons> {
    let checks: Vec<Reasons> = serde_json::from_slice(log).unwrap_or_default();
    checks.into_iter().filter_map(|reasons| reasons.told_to(account)).collect()
}

impl Known {
    fn add(&mut self, request: RequestId, reasons: Reasons) {
        let checks = self.requests.entry(request).or_insert_with(|| {
            self.order.push_back(request);
            Vec::new()
        });
        if checks.len() < CHECKS_MAX {
            self.bytes = self.bytes.saturating_add(reasons.weight());
            checks.push(reasons);
        }
    }

    fn forget_oldest(&mut self) -> bool {
        let Some(oldest) = self.order.pop_front() else { return false };
        let checks = self.requests.remove(&oldest).unwrap_or_default();
        let weight = checks.iter().map(Reasons::weight).sum();
        self.bytes = self.bytes.saturating_sub(weight);
        true
    }
}

#[cfg(test)]
mod tests {
    use base::{Caller, Principal};

    use super::*;

    const ACCOUNT: &str = "111122223333";

    fn account(id: &str) -> AccountId {
        id.parse().unwrap()
    }

    fn id(number: u8) -> RequestId {
        RequestId::new([number; 16])
    }

    fn reasons(action: &str) -> Reasons {
        let caller = Caller {
            account: account(ACCOUNT),
            principal: Principal::Root,
            access_key_id: String::new(),
            session: None,
        };
        let check = (action.to_owned(), None, account(ACCOUNT));
        Reasons::refused(&caller, check, "it is a test", "no".to_owned())
    }

    fn actions(known: &KnownDecisions, request: RequestId) -> Vec<String> {
        known.of(request, account(ACCOUNT)).into_iter().map(|reasons| reasons.action).collect()
    }

    #[test]
    fn the_checks_of_a_request_are_told_in_their_order_to_those_concerned() {
        let known = KnownDecisions::new(100_000, false);
        for action in ["kms:ReEncryptFrom", "kms:ReEncryptTo"] {
            known.note(id(1), reasons(action));
        }
        assert_eq!(actions(&known, id(1)), ["kms:ReEncryptFrom", "kms:ReEncryptTo"]);
        assert!(actions(&known, id(2)).is_empty());
        assert!(known.of(id(1), account("444455556666")).is_empty());
    }

    #[test]
    fn denials_are_wanted_and_allowances_if_it_is_said() {
        let of = |keeps_allowed| KnownDecisions::new(1_000, keeps_allowed);
        assert!(of(false).wants(false) && !of(false).wants(true));
        assert!(of(true).wants(false) && of(true).wants(true));
        let off = KnownDecisions::new(0, true);
        assert!(!off.wants(false) && !off.wants(true));
    }

    #[test]
    fn the_oldest_are_forgotten_when_there_is_no_room() {
        let room = 10 * reasons("kms:Decrypt").weight();
        let known = KnownDecisions::new(room, false);
        for number in 0..100 {
            known.note(id(number), reasons("kms:Decrypt"));
        }
        let left = (0..100).filter(|number| !actions(&known, id(*number)).is_empty()).collect::<Vec<u8>>();
        assert_eq!(left, (90..100).collect::<Vec<u8>>());
        assert!(known.known().bytes <= room);
    }

    #[test]
    fn one_request_cannot_take_all_the_room() {
        let known = KnownDecisions::new(usize::MAX, false);
        for _ in 0..100 {
            known.note(id(1), reasons("kms:Decrypt"));
        }
        assert_eq!(actions(&known, id(1)).len(), CHECKS_MAX);
        assert!(known.known().forget_oldest());
        assert_eq!(known.known().bytes, 0);
    }
}
