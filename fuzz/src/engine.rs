//! The fuzzer: one target, by the name in `KEYWRIGHT_FUZZ_TARGET`, under libFuzzer. `fuzz/run` builds and calls it.

#![no_main]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;

use fuzz::Target;

static TARGET: OnceLock<&'static Target> = OnceLock::new();

fn target() -> &'static Target {
    TARGET.get_or_init(|| {
        let name = std::env::var("KEYWRIGHT_FUZZ_TARGET").unwrap_or_default();
        Target::named(&name).unwrap_or_else(|| panic!("no target is named `{name}`"))
    })
}

fuzz_target!(|input: &[u8]| (target().run)(input));
