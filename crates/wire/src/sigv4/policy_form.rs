//! The signature of a form: over its policy, and nothing else.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-authentication-HTTPPOST.html>

use std::borrow::Cow;

use crypto::digest;

use super::moment::Moment;
use super::{ALGORITHM, IncompleteSignature, InvalidSignature, Refusal, Scope, SigningKey};

/// The fields of a form that carry its signature.
pub struct PolicyClaim<'a> {
    /// `policy`: the policy in base64.
    pub policy: &'a str,
    /// `x-amz-algorithm`
    pub algorithm: &'a str,
    /// `x-amz-credential`
    pub credential: &'a str,
    /// `x-amz-date`
    pub date: &'a str,
    /// `x-amz-signature`
    pub signature: &'a str,
}

/// A policy that carries a well-formed signature, right or wrong.
pub struct SignedPolicy<'a> {
    policy: &'a str,
    access_key_id: Cow<'a, str>,
    scope: Scope<'a>,
    signature: [u8; 32],
}

impl<'a> PolicyClaim<'a> {
    /// Checks the form of the signature.
    ///
    /// # Errors
    /// It does not have the form that AWS demands.
    pub fn parse(self) -> Result<SignedPolicy<'a>, Refusal> {
        if self.algorithm != ALGORITHM {
            return Err(IncompleteSignature::Algorithm { got: self.algorithm.to_owned() }.into());
        }
        let moment = Moment::from_iso_basic(Cow::Borrowed(self.date))?;
        let (access_key_id, scope) = super::read_credential(&Cow::Borrowed(self.credential), &moment)?;
        let signature = super::read_signature(self.signature).ok_or(InvalidSignature::Mismatch)?;
        Ok(SignedPolicy { policy: self.policy, access_key_id, scope, signature })
    }
}

impl<'a> SignedPolicy<'a> {
    /// The access key id, not yet known to exist.
    pub fn access_key_id(&self) -> &str {
        &self.access_key_id
    }

    /// What the signature says it is for.
    pub fn scope(&self) -> &Scope<'a> {
        &self.scope
    }

    /// Refuses unless whoever holds `key`, which is the one for [`Self::scope`], signed this policy.
    ///
    /// # Errors
    /// [`InvalidSignature::Mismatch`].
    pub fn verify(&self, key: &SigningKey) -> Result<(), Refusal> {
        let expected = key.sign(self.policy.as_bytes());
        let is_right = digest::constant_time_equal(&expected, &self.signature);
        if is_right { Ok(()) } else { Err(InvalidSignature::Mismatch.into()) }
    }
}

#[cfg(test)]
mod tests {
    use base::SecretString;

    use super::*;

    // The example of <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-post-example.html>.
    const POLICY: &str = "eyAiZXhwaXJhdGlvbiI6ICIyMDE1LTEyLTMwVDEyOjAwOjAwLjAwMFoiLA0KICAiY29uZGl0aW9ucyI6IFsNCiAgICB7ImJ1Y2tldCI6ICJzaWd2NGV4YW1wbGVidWNrZXQifSwNCiAgICBbInN0YXJ0cy13aXRoIiwgIiRrZXkiLCAidXNlci91c2VyMS8iXSwNCiAgICB7ImFjbCI6ICJwdWJsaWMtcmVhZCJ9LA0KICAgIHsic3VjY2Vzc19hY3Rpb25fcmVkaXJlY3QiOiAiaHR0cDovL3NpZ3Y0ZXhhbXBsZWJ1Y2tldC5zMy5hbWF6b25hd3MuY29tL3N1Y2Nlc3NmdWxfdXBsb2FkLmh0bWwifSwNCiAgICBbInN0YXJ0cy13aXRoIiwgIiRDb250ZW50LVR5cGUiLCAiaW1hZ2UvIl0sDQogICAgeyJ4LWFtei1tZXRhLXV1aWQiOiAiMTQzNjUxMjM2NTEyNzQifSwNCiAgICB7IngtYW16LXNlcnZlci1zaWRlLWVuY3J5cHRpb24iOiAiQUVTMjU2In0sDQogICAgWyJzdGFydHMtd2l0aCIsICIkeC1hbXotbWV0YS10YWciLCAiIl0sDQoNCiAgICB7IngtYW16LWNyZWRlbnRpYWwiOiAiQUtJQUlPU0ZPRE5ON0VYQU1QTEUvMjAxNTEyMjkvdXMtZWFzdC0xL3MzL2F3czRfcmVxdWVzdCJ9LA0KICAgIHsieC1hbXotYWxnb3JpdGhtIjogIkFXUzQtSE1BQy1TSEEyNTYifSwNCiAgICB7IngtYW16LWRhdGUiOiAiMjAxNTEyMjlUMDAwMDAwWiIgfQ0KICBdDQp9";
    const SIGNATURE: &str = "8afdbf4008c03f22c2cd3cdb72e4afbb1f6a588f3255ac628749a66d7f09699e";
    const CREDENTIAL: &str = "AKIAIOSFODNN7EXAMPLE/20151229/us-east-1/s3/aws4_request";

    fn verify(policy: &str, credential: &str, date: &str, signature: &str) -> Result<(), Refusal> {
        let claim = PolicyClaim { policy, algorithm: ALGORITHM, credential, date, signature };
        let signed = claim.parse()?;
        assert_eq!(signed.access_key_id(), "AKIAIOSFODNN7EXAMPLE");
        let secret = SecretString::new("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned());
        let Scope { date, region, service } = signed.scope();
        signed.verify(&SigningKey::derive(&secret, date, region, service))
    }

    #[test]
    fn the_published_policy_is_signed_as_published() {
        assert_eq!(verify(POLICY, CREDENTIAL, "20151229T000000Z", SIGNATURE), Ok(()));
    }

    #[test]
    fn anything_else_is_refused() {
        let mismatch = Err(InvalidSignature::Mismatch.into());
        assert_eq!(verify(POLICY.get(4..).unwrap(), CREDENTIAL, "20151229T000000Z", SIGNATURE), mismatch);
        assert_eq!(verify(POLICY, &CREDENTIAL.replace("s3", "kms"), "20151229T000000Z", SIGNATURE), mismatch);
        assert_eq!(verify(POLICY, CREDENTIAL, "20151229T000000Z", "8afdbf"), mismatch);
        assert!(verify(POLICY, CREDENTIAL, "20151230T000000Z", SIGNATURE).is_err());
        assert!(verify(POLICY, "AKIAIOSFODNN7EXAMPLE", "20151229T000000Z", SIGNATURE).is_err());
        let claim = PolicyClaim {
            policy: POLICY,
            algorithm: "AWS4",
            credential: CREDENTIAL,
            date: "20151229T000000Z",
            signature: SIGNATURE,
        };
        assert!(claim.parse().is_err());
    }
}
