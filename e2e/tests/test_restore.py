"""`keywright restore`: what is no whole backup for whoever opens it is refused, and leaves nothing that starts."""

import io
import os
import shutil
import signal
import subprocess
import tarfile
from pathlib import Path

import pytest

from harness import clients
from harness.backups import Keeper, new_keeper, restore, restored
from harness.buckets import new_bucket
from harness.polling import eventually
from harness.server import (
    BINARY,
    EXIT_BACKUP,
    EXIT_DATA_FOLDER,
    EXIT_OK,
    EXIT_USAGE,
    Server,
    StartFailed,
    clean_environment,
    run_tool,
)


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Keeper]:
    """A backup of a stopped service with some contents, and its keeper."""
    folder = tmp_path_factory.mktemp("sample")
    keeper = new_keeper(folder)
    server = Server(folder).start()
    s3 = clients.s3(server)
    bucket = new_bucket(s3)
    s3.put_object(Bucket=bucket, Key="name", Body=os.urandom(300_000))
    server.stop()
    place = ("--data-dir", str(server.data), "--recipient", keeper.recipient)
    assert run_tool("backup", *place, "backup.age", folder=folder).returncode == EXIT_OK
    return folder / "backup.age", keeper


def assert_refused(backup: Path, keeper: Keeper, data: Path, words: str, code: int = EXIT_BACKUP) -> None:
    """The backup is refused in one sentence, and nothing is left of it."""
    was_there = data.exists()
    refused = restore(backup, keeper, data)
    assert refused.returncode == code, refused.stdout + refused.stderr
    assert words in refused.stderr and refused.stderr.count("\n") == 1, refused.stderr
    assert data.exists() == was_there and not (was_there and list(data.iterdir()))


