"""Saying which refusal is expected."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from botocore.exceptions import ClientError

NO_TEXT = ""
PENDING_DELETION = r" is pending deletion( \(or pending replica deletion\))?\."
CONSTRAINT = "1 validation error detected: "


@contextmanager
def refused(code: str, text: str | re.Pattern[str] | None = None, status: int = 400) -> Iterator[None]:
    """The call inside is refused with this code and text (`None`: any, `NO_TEXT`: the answer has none)."""
    with pytest.raises(ClientError) as caught:
        yield
    answer = caught.value.response
    error = answer["Error"]
    assert error["Code"] == code, error
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == status, answer
    assert answer["ResponseMetadata"]["RequestId"], answer
    if isinstance(text, re.Pattern):
        assert text.fullmatch(error["Message"]), error
    elif text is not None:
        assert error["Message"] == text, error


def pending_deletion(key_arn: str) -> re.Pattern[str]:
    """The text of a refusal because of a scheduled deletion; AWS uses a short and a long form."""
    return re.compile(re.escape(key_arn) + PENDING_DELETION)


def gone(user_arn: str, operation: str = "Decrypt") -> str:
    """The text of a refusal because the ciphertext's key is not there, or in another account that lets nobody in."""
    return (
        f"User: {user_arn} is not authorized to perform: kms:{operation} on the resource associated with this ciphertext "
        "because the resource does not exist in this Region, no resource-based policies allow access, or a "
        "resource-based policy explicitly denies access"
    )
