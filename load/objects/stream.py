"""Contents that are made as they are sent, every block another, and known again by their checksum."""

import os
import zlib
from collections.abc import Iterator

BLOCK = 1 << 20
_RANDOM = os.urandom(BLOCK)


class Stream:
    """So many bytes. After they have been sent, `checksum` is theirs."""

    def __init__(self, length: int, first: int = 0):
        self.length = length
        self.checksum = 0
        self._first = first

    def __iter__(self) -> Iterator[bytes]:
        for at in range(0, self.length, BLOCK):
            block = (self._first + at).to_bytes(16, "big") + _RANDOM[16:]
            block = block[: self.length - at]
            self.checksum = zlib.crc32(block, self.checksum)
            yield block


def checksum_of(blocks: Iterator[memoryview] | list[bytes], start: int = 0) -> tuple[int, int]:
    """The checksum of what is received, and its length."""
    checksum, length = start, 0
    for block in blocks:
        checksum = zlib.crc32(block, checksum)
        length += len(block)
    return checksum, length
