"""The conformance suite itself: it must see when an answer is wrong.

Each lie is told about an answer of Keywright that passes without it; an endpoint that knows nothing must not score.
"""

import copy
import dataclasses
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from suite import collect, command, expected, score
from suite.cases import Case, CaseFileError, Refusal, Success
from suite.checks import complaints
from suite.endpoint import Answer, Endpoint, Target
from suite.files import cases as cases_of_files
from suite.model import Model
from suite.runner import Run, Verdict
from suite.scope import Scope, Unprepared
from suite.tables import Tables

from harness.seed import AMERICA, EUROPE, ONE
from harness.server import Server

TABLES = Tables()
CASES = collect.cases(TABLES)


def case(id_: str) -> Case:
    """The case of this id."""
    return next(case for case in CASES if case.id == id_)


def liar(endpoint: Endpoint, lied_about: str, lie: Callable[[Answer], Answer]) -> Endpoint:
    """An endpoint that changes each answer of one operation on its way."""

    def call(operation: str, request: dict[str, Any], region: str | None = None) -> Answer:
        answer = endpoint.call(operation, request, region)
        return lie(answer) if operation == lied_about else answer

    lying = copy.copy(endpoint)
    lying.call = call  # type: ignore[method-assign]
    return lying


def with_members(**changed: Any) -> Callable[[Answer], Answer]:
    """Other members; None takes one away."""

    def lie(answer: Answer) -> Answer:
        members = {name: value for name, value in (answer.members | changed).items() if value is not None}
        return dataclasses.replace(answer, members=members)

    return lie


def replaced(**parts: Any) -> Callable[[Answer], Answer]:
    return lambda answer: dataclasses.replace(answer, **parts)


def with_raw(**added: Any) -> Callable[[Answer], Answer]:
    """A member that boto3 does not show."""
    return lambda answer: dataclasses.replace(answer, body=json.dumps(json.loads(answer.body) | added).encode())


SUCCESS = dict(code=None, status=200, text="", body=b"{}")
LIES: list[tuple[str, Callable[[Answer], Answer]]] = [
    ("Encrypt / key states / SYMMETRIC_DEFAULT/Enabled", with_members(KeyId=None)),
    ("Encrypt / key states / SYMMETRIC_DEFAULT/Enabled", with_members(KeyId="alias/x")),
    ("Encrypt / key states / SYMMETRIC_DEFAULT/Enabled", with_members(CiphertextBlob=b"")),
    ("Encrypt / key states / SYMMETRIC_DEFAULT/Enabled", replaced(code="DisabledException", status=400)),
    ("Encrypt / key states / SYMMETRIC_DEFAULT/Enabled", replaced(status=201)),
    ("Encrypt / key states / SYMMETRIC_DEFAULT/Enabled", replaced(request_id=None)),
    ("Encrypt / key states / SYMMETRIC_DEFAULT/Enabled", with_raw(KeyMaterialId="0" * 64)),
    ("Encrypt / key states / SYMMETRIC_DEFAULT/Enabled", with_raw(EncryptionAlgorithm=None)),
    ("Encrypt / key states / SYMMETRIC_DEFAULT/Enabled", with_raw(EncryptionAlgorithm="ROT13")),
    ("Encrypt / key states / SYMMETRIC_DEFAULT/Enabled", with_raw(CiphertextBlob="no base64")),
    ("Encrypt / key states / SYMMETRIC_DEFAULT/Disabled", replaced(text="The key is disabled.")),
    ("Encrypt / key states / SYMMETRIC_DEFAULT/Disabled", replaced(code="KMSInvalidStateException")),
    ("Encrypt / key states / SYMMETRIC_DEFAULT/Disabled", replaced(status=403)),
    ("Encrypt / key states / SYMMETRIC_DEFAULT/Disabled", replaced(**SUCCESS)),
    ("Encrypt / key states / HMAC_256/Enabled", replaced(code="ValidationException")),
    ("Encrypt / constraints / Plaintext above the maximum", replaced(text="1 validation error detected: no")),
    ("Sign / key states / ECC_NIST_P256 SIGN_VERIFY/Enabled", replaced(code="NotFoundException", status=400)),
    ("Verify / key states / ECC_NIST_P256 SIGN_VERIFY/Enabled", with_members(SignatureValid=False)),
    ("GenerateMac / macs / HMAC_256", with_members(Mac=b"x" * 32)),
    ("GenerateDataKey / data keys / AES_128", with_members(Plaintext=b"x" * 17)),
    ("DescribeKey / key states / HMAC_256/Enabled", with_members(KeyMetadata={})),
    ("DisableKey / key states / SYMMETRIC_DEFAULT/Enabled", replaced(body=b"{}")),
    ("Decrypt / encryption / a ciphertext that was changed", replaced(text="the tag is wrong")),
    ("ListAliases / aliases / page by page", with_members(Aliases=[])),
    ("ListAliases / aliases / page by page", with_members(Truncated=None)),
    ("DescribeKey / identifiers / an unknown key id", replaced(text="No such key")),
    ("GenerateMac / dry run / HMAC_224/Enabled", replaced(**SUCCESS)),
    ("TagResource / tags / adds, overwrites and keeps", replaced(code="TagException", status=400)),
]


