"""Attestation documents as enclaves have them, under a root of trust of the tests' own, and the answers that only the
enclave can read.

Written from the public descriptions alone: the attestation process of AWS Nitro Enclaves, RFC 8949 (CBOR), RFC 9052
(COSE_Sign1), RFC 5652 (CMS), RFC 8017 (RSAES-OAEP).
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7
from pyasn1.codec.ber import decoder
from pyasn1.type import namedtype, tag, univ

ES384_HEADER = {1: -35}
HOUR = datetime.timedelta(hours=1)


def cbor(value: Any) -> bytes:
    """CBOR of definite length for the types that a document has."""
    if value is None:
        return b"\xf6"
    if isinstance(value, int):
        return _head(0, value) if value >= 0 else _head(1, -1 - value)
    if isinstance(value, bytes):
        return _head(2, len(value)) + value
    if isinstance(value, str):
        return _head(3, len(value.encode())) + value.encode()
    if isinstance(value, list):
        return _head(4, len(value)) + b"".join(map(cbor, value))
    if isinstance(value, dict):
        return _head(5, len(value)) + b"".join(cbor(name) + cbor(item) for name, item in value.items())
    raise TypeError(type(value))


def _head(major: int, argument: int) -> bytes:
    if argument < 24:
        return bytes([major << 5 | argument])
    for information, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if argument < 1 << 8 * size:
            return bytes([major << 5 | information]) + argument.to_bytes(size, "big")
    raise ValueError(argument)


@dataclass
class Holder:
    """A certificate with its private key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.DER)

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()


def certify(
    name: str,
    issuer: Holder | None = None,
    *,
    authority: bool = True,
    begins: datetime.datetime | None = None,
    ends: datetime.datetime | None = None,
) -> Holder:
    """A certificate with a key on P-384, by `issuer` or by itself, valid from an hour ago for three hours."""
    now = datetime.datetime.now(datetime.timezone.utc)
    key = ec.generate_private_key(ec.SECP384R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    others = ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement")
    usage = dict.fromkeys((*others, "encipher_only", "decipher_only"), False)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins or now - HOUR)
        .not_valid_after(ends or now + 2 * HOUR)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(digital_signature=not authority, key_cert_sign=authority, crl_sign=authority, **usage),
            critical=True,
        )
    )
    return Holder(builder.sign(issuer.key if issuer else key, hashes.SHA384()), key)


@dataclass
class Enclave:
    """An enclave: its certificate with the chain above it, and the key pair that its documents attest."""

    authorities: list[Holder]
    holder: Holder
    private_key: rsa.RSAPrivateKey = field(default_factory=lambda: rsa.generate_private_key(65537, 2048))

    @property
    def public_key(self) -> bytes:
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        return self.private_key.public_key().public_bytes(serialization.Encoding.DER, form)

    def fields(self, **changes: Any) -> dict[str, Any]:
        """What a document says, in AWS's order; a change to `...` leaves the field out."""
        fields = {
            "module_id": "i-0123456789abcdef0-enc0123456789abcdef",
            "digest": "SHA384",
            "timestamp": int(datetime.datetime.now().timestamp() * 1000),
            "pcrs": {number: bytes(48) for number in range(16)},
            "certificate": self.holder.der,
            "cabundle": [authority.der for authority in self.authorities],
            "public_key": self.public_key,
            "user_data": None,
            "nonce": None,
        } | changes
        return {name: value for name, value in fields.items() if value is not ...}

    def document(self, **changes: Any) -> bytes:
        """A signed attestation document."""
        return sign1(cbor(self.fields(**changes)), self.holder.key)

    def recipient(self, **changes: Any) -> dict[str, Any]:
        """The Recipient of a request."""
        return recipient(self.document(**changes))

    def open(self, answer: bytes) -> bytes:
        """The secret in a CiphertextForRecipient."""
        return open_envelope(answer, self.private_key)


