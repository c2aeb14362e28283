//! What is taken and what is refused.

use identity::ManagedPolicyArn;
use proptest::prelude::*;

use super::super::file::{Purpose, SeedError, SeedFile};
use super::{corpus, marked};

fn accepted(name: &str) -> SeedFile {
    let files = corpus("accepted", "toml");
    let (_, text) = files.iter().find(|(found, _)| found == name).unwrap();
    SeedFile::parse(name, text, Purpose::Development).unwrap()
}

fn refusal(text: &str, purpose: Purpose) -> SeedError {
    SeedFile::parse("seed.toml", text, purpose).err().unwrap()
}

#[test]
fn every_accepted_file_is_taken() {
    for (name, text) in corpus("accepted", "toml") {
        let taken = SeedFile::parse(&name, &text, Purpose::Development);
        assert!(taken.is_ok(), "{name}: {}", taken.err().unwrap());
    }
}

#[test]
fn every_refused_file_is_refused_with_its_line_and_reason() {
    for (name, text) in corpus("refused", "toml") {
        let expected = marked(&text, "expect:");
        assert!(!expected.is_empty(), "{name}");
        for purpose in [Purpose::Production, Purpose::Development] {
            let message = refusal(&text, purpose).to_string();
            for part in &expected {
                assert!(message.contains(part), "{name}: {part:?} is not in:\n{message}");
            }
            assert!(message.starts_with("seed file seed.toml, line "), "{name}: {message}");
        }
    }
}

#[test]
fn no_refusal_tells_a_secret() {
    for (name, text) in corpus("refused", "toml") {
        let message = refusal(&text, Purpose::Production).to_string();
        for secret in ["wJalr", "8111122", "expected nothing", "AAECAw", "no base64"] {
            assert!(!message.contains(secret), "{name}: {message}");
        }
    }
}

#[test]
fn the_documented_form_means_what_it_says() {
    let seed = accepted("documented");
    let [account] = seed.accounts.as_slice() else { panic!() };
    assert_eq!(account.id.to_string(), "123456789012");
    let [user] = account.users.as_slice() else { panic!() };
    assert_eq!((user.name.as_str(), user.path.as_str()), ("admin", "/"));
    assert_eq!(user.managed_policies[0].as_str(), "arn:aws:iam::aws:policy/AdministratorAccess");
    assert_eq!(user.access_keys[0].id.as_str(), "AKIAIOSFODNN7EXAMPLE");
    assert_eq!(user.access_keys[0].secret.expose(), "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
    let [key] = account.keys.as_slice() else { panic!() };
    assert_eq!(key.region.as_str(), "eu-central-1");
    assert_eq!(key.id.to_string(), "1234abcd-12ab-34cd-56ef-1234567890ab");
    assert_eq!(key.aliases, ["alias/app"]);
    assert!(key.enabled && key.description.is_empty() && key.policy.is_none());
    assert!(key.tags.is_empty() && key.material.is_empty());
}

#[test]
fn every_name_of_the_form_is_read() {
    let seed = accepted("everything");
    let alice = &seed.accounts[0].users[0];
    assert_eq!((alice.name.as_str(), alice.path.as_str()), ("Alice", "/ops/"));
    assert_eq!(alice.managed_policies[1].as_str(), "arn:aws:iam::000000000042:policy/team/Own");
    assert_eq!(alice.access_keys[1].id.as_str(), "test_2");
    let nobody = &seed.accounts[0].users[1];
    assert_eq!(nobody.managed_policies, [ManagedPolicyArn::administrator_access()], "unless told otherwise");
    let [disabled, enabled] = seed.accounts[0].keys.as_slice() else { panic!() };
    assert_eq!(disabled.description, "Schlüssel für alles");
    assert_eq!(disabled.policy.as_deref(), Some("{\"Version\": \"2012-10-17\", \"Statement\": []}\n"));
    assert_eq!(disabled.aliases, ["alias/app", "alias/team/app_2"]);
    let tags = [("cost center", "42"), ("owner", "")].map(|(key, value)| (key.to_owned(), value.to_owned()));
    assert_eq!(disabled.tags, tags);
    assert!(!disabled.enabled && enabled.enabled);
    assert_eq!(enabled.id, disabled.id);
    assert_eq!(seed.accounts[1].users[0].name.as_str(), "alice");
}

#[test]
fn a_user_can_be_without_policies() {
    let text = |policies: &str| {
        format!("[[account]]\nid = \"123456789012\"\n[[account.user]]\nname = \"a\"\n{policies}")
    };
    let policies = |text: &str| -> usize {
        let seed = SeedFile::parse("seed.toml", text, Purpose::Production).unwrap();
        seed.accounts[0].users[0].managed_policies.len()
    };
    assert_eq!(policies(&text("managed_policies = []")), 0);
    assert_eq!(policies(&text("")), 1);
}

#[test]
fn material_is_for_tests_and_comes_oldest_first() {
    let seed = accepted("material");
    let [once, rotated] = seed.accounts[0].keys.as_slice() else { panic!() };
    let counting = |from: u8| std::array::from_fn::<u8, 32, _>(|at| from + u8::try_from(at).unwrap());
    assert_eq!(once.material[0].expose(), &counting(0));
    assert_eq!(rotated.material[0].expose(), &counting(0));
    assert_eq!(rotated.material[1].expose(), &counting(32));

    let (_, text) = corpus("accepted", "toml").into_iter().find(|(name, _)| name == "material").unwrap();
    let message = refusal(&text, Purpose::Production).to_string();
    assert!(message.contains("line 6: key material in a seed file is for tests"), "{message}");
    assert!(message.contains("start with --dev"), "{message}");
}

#[test]
fn development_has_a_seed_of_its_own() {
    let seed = SeedFile::development().unwrap();
    let [account] = seed.accounts.as_slice() else { panic!() };
    let [user] = account.users.as_slice() else { panic!() };
    assert_eq!(account.id.to_string(), "000000000000");
    assert_eq!(user.name.as_str(), "test");
    assert_eq!(user.managed_policies[0].as_str(), "arn:aws:iam::aws:policy/AdministratorAccess");
    assert_eq!(user.access_keys[0].id.as_str(), "test");
    assert_eq!(user.access_keys[0].secret.expose(), "test");
}

#[test]
fn files_that_cannot_be_read_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("seed.toml");
    let missing = SeedFile::read(&path, Purpose::Production).err().unwrap();
    assert!(matches!(missing, SeedError::Unreadable { .. }));
    assert!(missing.to_string().contains("seed.toml"));
    std::fs::write(&path, [0xff, 0xfe]).unwrap();
    assert!(matches!(SeedFile::read(&path, Purpose::Production), Err(SeedError::NotText { .. })));
    std::fs::write(&path, vec![b'#'; 4 * 1_024 * 1_024 + 1]).unwrap();
    assert!(matches!(SeedFile::read(&path, Purpose::Production), Err(SeedError::TooLarge { .. })));
    std::fs::write(&path, "[[account]]\nid = \"111122223333\"\n").unwrap();
    assert_eq!(SeedFile::read(&path, Purpose::Production).unwrap().accounts.len(), 1);
}

