//! What a start prints: the first one the credentials and the lines to paste, every later one where to go on.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

use base::{Region, SecretString};
use identity::FirstCredentials;

use crate::data_folder::{DataFolder, DataFolderError};

/// The name of the profile in the file.
const PROFILE: &str = "keywright";

/// Where the service can be reached.
pub(crate) struct Endpoint {
    /// The listener's address with its real port.
    pub(crate) address: SocketAddr,
    pub(crate) region: Region,
    /// True with TLS.
    pub(crate) secure: bool,
    /// The authority of the development certificate, which clients have to trust.
    pub(crate) authority: Option<PathBuf>,
    /// True with `--dev`.
    pub(crate) dev: bool,
}

impl Endpoint {
    /// The URL for clients on this machine.
    pub(crate) fn url(&self) -> String {
        let scheme = if self.secure { "https" } else { "http" };
        let mut address = self.address;
        match address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
            IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
            IpAddr::V4(_) | IpAddr::V6(_) => {}
        }
        format!("{scheme}://{address}")
    }
}

/// Writes the profile file (0600), in the form of the AWS config file.
///
/// # Errors
/// The data folder cannot be written.
pub(crate) fn write_profile(
    folder: &DataFolder,
    credentials: &FirstCredentials,
    endpoint: &Endpoint,
) -> Result<(), DataFolderError> {
    let profile = profile(credentials, endpoint);
    folder.write_profile(profile.expose().as_bytes())
}

fn profile(credentials: &FirstCredentials, endpoint: &Endpoint) -> SecretString {
    let authority = endpoint.authority.as_deref().map(absolute);
    let authority = authority.map(|path| format!("ca_bundle = {}\n", path.display())).unwrap_or_default();
    SecretString::new(format!(
        "[profile {PROFILE}]\n\
         aws_access_key_id = {}\n\
         aws_secret_access_key = {}\n\
         region = {}\n\
         endpoint_url = {}\n\
         {authority}",
        credentials.access_key.id,
        credentials.access_key.secret.expose(),
        endpoint.region,
        endpoint.url(),
    ))
}

/// The text to print. It holds the secret at the first start and only then.
pub(crate) fn welcome(
    first: Option<&FirstCredentials>,
    folder: &DataFolder,
    endpoint: &Endpoint,
) -> SecretString {
    let mut text = String::with_capacity(4_096);
    let _ = match first {
        Some(credentials) => first_time(&mut text, credentials, folder, endpoint),
        None if endpoint.dev => for_tests(&mut text, endpoint),
        None => once_more(&mut text, folder, endpoint),
    };
    SecretString::new(text)
}

fn first_time(
    text: &mut String,
    credentials: &FirstCredentials,
    folder: &DataFolder,
    endpoint: &Endpoint,
) -> std::fmt::Result {
    writeln!(text, "\nKeywright is ready at {}\n", endpoint.url())?;
    writeln!(text, "  A new account with one administrator. The secret is shown this once.\n")?;
    writeln!(text, "    account              {}", credentials.account)?;
    writeln!(text, "    user                 {}", credentials.user)?;
    writeln!(text, "    access key id        {}", credentials.access_key.id)?;
    writeln!(text, "    secret access key    {}\n", credentials.access_key.secret.expose())?;
    writeln!(text, "  Both are also in the profile file that only you can read. To use it, paste:\n")?;
    lines_to_paste(text, &folder.profile_path(), endpoint)?;
    writeln!(text, "\n  A first call:\n")?;
    writeln!(text, "    aws kms create-key --description \"my first key\"")?;
    writeln!(text, "    aws kms list-keys\n")
}

fn once_more(text: &mut String, folder: &DataFolder, endpoint: &Endpoint) -> std::fmt::Result {
    writeln!(text, "\nKeywright is ready at {}\n", endpoint.url())?;
    let profile = folder.profile_path();
    if profile.exists() {
        writeln!(text, "  The profile of the first start still works. To use it, paste:\n")?;
        lines_to_paste(text, &profile, endpoint)?;
    } else {
        writeln!(text, "  With the access key of a seeded user in your AWS profile, paste:\n")?;
        region_and_endpoint(text, endpoint)?;
    }
    writeln!(text)
}

fn for_tests(text: &mut String, endpoint: &Endpoint) -> std::fmt::Result {
    writeln!(text, "\nKeywright is ready at {}\n", endpoint.url())?;
    writeln!(text, "  FOR TESTS ONLY: everybody knows the access key. To use it, paste:\n")?;
    writeln!(text, "    export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test")?;
    region_and_endpoint(text, endpoint)?;
    writeln!(text)
}

/// Some SDKs read the one name of the Region, some the other.
fn region_and_endpoint(text: &mut String, endpoint: &Endpoint) -> std::fmt::Result {
    writeln!(text, "    export AWS_REGION={0} AWS_DEFAULT_REGION={0}", endpoint.region)?;
    writeln!(text, "    export AWS_ENDPOINT_URL={}", endpoint.url())?;
    match &endpoint.authority {
        Some(authority) => writeln!(text, "    export AWS_CA_BUNDLE={}", quoted(&absolute(authority))),
        None => Ok(()),
    }
}