def test_a_file_that_was_cut_off_or_changed_is_refused(sample: tuple[Path, Keeper], tmp_path: Path) -> None:
    backup, keeper = sample
    whole = backup.read_bytes()
    assert len(whole) > 10 * 65_552
    header = whole.index(b"\n---") + 49 + 16
    copy, data = tmp_path / "copy.age", tmp_path / "data"
    at_chunks = [header + number * 65_552 for number in (1, 3, (len(whole) - header) // 65_552)]
    for length in [0, 10, header - 70, header - 1, header, *at_chunks, len(whole) // 2, len(whole) - 1]:
        copy.write_bytes(whole[:length])
        assert_refused(copy, keeper, data, "nothing was restored")
    for place in [5, 30, 70, header - 40, header - 3, header + 9, len(whole) // 3, len(whole) - 1]:
        copy.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        assert_refused(copy, keeper, data, "nothing was restored")
    copy.write_bytes(whole + b"\0")
    assert_refused(copy, keeper, data, "damaged")
    data.mkdir()  # an empty folder stays one
    copy.write_bytes(whole[: len(whole) // 2])
    assert_refused(copy, keeper, data, "damaged")
    assert restore(backup, keeper, data).returncode == EXIT_OK


def test_a_file_whose_archive_ends_before_the_cut_is_refused(sample: tuple[Path, Keeper], tmp_path: Path) -> None:
    """Zeros may follow an archive; only the end of the file proves that nothing else did."""
    backup, keeper = sample
    archive = keeper.opened(backup) + bytes(200_000)
    padded = keeper.closed(archive, tmp_path / "padded.age")
    assert restore(padded, keeper, tmp_path / "whole").returncode == EXIT_OK
    whole = padded.read_bytes()
    header = whole.index(b"\n---") + 49 + 16
    padded.write_bytes(whole[: header + (len(whole) - header) // 65_552 * 65_552])
    assert_refused(padded, keeper, tmp_path / "data", "damaged")


def test_a_backup_is_opened_by_its_keeper_alone(sample: tuple[Path, Keeper], tmp_path: Path) -> None:
    backup, keeper = sample
    other = new_keeper(tmp_path)
    assert_refused(backup, other, tmp_path / "data", "not for the identity")
    for text, words in [("", "holds no identity"), ("# x\nAGE-SECRET-KEY-1X\n", "line 2"), (keeper.recipient, "line 1")]:
        other.identity.write_text(text)
        assert_refused(backup, other, tmp_path / "data", words, EXIT_USAGE)
    other.identity.unlink()
    assert_refused(backup, other, tmp_path / "data", "cannot be read", EXIT_USAGE)


def archive_of(*files: tuple[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for name, content in files:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return out.getvalue()


def contents_of(archive: bytes) -> list[tuple[str, bytes]]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        return [(member.name, opened.extractfile(member).read()) for member in opened]  # type: ignore[union-attr]


HEAD = (
    "keywright-backup.json",
    b'{"format": 1, "keywright": "0.1.0", "time": "2026-01-31T12:00:00Z", "objects_upstream": false}',
)


@pytest.mark.parametrize(
    ("archive", "words"),
    [
        (b"something else", "does not begin with keywright-backup.json"),
        (b"", "does not begin with keywright-backup.json"),
        (archive_of(("notes.txt", b"x")), "does not begin with keywright-backup.json"),
        (archive_of(("keywright-backup.json", b"{}")), "not understood"),
        (archive_of(("keywright-backup.json", b'{"format": 2, "of": "later"}')), "written by a newer Keywright"),
        (archive_of(HEAD, ("../outside", b"x")), "no place in a data folder"),
        (archive_of(HEAD, ("/tmp/outside", b"x")), "no place in a data folder"),
        (archive_of(HEAD, ("trail/../../outside", b"x")), "no place in a data folder"),
        (archive_of(HEAD, ("objects/../outside", b"x")), "no place in a data folder"),
        (archive_of(HEAD, ("aws-profile", b"x")), "no place in a data folder"),
        (archive_of(HEAD, ("\x1b[2J\u009b2J\n", b"x")), r"a file `\u001b[2J\u009b2J\u000a`, which has no place"),
        (archive_of(HEAD, ("trail/" + "long/" * 900, b"x")), "no place in a data folder"),
        (archive_of(HEAD, ("complete", b"")), "its format is missing"),
        (archive_of(HEAD, ("format", b"1 production\n")), "its root.json is missing"),
    ],
)
def test_what_is_no_backup_is_refused(
    archive: bytes, words: str, keeper: Keeper, tmp_path: Path
) -> None:
    before = set(tmp_path.iterdir())
    backup = keeper.closed(archive, tmp_path / "foreign.age")
    assert_refused(backup, keeper, tmp_path / "data", words)
    assert set(tmp_path.iterdir()) == before | {backup}
    assert not (tmp_path.parent / "outside").exists() and not Path("/tmp/outside").exists()
    plain = tmp_path / "plain.tar"
    plain.write_bytes(archive)
    assert_refused(plain, keeper, tmp_path / "data", "no file in the format age-encryption.org/v1")


def test_links_and_what_does_not_belong_together_are_refused(sample: tuple[Path, Keeper], tmp_path: Path) -> None:
    backup, keeper = sample
    files = contents_of(keeper.opened(backup))
    made = keeper.closed(archive_of(*files), tmp_path / "again.age")
    assert restore(made, keeper, tmp_path / "whole").returncode == EXIT_OK

    def without(*parts: str) -> list[tuple[str, bytes]]:
        return [file for file in files if not file[0].startswith(parts)]

    damaged = [(name, b"damaged" if name == "keywright.redb" else content) for name, content in files]
    twice = [*files[:-1], ("root.json", b"x"), files[-1]]
    marked_twice = [("format", b"1 dev\n") if name == "complete" else (name, content) for name, content in files]
    newer = [(name, b"9 production\n" if name == "format" else content) for name, content in files]
    for changed, words, code in [
        (without("root.json"), "root.json is missing", EXIT_BACKUP),
        (without("keywright.redb"), "keywright.redb is missing", EXIT_BACKUP),
        (without("objects/"), "contents of an object are missing", EXIT_BACKUP),
        (damaged, "damaged", EXIT_BACKUP),
        (twice, "two files for one place in a data folder, `root.json`", EXIT_BACKUP),
        (marked_twice, "two files for one place in a data folder, `format`", EXIT_BACKUP),
        (newer, "newer Keywright", EXIT_DATA_FOLDER),
    ]:
        made = keeper.closed(archive_of(*changed), tmp_path / "changed.age")
        assert_refused(made, keeper, tmp_path / "data", words, code)
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        head = tarfile.TarInfo(HEAD[0])
        head.size = len(HEAD[1])
        archive.addfile(head, io.BytesIO(HEAD[1]))
        link = tarfile.TarInfo("trail/log")
        link.type, link.linkname = tarfile.SYMTYPE, str(tmp_path)
        archive.addfile(link)
    made = keeper.closed(out.getvalue(), tmp_path / "link.age")
    assert_refused(made, keeper, tmp_path / "data", "no place in a data folder")


def test_a_folder_that_is_not_empty_is_left_as_it_is(sample: tuple[Path, Keeper], tmp_path: Path) -> None:
    backup, keeper = sample
    data = tmp_path / "data"
    data.mkdir()
    (data / "mine").write_text("x")
    refused = restore(backup, keeper, data)
    assert (refused.returncode, "not empty" in refused.stderr) == (EXIT_DATA_FOLDER, True), refused.stderr
    assert [path.name for path in data.iterdir()] == ["mine"]
    (tmp_path / "file").write_text("x")
    refused = restore(backup, keeper, tmp_path / "file")
    assert (refused.returncode, "not a folder" in refused.stderr) == (EXIT_DATA_FOLDER, True), refused.stderr


def test_a_restore_that_was_killed_leaves_a_folder_that_nobody_starts_on(
    sample: tuple[Path, Keeper], tmp_path: Path
) -> None:
    backup, keeper = sample
    whole = backup.read_bytes()
    server = Server(tmp_path)
    for part in (0.2, 0.6, 0.98):
        arguments = ["restore", "--data-dir", str(server.data), "--identity", str(keeper.identity), "-"]
        restoring = subprocess.Popen(
            [str(BINARY), *arguments], stdin=subprocess.PIPE, env=clean_environment(tmp_path), cwd=tmp_path
        )
        assert restoring.stdin is not None
        restoring.stdin.write(whole[: int(len(whole) * part)])
        restoring.stdin.flush()
        eventually(lambda: (server.data / "root.json").exists(), "files are unpacked")
        restoring.send_signal(signal.SIGKILL)
        restoring.wait(10)
        for attempt in (server.start, lambda: restored_again(backup, keeper, server)):
            with pytest.raises(StartFailed) as failure:
                attempt()
            assert failure.value.exit_code == EXIT_DATA_FOLDER
            assert "did not come to its end; remove the folder" in failure.value.log
        shutil.rmtree(server.data)
    assert restore(backup, keeper, server.data).returncode == EXIT_OK
    server.start()
    server.stop()


def restored_again(backup: Path, keeper: Keeper, server: Server) -> None:
    done = restore(backup, keeper, server.data)
    raise StartFailed(done.returncode, done.stderr)