#[test]
fn problems_are_told_together_but_not_without_end() {
    let text = "[[account]]\nid = \"1\"\n".repeat(1_000);
    let SeedError::Invalid { problems, .. } = refusal(&text, Purpose::Production) else { panic!() };
    assert_eq!(problems.len(), 20);
}

proptest! {
    #[test]
    fn no_text_breaks_the_reader(text in any::<String>()) {
        let _ = SeedFile::parse("seed.toml", &text, Purpose::Development);
    }

    #[test]
    fn no_value_breaks_the_reader(
        name in "(id|user|key|region|material|tags|secret|access_key|aliases|policy)",
        value in "(\"\\PC{0,8}\"|[0-9]{1,20}|\\[\\]|\\[\\[\\]\\]|\\{ *\\}|\\{ ?a ?= ?1 ?\\}|true|1979-05-27)",
    ) {
        let account = format!("[[account]]\nid = \"111122223333\"\n{name} = {value}\n");
        let key = format!("[[account]]\nid = \"111122223333\"\n[[account.key]]\n{name} = {value}\n");
        for text in [account, key] {
            let _ = SeedFile::parse("seed.toml", &text, Purpose::Development);
        }
    }

    #[test]
    fn a_secret_reads_back_as_it_was_written(secret in "[!-~]{1,128}") {
        let quoted = toml::Value::String(secret.clone());
        let text = format!(
            "[[account]]\nid = \"111122223333\"\n[[account.user]]\nname = \"a\"\n\
             [[account.user.access_key]]\nid = \"a\"\nsecret = {quoted}\n"
        );
        let seed = SeedFile::parse("seed.toml", &text, Purpose::Production).unwrap();
        prop_assert_eq!(seed.accounts[0].users[0].access_keys[0].secret.expose(), secret);
    }
}

#[test]
fn the_bounds_of_a_key_are_exact() {
    let key = |aliases: usize, materials: usize, tags: usize, description: usize| {
        let aliases: Vec<String> = (0..aliases).map(|number| format!("\"alias/{number}\"")).collect();
        let material = vec!["\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\""; materials].join(",");
        let tags: String = (0..tags).map(|number| format!("tags.t{number} = \"\"\n")).collect();
        let text = format!(
            "[[account]]\nid = \"111122223333\"\n[[account.key]]\nregion = \"eu-central-1\"\n\
             id = \"1234abcd-12ab-34cd-56ef-1234567890ab\"\ndescription = \"{}\"\naliases = [{}]\n\
             material = [{material}]\n{tags}",
            "ä".repeat(description),
            aliases.join(",")
        );
        SeedFile::parse("seed.toml", &text, Purpose::Development).map(|_| ())
    };
    assert!(key(50, 32, 50, 8_192).is_ok());
    for (over, what) in [
        (key(51, 1, 0, 0), "51 aliases, but at most 50"),
        (key(0, 33, 0, 0), "33 materials, but at most 32"),
        (key(0, 1, 51, 0), "51 tags, but at most 50"),
        (key(0, 1, 0, 8_193), "a description has at most 8192 characters"),
    ] {
        let message = over.err().unwrap().to_string();
        assert!(message.contains(what), "{message}");
    }
}
