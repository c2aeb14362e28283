//! Whom backups are encrypted to.

use std::path::{Path, PathBuf};

use crypto::age::{Recipient, read_recipients};

/// It is not clear whom a backup is for.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RecipientsError {
    #[error(
        "there is nobody who could open the backup: name a recipient with --recipient or --recipients-file, or in the setting \
         backup.recipients; `keywright backup new-identity` makes one"
    )]
    Nobody,
    #[error(
        "{0} is not among the recipients in the setting backup.recipients, and a backup is for those alone: leave it out, or \
         change the setting"
    )]
    NotConfigured(Recipient),
    #[error("the file of recipients {} cannot be read: {reason}", path.display())]
    Unreadable { path: PathBuf, reason: String },
    #[error(
        "line {line} of {} is no age recipient of the kind X25519: such a one is `age1` and 58 small letters and digits",
        path.display()
    )]
    NoRecipient { path: PathBuf, line: usize },
}

/// Those who are configured; if none is, those who are named. Who is named must be configured, if anybody is.
pub(crate) fn chosen(
    configured: &[Recipient],
    named: &[Recipient],
    file: Option<&Path>,
) -> Result<Vec<Recipient>, RecipientsError> {
    let mut named = named.to_vec();
    if let Some(path) = file {
        named.extend(read(path)?);
    }
    if let Some(other) = named.iter().find(|named| !configured.is_empty() && !configured.contains(named)) {
        return Err(RecipientsError::NotConfigured(*other));
    }
    let chosen = if configured.is_empty() { named } else { configured.to_vec() };
    if chosen.is_empty() { Err(RecipientsError::Nobody) } else { Ok(chosen) }
}

fn read(path: &Path) -> Result<Vec<Recipient>, RecipientsError> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| RecipientsError::Unreadable { path: path.to_owned(), reason: error.to_string() })?;
    read_recipients(&text).map_err(|line| RecipientsError::NoRecipient { path: path.to_owned(), line })
}

#[cfg(test)]
mod tests {
    use crypto::age::Identity;
    use testkit::SeededRandomness;

    use super::*;

    fn recipient(seed: u64) -> Recipient {
        Identity::draw(&SeededRandomness::new(seed)).unwrap().recipient()
    }

    #[test]
    fn the_configuration_decides_and_otherwise_whoever_makes_the_backup() {
        let (one, two, three) = (recipient(1), recipient(2), recipient(3));
        let choose = |configured: &[Recipient], named: &[Recipient]| chosen(configured, named, None);
        assert_eq!(choose(&[one, two], &[]).unwrap(), [one, two]);
        assert_eq!(choose(&[one, two], &[two]).unwrap(), [one, two]);
        assert_eq!(choose(&[], &[three]).unwrap(), [three]);
        assert!(
            matches!(choose(&[one], &[one, two]), Err(RecipientsError::NotConfigured(other)) if other == two)
        );
        assert!(matches!(choose(&[], &[]), Err(RecipientsError::Nobody)));
    }

    #[test]
    fn a_file_names_recipients_and_a_wrong_line_is_told() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("recipients");
        std::fs::write(&path, format!("# ours\n{}\n", recipient(1))).unwrap();
        assert_eq!(chosen(&[], &[recipient(2)], Some(&path)).unwrap(), [recipient(2), recipient(1)]);
        std::fs::write(&path, "# ours\nssh-ed25519 AAAA\n").unwrap();
        assert!(matches!(chosen(&[], &[], Some(&path)), Err(RecipientsError::NoRecipient { line: 2, .. })));
        let none = place.path().join("none");
        assert!(matches!(chosen(&[], &[], Some(&none)), Err(RecipientsError::Unreadable { .. })));
    }
}
