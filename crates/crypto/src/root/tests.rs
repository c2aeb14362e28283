//! The root file from outside: made, opened, refused, changed.

use super::*;
use std::fs::Permissions;

use testkit::SeededRandomness;

const BINDING: &str = "test";

struct Scene {
    folder: tempfile::TempDir,
    randomness: SeededRandomness,
}

impl Scene {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), randomness: SeededRandomness::new(1) }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("root.json")
    }

    fn create(&self, protection: Protection<'_>) -> RootFile {
        RootFile::create(&self.path(), protection, &self.randomness).ok().unwrap()
    }

    fn open(&self) -> RootFile {
        RootFile::open(&self.path()).ok().unwrap()
    }

    fn open_error(&self) -> RootError {
        RootFile::open(&self.path()).err().unwrap()
    }

    fn seal(&self, root: &RootKey) -> Sealed {
        root.seal(&Binding::new(BINDING), b"secret", &self.randomness).unwrap()
    }
}

fn passphrase(text: &str) -> SecretString {
    SecretString::new(text.into())
}

fn opens(root: &RootKey, sealed: &Sealed) -> bool {
    root.open(&Binding::new(BINDING), sealed).is_ok()
}

fn unlock_error(file: &RootFile, passphrase: Option<&SecretString>) -> RootError {
    file.unlock(passphrase).err().unwrap()
}

#[test]
fn a_plain_root_reads_back_and_takes_no_passphrase() {
    let scene = Scene::new();
    let sealed = scene.seal(&scene.create(Protection::Plain).unlock(None).ok().unwrap());
    let file = scene.open();
    assert!(!file.needs_passphrase());
    assert!(opens(&file.unlock(None).ok().unwrap(), &sealed));
    let unused = unlock_error(&file, Some(&passphrase("correct horse")));
    assert!(matches!(unused, RootError::PassphraseUnused { .. }));
    let text = fs::read_to_string(scene.path()).unwrap();
    assert!(text.contains("For development only"), "{text}");
}

#[test]
fn only_the_right_passphrase_unlocks() {
    let (scene, right) = (Scene::new(), passphrase("correct horse"));
    let sealed = scene.seal(&scene.create(Protection::Passphrase(&right)).unlock(Some(&right)).ok().unwrap());
    let file = scene.open();
    assert!(file.needs_passphrase());
    assert!(opens(&file.unlock(Some(&right)).ok().unwrap(), &sealed));
    let wrong = unlock_error(&file, Some(&passphrase("correct horse ")));
    assert!(matches!(wrong, RootError::WrongPassphrase { .. }), "{wrong}");
    assert!(matches!(unlock_error(&file, None), RootError::PassphraseNeeded { .. }));
    assert!(matches!(unlock_error(&file, Some(&passphrase(""))), RootError::EmptyPassphrase));
}

#[test]
fn an_empty_passphrase_makes_no_file() {
    let scene = Scene::new();
    let refused = RootFile::create(&scene.path(), Protection::Passphrase(&passphrase("")), &scene.randomness);
    assert!(matches!(refused.err().unwrap(), RootError::EmptyPassphrase));
    assert!(matches!(scene.open_error(), RootError::Missing { .. }));
}

#[test]
fn a_new_root_never_replaces_one() {
    let scene = Scene::new();
    scene.create(Protection::Plain);
    let before = fs::read(scene.path()).unwrap();
    let refused = RootFile::create(&scene.path(), Protection::Plain, &scene.randomness);
    assert!(matches!(refused.err().unwrap(), RootError::Exists { .. }));
    assert_eq!(fs::read(scene.path()).unwrap(), before);
}

#[test]
fn two_roots_differ() {
    let (one, other) = (Scene::new(), Scene::new());
    other.randomness.fill(&mut [0; 8]).unwrap();
    let sealed = one.seal(&one.create(Protection::Plain).unlock(None).ok().unwrap());
    assert!(!opens(&other.create(Protection::Plain).unlock(None).ok().unwrap(), &sealed));
}

#[test]
fn a_change_of_protection_keeps_the_root_key() {
    let (scene, first, second) = (Scene::new(), passphrase("first"), passphrase("second"));
    let mut file = scene.create(Protection::Plain);
    let sealed = scene.seal(&file.unlock(None).ok().unwrap());
    file.change_protection(None, Protection::Passphrase(&first), &scene.randomness).unwrap();
    file.change_protection(Some(&first), Protection::Passphrase(&second), &scene.randomness).unwrap();
    for file in [&file, &scene.open()] {
        assert!(opens(&file.unlock(Some(&second)).ok().unwrap(), &sealed));
        assert!(matches!(unlock_error(file, Some(&first)), RootError::WrongPassphrase { .. }));
    }
    assert_eq!(fs::metadata(scene.path()).unwrap().permissions().mode() & 0o7777, 0o600);
}

#[test]
fn a_refused_change_leaves_the_file_alone() {
    let (scene, right) = (Scene::new(), passphrase("right"));
    let mut file = scene.create(Protection::Passphrase(&right));
    let before = fs::read(scene.path()).unwrap();
    let wrong = file.change_protection(Some(&passphrase("wrong")), Protection::Plain, &scene.randomness);
    assert!(matches!(wrong.unwrap_err(), RootError::WrongPassphrase { .. }));
    let empty = Protection::Passphrase(&passphrase(""));
    let refused = file.change_protection(Some(&right), empty, &scene.randomness);
    assert!(matches!(refused.unwrap_err(), RootError::EmptyPassphrase));
    assert_eq!(fs::read(scene.path()).unwrap(), before);
}

#[test]
fn a_file_that_others_may_touch_is_refused_with_the_command_to_run() {
    let scene = Scene::new();
    scene.create(Protection::Plain);
    for mode in [0o640, 0o604, 0o660, 0o601, 0o777] {
        fs::set_permissions(scene.path(), Permissions::from_mode(mode)).unwrap();
        let refused = scene.open_error();
        assert!(matches!(refused, RootError::OpenToOthers { .. }), "{mode:o}");
        assert!(refused.to_string().contains(&format!("chmod 600 '{}'", scene.path().display())));
    }
    fs::set_permissions(scene.path(), Permissions::from_mode(0o400)).unwrap();
    assert!(RootFile::open(&scene.path()).is_ok());
}

#[test]
fn damage_is_told_from_a_wrong_passphrase() {
    let (scene, right) = (Scene::new(), passphrase("right"));
    scene.create(Protection::Passphrase(&right));
    let good = fs::read_to_string(scene.path()).unwrap();
    let changed = good.replacen("\"passes\": 3", "\"passes\": 4", 1);
    assert_ne!(changed, good);
    let half: String = good.chars().take(good.len() / 2).collect();
    let long = format!("{good}{}", " ".repeat(16 * 1024));
    for bad in ["", "{}", "null", &half, &changed, &long] {
        fs::write(scene.path(), bad).unwrap();
        assert!(matches!(scene.open_error(), RootError::Damaged { .. }), "{bad:.80}");
    }
    fs::write(scene.path(), good).unwrap();
    assert!(scene.open().unlock(Some(&right)).is_ok());
}

#[test]
fn a_newer_file_and_a_folder_are_named_as_such() {
    let scene = Scene::new();
    scene.create(Protection::Plain);
    fs::write(scene.path(), r#"{"version": 7}"#).unwrap();
    assert!(matches!(scene.open_error(), RootError::Newer { version: 7, .. }));
    let folder = RootFile::open(scene.folder.path()).err().unwrap();
    assert!(matches!(folder, RootError::Io { what: "read", .. }), "{folder}");
}
