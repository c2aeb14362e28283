//! Lays out what libFuzzer begins with: `prepare <folder>` makes `<target>/seeds/` and `<target>/words` for each target
//! and prints the targets' names.

#![expect(clippy::expect_used, clippy::print_stdout, clippy::unwrap_used, reason = "all of this is a test")]

use std::fmt::Write as _;
use std::path::PathBuf;

use fuzz::{TARGETS, Target, regressions};

fn main() {
    let folder = PathBuf::from(std::env::args_os().nth(1).expect("usage: prepare <folder>"));
    for target in &TARGETS {
        let place = folder.join(target.name);
        let seeds = place.join("seeds");
        std::fs::create_dir_all(&seeds).unwrap();
        for (number, seed) in (target.seeds)().into_iter().chain(regressions(target.name)).enumerate() {
            std::fs::write(seeds.join(format!("{number:05}")), seed).unwrap();
        }
        std::fs::write(place.join("words"), dictionary(target)).unwrap();
        println!("{}", target.name);
    }
}

/// <https://llvm.org/docs/LibFuzzer.html#dictionaries>
fn dictionary(target: &Target) -> String {
    target.words.iter().fold(String::new(), |mut text, word| {
        let escaped: String = word.bytes().map(|byte| format!("\\x{byte:02x}")).collect();
        writeln!(text, "\"{escaped}\"").unwrap();
        text
    })
}
