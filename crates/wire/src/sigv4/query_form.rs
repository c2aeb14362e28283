//! The signature in the query string: presigned URLs.

use std::borrow::Cow;

use super::headers::SortedHeaders;
use super::moment::Moment;
use super::{ALGORITHM, Claim, Form, IncompleteSignature, Refusal};

/// The parameter that marks the form.
const MARK: &str = "X-Amz-Algorithm";

/// The longest validity of a presigned request: a week, in seconds.
const EXPIRES_MAX: u32 = 604_800;

/// The parameters that carry the signature. Their names are case sensitive.
#[derive(Default)]
struct Parameters<'a> {
    algorithm: Option<Cow<'a, str>>,
    credential: Option<Cow<'a, str>>,
    signature: Option<Cow<'a, str>>,
    signed_headers: Option<Cow<'a, str>>,
    date: Option<Cow<'a, str>>,
    expires: Option<Cow<'a, str>>,
    session_token: Option<Cow<'a, str>>,
}

/// Whether the query string carries a signature.
pub(super) fn is_used(query: &str) -> bool {
    !query.is_empty() && form_urlencoded::parse(query.as_bytes()).any(|(name, _)| name == MARK)
}

/// Reads the `X-Amz-…` parameters.
pub(super) fn read<'a>(query: &'a str, headers: &SortedHeaders<'a>) -> Result<Claim<'a>, Refusal> {
    let parameters = Parameters::read(query)?;
    let lacking = parameters.lacking();
    let Parameters { algorithm, credential, signature, signed_headers, date, expires, session_token } =
        parameters;
    let (Some(algorithm), Some(credential), Some(signature), Some(signed_headers), Some(date)) =
        (algorithm, credential, signature, signed_headers, date)
    else {
        return Err(lacking.into());
    };
    if algorithm != ALGORITHM {
        return Err(IncompleteSignature::Algorithm { got: algorithm.into_owned() }.into());
    }
    Ok(Claim {
        form: Form::Query,
        credential,
        signed_headers,
        signature,
        session_token: one_token(session_token, headers.get_text("x-amz-security-token")?)?,
        moment: Moment::from_iso_basic(date)?,
        expires: expires.map(read_expires).transpose()?,
    })
}

impl<'a> Parameters<'a> {
    fn read(query: &'a str) -> Result<Self, IncompleteSignature> {
        let mut parameters = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let slot = match name.as_ref() {
                MARK => &mut parameters.algorithm,
                "X-Amz-Credential" => &mut parameters.credential,
                "X-Amz-Signature" => &mut parameters.signature,
                "X-Amz-SignedHeaders" => &mut parameters.signed_headers,
                "X-Amz-Date" => &mut parameters.date,
                "X-Amz-Expires" => &mut parameters.expires,
                "X-Amz-Security-Token" => &mut parameters.session_token,
                _ => continue,
            };
            if slot.replace(value).is_some() {
                return Err(IncompleteSignature::Repeated { name: name.into_owned() });
            }
        }
        Ok(parameters)
    }

    /// One sentence for each parameter that is missing.
    fn lacking(&self) -> IncompleteSignature {
        let sentences = [
            (MARK, &self.algorithm),
            ("X-Amz-Credential", &self.credential),
            ("X-Amz-Signature", &self.signature),
            ("X-Amz-SignedHeaders", &self.signed_headers),
            ("X-Amz-Date", &self.date),
        ]
        .into_iter()
        .filter(|(_, value)| value.is_none())
        .map(|(name, _)| format!("AWS query-string parameters must include '{name}'. "))
        .collect();
        IncompleteSignature::QueryLacks { sentences }
    }
}

/// The token may stand in the query string or in a signed header, not in both.
fn one_token<'a>(
    parameter: Option<Cow<'a, str>>,
    header: Option<&'a str>,
) -> Result<Option<Cow<'a, str>>, IncompleteSignature> {
    match (parameter, header) {
        (Some(_), Some(_)) => Err(IncompleteSignature::Repeated { name: "X-Amz-Security-Token".to_owned() }),
        (parameter, header) => Ok(parameter.or(header.map(Cow::Borrowed))),
    }
}

fn read_expires(text: Cow<'_, str>) -> Result<u32, IncompleteSignature> {
    let digits_only = text.bytes().all(|byte| byte.is_ascii_digit());
    let seconds = text.parse().ok().filter(|seconds| digits_only && (1..=EXPIRES_MAX).contains(seconds));
    seconds.ok_or_else(|| IncompleteSignature::Expires { got: text.into_owned() })
}
