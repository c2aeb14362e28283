"""A model of a disk: what it holds after so many calls, and what a crash at that point can leave.

What it promises is what POSIX promises and no more: a file's content and length are safe once a sync of the file came
back, and the name of a file or folder once a sync of the folder that has it came back, if they were there when that
sync began; a rename and a link are done whole or not at all. Of what is not safe yet a power cut leaves, by the seed,
nothing, everything, what came first, or any part: sectors of 512 bytes each for itself, in any order; a length that
grew may be there without its content, as zero bytes. For names the seed decides between that and what a file system
with a journal does, as ext4: they are kept in their order, and a sync of a file that is new keeps everything before.
A sync that failed may have lost what it was to write: no later sync brings that back unless it is written again, as
on Linux. Reads go on showing it, until a process has the system forget what it keeps of the file.

A process that is killed leaves everything that it did.
"""

import os
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Union

from torture.recorder import NAMES, Entry, Kind

# What a disk writes as a whole or not at all, and what the system copies of a write before it looks for signals.
SECTOR = 512
PAGE = 4096


@dataclass(frozen=True)
class Write:
    """Bytes at a place of a file."""

    offset: int
    data: bytes

    def apply(self, content: bytearray) -> None:
        end = self.offset + len(self.data)
        if len(content) < end:
            content.extend(bytes(end - len(content)))
        content[self.offset : end] = self.data


@dataclass(frozen=True)
class Truncate:
    """A new length of a file."""

    length: int

    def apply(self, content: bytearray) -> None:
        if len(content) > self.length:
            del content[self.length :]
        else:
            content.extend(bytes(self.length - len(content)))


Change = Union[Write, Truncate]


@dataclass(eq=False)
class File:
    """A file: as programs see it, as it is safe, and what has changed since."""

    content: bytearray = field(default_factory=bytearray)
    safe: bytearray = field(default_factory=bytearray)
    pending: list[Change] = field(default_factory=list)
    # Whether `content` has what never will be on the disk.
    has_lost: bool = False

    def change(self, change: Change) -> None:
        change.apply(self.content)
        self.pending.append(change)

    def sync(self, begun: "Begun") -> None:
        for change in self.pending:
            if begun.has(change):
                change.apply(self.safe)
        self.pending = [change for change in self.pending if not begun.has(change)]

    def lose(self, begun: "Begun", luck: random.Random) -> None:
        """A sync failed: some of what it was to write will never be, though programs go on seeing it."""

        def is_kept(change: Change) -> bool:
            return isinstance(change, Truncate) or not begun.has(change) or luck.random() < 0.5

        kept = [change for change in self.pending if is_kept(change)]
        self.has_lost |= len(kept) < len(self.pending)
        self.pending = kept

    def forget(self) -> None:
        """Programs see what the disk has."""
        self.content = bytearray(self.safe)
        for change in self.pending:
            change.apply(self.content)
        self.has_lost = False


@dataclass(eq=False)
class Folder:
    """A folder: its names as programs see them, and those that are safe."""

    content: dict[str, "Node"] = field(default_factory=dict)
    safe: dict[str, "Node"] = field(default_factory=dict)


Node = Union[File, Folder]


@dataclass(eq=False)
class Naming:
    """One change of names, done whole or not at all: each name means this node from now on, or nothing."""

    number: int
    names: list[tuple[Folder, str, Node | None]]

    def touches(self, folder: Folder) -> bool:
        return any(one is folder for one, _, _ in self.names)

    def clashes(self, other: "Naming") -> bool:
        """Whether both are about the same name, so that their order matters."""
        return any(a is b and x == y for a, x, _ in self.names for b, y, _ in other.names)

    def apply(self, folders: "dict[Folder, dict[str, Node]]") -> None:
        for folder, name, node in self.names:
            if node is None:
                folders[folder].pop(name, None)
            else:
                folders[folder][name] = node


class Begun:
    """What there was to be made safe when a sync began."""

    def __init__(self, node: Node, numbers: int):
        self.naming_max = numbers
        self._changes = list(node.pending) if isinstance(node, File) else []
        self._ids = {id(change) for change in self._changes}

    def has(self, change: Change) -> bool:
        return id(change) in self._ids


