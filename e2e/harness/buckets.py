"""What tests do to buckets."""

import uuid
from typing import Any

from harness.seed import EUROPE


def new_bucket(s3: Any) -> str:
    """The name of a bucket in Europe that nobody else uses."""
    name = f"bucket-{uuid.uuid4()}"
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": EUROPE})
    return name


def take_customer_keys(s3: Any, bucket: str) -> None:
    """Lets SSE-C into a bucket, which new buckets refuse."""
    rule = {"BlockedEncryptionTypes": {"EncryptionType": ["NONE"]}}
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})
