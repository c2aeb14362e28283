//! Ids and names: what is read is told in the same words and read again as the same.

use std::fmt::{Debug, Display};
use std::str::FromStr;

use base::{AccountId, Arn, KeyArn, KeyId, Region, RequestId, Timestamp};
use crypto::{KeyMaterialId, KeyPairSpec, MacAlgorithm, RsaEncryption, SigningAlgorithm, WrappingAlgorithm};
use identity::{AccessKeyId, ManagedPolicyArn, UserName, UserPath};
use policy::{Action, PrincipalEntry};

use crate::Target;

pub(crate) const TARGET: Target = Target { name: "identifiers", run, seeds, words: &WORDS };

const WORDS: [&str; 18] = [
    "arn:",
    "arn:aws:",
    "aws-us-gov",
    "aws-cn",
    ":kms:",
    ":iam::",
    ":sts::",
    ":key/",
    ":alias/",
    ":user/",
    ":role/",
    ":assumed-role/",
    ":root",
    "mrk-",
    "1234abcd-12ab-34cd-56ef-1234567890ab",
    "111122223333",
    "eu-central-1",
    "2026-01-01T00:00:00Z",
];

fn run(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    same_words::<AccountId>(text);
    same_words::<KeyId>(text);
    same_words::<KeyArn>(text);
    same_words::<Region>(text);
    same_words::<KeyMaterialId>(text);
    same_words::<KeyPairSpec>(text);
    same_words::<MacAlgorithm>(text);
    same_words::<RsaEncryption>(text);
    same_words::<SigningAlgorithm>(text);
    same_words::<WrappingAlgorithm>(text);
    same_meaning::<RequestId>(text);
    same_moment(text);
    for read in [reads::<AccessKeyId>, reads::<ManagedPolicyArn>, reads::<UserName>, reads::<UserPath>] {
        read(text);
    }
    if let Some((path, item)) =
        store::Key::new(text).ok().and_then(|key| Some((key.clone(), store::due::parse(&key)?)))
    {
        assert_eq!(
            store::due::key(item.at, &item.kind, &item.reference),
            path,
            "due work is told otherwise than read"
        );
    }
    if let Ok(arn) = Arn::parse(text) {
        assert!(text.starts_with("arn:") && text.ends_with(arn.resource));
    }
    if let Some(action) = Action::read(text) {
        assert!(!action.service().is_empty());
    }
    if let Some(entry) = PrincipalEntry::parse(text) {
        assert_eq!(PrincipalEntry::parse(&entry.to_string()), Some(entry));
    }
}

fn reads<T: FromStr>(text: &str) {
    let _ = text.parse::<T>();
}

fn same_words<T: FromStr + Display>(text: &str) {
    if let Ok(read) = text.parse::<T>() {
        assert_eq!(read.to_string(), text, "told in other words than it was written");
    }
}

fn same_meaning<T: FromStr<Err: Debug> + Display + PartialEq + Debug>(text: &str) {
    if let Ok(read) = text.parse::<T>() {
        assert_eq!(read.to_string().parse::<T>().unwrap(), read);
    }
}

fn same_moment(text: &str) {
    if let Ok(read) = text.parse::<Timestamp>() {
        let again = Timestamp::from_seconds(read.seconds());
        assert_eq!(again.iso_extended().parse::<Timestamp>().map(Timestamp::seconds), Ok(read.seconds()));
    }
    if let Ok(read) = Timestamp::from_iso_basic(text) {
        assert_eq!(read.iso_basic(), text);
    }
}

fn seeds() -> Vec<Vec<u8>> {
    [
        "",
        "111122223333",
        "000000000000",
        "1234abcd-12ab-34cd-56ef-1234567890ab",
        "mrk-1234abcd12ab34cd56ef1234567890ab",
        "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
        "us-gov-west-1",
        "cn-north-1",
        "arn:aws:kms:eu-central-1:111122223333:alias/a/b",
        "arn:aws:iam::111122223333:user/ops/alice",
        "2026-01-01T00:00:00Z",
        "due/0001795300000000000/delete-key/111122223333/eu",
        "20150830T123600Z",
        "2026-02-29T24:00:60.999+01:00",
        "-009999-01-01T00:00:00Z",
        "AKIAIOSFODNN7EXAMPLE",
        "/ops/",
        "arn:aws:iam::aws:policy/AdministratorAccess",
        "arn:aws:sts::111122223333:assumed-role/app/s",
        "kms:Decrypt",
        "a:",
        "arn:aws:sts::111122223333:federated-user/carol",
        "AIDAALICEXXXXXXXXXXXX",
        "logs.amazonaws.com",
        "RSA_2048",
        "12345678-1234-4234-8234-123456789012",
        "RSASSA_PSS_SHA_256",
        "HMAC_256",
        "RSAES_OAEP_SHA_256",
        "3794e3eb2a989ae6bad6b93b6bef7883a173312113a703feda310f85ff5a8fb7",
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec()
}
