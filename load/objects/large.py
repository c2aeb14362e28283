"""Long objects: what a transfer takes of memory, what a range reads of the disk, and sizes around every limit."""

import time
from pathlib import Path

from contestant import Contestant, running
from signed import Client, Refused, upload_id
from stream import Stream, checksum_of

BUCKET = "/large"
KMS = {"x-amz-server-side-encryption": "aws:kms"}
CHUNK = 1 << 16
TAG = 16
PART_MIN = 5 << 20
PUT_MAX = 5 << 30
PARTS_MAX = 10_000


def measure(binary: Path, folder: Path, longest: int) -> dict[str, list[str]]:
    """The lines of each section."""
    with running("large", binary, folder) as server:
        client = server.client()
        client.call("PUT", BUCKET)
        found = {"memory": memory(server, sorted({min(100_000_000, longest), longest})), "range": ranges(server, longest)}
        client.call("DELETE", f"{BUCKET}/{longest}")
        found["ladder"] = ladder(client, longest)
        client.close()
        return found


def put(client: Client, size: int, path: str | None = None) -> int:
    """Puts a stream and gives its checksum."""
    stream = Stream(size, first=size)
    client.send("PUT", path or f"{BUCKET}/{size}", stream, KMS, length=size).read()
    return stream.checksum


def assert_there(client: Client, path: str, size: int, checksum: int) -> None:
    assert checksum_of(client.receive(path)) == (checksum, size), f"{path} has other contents"


def memory(server: Contestant, sizes: list[int]) -> list[str]:
    lines = ["| object, bytes | PUT, peak growth, MiB | GET, peak growth, MiB |", "|---|---|---|"]
    client = server.client()
    # What the first transfer of all makes is no transfer's own.
    checksum = put(client, 10_000_000)
    assert_there(client, f"{BUCKET}/10000000", 10_000_000, checksum)
    for size in sizes:
        before = server.forget_peak()
        checksum = put(client, size)
        of_put = server.peak() - before
        before = server.forget_peak()
        assert_there(client, f"{BUCKET}/{size}", size, checksum)
        of_get = server.peak() - before
        lines.append(f"| {size:,} | {of_put / 2**20:.1f} | {of_get / 2**20:.1f} |")
    # The longest stays, for ranges of it.
    for size in set(sizes) - {max(sizes)}:
        client.call("DELETE", f"{BUCKET}/{size}")
    client.close()
    return lines


def ranges(server: Contestant, size: int) -> list[str]:
    """What a range reads of the disk, by the kernel's count of what read calls gave."""
    lines = ["| range | of an object of | bytes read | chunks |", "|---|---|---|---|"]
    client, path = server.client(), f"{BUCKET}/{size}"
    middle = size // 2 // CHUNK * CHUNK
    places = {
        "1 KiB in the middle": middle + 100,
        "1 KiB at the end": size - 1024,
        "1 KiB over two chunks": middle - 512,
    }
    for name, at in places.items():
        read = read_of_range(server, client, path, at)
        chunks = (at + 1023) // CHUNK - at // CHUNK + 1
        assert read <= chunks * (CHUNK + TAG) + 1024, f"{name}: {read} bytes read"
        lines.append(f"| {name} | {size:,} | {read:,} | {chunks} |")
    client.close()
    return lines


def read_of_range(server: Contestant, client: Client, path: str, at: int) -> int:
    """Of the second such request: by then records are in memory."""
    wanted = {"range": f"bytes={at}-{at + 1023}"}
    for _ in range(2):
        before = server.bytes_read()
        received = sum(len(block) for block in client.receive(path, wanted))
        read = server.bytes_read() - before
        assert received == 1024, received
    return read


