//! Buckets that the host names, instead of the path: the virtual-hosted style.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html>

/// The longest host name, in bytes (RFC 1123 section 2.1).
const LENGTH_MAX: usize = 253;

/// Names of the service, below which every name is a bucket's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostNames(Vec<String>);

/// The text is no name of a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a host name has labels of letters, digits and hyphens, joined by dots, and is no IP address")]
pub struct InvalidHostName;

impl HostNames {
    /// Takes names in. Case does not count.
    ///
    /// # Errors
    /// One of them is none.
    pub fn new<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Self, InvalidHostName> {
        let names = names.into_iter().map(str::to_ascii_lowercase);
        let names: Vec<String> =
            names.map(|name| is_name(&name).then_some(name)).collect::<Option<_>>().ok_or(InvalidHostName)?;
        Ok(Self(names))
    }

    /// The bucket that a `Host` header names, in lower case; none if it is the service itself or nothing that is known.
    /// Of several names that fit the longest counts.
    pub fn bucket(&self, host: &str) -> Option<String> {
        let host = host.split_once(':').map_or(host, |(name, _)| name).to_ascii_lowercase();
        if self.0.contains(&host) {
            return None;
        }
        let bucket = |name: &String| host.strip_suffix(name.as_str())?.strip_suffix('.');
        // The longer the name, the shorter what is left.
        let bucket = self.0.iter().filter_map(bucket).min_by_key(|bucket| bucket.len())?;
        (!bucket.is_empty()).then(|| bucket.to_owned())
    }
}

fn is_name(name: &str) -> bool {
    let is_label = |label: &str| {
        let is_plain = label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        is_plain && !label.is_empty() && !label.starts_with('-') && !label.ends_with('-')
    };
    let last = name.rsplit('.').next().unwrap_or_default();
    name.len() <= LENGTH_MAX
        && name.split('.').all(is_label)
        && !last.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn names() -> HostNames {
        HostNames::new(["localhost", "s3.localhost", "S3.Example.org"]).unwrap()
    }

    #[test]
    fn what_stands_before_a_name_of_the_service_is_a_bucket() {
        for (host, bucket) in [
            ("bucket.localhost", "bucket"),
            ("bucket.localhost:4599", "bucket"),
            ("bucket.s3.localhost:4599", "bucket"),
            ("Bucket.S3.LocalHost", "bucket"),
            ("my.bucket.s3.example.org", "my.bucket"),
        ] {
            assert_eq!(names().bucket(host).as_deref(), Some(bucket), "{host}");
        }
    }

    #[test]
    fn other_hosts_name_no_bucket() {
        for host in [
            "localhost",
            "s3.localhost:4599",
            "s3.example.org",
            "example.org",
            "xlocalhost",
            ".localhost",
            "127.0.0.1:4599",
            "[::1]:4599",
            "",
        ] {
            assert_eq!(names().bucket(host), None, "{host}");
        }
        assert_eq!(HostNames::default().bucket("bucket.localhost"), None);
    }

    #[test]
    fn names_are_names_of_hosts() {
        for bad in ["", ".", "a..b", "-a", "a-", "a b", "a:1", "127.0.0.1", "[::1]", "*.example.org", "ü.org"]
        {
            assert_eq!(HostNames::new([bad]), Err(InvalidHostName), "{bad}");
        }
        assert!(HostNames::new([]).is_ok());
        assert!(HostNames::new(["a".repeat(254).as_str()]).is_err());
    }

    proptest! {
        #[test]
        fn a_bucket_is_found_below_every_name(bucket in "[a-z0-9][a-z0-9.-]{1,20}[a-z0-9]", port in 0_u16..) {
            prop_assume!(!bucket.ends_with(".s3") && bucket != "s3");
            for name in ["localhost", "s3.localhost", "s3.example.org"] {
                let found = names().bucket(&format!("{bucket}.{name}:{port}"));
                prop_assert_eq!(found.as_deref(), Some(bucket.as_str()));
            }
        }
    }
}
