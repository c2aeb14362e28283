//! What a decision takes: `cargo bench -p policy --bench decisions`.

#![allow(dead_code, reason = "the tests use the rest of these modules")]
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a measurement"
)]

mod caller;
mod case;
mod context;
mod corpus;
mod typical;

use divan::{Bencher, black_box};
use policy::decide;
use serde_json::Value;

use case::Case;
use corpus::Theme;

fn main() {
    divan::main();
}

/// A key policy of three statements and three identity policies.
#[divan::bench]
fn a_typical_decision(bencher: Bencher<'_, '_>) {
    measure(bencher, typical::typical());
}

/// A key policy of 32 KB and 261 statements, and three identity policies.
#[divan::bench]
fn a_decision_over_a_large_key_policy(bencher: Bencher<'_, '_>) {
    measure(bencher, typical::large());
}

fn measure(bencher: Bencher<'_, '_>, case: Value) {
    let (theme, case) = (Theme::default(), serde_json::from_value::<Case>(case).unwrap());
    case.build(&theme).unwrap().request(|request, identity, resource| {
        bencher.bench_local(|| decide(black_box(request), identity, resource).is_allowed());
    });
}
