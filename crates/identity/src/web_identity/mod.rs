//! Web identity: who holds a token of an OpenID Connect provider of an account.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_oidc.html>

mod key_sets;
mod session_claims;

use base::{AccountId, Federation, Timestamp};
use crypto::web_identity::{Claims, SignedToken, TokenError};

pub(crate) use key_sets::KeySets;
pub use key_sets::{KeySetSource, KeySetUnavailable, NoKeys};
pub(crate) use session_claims::SessionClaims;

use crate::error::IdentityError;
use crate::iam::{self, Kind};
use crate::paths;
use crate::record::OpenIdConnectProviderRecord;
use crate::service::Identity;

/// How far in the future a token may have been issued, in seconds: clocks differ.
const EARLY_SECONDS: i64 = 300;

/// A holder of a token that is good.
pub(crate) struct TokenHolder {
    /// The ARN of the provider.
    pub(crate) provider: String,
    pub(crate) subject: String,
    /// The client of the provider that the token is for.
    pub(crate) audience: String,
    /// Every claim that policies can ask about, under the names of their condition keys.
    pub(crate) claims: Vec<(String, String)>,
    /// What the token wants of the session.
    pub(crate) session: SessionClaims,
    /// Host and path of the provider.
    url: String,
}

/// Why a token is not believed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TokenRefused {
    /// It is no token, or none of a provider that the account has, or for another client.
    #[error("{0}")]
    Invalid(String),
    /// Its time is over.
    #[error("Token expired: current date/time {now} must be before the expiration date/time {expires_at}")]
    Expired {
        /// Seconds since the epoch.
        now: i64,
        /// Seconds since the epoch.
        expires_at: i64,
    },
    /// The provider's keys cannot be had.
    #[error(transparent)]
    NoKeys(#[from] NoKeys),
    /// Ours or the operator's.
    #[error(transparent)]
    Identity(#[from] IdentityError),
}

impl TokenRefused {
    fn invalid(text: &str) -> Self {
        Self::Invalid(text.to_owned())
    }
}

impl TokenHolder {
    /// What the session of a role keeps of it.
    pub(crate) fn federation(&self) -> Federation {
        let claim = |name: &str, value: &String| (format!("{}:{name}", self.url), value.clone());
        let claims = vec![claim("aud", &self.audience), claim("sub", &self.subject)];
        Federation { provider: self.provider.clone(), claims }
    }
}

impl Identity {
    /// Who holds a token, if a provider of the account vouches for them.
    pub(crate) async fn token_holder(
        &self,
        account: AccountId,
        token: &str,
        now: Timestamp,
    ) -> Result<TokenHolder, TokenRefused> {
        let signed = SignedToken::parse(token).map_err(|error| refused(&error))?;
        let missing = |claim: &str| TokenRefused::Invalid(format!("The token has no claim `{claim}`."));
        let issuer = signed.unverified_issuer().ok_or_else(|| missing("iss"))?;
        let provider = self.provider_of(account, issuer).await?;
        let keys = self.key_sets.of(issuer, signed.key_id(), now).await?;
        let claims = signed.verify(&keys).map_err(|error| refused(&error))?;
        check_times(&claims, now)?;
        let subject = claims.subject().filter(|subject| !subject.is_empty()).ok_or_else(|| missing("sub"))?;
        let audience = audience(&claims, &provider.client_ids)
            .ok_or_else(|| TokenRefused::invalid("Incorrect token audience"))?;
        Ok(TokenHolder {
            provider: iam::arn(Kind::OpenIdConnectProvider, account, "/", &provider.url),
            subject: subject.to_owned(),
            claims: condition_keys(&claims, &provider.url, &audience),
            audience,
            session: SessionClaims::of(&claims)?,
            url: provider.url,
        })
    }

    async fn provider_of(
        &self,
        account: AccountId,
        issuer: &str,
    ) -> Result<OpenIdConnectProviderRecord, TokenRefused> {
        let none =
            || TokenRefused::Invalid(format!("No OpenIDConnect provider found in your account for {issuer}"));
        let url = issuer.strip_prefix("https://").ok_or_else(none)?;
        let path = paths::oidc_provider(account, url).map_err(|_| none())?;
        let found = self.read::<OpenIdConnectProviderRecord>(&path).await?;
        found.map(|read| read.record).filter(|provider| provider.url == url).ok_or_else(none)
    }
}

fn refused(error: &TokenError) -> TokenRefused {
    TokenRefused::Invalid(match error {
        TokenError::Malformed | TokenError::UnsupportedAlgorithm | TokenError::UnreadableClaims => {
            format!("The ID Token provided is not a valid JWT: {error}.")
        }
        TokenError::NoSuchKey | TokenError::BadSignature => {
            format!("The token's signature cannot be verified: {error}.")
        }
    })
}

/// A token must say until when it is good and when it was issued.
fn check_times(claims: &Claims, now: Timestamp) -> Result<(), TokenRefused> {
    let missing = |claim: &str| TokenRefused::Invalid(format!("The token has no claim `{claim}`."));
    let expires_at = claims.expires_at().ok_or_else(|| missing("exp"))?;
    if expires_at <= now {
        return Err(TokenRefused::Expired { now: now.seconds(), expires_at: expires_at.seconds() });
    }
    let issued_at = claims.issued_at().ok_or_else(|| missing("iat"))?;
    let latest = now.plus_seconds(EARLY_SECONDS);
    if issued_at > latest || claims.not_before().is_some_and(|not_before| not_before > latest) {
        return Err(TokenRefused::invalid("The token is not valid yet."));
    }
    Ok(())
}

/// The client that the token is for: the authorized party if it names one, else whoever of its audiences is a client of the
/// provider here.
fn audience(claims: &Claims, client_ids: &[String]) -> Option<String> {
    match claims.authorized_party().filter(|party| !party.is_empty()) {
        Some(party) => client_ids.iter().find(|id| *id == party).cloned(),
        None => claims.audiences().iter().find(|audience| client_ids.contains(audience)).cloned(),
    }
}

/// Claims as condition keys: `<host and path>:<claim>`. Lists and objects are none, but for the audience.
fn condition_keys(claims: &Claims, url: &str, audience: &str) -> Vec<(String, String)> {
    let mut keys = vec![(format!("{url}:aud"), audience.to_owned())];
    if let Some(original) = claims.audiences().first() {
        keys.push((format!("{url}:oaud"), original.clone()));
    }
    let texts = claims.texts().filter(|(name, _)| *name != "aud" && *name != "oaud");
    keys.extend(texts.map(|(name, value)| (format!("{url}:{name}"), value)));
    keys
}
