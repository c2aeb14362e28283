//! OpenID Connect providers: their records, of which STS learns whose tokens an account believes. Nothing is asked of a
//! provider here; its keys are had when a token comes (`web_identity`).
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_oidc.html>

use base::{AccountId, Arn, Call};
use wire::iam::Operation;

use super::authorize::Permit;
use super::entity::Located;
use super::error::IamError;
use super::facts::{Facts, Properties};
use super::quota;
use super::resource::{Kind, Resource, arn as arn_of};
use crate::record::OpenIdConnectProviderRecord;
use crate::{Identity, paths};

/// Characters of a provider's URL.
const URL_LENGTH_MAX: usize = 255;
/// Hexadecimal digits of a thumbprint: SHA-1.
const THUMBPRINT_LENGTH: usize = 40;

impl Identity {
    /// The provider of an ARN, if the caller may carry out `O` on it.
    ///
    /// # Errors
    /// InvalidInput if that is no ARN of a provider, NoSuchEntity if it is not there.
    pub(crate) async fn find_provider<O: Operation>(
        &self,
        call: &Call,
        arn: &str,
    ) -> Result<(Located<OpenIdConnectProviderRecord>, Permit<O>), IamError> {
        self.find_provider_with(call, arn, Facts::default()).await
    }

    /// The same for a call that policies can ask about.
    pub(crate) async fn find_provider_with<O: Operation>(
        &self,
        call: &Call,
        arn: &str,
        facts: Facts<'_>,
    ) -> Result<(Located<OpenIdConnectProviderRecord>, Permit<O>), IamError> {
        let found = self.provider_of_arn(call.caller.account, arn).await;
        let properties = match &found {
            Ok(found) => Properties { tags: &found.record.tags, boundary: None },
            Err(_) => Properties::default(),
        };
        let resource = Resource::One { kind: Kind::OpenIdConnectProvider, arn: arn.to_owned() };
        let permit = self.authorize_with::<O>(call, resource, properties, facts).await?;
        Ok((found?, permit))
    }

    async fn provider_of_arn(
        &self,
        account: AccountId,
        arn: &str,
    ) -> Result<Located<OpenIdConnectProviderRecord>, IamError> {
        let kind = Kind::OpenIdConnectProvider;
        let parsed = Arn::parse(arn).map_err(|_| IamError::invalid_arn(arn))?;
        let url = parsed.resource.strip_prefix("oidc-provider/").filter(|url| is_host_and_path(url));
        let url = url.ok_or_else(|| IamError::invalid_arn(arn))?;
        let found = self.at(paths::oidc_provider(account, url)?).await?;
        let found = found.filter(|_| arn_of(kind, account, "/", url) == arn);
        found.ok_or_else(|| IamError::no_such(kind, arn))
    }
}

/// Host and path of a provider's URL, without the scheme.
pub(crate) fn provider_url(url: &str) -> Result<&str, IamError> {
    let invalid = || IamError::InvalidInput("Invalid Open ID Connect Provider URL".to_owned());
    url.strip_prefix("https://").filter(|rest| is_host_and_path(rest)).ok_or_else(invalid)
}

/// The client ids of a provider, if there are not too many.
pub(crate) fn client_ids(ids: &[String]) -> Result<Vec<String>, IamError> {
    if ids.len() > quota::CLIENT_IDS_PER_PROVIDER {
        return Err(IamError::quota("ClientIdsPerOpenIdConnectProvider", quota::CLIENT_IDS_PER_PROVIDER));
    }
    let mut known: Vec<String> = Vec::new();
    for id in ids {
        if !known.contains(id) {
            known.push(id.clone());
        }
    }
    Ok(known)
}

/// The thumbprints of a provider, if there are not too many and each is one.
pub(crate) fn thumbprints(prints: &[String]) -> Result<Vec<String>, IamError> {
    if prints.len() > quota::THUMBPRINTS_PER_PROVIDER {
        let text = format!(
            "Thumbprint list must contain fewer than {} entries.",
            quota::THUMBPRINTS_PER_PROVIDER + 1
        );
        return Err(IamError::InvalidInput(text));
    }
    let is_one = |print: &String| {
        print.len() == THUMBPRINT_LENGTH && print.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    match prints.iter().find(|print| !is_one(print)) {
        Some(other) => {
            Err(IamError::InvalidInput(format!("{other} is not a thumbprint of 40 hexadecimal digits.")))
        }
        None => Ok(prints.to_vec()),
    }
}

/// A host, and perhaps a port and a path, 255 characters together; neither a query nor a fragment. AWS takes no port, but
/// providers that people run themselves often have one.
fn is_host_and_path(text: &str) -> bool {
    let (authority, _) = text.split_once('/').unwrap_or((text, ""));
    let (host, port) = authority.split_once(':').unwrap_or((authority, "443"));
    let is_port = port.parse::<u16>().is_ok() && !port.starts_with(['0', '+']);
    let of_host = |byte: u8| byte.is_ascii_alphanumeric() || b".-".contains(&byte);
    let of_path = |byte: u8| byte.is_ascii_graphic() && !b"?#\\".contains(&byte);
    text.len() <= URL_LENGTH_MAX
        && is_port
        && !host.is_empty()
        && host.bytes().all(of_host)
        && text.bytes().all(of_path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_providers_url_is_https_with_a_host() {
        for (url, rest) in [
            ("https://a.example", "a.example"),
            ("https://a.example:8443/x", "a.example:8443/x"),
            ("https://oidc.eks.eu-west-1.amazonaws.com/id/ABC", "oidc.eks.eu-west-1.amazonaws.com/id/ABC"),
        ] {
            assert_eq!(provider_url(url).unwrap(), rest);
        }
        for url in [
            "",
            "a.example",
            "http://a.example",
            "https://",
            "https:///a",
            "https://a:0/",
            "https://a:65536",
            "https://a:+80",
            "https://a:80:80",
            "https://:80",
            "https://a?b",
            "https://a/ä",
            "https://a b",
            &format!("https://{}", "a".repeat(256)),
        ] {
            assert_eq!(provider_url(url).unwrap_err().to_fault().code, "InvalidInput", "{url}");
        }
    }

    #[test]
    fn thumbprints_have_forty_digits_and_there_are_five_at_most() {
        let print = "0123456789abcdefABCDEF0123456789abcdef01".to_owned();
        assert_eq!(thumbprints(&vec![print.clone(); 5]).unwrap().len(), 5);
        assert!(thumbprints(&vec![print.clone(); 6]).is_err());
        for other in [print.replacen('0', "", 1), print.replace('0', "g"), String::new()] {
            assert!(thumbprints(std::slice::from_ref(&other)).is_err(), "{other}");
        }
    }
}
