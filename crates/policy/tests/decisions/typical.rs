//! What decisions are measured with.

use serde_json::{Value, json};

const KEY: &str = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";

/// A key policy and three identity policies, with conditions and variables as people write them.
pub(crate) fn typical() -> Value {
    json!({
        "name": "typical", "caller": "arn:aws:iam::111122223333:user/ops/alice", "action": "kms:Decrypt",
        "resource": KEY, "expect": "allow", "tags": {"team": "red"},
        "origin": {"address": "203.0.113.7", "secure": true, "user_agent": "aws-cli/2"},
        "context": {"encryption_context": {"tenant": "alice"}, "kms:KeySpec": "SYMMETRIC_DEFAULT"},
        "key_policy": [
            {"Sid": "Enable IAM User Permissions", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
             "Action": "kms:*", "Resource": "*"},
            {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:role/admin"},
             "Action": ["kms:Create*", "kms:Put*", "kms:Describe*"], "Resource": "*"},
            {"Effect": "Deny", "Principal": "*", "Action": "kms:*", "Resource": "*",
             "Condition": {"Bool": {"aws:SecureTransport": "false"}}},
        ],
        "identity": [
            [{"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": "arn:aws:s3:::bucket/${aws:username}/*"},
             {"Effect": "Allow", "Action": "iam:Get*", "Resource": "*"}],
            [{"Effect": "Deny", "Action": "kms:*", "Resource": "*",
              "Condition": {"NotIpAddress": {"aws:SourceIp": ["203.0.113.0/24", "2001:db8::/32"]}}}],
            [{"Effect": "Allow", "Action": ["kms:Decrypt", "kms:GenerateDataKey*"],
              "Resource": "arn:aws:kms:*:111122223333:key/*", "Condition": {
                "StringEquals": {"kms:EncryptionContext:tenant": "${aws:username}"},
                "StringLike": {"aws:PrincipalTag/team": ["re*", "bl?e"]},
                "ForAllValues:StringEquals": {"kms:EncryptionContextKeys": ["tenant", "stage"]},
                "DateGreaterThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}}}],
        ],
    })
}

/// A key policy of 32 KB whose statements are for others, but for the last one.
pub(crate) fn large() -> Value {
    let mut statements: Vec<Value> = (0..220)
        .map(|number| {
            let (principal, action) = (format!("arn:aws:iam::111122223333:user/u{number}"), "kms:Decrypt");
            json!({"Effect": "Allow", "Principal": {"AWS": principal}, "Action": action, "Resource": "*"})
        })
        .collect();
    statements.extend((0..40).map(|number| {
        let condition = json!({"StringEquals": {"kms:EncryptionContext:tenant": format!("t{number}")}});
        json!({"Effect": "Deny", "Principal": "*", "Action": "kms:Encrypt", "Resource": "*", "Condition": condition})
    }));
    statements.push(
        json!({"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "kms:*", "Resource": "*"}),
    );
    let mut case = typical();
    case["key_policy"] = statements.into();
    case
}
