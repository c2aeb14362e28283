//! What the name of a delivered file says.

use base::Timestamp;

/// A digest chain or the files of one: whose they are, and of which Region.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Owner {
    /// Everything before `AWSLogs/`.
    pub(crate) prefix: String,
    pub(crate) account: String,
    pub(crate) region: String,
}

/// What a name is the name of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Named {
    /// A log file, delivered in this minute.
    LogFile(Owner, Timestamp),
    /// A digest of a trail (name and home Region), with its end.
    Digest(Owner, String, Timestamp),
}

/// Reads the name of a delivered file; none if it is not called like one.
pub(crate) fn read(name: &str) -> Option<Named> {
    let (prefix, rest) = match name.find("AWSLogs/") {
        Some(at) if at == 0 || name.get(..at)?.ends_with('/') => name.split_at_checked(at)?,
        Some(_) | None => return None,
    };
    let parts: Vec<&str> = rest.split('/').collect();
    let [_, account, kind, region, year, month, day, file] = parts[..] else { return None };
    let owner = Owner { prefix: prefix.to_owned(), account: account.to_owned(), region: region.to_owned() };
    let own = file.strip_prefix(&format!("{account}_{kind}_{region}_"))?.strip_suffix(".json.gz")?;
    let (own, named) = match kind {
        "CloudTrail" => {
            let (minute, _unique) = own.split_once("Z_")?;
            let time = Timestamp::from_iso_basic(&format!("{minute}00Z")).ok()?;
            (minute, Named::LogFile(owner, time))
        }
        "CloudTrail-Digest" => {
            let (trail, end) = own.rsplit_once('_')?;
            (end, Named::Digest(owner, trail.to_owned(), Timestamp::from_iso_basic(end).ok()?))
        }
        _ => return None,
    };
    own.starts_with(&format!("{year}{month}{day}T")).then_some(named)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "a/b/AWSLogs/000000000042/CloudTrail/eu-central-1/2026/11/27/\
                       000000000042_CloudTrail_eu-central-1_20261127T1918Z_Mv3jkUbVhbJgZ4cD.json.gz";
    const DIGEST: &str = "AWSLogs/000000000042/CloudTrail-Digest/eu-central-1/2026/11/27/\
                          000000000042_CloudTrail-Digest_eu-central-1_my_trail_us-east-1_20261127T191848Z.json.gz";

    #[test]
    fn names_of_files_and_digests_are_read() {
        let owner = |prefix: &str| Owner {
            prefix: prefix.to_owned(),
            account: "000000000042".to_owned(),
            region: "eu-central-1".to_owned(),
        };
        let time = |text| Timestamp::from_iso_basic(text).unwrap();
        assert_eq!(read(LOG), Some(Named::LogFile(owner("a/b/"), time("20261127T191800Z"))));
        let trail = "my_trail_us-east-1".to_owned();
        assert_eq!(read(DIGEST), Some(Named::Digest(owner(""), trail, time("20261127T191848Z"))));
    }

    #[test]
    fn other_names_are_none() {
        for (from, to) in [
            ("AWSLogs", "Logs"),
            ("b/AWS", "bAWS"),
            ("/27/", "/28/"),
            ("/CloudTrail/", "/X/"),
            (".json", ""),
            ("Z_", "_"),
        ] {
            assert_eq!(read(&LOG.replace(from, to)), None, "{from}");
        }
        assert_eq!(read(&DIGEST.replace("T191848Z", "T1918Z")), None);
        assert_eq!(read(""), None);
    }
}