def ladder(client: Client, longest: int) -> list[str]:
    """Writes and reads back every size at which something begins or ends."""
    around = [edge + step for edge in (CHUNK, 2 * CHUNK, 16 * CHUNK, PART_MIN) for step in (-1, 0, 1)]
    sizes = [0, 1, 15, 16, 17, *around, min(1 << 30, longest - 2), longest - 1, longest]
    lines = ["| object, bytes | written | outcome |", "|---|---|---|"]
    for size in sizes:
        path, began = f"{BUCKET}/{size}", time.perf_counter()
        assert_there(client, path, size, put(client, size))
        # The last bytes alone, and what is behind them.
        if size:
            assert sum(len(block) for block in client.receive(path, {"range": "bytes=-1"})) == 1
            assert refusal_of(client, "GET", path, {"range": f"bytes={size}-"}) == "InvalidRange"
        client.call("DELETE", path)
        lines.append(f"| {size:,} | in one | read back in {time.perf_counter() - began:.1f} s |")
    return lines + too_long(client) + in_parts(client, longest)


def refusal_of(client: Client, method: str, path: str, headers: dict[str, str], body: bytes = b"") -> str:
    try:
        client.call(method, path, body, headers)
    except Refused as refused:
        return refused.code
    return "nothing"


def too_long(client: Client) -> list[str]:
    """The length alone is refused; no byte of it is sent."""
    lone = Client(client.port)
    try:
        lone.send("PUT", f"{BUCKET}/too-long", [], KMS, length=PUT_MAX + 1)
        code = "nothing"
    except Refused as refused:
        code = refused.code
    lone.close()
    assert code == "EntityTooLarge", code
    return [f"| {PUT_MAX + 1:,} | in one | {code} |"]


def in_parts(client: Client, longest: int) -> list[str]:
    """Parts around their own limits, and the longest object in parts."""
    lines = []
    for sizes, expected in (
        ([PART_MIN, 1], None),
        ([PART_MIN - 1, 1], "EntityTooSmall"),
        ([PART_MIN, PART_MIN + 1, CHUNK], None),
        ([0], None),
        (parts_of(longest, 512 << 20), None),
    ):
        began = time.perf_counter()
        code = upload(client, dict(enumerate(sizes, 1)))
        assert code == expected, (sizes, code)
        taken = f"read back in {time.perf_counter() - began:.1f} s"
        lines.append(f"| {sum(sizes):,} | by parts: {len(sizes)}, the first of {sizes[0]:,} | {code or taken} |")
    assert upload(client, {1: PART_MIN, PARTS_MAX: 1}) is None
    assert upload(client, {PARTS_MAX + 1: 1}) == "InvalidArgument"
    return [*lines, f"| {PART_MIN + 1:,} | as parts 1 and {PARTS_MAX:,}; {PARTS_MAX + 1:,} is none | read back |"]


def parts_of(size: int, most: int) -> list[int]:
    return [min(most, size - at) for at in range(0, size, most)]


def upload(client: Client, parts: dict[int, int]) -> str | None:
    """Uploads parts by their numbers and reads the object back, or gives the code of what refused it."""
    path = f"{BUCKET}/in-parts"
    upload = upload_id(client.call("POST", f"{path}?uploads", b"", KMS))
    streams, listed = [], []
    try:
        for number, size in parts.items():
            stream = Stream(size, first=number << 40)
            answer = client.send("PUT", f"{path}?partNumber={number}&uploadId={upload}", stream, length=size)
            answer.read()
            streams.append(stream)
            listed.append(f"<Part><PartNumber>{number}</PartNumber><ETag>{answer.headers['etag']}</ETag></Part>")
        body = f"<CompleteMultipartUpload>{''.join(listed)}</CompleteMultipartUpload>"
        client.call("POST", f"{path}?uploadId={upload}", body.encode())
    except Refused as refused:
        return refused.code
    checksum = 0
    for stream in streams:
        checksum, _ = checksum_of(iter(stream), checksum)
    assert_there(client, path, sum(parts.values()), checksum)
    client.call("DELETE", path)
    return None