@pytest.fixture(scope="module")
def endpoint(server: Server) -> Endpoint:
    """Keywright, which tells the truth."""
    secret = ONE.secret_access_key
    return Endpoint(
        Target(server.endpoint, EUROPE, AMERICA, access_key_id=ONE.access_key_id, secret_access_key=secret)
    )


@pytest.mark.parametrize("id_", sorted({id_ for id_, _ in LIES}))
def test_without_a_lie_the_case_passes(endpoint: Endpoint, id_: str) -> None:
    assert Run(endpoint, TABLES).verdict(case(id_)).complaints == ()


@pytest.mark.parametrize(("id_", "lie"), LIES, ids=[f"{number} {id_}" for number, (id_, _) in enumerate(LIES)])
def test_a_lie_is_seen(endpoint: Endpoint, id_: str, lie: Callable[[Answer], Answer]) -> None:
    lying = liar(endpoint, id_.split(" / ")[0], lie)
    assert not Run(lying, TABLES).verdict(case(id_)).passed


def test_a_step_after_the_call_counts(endpoint: Endpoint) -> None:
    # The call itself is right; what it did is looked at by another one.
    lying = liar(endpoint, "ListResourceTags", with_members(Tags=[]))
    assert not Run(lying, TABLES).verdict(case("TagResource / tags / adds, overwrites and keeps")).passed


class Empty(BaseHTTPRequestHandler):
    """Answers everything with an empty object, and GetCallerIdentity with somebody."""

    def do_POST(self) -> None:
        sent = self.rfile.read(int(self.headers["Content-Length"]))
        body = CALLER if b"GetCallerIdentity" in sent else b"{}"
        self.send_response(200)
        self.send_header("x-amzn-RequestId", "1")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None:
        pass


CALLER = b"""<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
<Arn>arn:aws:iam::123456789012:user/nobody</Arn><UserId>x</UserId><Account>123456789012</Account>
</GetCallerIdentityResult></GetCallerIdentityResponse>"""


@pytest.fixture
def empty(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The URL of an endpoint that agrees to everything."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ONE.access_key_id)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", ONE.secret_access_key)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Empty)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def test_an_endpoint_that_agrees_to_everything_scores_nothing(empty: str, capsys: pytest.CaptureFixture[str]) -> None:
    chosen = ["--operation", "ListKeys", "--operation", "GenerateRandom", "--operation", "Decrypt"]
    assert command.main(["--endpoint-url", empty, *chosen]) == command.EXIT_FAILED
    lines = capsys.readouterr().out.splitlines()
    passed, _, all_ = lines[-1].removeprefix(score.TOTAL).split()[:3]
    assert int(passed) == 0
    assert int(all_) == len(command.chosen(CASES, ["ListKeys", "GenerateRandom", "Decrypt"], None))


def test_a_case_that_nobody_asked_for_is_no_success(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--endpoint-url", "http://127.0.0.1:9", "--case", "no such case"]) == command.EXIT_USAGE


def test_every_operation_of_the_model_has_cases() -> None:
    assert {case.operation for case in CASES} == set(Model().operations)


def test_every_row_of_the_tables_is_an_action_and_every_word_an_answer() -> None:
    for grid in (TABLES.states, TABLES.usages, TABLES.origins, TABLES.roles):
        assert set(grid.rows) <= set(TABLES.actions)
        words = {word for row in grid.rows.values() for word in row}
        assert words - {"ok", "elsewhere"} <= set(TABLES.refusals)


def test_every_case_names_its_source() -> None:
    assert all(case.source.startswith(("https://docs.aws.amazon.com/", "models/")) for case in CASES)


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ('[[case]]\noperation = "Encrypt"\nname = "a"\nrequest = {}\n', "source"),
        ('source = "x"\n[[case]]\noperation = "Encrypt"\nname = "a"\nrefuse = "disabled"\n', "refuse"),
        ('source = "x"\n[[case]]\noperation = "E"\nname = "a"\nrefused = { text = "x" }\n', "code"),
        ('source = "x"\n[[case]]\noperation = "E"\nname = "a"\nbefore = [{ call = "E", then = 1 }]\n', "then"),
        ("source = ", "TOML|toml|Invalid|value"),
    ],
)
def test_a_file_that_is_not_understood_is_refused(tmp_path: Path, table: str, told: str) -> None:
    (tmp_path / "wrong.toml").write_text(table)
    with pytest.raises(CaseFileError, match=told):
        cases_of_files(TABLES, tmp_path)


