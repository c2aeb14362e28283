"""The command line of the suite."""

import argparse
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from suite import collect, expected, score
from suite.cases import Case, CaseFileError
from suite.endpoint import Endpoint, NoAnswer, Target
from suite.runner import Run, Verdict
from suite.tables import Tables

DOCUMENT = Path(__file__).parents[3] / "docs" / "compatibility.md"
# AWS throttles: CreateKey five times a second, GetParametersForImport once. Its changes of state take seconds.
ATTEMPTS_ELSEWHERE = 12
PATIENCE_ELSEWHERE = 60.0
EXIT_OK, EXIT_FAILED, EXIT_USAGE = 0, 1, 2


def main(arguments: list[str] | None = None) -> int:
    """Runs the suite. The exit code is 0 if every case is as expected."""
    options = _parser().parse_args(arguments)
    try:
        with _target(options) as target:
            return _run(options, target)
    except (CaseFileError, NoAnswer, score.NoTable) as error:
        print(f"conformance: {error}", file=sys.stderr)
        return EXIT_USAGE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="e2e/conformance/run",
        description="Compares a service with what AWS KMS documents, case by case. Without --endpoint-url and --aws it "
        "starts Keywright and expects what cases/expected-failures.toml says.",
    )
    place = parser.add_mutually_exclusive_group()
    place.add_argument("--endpoint-url", help="the service to test; credentials come from the usual AWS chain")
    place.add_argument("--aws", action="store_true", help="test AWS itself; makes about 250 keys, which cost money")
    parser.add_argument("--region", default="eu-central-1")
    parser.add_argument("--second-region", default="us-east-1", help="where replicas of multi-Region keys are made")
    parser.add_argument("--profile", help="a profile of the AWS configuration")
    parser.add_argument("--operation", action="append", default=[], help="only this operation; may be repeated")
    parser.add_argument("--case", metavar="TEXT", help="only cases whose id contains this text")
    parser.add_argument("--list", action="store_true", help="print the ids of the cases and run none")
    parser.add_argument("--failures", action="store_true", help="print every case that fails, expected or not")
    parser.add_argument("--write-table", action="store_true", help=f"write the score into docs/{DOCUMENT.name}")
    return parser


@contextmanager
def _target(options: argparse.Namespace) -> Iterator[Target]:
    if options.endpoint_url or options.aws or options.list:
        yield Target(
            options.endpoint_url,
            options.region,
            options.second_region,
            options.profile,
            attempts=ATTEMPTS_ELSEWHERE,
            patience=PATIENCE_ELSEWHERE,
        )
        return
    with tempfile.TemporaryDirectory() as folder, keywright(Path(folder), options.region, options.second_region) as own:
        yield own


@contextmanager
def keywright(folder: Path, region: str, second_region: str) -> Iterator[Target]:
    """Keywright on an empty data folder, started by the harness."""
    from harness.seed import ONE
    from harness.server import BINARY, Server

    if not BINARY.exists():
        raise NoAnswer(f"no binary at {BINARY}: build it, or name another one in KEYWRIGHT_BINARY")
    server = Server(folder).start()
    try:
        yield Target(
            server.endpoint,
            region,
            second_region,
            access_key_id=ONE.access_key_id,
            secret_access_key=ONE.secret_access_key,
        )
    finally:
        server.close()


def chosen(cases: list[Case], operations: list[str], text: str | None) -> list[Case]:
    """The cases that the command line asks for."""
    return [
        case
        for case in cases
        if (not operations or case.operation in operations) and (text is None or text in case.id)
    ]


def _run(options: argparse.Namespace, target: Target) -> int:
    tables = Tables()
    cases = chosen(collect.cases(tables), options.operation, options.case)
    if options.list:
        print("\n".join(case.id for case in cases))
        return EXIT_OK
    if not cases:
        raise CaseFileError("no case is asked for")
    endpoint = Endpoint(target)
    elsewhere = bool(options.endpoint_url or options.aws)
    try:
        verdicts = Run(endpoint, tables).verdicts(cases)
    finally:
        if elsewhere:
            print(f"conformance: removing {endpoint.remove_everything()} keys and aliases", file=sys.stderr)
    return _report(options, verdicts, elsewhere, everything=not options.operation and options.case is None)


def _report(options: argparse.Namespace, verdicts: list[Verdict], elsewhere: bool, *, everything: bool) -> int:
    known = [] if elsewhere else expected.read_all()
    found = expected.surprises(verdicts, known) if everything else expected.surprises_among(verdicts, known)
    if options.failures:
        found = expected.surprises(verdicts, [])
    for line in found:
        print(line)
    print(score.as_text(verdicts))
    if options.write_table:
        score.write(DOCUMENT, score.as_markdown(verdicts))
    return EXIT_FAILED if found else EXIT_OK