class Disk:
    """The disk below the folder `root`, which itself is always there."""

    def __init__(self, root: Path, seed: int = 0):
        self.root = Folder()
        self._place = root
        self._luck = random.Random(seed)
        self._nodes: dict[int, Node] = {}
        # Files of which a process has had the system forget what it keeps, while it still saw what was lost: the recorded
        # process reads the real file.
        self._forgotten: set[int] = set()
        self._namings: list[Naming] = []
        self._numbers = 0
        # Syncs that are held up, by number and by what they are of.
        self._begun: dict[tuple[int, Node], Begun] = {}
        # Namings up to this number a journal of the file system has on disk.
        self._journaled = 0

    @classmethod
    def holding(cls, root: Path, seed: int = 0) -> "Disk":
        """The disk as it is now, all of it safe."""
        disk = cls(root, seed)
        disk._take(root, disk.root)
        return disk

    def _take(self, path: Path, folder: Folder) -> None:
        for item in path.iterdir():
            node: Node = Folder() if item.is_dir() else File(bytearray(item.read_bytes()))
            if isinstance(node, File):
                node.safe = bytearray(node.content)
            else:
                self._take(item, node)
            self._nodes[item.stat().st_ino] = folder.content[item.name] = folder.safe[item.name] = node

    def apply(self, entry: Entry) -> None:
        """Does what the call did. What failed did nothing, but for a sync, which can have done harm."""
        if entry.kind is Kind.SYNC_BEGUN:
            node = self._synced_node(entry)
            self._begun[entry.offset, node] = Begun(node, self._numbers)
        elif entry.kind is Kind.SYNC:
            self._sync(entry)
        elif entry.kind is Kind.FORGET:
            if self._file(entry).has_lost:
                self._forgotten.add(entry.inode)
            self._file(entry).forget()
        elif entry.kind is Kind.WRITE:
            if entry.data:
                self._file(entry).change(Write(entry.offset, entry.data))
        elif entry.error:
            return
        elif entry.kind is Kind.TRUNCATE:
            self._file(entry).change(Truncate(entry.offset))
        elif entry.kind in NAMES:
            self._name(entry)

    def _file(self, entry: Entry) -> File:
        node = self._nodes[entry.inode]
        assert isinstance(node, File)
        return node

    def _synced_node(self, entry: Entry) -> Node:
        # Nobody has made the root.
        return self._nodes.get(entry.inode, self.root)

    def _sync(self, entry: Entry) -> None:
        node = self._synced_node(entry)
        begun = self._begun.pop((entry.offset, node)) if entry.offset else Begun(node, self._numbers)
        if entry.error:
            if isinstance(node, File):
                node.lose(begun, self._luck)
        elif isinstance(node, File):
            if any(node is named for naming in self._namings for _, _, named in naming.names):
                self._journaled = max(self._journaled, begun.naming_max)
            node.sync(begun)
        else:
            self._journaled = max(self._journaled, begun.naming_max)
            self._make_safe(node, begun)

    def _make_safe(self, folder: Folder, begun: Begun) -> None:
        """The namings in the folder, and of those before them what is about the same names."""
        safe: list[Naming] = []
        for naming in reversed([naming for naming in self._namings if naming.number <= begun.naming_max]):
            if naming.touches(folder) or any(naming.clashes(later) for later in safe):
                safe.append(naming)
        for naming in reversed(safe):
            naming.apply({one: one.safe for one, _, _ in naming.names})
        self._namings = [naming for naming in self._namings if naming not in safe]

    def _name(self, entry: Entry) -> None:
        folder, name = self._locate(entry.path)
        if entry.kind is Kind.CREATE:
            self._rename([(folder, name, self._new(entry, File()))])
        elif entry.kind is Kind.MAKE_FOLDER:
            self._rename([(folder, name, self._new(entry, Folder()))])
        elif entry.kind is Kind.LINK:
            self._rename([(*self._locate(entry.second), folder.content[name])])
        elif entry.kind is Kind.RENAME:
            self._rename([(folder, name, None), (*self._locate(entry.second), folder.content[name])])
        else:
            self._rename([(folder, name, None)])

    def _new(self, entry: Entry, node: Node) -> Node:
        self._nodes[entry.inode] = node
        return node

    def _rename(self, names: list[tuple[Folder, str, Node | None]]) -> None:
        self._numbers += 1
        naming = Naming(self._numbers, names)
        naming.apply({folder: folder.content for folder, _, _ in names})
        self._namings.append(naming)

    def _locate(self, path: str) -> tuple[Folder, str]:
        *folders, name = Path(path).relative_to(self._place).parts
        at = self.root
        for part in folders:
            below = at.content[part]
            assert isinstance(below, Folder)
            at = below
        return at, name

    def before_a_start(self) -> dict[int, bytes]:
        """What a process that starts will read in place of what is there, by inode, for the system has forgotten it."""
        files = {inode: self._nodes[inode] for inode in self._forgotten}
        self._forgotten.clear()
        return {inode: bytes(file.content) for inode, file in files.items() if isinstance(file, File)}

    # What a crash leaves.

    def after_kill(self, target: Path, next_entry: Entry | None, luck: random.Random) -> None:
        """Writes what a kill leaves: everything, and of the write under way perhaps some pages."""
        begun = None
        if next_entry is not None and next_entry.kind is Kind.WRITE and not next_entry.error:
            pages = luck.randint(0, len(next_entry.data) // PAGE)
            begun = (self._file(next_entry), Write(next_entry.offset, next_entry.data[: pages * PAGE]))
        self._write_out(target, lambda folder: folder.content, lambda file: _with(file, begun))

    def after_power_cut(self, target: Path, luck: random.Random) -> None:
        """Writes what a power cut leaves, by this luck."""
        names = self._surviving_names(luck)
        nothing = luck.random() < 0.2
        self._write_out(
            target, lambda folder: names[folder], lambda file: file.safe if nothing else _surviving(file, luck)
        )

    def as_seen(self, target: Path) -> None:
        """Writes everything, as programs see it."""
        self._write_out(target, lambda folder: folder.content, lambda file: file.content)

    def _surviving_names(self, luck: random.Random) -> dict[Folder, dict[str, Node]]:
        names = {folder: dict(folder.safe) for folder in self._folders()}
        for naming in self._kept(luck):
            naming.apply(names)
        return names

    def _kept(self, luck: random.Random) -> list[Naming]:
        if luck.random() < 0.5:
            last = luck.randint(self._journaled, self._numbers)
            return [naming for naming in self._namings if naming.number <= last]
        probability = luck.choice((0.0, 0.5, 1.0))
        return [naming for naming in self._namings if luck.random() < probability]

    def _folders(self) -> Iterator[Folder]:
        """Every folder that there was."""
        yield self.root
        for node in self._nodes.values():
            if isinstance(node, Folder):
                yield node
        for naming in self._namings:
            for folder, _, _ in naming.names:
                yield folder

    def _write_out(self, target: Path, names_of, content_of) -> None:
        def write(folder: Folder, path: Path) -> None:
            path.mkdir(mode=0o700)
            for name, node in sorted(names_of(folder).items()):
                if isinstance(node, Folder):
                    write(node, path / name)
                else:
                    descriptor = os.open(path / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                    with open(descriptor, "wb") as file:
                        file.write(content_of(node))

        write(self.root, target)


def _with(file: File, begun: tuple[File, Write] | None) -> bytearray:
    if begun is None or begun[0] is not file or not begun[1].data:
        return file.content
    content = bytearray(file.content)
    begun[1].apply(content)
    return content


def _surviving(file: File, luck: random.Random) -> bytearray:
    """The file's content after a power cut."""
    if not file.pending:
        return file.safe
    content = bytearray(file.safe)
    fate = luck.choice(("nothing", "everything", "first", "any"))
    if fate == "first":
        count = luck.randint(0, len(file.pending) - 1)
        for change in file.pending[:count]:
            change.apply(content)
        _apply_in_part(file.pending[count], content, luck)
    elif fate == "everything":
        for change in file.pending:
            change.apply(content)
    elif fate == "any":
        for change in file.pending:
            _apply_in_part(change, content, luck)
    return content


def _apply_in_part(change: Change, content: bytearray, luck: random.Random) -> None:
    """The change whole, in part or not at all."""
    fate = luck.choice(("kept", "lost", "torn"))
    if fate == "kept" or (fate == "torn" and isinstance(change, Truncate)):
        change.apply(content)
    elif isinstance(change, Write):
        if luck.random() < 0.5:
            # The length is there without its content.
            Truncate(max(len(content), change.offset + len(change.data))).apply(content)
        if fate == "torn":
            for piece in _sectors(change):
                if luck.random() < 0.5:
                    piece.apply(content)


def _sectors(change: Write) -> Iterator[Write]:
    at = 0
    while at < len(change.data):
        size = SECTOR - (change.offset + at) % SECTOR
        yield Write(change.offset + at, change.data[at : at + size])
        at += size