ANSWER = Answer("Encrypt", 200, {"Text": "abc", "List": [1, 2], "Inner": {"Flag": True}, "Bytes": b"abc"})


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ({"Text": "abc"}, {"Text": "abd"}),
        ({"Text": "{known}"}, {"Text": "{other}"}),
        ({"Inner.Flag": True}, {"Inner.Flag": 1}),
        ({"List.1": 2}, {"List.2": 2}),
        ({"Text": {"pattern": "a.c"}}, {"Text": {"pattern": "a."}}),
        ({"Bytes": {"length": 3}}, {"Bytes": {"length": 2}}),
        ({"Bytes": {"length": [1, 3]}}, {"Bytes": {"length": [4, 5]}}),
        ({"None": {"absent": True}}, {"Text": {"absent": True}}),
        ({"Text": {"present": True}}, {"None": {"present": True}}),
        ({"Text": {"any_of": ["x", "abc"]}}, {"Text": {"any_of": ["x"]}}),
        ({"Text": {"differs": "x"}}, {"Text": {"differs": "{known}"}}),
        ({"List": {"same_items": [2, 1]}}, {"List": {"same_items": [1, 1]}}),
        ({"List": {"contains": 2}}, {"List": {"contains": 3}}),
        ({"List": {"lacks": 3}}, {"List": {"lacks": 2}}),
        ({"Inner": {"equals": {"Flag": True}}}, {"Inner": {"equals": {}}}),
        ({"Text": {"length": 3, "pattern": "a.*"}}, {"Text": {"length": 3, "pattern": "b.*"}}),
    ],
)
def test_each_check_has_its_negative_twin(right: dict[str, Any], wrong: dict[str, Any]) -> None:
    scope = Scope({}, {"known": "abc", "other": "x"})
    assert complaints(ANSWER, (Success(right),), scope) == []
    assert complaints(ANSWER, (Success(wrong),), scope) != []


def test_texts_are_compared_as_a_whole() -> None:
    answer = Answer("Encrypt", 400, code="NotFoundException", text="Key 'a.b' does not exist")
    scope = Scope({}, {"key": "a.b", "other": "a?b"})
    right = [
        Refusal(("NotFoundException",)),
        Refusal(("ValidationException", "NotFoundException"), ("other", "Key '{key}' does not exist")),
        Refusal(("NotFoundException",), pattern="Key '{key}' does( not)? exist"),
    ]
    wrong = [
        Refusal(("ValidationException",)),
        Refusal(("NotFoundException",), ("Key '{key}'",)),
        Refusal(("NotFoundException",), ("",)),
        Refusal(("NotFoundException",), pattern="Key '{key}'"),
        Refusal(("NotFoundException",), pattern="Key '{other}' does not exist"),
    ]
    assert [complaints(answer, (one,), scope) for one in right] == [[]] * len(right)
    assert all(complaints(answer, (one,), scope) for one in wrong)


def test_placeholders_keep_the_type_of_what_they_stand_for() -> None:
    scope = Scope({}, {"size": 3, "blob": b"abc", "lazy": lambda: "made", "inner": {"list": [{"name": "x"}]}})
    assert scope.resolve({"a": "{bytes size}", "*": "{inner}"}) == {"a": b"***", "list": [{"name": "x"}]}
    assert scope.resolve("{lazy}/{size}/{inner.list.0.name}") == "made/3/x"
    assert scope.resolve('{"Version": "x"}, [0-9]{2}') == '{"Version": "x"}, [0-9]{2}'
    assert scope.resolve("{flipped blob}") == b"abb"
    for unknown in ("{nothing}", "{inner.none}", "{inner.list.7}", "{twist blob}"):
        with pytest.raises(Unprepared):
            scope.resolve(unknown)


def verdict(name: str, *complaints: str) -> Verdict:
    return Verdict(Case("Encrypt", "group", name, "source", ()), complaints)


def test_surprises_go_both_ways() -> None:
    verdicts = [verdict("fine"), verdict("broken", "wrong"), verdict("known", "wrong")]
    known = [expected.Expected("Encrypt / group / known", "why")]
    assert [line.split("\n")[0] for line in expected.surprises(verdicts, known)] == ["Encrypt / group / broken"]
    assert len(expected.surprises(verdicts, [expected.Expected("*", "why")])) == 1
    assert len(expected.surprises(verdicts, [])) == 2
    assert "names no case" in expected.surprises([], known)[0]
    assert expected.surprises_among([], known) == []


def test_the_score_counts_by_operation_and_is_written_between_its_marks() -> None:
    verdicts = [verdict("fine"), verdict("broken", "wrong")]
    assert score.counts(verdicts) == {"Encrypt": (1, 2), score.TOTAL: (1, 2)}
    document = f"before\n{score.BEGIN}\nold\n{score.END}\nafter\n"
    written = score.with_table(document, score.as_markdown(verdicts))
    assert written.startswith("before\n") and written.endswith("\nafter\n")
    assert "| Encrypt | 1 | 2 |" in written and "old" not in written
    assert score.with_table(written, score.as_markdown(verdicts)) == written
    with pytest.raises(score.NoTable):
        score.with_table("no marks", "")
