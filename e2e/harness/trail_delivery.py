"""The audit trail: a log to deliver, a bucket to deliver into, and who tells the AWS CLI about both."""

import hashlib
import json
import logging
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import boto3
from moto.server import ThreadedMotoServer

from harness.clients import run
from harness.seed import Account
from harness.server import clean_environment

BUCKET = "trail"
HOME = "us-east-1"


def event(account: str, region: str, at: datetime, name: str = "Encrypt") -> str:
    """An event in CloudTrail's form."""
    fields = {
        "eventVersion": "1.11",
        "userIdentity": {"type": "Root", "accountId": account},
        "eventTime": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "eventSource": "kms.amazonaws.com",
        "eventName": name,
        "awsRegion": region,
        "sourceIPAddress": "192.0.2.1",
        "userAgent": "ä \u2603",
        "requestParameters": None,
        "responseElements": None,
        "eventID": str(uuid.uuid4()),
        "readOnly": True,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": account,
        "eventCategory": "Management",
    }
    return json.dumps(fields, ensure_ascii=False)


def write_log(data: Path, events: list[str]) -> Path:
    """Writes the log of a service that has not been started yet, with the chain of its lines."""
    folder = data / "trail/log"
    folder.mkdir(parents=True)
    chain = bytes(32)
    lines = b""
    for number, logged in enumerate(events, 1):
        content = f'{{"sequence":{number},"event":{logged}'.encode()
        chain = hashlib.sha256(chain + content).digest()
        lines += content + f',"chain":"{chain.hex()}"}}\n'.encode()
    path = folder / f"{1:020}.jsonl"
    path.write_bytes(lines)
    return path


class Store:
    """A server that speaks the S3 protocol and is not ours, with one bucket."""

    def __init__(self, port: int):
        self.endpoint = f"http://127.0.0.1:{port}"
        self.client: Any = boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            region_name=HOME,
            aws_access_key_id="store",
            aws_secret_access_key="store-secret",
        )
        # What a server before this one kept in the same process.
        urlopen(Request(f"{self.endpoint}/moto-api/reset", method="POST"))
        self.client.create_bucket(Bucket=BUCKET)

    def names(self, part: str) -> list[str]:
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
        found = (entry["Key"] for page in pages for entry in page.get("Contents", []))
        return sorted(name for name in found if part in name)

    def read(self, name: str) -> dict[str, Any]:
        return self.client.get_object(Bucket=BUCKET, Key=name)


@contextmanager
def s3_server() -> Iterator[Store]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        yield Store(server.get_host_and_port()[1])
    finally:
        server.stop()


def validate_logs(
    folder: Path, store: Store, cloudtrail: str, account: Account, region: str, start: datetime
) -> Any:
    """How `aws cloudtrail validate-logs` ended for one Region, over eight hours from `start` on."""
    environment = clean_environment(folder) | {
        "AWS_ACCESS_KEY_ID": account.access_key_id,
        "AWS_SECRET_ACCESS_KEY": account.secret_access_key,
        "AWS_DEFAULT_REGION": region,
        "AWS_ENDPOINT_URL_S3": store.endpoint,
        "AWS_ENDPOINT_URL_CLOUDTRAIL": cloudtrail,
    }
    # The Region has to be said: without it the command looks at the trail's home Region, whatever the profile says.
    command = ["aws", "cloudtrail", "validate-logs", "--verbose", "--region", region]
    command += ["--trail-arn", f"arn:aws:cloudtrail:{HOME}:{account.id}:trail/keywright", "--account-id", account.id]
    command += ["--start-time", start.strftime("%Y-%m-%dT%H:%M:%SZ")]
    command += ["--end-time", (start + timedelta(hours=8)).strftime("%Y-%m-%dT%H:%M:%SZ")]
    return run(command, folder, environment)


def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)
