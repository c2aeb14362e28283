//! The length of files, and words that must not be committed.

use super::Finding;

/// The most lines of a Rust file that a person wrote, tests included.
const MOST_LINES: usize = 600;

/// Words that mean unfinished work. Written in two parts, so that this file does not hold them.
const UNFINISHED: [&str; 3] = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")];
const UNFINISHED_MACROS: [&str; 2] = [concat!("todo", "!("), concat!("unimplemented", "!(")];

/// What would build the feature for measuring as well.
const EVERY_FEATURE: &str = concat!("--all-", "features");

/// Hosts of package registries: the project names packages, not the mirrors that they came from.
const REGISTRIES: [&str; 6] = [
    concat!("static.", "crates.io"),
    concat!("index.", "crates.io"),
    concat!("files.", "pythonhosted.org"),
    concat!("registry.", "npmjs.org"),
    concat!("proxy.", "golang.org"),
    concat!("deb.", "debian.org"),
];

/// Files that package managers write, which name registries by nature.
const LOCK_FILES: [&str; 4] = ["Cargo.lock", "package-lock.json", "uv.lock", "go.sum"];

/// What is wrong with a file, by its path in the workspace and its text.
pub(crate) fn check(path: &str, text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.extend(too_long(path, text));
    let is_lock_file = path.rsplit('/').next().is_some_and(|name| LOCK_FILES.contains(&name));
    if is_lock_file {
        return findings;
    }
    for (at, line) in text.lines().enumerate() {
        if let Some(what) = banned(line) {
            findings.push(Finding { place: format!("{path}:{}", at + 1), what });
        }
    }
    findings
}

fn too_long(path: &str, text: &str) -> Option<Finding> {
    let lines = text.lines().count();
    let by_hand = path.ends_with(".rs") && !path.contains("/generated/");
    (by_hand && lines > MOST_LINES).then(|| Finding {
        place: format!("{path}:{lines}"),
        what: format!("{lines} lines; a file has at most {MOST_LINES}: split it by what it does"),
    })
}

/// What is wrong with a line, if anything is.
fn banned(line: &str) -> Option<String> {
    let word = UNFINISHED.iter().find(|word| has_word(line, word));
    if let Some(found) = word.or_else(|| UNFINISHED_MACROS.iter().find(|start| line.contains(**start))) {
        return Some(format!("`{found}`: finish it, or leave it out"));
    }
    if line.contains(EVERY_FEATURE) {
        return Some(format!(
            "`{EVERY_FEATURE}`: a build with every feature does not encrypt; name those that you want"
        ));
    }
    let host = REGISTRIES.iter().find(|host| line.contains(**host))?;
    Some(format!("`{host}`: name the package, not the registry's host"))
}

/// Whether the word stands in the line by itself.
fn has_word(line: &str, word: &str) -> bool {
    let part_of_word = |character: Option<char>| character.is_some_and(|c| c.is_alphanumeric() || c == '_');
    line.match_indices(word).any(|(at, _)| {
        let before = line.get(..at).and_then(|before| before.chars().next_back());
        let after = line.get(at + word.len()..).and_then(|after| after.chars().next());
        !part_of_word(before) && !part_of_word(after)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> Vec<String> {
        check(path, text).iter().map(Finding::to_string).collect()
    }

    #[test]
    fn nothing_is_built_with_every_feature() {
        assert_eq!(found("Makefile", &format!("cargo test {EVERY_FEATURE}\n")).len(), 1);
        assert_eq!(found("Makefile", "cargo test --features measure-copy\n"), [""; 0]);
    }

    #[test]
    fn unfinished_work_is_found_with_its_line() {
        for word in UNFINISHED {
            assert_eq!(
                found("docs/a.md", &format!("fine\n// {word}: later\n")),
                [format!("docs/a.md:2: `{word}`: finish it, or leave it out")]
            );
            assert_eq!(
                found("docs/a.md", &format!("method_{word}s, {word}Y, {}\n", word.to_lowercase())),
                [""; 0]
            );
        }
        for start in UNFINISHED_MACROS {
            assert_eq!(found("a.rs", &format!("fn f() {{ {start}) }}\n")).len(), 1);
            assert_eq!(found("a.rs", &format!("fn {}() {{}}\n", start.replace("!(", ""))), [""; 0]);
        }
    }

    #[test]
    fn registries_are_named_in_lock_files_only() {
        for host in REGISTRIES {
            let text = format!("from https://{host}/x\n");
            assert!(found("docs/a.md", &text)[0].starts_with("docs/a.md:1: "));
            assert_eq!(found("Cargo.lock", &text), [""; 0]);
            assert_eq!(found("e2e/javascript/package-lock.json", &text), [""; 0]);
            assert_eq!(found("docs/Cargo.lock.md", &text).len(), 1);
        }
        assert_eq!(found("docs/a.md", "see https://docs.aws.amazon.com/kms/\n"), [""; 0]);
    }

    #[test]
    fn long_files_are_found_if_a_person_wrote_them() {
        let lines = |count: usize| "//\n".repeat(count);
        assert_eq!(found("crates/kms/src/a.rs", &lines(600)), [""; 0]);
        assert!(
            found("crates/kms/src/a.rs", &lines(601))[0].starts_with("crates/kms/src/a.rs:601: 601 lines")
        );
        assert_eq!(found("crates/wire/src/kms/generated/a.rs", &lines(601)), [""; 0]);
        assert_eq!(found("models/a.json", &lines(601)), [""; 0]);
    }
}