fn lines_to_paste(text: &mut String, profile: &Path, endpoint: &Endpoint) -> std::fmt::Result {
    writeln!(text, "    export AWS_CONFIG_FILE={}", quoted(&absolute(profile)))?;
    writeln!(text, "    export AWS_PROFILE={PROFILE}")?;
    // The file tells the endpoint of the first start; this start may have another.
    let written = std::fs::read_to_string(profile).map(SecretString::new).ok();
    let line = format!("endpoint_url = {}", endpoint.url());
    if !written.is_some_and(|profile| profile.expose().lines().any(|found| found == line)) {
        writeln!(text, "    export AWS_ENDPOINT_URL={}", endpoint.url())?;
    }
    if let Some(authority) = &endpoint.authority {
        writeln!(text, "    export AWS_CA_BUNDLE={}", quoted(&absolute(authority)))?;
    }
    Ok(())
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// The path as one word of the shell.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte);
    if text.bytes().all(plain) { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt as _;

    use identity::NewAccessKey;

    use super::*;
    use crate::data_folder::Purpose;

    fn credentials() -> FirstCredentials {
        FirstCredentials {
            account: "123456789012".parse().unwrap(),
            user: "admin".parse().unwrap(),
            access_key: NewAccessKey {
                id: "AKIAIOSFODNN7EXAMPLE".parse().unwrap(),
                secret: SecretString::new("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned()),
            },
        }
    }

    fn endpoint(address: &str) -> Endpoint {
        Endpoint {
            address: address.parse().unwrap(),
            region: "eu-central-1".parse().unwrap(),
            secure: false,
            authority: None,
            dev: false,
        }
    }

    fn folder() -> (tempfile::TempDir, DataFolder) {
        let place = tempfile::tempdir().unwrap();
        let folder = DataFolder::open_or_create(place.path(), Purpose::Production).unwrap();
        (place, folder)
    }

    #[test]
    fn the_first_start_shows_the_secret_and_writes_the_profile() {
        let (place, folder) = folder();
        let endpoint = endpoint("127.0.0.1:4599");
        write_profile(&folder, &credentials(), &endpoint).unwrap();
        let path = place.path().join("aws-profile");
        assert_eq!(path.metadata().unwrap().mode() & 0o777, 0o600);
        assert_eq!(
            std::fs::read_to_string(&path).unwrap(),
            "[profile keywright]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = \
             wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\nregion = eu-central-1\nendpoint_url = \
             http://127.0.0.1:4599\n"
        );
        let text = welcome(Some(&credentials()), &folder, &endpoint);
        for words in [
            "123456789012",
            "AKIAIOSFODNN7EXAMPLE",
            "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            &format!("export AWS_CONFIG_FILE={}\n", path.display()),
            "export AWS_PROFILE=keywright\n",
            "aws kms create-key --description \"my first key\"\n",
            "aws kms list-keys\n",
        ] {
            assert!(text.expose().contains(words), "{words}");
        }
        assert!(!text.expose().contains("AWS_ENDPOINT_URL"));
    }

    #[test]
    fn a_later_start_shows_no_secret_and_tells_a_changed_endpoint() {
        let (_place, folder) = folder();
        write_profile(&folder, &credentials(), &endpoint("127.0.0.1:4599")).unwrap();
        let same = welcome(None, &folder, &endpoint("127.0.0.1:4599"));
        assert!(same.expose().contains("AWS_PROFILE=keywright"));
        assert!(!same.expose().contains("wJalr") && !same.expose().contains("AWS_ENDPOINT_URL"));
        let moved = welcome(None, &folder, &endpoint("127.0.0.1:4600"));
        assert!(moved.expose().contains("export AWS_ENDPOINT_URL=http://127.0.0.1:4600\n"));
    }

    #[test]
    fn a_folder_without_a_profile_names_none() {
        let (_place, folder) = folder();
        let text = welcome(None, &folder, &endpoint("127.0.0.1:4599"));
        assert!(text.expose().contains("127.0.0.1:4599") && !text.expose().contains("AWS_PROFILE"));
        let dev = Endpoint { dev: true, ..endpoint("127.0.0.1:4599") };
        let text = welcome(None, &folder, &dev);
        assert!(text.expose().contains("FOR TESTS ONLY") && text.expose().contains("AWS_ACCESS_KEY_ID=test"));
    }

    #[test]
    fn the_development_authority_is_named_for_clients() {
        let (_place, folder) = folder();
        let authority = Some(PathBuf::from("/data/tls-development-ca.pem"));
        let endpoint = Endpoint { secure: true, authority, ..endpoint("0.0.0.0:4599") };
        assert!(
            profile(&credentials(), &endpoint).expose().contains(
                "endpoint_url = https://127.0.0.1:4599\nca_bundle = /data/tls-development-ca.pem\n"
            )
        );
        let text = welcome(Some(&credentials()), &folder, &endpoint);
        assert!(text.expose().contains("export AWS_CA_BUNDLE=/data/tls-development-ca.pem\n"));
    }

    #[test]
    fn addresses_that_mean_everywhere_become_this_machine() {
        assert_eq!(endpoint("0.0.0.0:1").url(), "http://127.0.0.1:1");
        assert_eq!(endpoint("[::]:1").url(), "http://[::1]:1");
        assert_eq!(endpoint("10.0.0.1:1").url(), "http://10.0.0.1:1");
    }

    #[test]
    fn paths_are_one_word_of_the_shell() {
        assert_eq!(quoted(Path::new("/home/a/data_1/aws-profile")), "/home/a/data_1/aws-profile");
        assert_eq!(quoted(Path::new("/a b/$c")), "'/a b/$c'");
        assert_eq!(quoted(Path::new("/it's")), r"'/it'\''s'");
    }
}