def recipient(document: bytes) -> dict[str, Any]:
    return {"KeyEncryptionAlgorithm": "RSAES_OAEP_SHA_256", "AttestationDocument": document}


def sign1(payload: bytes, key: ec.EllipticCurvePrivateKey, header: dict[int, int] | None = None) -> bytes:
    """An untagged COSE_Sign1 with ES384, whatever the header says."""
    protected = cbor(ES384_HEADER if header is None else header)
    message = cbor(["Signature1", protected, b"", payload])
    r, s = decode_dss_signature(key.sign(message, ec.ECDSA(hashes.SHA384())))
    return cbor([protected, {}, payload, r.to_bytes(48, "big") + s.to_bytes(48, "big")])


def _context(number: int, form: int) -> tag.Tag:
    return tag.Tag(tag.tagClassContext, form, number)


def _members(**members: Any) -> namedtype.NamedTypes:
    return namedtype.NamedTypes(*(namedtype.NamedType(name, member) for name, member in members.items()))


class _AlgorithmIdentifier(univ.Sequence):
    componentType = _members(algorithm=univ.ObjectIdentifier(), parameters=univ.Any())


class _KeyTransRecipientInfo(univ.Sequence):
    componentType = _members(
        version=univ.Integer(),
        identifier=univ.OctetString().subtype(implicitTag=_context(0, tag.tagFormatSimple)),
        algorithm=_AlgorithmIdentifier(),
        encrypted_key=univ.OctetString(),
    )


class _EncryptedContentInfo(univ.Sequence):
    componentType = _members(
        content_type=univ.ObjectIdentifier(),
        algorithm=_AlgorithmIdentifier(),
        content=univ.OctetString().subtype(implicitTag=_context(0, tag.tagFormatSimple)),
    )


class _EnvelopedData(univ.Sequence):
    componentType = _members(
        version=univ.Integer(),
        recipients=univ.SetOf(componentType=_KeyTransRecipientInfo()),
        content=_EncryptedContentInfo(),
    )


class _ContentInfo(univ.Sequence):
    componentType = _members(
        content_type=univ.ObjectIdentifier(),
        content=_EnvelopedData().subtype(explicitTag=_context(0, tag.tagFormatConstructed)),
    )


ENVELOPED_DATA, DATA = "1.2.840.113549.1.7.3", "1.2.840.113549.1.7.1"
RSAES_OAEP, AES_256_CBC = "1.2.840.113549.1.1.7", "2.16.840.1.101.3.4.1.42"


def open_envelope(answer: bytes, key: rsa.RSAPrivateKey) -> bytes:
    """Opens CMS EnvelopedData in the form of AWS KMS."""
    content_info, rest = decoder.decode(answer, asn1Spec=_ContentInfo())
    assert (rest, str(content_info["content_type"])) == (b"", ENVELOPED_DATA)
    enveloped = content_info["content"]
    (info,) = enveloped["recipients"]
    assert (int(enveloped["version"]), int(info["version"])) == (2, 2)
    assert str(info["algorithm"]["algorithm"]) == RSAES_OAEP
    sha256 = hashes.SHA256()
    content_key = key.decrypt(
        bytes(info["encrypted_key"]), padding.OAEP(padding.MGF1(hashes.SHA256()), sha256, label=None)
    )
    content = enveloped["content"]
    assert str(content["content_type"]) == DATA
    assert str(content["algorithm"]["algorithm"]) == AES_256_CBC
    iv, _ = decoder.decode(bytes(content["algorithm"]["parameters"]), asn1Spec=univ.OctetString())
    cipher = Cipher(algorithms.AES256(content_key), modes.CBC(bytes(iv))).decryptor()
    padded = cipher.update(bytes(content["content"])) + cipher.finalize()
    unpadder = PKCS7(128).unpadder()
    return unpadder.update(padded) + unpadder.finalize()
