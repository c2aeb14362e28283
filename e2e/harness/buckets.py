"""What tests do to buckets."""

from typing import Any


def take_customer_keys(s3: Any, bucket: str) -> None:
    """Lets SSE-C into a bucket, which new buckets refuse."""
    rule = {"BlockedEncryptionTypes": {"EncryptionType": ["NONE"]}}
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})
