//! Who calls, and where: as the AWS CLI finds it out, in the environment and in the files of profiles.
//!
//! <https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-files.html>,
//! <https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-envvars.html>
//!
//! Long-term keys and session credentials that stand there are used. What has to be fetched first (a role to assume, single
//! sign-on, a process) is not: export the credentials of such a profile.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use base::{Region, SecretString};
use ini::{Ini, ParseOption};

const DEFAULT_ENDPOINT: &str = "http://127.0.0.1:4599";
const DEFAULT_REGION: &str = "us-east-1";
const DEFAULT_PROFILE: &str = "default";

/// What a call needs to know.
pub(crate) struct Profile {
    pub(super) endpoint: String,
    pub(super) region: Region,
    pub(super) credentials: Credentials,
    /// A PEM file with the authorities to believe instead of the machine's.
    pub(super) certificate_authority: Option<PathBuf>,
}

/// An access key, with its token if it is temporary.
pub(super) struct Credentials {
    pub(super) access_key_id: String,
    pub(super) secret: SecretString,
    pub(super) session_token: Option<SecretString>,
}

/// What the command line says of it.
#[derive(Clone, Copy, Default)]
pub(crate) struct Wishes<'a> {
    pub(crate) endpoint: Option<&'a str>,
    pub(crate) region: Option<Region>,
    pub(crate) profile: Option<&'a str>,
}

/// It cannot be found out who calls, or where.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ProfileError {
    #[error("{} cannot be read: {reason}", path.display())]
    Unreadable { path: PathBuf, reason: String },
    #[error(
        "there is no profile `{0}` in the files of profiles (AWS_CONFIG_FILE, AWS_SHARED_CREDENTIALS_FILE)"
    )]
    NoSuchProfile(String),
    #[error(
        "no credentials: set AWS_PROFILE (the start of the service says to what), or AWS_ACCESS_KEY_ID and \
         AWS_SECRET_ACCESS_KEY{0}"
    )]
    NoCredentials(String),
    #[error("`{0}` is no Region")]
    Region(String),
}

/// The variables that matter, as they were when the program started.
#[derive(Default)]
pub(crate) struct Variables(BTreeMap<&'static str, String>);

const VARIABLES: [&str; 13] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_CA_BUNDLE",
    "AWS_CONFIG_FILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_DEFAULT_REGION",
    "AWS_ENDPOINT_URL",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    "AWS_PROFILE",
    "AWS_REGION",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_SHARED_CREDENTIALS_FILE",
    "HOME",
];

impl Variables {
    /// Those of this process; what is empty or no text is as good as not set.
    pub(crate) fn of_process() -> Self {
        let set = |name: &&'static str| {
            std::env::var(name).ok().filter(|value| !value.is_empty()).map(|value| (*name, value))
        };
        Self(VARIABLES.iter().filter_map(set).collect())
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    fn file(&self, variable: &str, in_home: &str) -> Option<PathBuf> {
        let named = self.get(variable).map(|path| match (path.strip_prefix("~/"), self.get("HOME")) {
            (Some(rest), Some(home)) => Path::new(home).join(rest),
            _ => PathBuf::from(path),
        });
        named.or_else(|| self.get("HOME").map(|home| Path::new(home).join(".aws").join(in_home)))
    }
}

impl Profile {
    /// Finds out who calls, and where. The command line comes before the environment, that before the files.
    ///
    /// # Errors
    /// There are no credentials, or a file cannot be read.
    pub(crate) fn find(wishes: Wishes<'_>, variables: &Variables) -> Result<Self, ProfileError> {
        let named = wishes.profile.or_else(|| variables.get("AWS_PROFILE"));
        let named = named.or_else(|| variables.get("AWS_DEFAULT_PROFILE"));
        let settings = Settings::read(variables, named.unwrap_or(DEFAULT_PROFILE))?;
        if let Some(named) = named.filter(|_| settings.0.is_empty()) {
            return Err(ProfileError::NoSuchProfile(named.to_owned()));
        }
        let ignores = variables.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS") == Some("true");
        let configured = variables.get("AWS_ENDPOINT_URL").or_else(|| settings.get("endpoint_url"));
        let endpoint = wishes.endpoint.or(configured.filter(|_| !ignores)).unwrap_or(DEFAULT_ENDPOINT);
        let authority = variables.get("AWS_CA_BUNDLE").or_else(|| settings.get("ca_bundle"));
        Ok(Self {
            endpoint: endpoint.trim_end_matches('/').to_owned(),
            region: wishes.region.map_or_else(|| region(variables, &settings), Ok)?,
            // Whoever names a profile on the command line means its credentials.
            credentials: credentials(variables, &settings, wishes.profile.is_some())?,
            certificate_authority: authority.map(PathBuf::from),
        })
    }
}

