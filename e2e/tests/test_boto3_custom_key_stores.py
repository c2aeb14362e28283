"""Custom key stores while there are none, through boto3.

Source: AWS KMS API Reference of the operations, error catalogue. The texts are our own.
"""

from typing import Any

import pytest

from harness.expect import refused

STORE = {"CustomKeyStoreId": "cks-1234567890abcdef0"}
CLUSTER = {
    "CustomKeyStoreName": "store",
    "CloudHsmClusterId": "cluster-2a34b5cdefg",
    "KeyStorePassword": "kmsPswd",
    "TrustAnchorCertificate": "-----BEGIN CERTIFICATE-----",
}
PROXY = {
    "CustomKeyStoreName": "store",
    "CustomKeyStoreType": "EXTERNAL_KEY_STORE",
    "XksProxyConnectivity": "PUBLIC_ENDPOINT",
    "XksProxyUriEndpoint": "https://myproxy.xks.example.com",
    "XksProxyUriPath": "/kms/xks/v1",
    "XksProxyAuthenticationCredential": {
        "AccessKeyId": "ABCDE23456723EXAMPLE",
        "RawSecretAccessKey": "D" * 43,
    },
}


def test_there_are_none(kms: Any) -> None:
    answer = kms.describe_custom_key_stores()
    assert (answer["CustomKeyStores"], answer["Truncated"]) == ([], False)
    for parameters in (STORE, {"CustomKeyStoreName": "store"}):
        with refused("CustomKeyStoreNotFoundException"):
            kms.describe_custom_key_stores(**parameters)
    with refused("ValidationException"):
        kms.describe_custom_key_stores(CustomKeyStoreName="store", **STORE)
    with refused("InvalidMarkerException"):
        kms.describe_custom_key_stores(Marker="forged")


@pytest.mark.parametrize("operation", ["connect", "disconnect", "delete", "update"])
def test_none_is_found(kms: Any, operation: str) -> None:
    with refused("CustomKeyStoreNotFoundException"):
        getattr(kms, f"{operation}_custom_key_store")(**STORE)


def test_no_key_is_made_in_one(kms: Any) -> None:
    with refused("CustomKeyStoreNotFoundException"):
        kms.create_key(Origin="AWS_CLOUDHSM", **STORE)
    with refused("CustomKeyStoreNotFoundException"):
        kms.generate_random(NumberOfBytes=32, **STORE)


def test_none_can_be_made(kms: Any) -> None:
    with refused("CloudHsmClusterNotFoundException"):
        kms.create_custom_key_store(**CLUSTER)
    with refused("XksProxyUriUnreachableException"):
        kms.create_custom_key_store(**PROXY)
    for complete, missing in ((CLUSTER, "TrustAnchorCertificate"), (PROXY, "XksProxyUriPath")):
        with refused("ValidationException"):
            kms.create_custom_key_store(**{name: value for name, value in complete.items() if name != missing})
    assert kms.describe_custom_key_stores()["CustomKeyStores"] == []
