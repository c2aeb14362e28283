"""Every operation of every service, called by those who may not: unsigned, by a user without any permission, and by an
administrator of another account on what is the first account's.

The operations come out of `models/`: a new one is called too, and must refuse. What answers all the same stands in
`corpus/authorization/exemptions.toml`, with the reason, and must be needed there.

Sources: KMS, IAM and STS API references; IAM user guide, "Policy evaluation logic": what nothing allows is denied.
"""

import base64
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from harness import clients
from harness.callers import UNSIGNED, Caller, new_user
from harness.iam import allow, document
from harness.inventory import inventory
from harness.raw import Line
from harness.seed import AMERICA, EUROPE, ONE, TWO, Account
from harness.server import Server
from harness.services import services

EXEMPTIONS = Path(__file__).parents[2] / "corpus" / "authorization" / "exemptions.toml"
ABSENT_ACCESS_KEY = "AKIAIOSFODNN7ABSENT0"
ABSENT_KEY = ONE.key_arn("00000000-1111-4222-8333-444444444444")
ABSENT_REQUEST = "1b4e28ba-2fa1-4d2c-883f-0016d3cca427"
# Policies of account one have this in them, and nothing else has.
MARK = "OfAccountOne"
POLICY = document(allow("kms:ListKeys"))


def trust(account: Account) -> str:
    """A trust policy that leaves it to the account's policies."""
    principal = {"AWS": f"arn:aws:iam::{account.id}:root"}
    return document({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"})


def trail_arn(name: str) -> str:
    return f"arn:aws:cloudtrail:{EUROPE}:{ONE.id}:trail/{name}"


# Values of members for which the least text that the model admits does not do.
VALUES: dict[str, dict[str, Any]] = {
    "cloudtrail": {
        # A user of account one.
        "LookupAttributes": [{"AttributeKey": "AccessKeyId", "AttributeValue": ONE.access_key_id}],
        "ResourceIdList": [trail_arn("resident")],
        "S3BucketName": "keywright-trail",
    },
    "iam": {
        "ActionNames": ["kms:Encrypt"],
        "AssumeRolePolicyDocument": trust(TWO),
        "InstanceProfileName": "profile",
        "PolicyDocument": POLICY,
        "PolicyInputList": [POLICY],
        "Url": "https://oidc.example/new",
    },
    "kms": {
        "CloudHsmClusterId": "cluster-2a34b5cdefg",
        "ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE",
        "KeySpec": "AES_256",
        "Policy": POLICY,
        "PrimaryRegion": AMERICA,
        "ReplicaRegion": AMERICA,
    },
    "sts": {"Name": "somebody", "RoleSessionName": "session"},
}
# Members that the model calls optional and the service does not, or not always.
NEEDED: dict[str, tuple[str, ...]] = {
    "cloudtrail:LookupEvents": ("LookupAttributes",),
    "kms:CreateCustomKeyStore": ("CloudHsmClusterId", "KeyStorePassword", "TrustAnchorCertificate"),
    "kms:CreateGrant": ("GranteePrincipal",),
    "kms:Decrypt": ("CiphertextBlob",),
    "kms:GenerateDataKey": ("KeySpec",),
    "kms:GenerateDataKeyWithoutPlaintext": ("KeySpec",),
    "kms:GenerateRandom": ("NumberOfBytes",),
    "kms:ImportKeyMaterial": ("ExpirationModel",),
    "kms:ListRetirableGrants": ("RetiringPrincipal",),
    "kms:ReEncrypt": ("CiphertextBlob",),
    "kms:RetireGrant": ("KeyId", "GrantId"),
}
# Requests beside the generated ones: a user who may not look at an AWS managed key does not bring it into being.
FURTHER: dict[str, list[dict[str, Any]]] = {"kms:DescribeKey": [{"KeyId": "alias/aws/sqs"}]}
# What nobody guesses: of a grant learns who knows its id or token.
UNGUESSABLE = {"GrantId": "0" * 64, "GrantToken": "x"}
# Answers that tell of the form of a request: then nobody was asked for leave, and the request proves nothing.
FORM = {
    "InvalidInput", "InvalidParameterValue", "MalformedPolicyDocument", "MalformedPolicyDocumentException",
    "SerializationException", "ValidationError", "ValidationException",
}  # fmt: skip
NOT_OFFERED = {"InvalidAction", "UnknownOperationException"}
DENIED = {"AccessDenied", "AccessDeniedException"}
NOT_SIGNED = {"MissingAuthenticationToken", "MissingAuthenticationTokenException"}
# What another account has is not there for IAM, or not for the caller.
NOT_THERE = {"iam": {"NoSuchEntity"}}


@dataclass
class World:
    """A server with two accounts. `names` say what account one has, by service and member of requests, `absent` what it
    has not. A further service of which something can be named brings its own."""

    server: Server
    names: dict[str, dict[str, Any]] = field(default_factory=dict)
    absent: dict[str, dict[str, Any]] = field(default_factory=dict)
    # Texts that nobody of the other account may be shown unless it sent them.
    secrets: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._furnish_keys()
        self._furnish_identities()
        self._furnish_decisions()
        self._furnish_trails()
        self.callers = {
            "unsigned": UNSIGNED,
            "powerless": new_user(self.server, "powerless"),
            "foreign": Caller("foreign", TWO.user_arn, TWO),
        }

    def is_about_one(self, sent: str) -> bool:
        """Whether a request names something of account one so that it is not taken for the caller's own."""
        blob = base64.b64encode(self.names["kms"]["CiphertextBlob"]).decode()
        return ONE.id in sent or blob in sent

    def unnamed(self, text: str) -> str:
        """An error's text without the names that were sent."""
        named = {value for names in (self.names, self.absent) for each in names.values() for value in each.values()}
        for value in sorted((one for one in named if isinstance(one, str)), key=len, reverse=True):
            text = text.replace(value, "<name>")
        return text

    def _furnish_keys(self) -> None:
        kms = clients.kms(self.server)
        key = kms.create_key(Description=MARK)["KeyMetadata"]["Arn"]
        kms.create_alias(AliasName="alias/resident", TargetKeyId=key)
        grant = kms.create_grant(KeyId=key, GranteePrincipal=ONE.user_arn, Operations=["Decrypt"])
        blob = kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
        self.names["kms"] = {
            "KeyId": key, "TargetKeyId": key, "SourceKeyId": key, "DestinationKeyId": key,
            "GrantId": grant["GrantId"], "GrantToken": grant["GrantToken"], "AliasName": "alias/resident",
            "GranteePrincipal": ONE.user_arn, "RetiringPrincipal": ONE.user_arn, "CiphertextBlob": blob,
        }  # fmt: skip
        absent = {name: ABSENT_KEY for name, value in self.names["kms"].items() if value == key}
        principals = {name: f"arn:aws:iam::{ONE.id}:user/absent" for name in ("GranteePrincipal", "RetiringPrincipal")}
        self.absent["kms"] = absent | principals | {"AliasName": "alias/absent"} | UNGUESSABLE
        self.secrets += [key.rsplit("/", 1)[1], grant["GrantId"], grant["GrantToken"]]

    def _furnish_identities(self) -> None:
        iam = clients.iam(self.server)
        resident = new_user(self.server, "resident")
        policy = document(allow("kms:ListKeys", Sid=MARK))
        made = iam.create_policy(PolicyName="resident", PolicyDocument=policy)["Policy"]
        role = iam.create_role(RoleName="resident", AssumeRolePolicyDocument=trust(ONE))["Role"]
        group = iam.create_group(GroupName="resident")["Group"]
        provider = iam.create_open_id_connect_provider(Url="https://oidc.example/resident")
        for kind in ("user", "role", "group"):
            put = getattr(iam, f"put_{kind}_policy")
            put(**{f"{kind.title()}Name": "resident", "PolicyName": "inline", "PolicyDocument": policy})
        self.names["iam"] = {
            "UserName": "resident", "RoleName": "resident", "GroupName": "resident", "PolicyName": "inline",
            "PolicyArn": made["Arn"], "VersionId": "v1", "AccessKeyId": resident.account.access_key_id,
            "OpenIDConnectProviderArn": provider["OpenIDConnectProviderArn"], "PolicySourceArn": resident.arn,
        }  # fmt: skip
        self.names["sts"] = {"RoleArn": role["Arn"], "AccessKeyId": resident.account.access_key_id}
        for service in ("iam", "sts"):
            self.absent[service] = {
                name: text.replace("resident", "absent").replace(resident.account.access_key_id, ABSENT_ACCESS_KEY)
                for name, text in self.names[service].items()
            }
        self.absent["iam"] |= {"PolicyName": "absent", "Url": "https://oidc.example/absent"}
        user = iam.get_user(UserName="resident")["User"]
        self.secrets += [MARK, ONE.id, made["PolicyId"], role["RoleId"], group["GroupId"], user["UserId"]]
        self.secrets.append(resident.account.access_key_id)

    def _furnish_decisions(self) -> None:
        denied = new_user(self.server, "denied").account
        with pytest.raises(ClientError) as caught:
            clients.kms(self.server, denied).list_keys()
        request = caught.value.response["ResponseMetadata"]["RequestId"]
        self.names["keywright"] = {"KeyId": self.names["kms"]["KeyId"], "RequestId": request}
        self.absent["keywright"] = {"KeyId": ABSENT_KEY, "RequestId": ABSENT_REQUEST}

    def _furnish_trails(self) -> None:
        cloudtrail = clients.cloudtrail(self.server)
        cloudtrail.create_trail(Name="resident", S3BucketName="keywright-trail", S3KeyPrefix=MARK)
        for names, name in ((self.names, "resident"), (self.absent, "absent")):
            names["cloudtrail"] = {"Name": name, "TrailName": trail_arn(name), "ResourceId": trail_arn(name)}


@dataclass(frozen=True)
class Call:
    """What was sent and what came back."""

    operation: str
    caller: str
    sent: str
    status: int
    code: str | None
    text: str
    received: str

    @property
    def service(self) -> str:
        return self.operation.split(":")[0]


@dataclass
class Calls:
    """All calls; those of the foreigner once more on what is there and on what is not; account one before and after."""

    made: list[Call]
    twins: list[tuple[Call, Call]]
    inventories: tuple[list[Any], list[Any]]
    world: World


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Calls]:
    """Every operation, called by everybody, on a server of its own."""
    world = World(Server(tmp_path_factory.mktemp("everything")).start())
    before = inventory(world.server, ONE, EUROPE, AMERICA)
    line = Line(world.server)
    made: list[Call] = []
    twins: list[tuple[Call, Call]] = []
    for name, service in services().items():
        for operation in service.operations:
            # What a foreigner makes in its own account it makes under both names, so both are alike there.
            there = requests(world, name, operation, UNGUESSABLE)
            absent = requests(world, name, operation, world.absent.get(name, {}))
            pairs = (pair for pair in zip(there, absent, strict=True) if pair[0] != pair[1])
            for one, other in pairs:
                first = call(world, line, name, operation, "foreign", one)
                twins.append((first, call(world, line, name, operation, "foreign", other)))
            known = requests(world, name, operation, {})
            made += [call(world, line, name, operation, who, one) for one in known for who in world.callers]
    line.close()
    yield Calls(made, twins, (before, inventory(world.server, ONE, EUROPE, AMERICA)), world)
    world.server.close()


def requests(world: World, service: str, operation: str, instead: dict[str, Any]) -> list[dict[str, Any]]:
    """The request with what it must have, and the one that also names all that it can."""
    names = world.names.get(service, {})
    values = VALUES.get(service, {}) | names | instead
    needed = NEEDED.get(f"{service}:{operation}", ())
    least, most = (services()[service].minimal(operation, values, named) for named in (needed, {*needed, *names}))
    further = FURTHER.get(f"{service}:{operation}", [])
    return [least, *further] if least.keys() == most.keys() else [least, most, *further]


def call(world: World, line: Line, service: str, operation: str, caller: str, members: dict[str, Any]) -> Call:
    model = services()[service]
    request = model.request(operation, members)
    answer = line.exchange(world.callers[caller].sign(world.server, request, service))
    code = model.code(answer)
    text = "" if code is None else model.text(answer)
    told = answer.body.decode().replace(answer.request_id, "")
    return Call(f"{service}:{operation}", caller, request.body.decode(), answer.status, code, text, told)


def complaint(made: Call, world: World) -> str | None:
    """What is wrong with an answer, if anything is."""
    if made.code in NOT_OFFERED and made.caller != "unsigned":
        return None
    if made.caller == "unsigned":
        return None if made.code in NOT_SIGNED else "an unsigned call was looked at"
    if made.code in FORM:
        return "the request is not well formed: see VALUES and NEEDED"
    if made.caller == "powerless":
        return None if made.code in DENIED else "not refused"
    shown = [secret for secret in world.secrets if secret in made.received and secret not in made.sent]
    if shown:
        return f"shows {shown}"
    is_refused = made.code in DENIED | NOT_THERE.get(made.service, set())
    return "not refused" if world.is_about_one(made.sent) and not is_refused else None


def exemptions() -> dict[tuple[str, str], dict[str, str]]:
    """The exemptions, by operation and caller."""
    listed = tomllib.loads(EXEMPTIONS.read_text())["exemption"]
    return {(one["operation"], one["caller"]): one for one in listed}


def test_who_may_not_is_refused(calls: Calls) -> None:
    exempt = exemptions()
    wrong = []
    for made in calls.made:
        if (made.operation, made.caller) not in exempt and (why := complaint(made, calls.world)):
            answer = f"{made.status} {made.code} {made.text}"
            wrong.append(f"{made.operation} by {made.caller}: {why}: {answer}\n  {made.sent}")
    assert not wrong, "\n".join([f"{len(wrong)} answers", *wrong])


def test_every_exemption_is_needed_and_right(calls: Calls) -> None:
    for (operation, caller), exemption in exemptions().items():
        found = [made for made in calls.made if (made.operation, made.caller) == (operation, caller)]
        assert found and any(complaint(made, calls.world) for made in found), f"{operation} by {caller} needs none"
        assert {made.code or "ok" for made in found} == {exemption["answer"]}, (operation, caller)
        assert exemption["reason"] and exemption["source"].startswith("https://")


def test_a_foreigner_does_not_learn_what_is_there(calls: Calls) -> None:
    """What is there and what is not get the same answer, but for the names that were sent."""
    exempt = exemptions()
    for there, absent in calls.twins:
        if exempt.get((there.operation, "foreign"), {}).get("answer") != "ok":
            assert there.code == absent.code, there.operation
            assert calls.world.unnamed(there.text) == calls.world.unnamed(absent.text), there.operation


def test_nothing_of_the_account_is_changed(calls: Calls) -> None:
    before, after = calls.inventories
    assert after == before


def test_refusals_have_the_status_of_their_protocol(calls: Calls) -> None:
    for made in calls.made:
        if made.code in DENIED | NOT_SIGNED:
            assert made.status == (400 if made.code.endswith("Exception") else 403), made


@pytest.mark.parametrize(
    ("caller", "code", "received", "is_wrong"),
    [
        ("unsigned", "MissingAuthenticationToken", "", False),
        ("unsigned", "AccessDenied", "", True),
        ("unsigned", "InvalidAction", "", True),
        ("powerless", "AccessDenied", "", False),
        ("powerless", "InvalidAction", "", False),
        ("powerless", "NoSuchEntity", "", True),
        ("powerless", "ValidationError", "", True),
        ("powerless", None, "", True),
        ("foreign", None, "", False),
        ("foreign", None, MARK, True),
        ("foreign", "NoSuchEntity", ONE.id, True),
        ("foreign", "ValidationError", "", True),
    ],
)
def test_what_is_complained_of(calls: Calls, caller: str, code: str | None, received: str, is_wrong: bool) -> None:
    made = Call("iam:GetUser", caller, "Action=GetUser", 200, code, "", received)
    assert bool(complaint(made, calls.world)) == is_wrong


def test_what_is_asked_about_another_account_must_be_refused(calls: Calls) -> None:
    arn = calls.world.names["iam"]["PolicyArn"]
    for code, is_wrong in ((None, True), ("NoSuchEntity", False), ("AccessDenied", False), ("LimitExceeded", True)):
        made = Call("iam:GetPolicy", "foreign", f"PolicyArn={arn}", 200, code, "", "")
        assert bool(complaint(made, calls.world)) == is_wrong, code