fn region(variables: &Variables, settings: &Settings) -> Result<Region, ProfileError> {
    let named = ["AWS_REGION", "AWS_DEFAULT_REGION"].iter().find_map(|name| variables.get(name));
    let named = named.or_else(|| settings.get("region")).unwrap_or(DEFAULT_REGION);
    named.parse().map_err(|_| ProfileError::Region(named.to_owned()))
}

fn credentials(
    variables: &Variables,
    settings: &Settings,
    only_profile: bool,
) -> Result<Credentials, ProfileError> {
    let of_variables = || {
        pair(
            variables.get("AWS_ACCESS_KEY_ID"),
            variables.get("AWS_SECRET_ACCESS_KEY"),
            variables.get("AWS_SESSION_TOKEN"),
        )
    };
    let of_profile = || {
        pair(
            settings.get("aws_access_key_id"),
            settings.get("aws_secret_access_key"),
            settings.get("aws_session_token"),
        )
    };
    let found = if only_profile { of_profile() } else { of_variables().or_else(of_profile) };
    found.ok_or_else(|| {
        let fetched =
            ["role_arn", "sso_session", "sso_start_url", "credential_process", "web_identity_token_file"];
        let fetched = fetched.iter().find(|name| settings.get(name).is_some());
        let hint = fetched.map(|name| format!("; the profile's `{name}` is not followed"));
        ProfileError::NoCredentials(hint.unwrap_or_default())
    })
}

fn pair(id: Option<&str>, secret: Option<&str>, token: Option<&str>) -> Option<Credentials> {
    let session_token = token.map(|token| SecretString::new(token.to_owned()));
    let secret = SecretString::new(secret?.to_owned());
    Some(Credentials { access_key_id: id?.to_owned(), secret, session_token })
}

/// What both files say of a profile; the file of credentials comes first.
struct Settings(BTreeMap<String, String>);

impl Settings {
    fn read(variables: &Variables, profile: &str) -> Result<Self, ProfileError> {
        let mut settings = BTreeMap::new();
        let prefixed = format!("profile {profile}");
        for (variable, in_home) in
            [("AWS_CONFIG_FILE", "config"), ("AWS_SHARED_CREDENTIALS_FILE", "credentials")]
        {
            let Some(path) = variables.file(variable, in_home) else { continue };
            let Some(file) = read(&path)? else { continue };
            for section in [profile, &prefixed] {
                let pairs = file.section(Some(section)).into_iter().flat_map(|section| section.iter());
                settings.extend(pairs.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())));
            }
        }
        Ok(Self(settings))
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
}

