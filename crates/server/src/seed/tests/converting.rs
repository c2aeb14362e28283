//! Seed files of local-kms.

use base::{AccountId, Region};
use proptest::prelude::*;

use super::super::convert::{ConvertError, Converted, convert};
use super::super::file::{Purpose, SeedFile};
use super::{corpus, marked};

fn account() -> AccountId {
    "111122223333".parse().unwrap()
}

fn region() -> Region {
    "eu-west-2".parse().unwrap()
}

fn converted(yaml: &str) -> Result<Converted, ConvertError> {
    convert(yaml, account(), region())
}

#[test]
fn every_file_becomes_what_the_corpus_says() {
    let expected = corpus("local-kms", "toml");
    for (name, yaml) in corpus("local-kms", "yaml") {
        let result = converted(&yaml);
        let Some((_, toml)) = expected.iter().find(|(found, _)| *found == name) else {
            let message = result.err().unwrap().to_string();
            let expected = marked(&yaml, "expect:");
            assert!(!expected.is_empty(), "{name}");
            for part in expected {
                assert!(message.contains(part), "{name}: {part:?} is not in:\n{message}");
            }
            continue;
        };
        let Converted { toml: found, notes } = result.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(found.starts_with("# Converted from a seed file of local-kms."), "{name}");
        let [found, expected] = [&found, toml].map(|text| toml::from_str::<toml::Value>(text).unwrap());
        assert_eq!(found, expected, "{name}");
        for part in marked(&yaml, "note:") {
            assert!(notes.iter().any(|note| note.contains(part)), "{name}: {part:?} is not in {notes:#?}");
        }
    }
}

#[test]
fn what_comes_out_is_a_seed_file() {
    for (name, toml) in corpus("local-kms", "toml") {
        let seed = SeedFile::parse(&name, &toml, Purpose::Development).unwrap();
        assert_eq!(seed.accounts[0].id, account(), "{name}");
        assert!(seed.accounts[0].keys.iter().all(|key| key.region == region()), "{name}");
    }
}

#[test]
fn no_message_tells_material() {
    for (name, yaml) in corpus("local-kms", "yaml") {
        let message = match converted(&yaml) {
            Ok(converted) => converted.notes.join("\n"),
            Err(error) => error.to_string(),
        };
        for material in ["000102", "202122", "AAECAw", "BEGIN EC"] {
            assert!(!message.contains(material), "{name}: {message}");
        }
    }
}

#[test]
fn hostile_files_are_refused() {
    let deep = format!("Keys: {}{}", "[".repeat(100_000), "]".repeat(100_000));
    let long = format!("Keys: [{}]", "a,".repeat(400_000));
    let huge = "#".repeat(2 * 1_024 * 1_024);
    let documents = "---\nKeys: {}\n".repeat(10_000);
    for yaml in [&deep, &long, &huge, &documents] {
        assert!(converted(yaml).is_err());
    }
}

#[test]
fn aliases_cannot_make_a_small_file_large() {
    let key = |material: &str| {
        format!("- Metadata: {{KeyId: bc436485-5092-42b8-92a3-0aa8b93536dc}}\n  BackingKeys: {material}\n")
    };
    let anchored = |items: usize| format!("&a [{}]", "ab,".repeat(items));
    let few = format!("Keys:\n{}{}", key(&anchored(10)), key("*a").repeat(10));
    assert!(matches!(converted(&few), Err(ConvertError::Nothing { .. })), "read, though no key is right");
    for (items, repeats) in [(10_000, 30), (10, 1_000), (200_000, 2)] {
        let yaml = format!("Keys:\n{}{}", key(&anchored(items)), key("*a").repeat(repeats));
        assert!(matches!(converted(&yaml), Err(ConvertError::Form { .. })), "{items} times {repeats}");
    }
}

proptest! {
    #[test]
    fn no_text_breaks_the_converter(text in any::<String>()) {
        let _ = converted(&text);
        let _ = converted(&format!("Keys:\n- {text}\n"));
    }

    #[test]
    fn material_survives(bytes: [u8; 32], upper: bool) {
        let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let digits = if upper { digits.to_uppercase() } else { digits };
        let yaml = format!(
            "Keys:\n- Metadata: {{KeyId: bc436485-5092-42b8-92a3-0aa8b93536dc}}\n  BackingKeys:\n  - {digits}\n"
        );
        let toml = converted(&yaml).unwrap().toml;
        let seed = SeedFile::parse("converted", &toml, Purpose::Development).unwrap();
        prop_assert_eq!(seed.accounts[0].keys[0].material[0].expose(), &bytes);
    }

    #[test]
    fn any_description_survives(description in "[^\\p{Cc}\\u{2028}\\u{2029}\\u{feff}]{1,40}") {
        let quoted = format!("'{}'", description.replace('\'', "''"));
        let yaml = format!(
            "Keys:\n- Metadata: {{KeyId: bc436485-5092-42b8-92a3-0aa8b93536dc, Description: {quoted}}}\n  \
             BackingKeys: [{}]\n",
            "ab".repeat(32)
        );
        let toml = converted(&yaml).unwrap().toml;
        let seed = SeedFile::parse("converted", &toml, Purpose::Development).unwrap();
        prop_assert_eq!(&seed.accounts[0].keys[0].description, &description);
    }
}
