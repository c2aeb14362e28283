//! The signature in the `Authorization` header.

use std::borrow::Cow;

use super::headers::{SortedHeaders, WHITE_SPACE};
use super::moment::Moment;
use super::{ALGORITHM, Claim, Form, IncompleteSignature, Refusal};

/// The header's parameters.
#[derive(Default)]
struct Parameters<'a> {
    credential: Option<&'a str>,
    signature: Option<&'a str>,
    signed_headers: Option<&'a str>,
}

/// Reads `AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…` and the date that belongs to it.
pub(super) fn read<'a>(authorization: &'a [u8], headers: &SortedHeaders<'a>) -> Result<Claim<'a>, Refusal> {
    let text = std::str::from_utf8(authorization)
        .map_err(|_| IncompleteSignature::NotText { name: "authorization" })?
        .trim_matches(WHITE_SPACE);
    let (algorithm, parameters) = text.split_once(WHITE_SPACE).unwrap_or((text, ""));
    if !algorithm.starts_with("AWS4-") {
        return Err(Refusal::MissingAuthenticationToken);
    }
    let parameters = Parameters::read(parameters, text)?;
    let date = (headers.get_text("x-amz-date")?, headers.get_text("date")?);
    let (Some(credential), Some(signature), Some(signed_headers), (Some(_), _) | (None, Some(_))) =
        (parameters.credential, parameters.signature, parameters.signed_headers, date)
    else {
        return Err(parameters.lacking(date == (None, None), text).into());
    };
    if algorithm != ALGORITHM {
        return Err(IncompleteSignature::Algorithm { got: algorithm.to_owned() }.into());
    }
    let moment = match date {
        (Some(x_amz_date), _) => Moment::from_iso_basic(Cow::Borrowed(x_amz_date))?,
        (None, date) => Moment::from_date_header(date.unwrap_or_default())?,
    };
    Ok(Claim {
        form: Form::Header,
        credential: Cow::Borrowed(credential),
        signed_headers: Cow::Borrowed(signed_headers),
        signature: Cow::Borrowed(signature),
        session_token: headers.get_text("x-amz-security-token")?.map(Cow::Borrowed),
        moment,
        expires: None,
    })
}

/// What stands before the next comma or white space; the rest is what stands behind.
fn next_part<'a>(rest: &mut &'a str) -> &'a str {
    let separator = memchr::memchr3(b',', b' ', b'\t', rest.as_bytes());
    let end = separator.unwrap_or(rest.len());
    let (part, behind) = rest.split_at_checked(end).unwrap_or((rest, ""));
    *rest = behind.get(1..).unwrap_or_default();
    part
}

impl<'a> Parameters<'a> {
    /// Commas, spaces or both stand between parameters; unknown ones mean nothing.
    fn read(text: &'a str, authorization: &str) -> Result<Self, IncompleteSignature> {
        let mut parameters = Self::default();
        let mut rest = text;
        while !rest.is_empty() {
            let part = next_part(&mut rest);
            if part.is_empty() {
                continue;
            }
            let Some((name, value)) = part.split_once('=') else {
                return Err(IncompleteSignature::NotKeyValue {
                    part: part.to_owned(),
                    authorization: authorization.to_owned(),
                });
            };
            let slot = match name {
                "Credential" => &mut parameters.credential,
                "Signature" => &mut parameters.signature,
                "SignedHeaders" => &mut parameters.signed_headers,
                _ => continue,
            };
            if slot.replace(value).is_some() {
                return Err(IncompleteSignature::Repeated { name: name.to_owned() });
            }
        }
        Ok(parameters)
    }

    /// One sentence for each thing that is missing.
    fn lacking(&self, date_is_missing: bool, authorization: &str) -> IncompleteSignature {
        let requires = |name| format!("Authorization header requires '{name}' parameter. ");
        let mut sentences = String::new();
        if self.credential.is_none() {
            sentences += &requires("Credential");
        }
        if self.signature.is_none() {
            sentences += &requires("Signature");
        }
        if self.signed_headers.is_none() {
            sentences += &requires("SignedHeaders");
        }
        if date_is_missing {
            sentences +=
                "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ";
        }
        IncompleteSignature::HeaderLacks { sentences, authorization: authorization.to_owned() }
    }
}