/// A file of profiles; `None` if there is none.
fn read(path: &Path) -> Result<Option<Ini>, ProfileError> {
    let unreadable = |reason: String| ProfileError::Unreadable { path: path.to_owned(), reason };
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(error.to_string())),
    };
    let literally = ParseOption { enabled_quote: false, enabled_escape: false, ..ParseOption::default() };
    Ini::load_from_str_opt(&text, literally).map(Some).map_err(|error| unreadable(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(pairs: &[(&'static str, &str)]) -> Variables {
        Variables(pairs.iter().map(|(name, value)| (*name, (*value).to_owned())).collect())
    }

    fn told(profile: &Profile) -> (String, String, String, Option<String>) {
        let Profile { endpoint, region, credentials, .. } = profile;
        let token = credentials.session_token.as_ref().map(|token| token.expose().to_owned());
        let key = format!("{} {}", credentials.access_key_id, credentials.secret.expose());
        (endpoint.clone(), region.to_string(), key, token)
    }

    fn found(wishes: Wishes<'_>, pairs: &[(&'static str, &str)]) -> (String, String, String, Option<String>) {
        told(&Profile::find(wishes, &variables(pairs)).unwrap_or_else(|error| panic!("{error}")))
    }

    fn home() -> tempfile::TempDir {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join(".aws");
        std::fs::create_dir(&folder).unwrap();
        let config = "[default]\nregion = eu-west-1\n\n[profile other]\nregion=eu-central-1\n\
                      aws_access_key_id = AKIDOTHER\naws_secret_access_key = a#b\\c=\nendpoint_url = https://kms.example/\n\
                      [profile role]\nrole_arn = arn:aws:iam::111122223333:role/app\n";
        std::fs::write(folder.join("config"), config).unwrap();
        let credentials =
            "[default]\naws_access_key_id=AKID\naws_secret_access_key=secret\naws_session_token=token\n";
        std::fs::write(folder.join("credentials"), credentials).unwrap();
        home
    }

    #[test]
    fn variables_come_before_profiles_and_the_command_line_before_both() {
        let home = home();
        let home = ("HOME", home.path().to_str().unwrap());
        let default = (
            "http://127.0.0.1:4599".to_owned(),
            "eu-west-1".to_owned(),
            "AKID secret".to_owned(),
            Some("token".to_owned()),
        );
        assert_eq!(found(Wishes::default(), &[home]), default);
        let other = (
            "https://kms.example".to_owned(),
            "eu-central-1".to_owned(),
            "AKIDOTHER a#b\\c=".to_owned(),
            None,
        );
        assert_eq!(found(Wishes::default(), &[home, ("AWS_PROFILE", "other")]), other);
        let keys = [
            home,
            ("AWS_ACCESS_KEY_ID", "A"),
            ("AWS_SECRET_ACCESS_KEY", "B"),
            ("AWS_REGION", "us-west-2"),
            ("AWS_ENDPOINT_URL", "http://x:1"),
        ];
        assert_eq!(
            found(Wishes::default(), &keys),
            ("http://x:1".to_owned(), "us-west-2".to_owned(), "A B".to_owned(), None)
        );
        let wishes =
            Wishes { endpoint: Some("http://y/"), region: "ap-south-1".parse().ok(), profile: Some("other") };
        assert_eq!(
            found(wishes, &keys),
            ("http://y".to_owned(), "ap-south-1".to_owned(), "AKIDOTHER a#b\\c=".to_owned(), None)
        );
        let ignored = [keys.as_slice(), &[("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")]].concat();
        assert_eq!(found(Wishes::default(), &ignored).0, "http://127.0.0.1:4599");
    }

    #[test]
    fn what_is_missing_is_said() {
        let home = home();
        let home = ("HOME", home.path().to_str().unwrap());
        let refused =
            |pairs: &[(&'static str, &str)]| Profile::find(Wishes::default(), &variables(pairs)).err();
        assert_eq!(refused(&[]), Some(ProfileError::NoCredentials(String::new())));
        assert_eq!(refused(&[("AWS_ACCESS_KEY_ID", "A")]), Some(ProfileError::NoCredentials(String::new())));
        let nobody = ProfileError::NoSuchProfile("nobody".to_owned());
        assert_eq!(refused(&[home, ("AWS_PROFILE", "nobody")]), Some(nobody));
        let of_role = refused(&[home, ("AWS_PROFILE", "role")]).unwrap().to_string();
        assert!(of_role.ends_with("; the profile's `role_arn` is not followed"), "{of_role}");
        assert_eq!(
            refused(&[home, ("AWS_REGION", "nowhere!")]),
            Some(ProfileError::Region("nowhere!".to_owned()))
        );
        let broken = tempfile::tempdir().unwrap();
        let file = broken.path().join("config");
        std::fs::write(&file, "[default\n").unwrap();
        let unreadable = refused(&[("AWS_CONFIG_FILE", file.to_str().unwrap())]).unwrap().to_string();
        assert!(unreadable.contains("config cannot be read"), "{unreadable}");
    }
}
