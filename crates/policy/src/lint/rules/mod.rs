//! The rules, in families: each family looks at a document once.

mod actions;
mod breadth;
mod callers;
mod conditions;
mod control;
mod organization;
mod outsider;
mod principals;
mod redundancy;
mod resources;
mod services;
mod trust;
mod values;

use super::document::{Document, Findings};
use super::rule::Rule;

/// Rules that are looked after together.
pub(super) struct Family {
    pub(super) rules: &'static [Rule],
    pub(super) check: fn(&Document<'_>, &mut Findings),
}

/// All of them; the rules of the documentation stand in this order.
pub(super) const FAMILIES: &[Family] = &[
    control::FAMILY,
    callers::FAMILY,
    services::FAMILY,
    principals::FAMILY,
    trust::FAMILY,
    actions::FAMILY,
    resources::FAMILY,
    conditions::FAMILY,
    values::FAMILY,
    breadth::FAMILY,
    redundancy::FAMILY,
    organization::FAMILY,
];
