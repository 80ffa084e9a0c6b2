"""The object cache on disk: content-addressed, checked when read, private to its user, and never in
the way.

An entry is one file: a magic line, a digest of the rest, the length of the metadata, the metadata
(a Python literal), the object code. It is written beside its place and renamed into it, so a reader
meets a whole file or none, and there is no lock. Whatever goes wrong (no directory, read-only,
corrupt, torn, someone else's) reads as a miss and writes as nothing. Object code is loaded into the
process, so the directory must belong to this user and to nobody else.
"""

from __future__ import annotations

import ast
import itertools
import os
import stat
import struct
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tetractys.runtime import jit
from tetractys.runtime.spec import ABI_VERSION

ENVIRONMENT = "TETRACTYS_CACHE"
LIMIT_BYTES = 1 << 29
"""Size from which `prune` deletes old entries."""

_MAGIC = b"tetractys object 2\n"
_LENGTH = struct.Struct("<Q")
_DIGEST = 32
_OFF = {"", "0", "off", "none"}
_serial = itertools.count()


@dataclass(eq=False)
class Entry:
    """Object code and what was stored beside it."""

    object: bytes
    metadata_text: bytes

    @property
    def metadata(self) -> dict[str, Any]:
        """The metadata, decoded."""
        return ast.literal_eval(self.metadata_text.decode())


@cache
def salt() -> str:
    """What every key depends on: tool versions, processor, features, ABI, code model, compiler."""
    host = jit.host()
    model = jit.CODE_MODEL.get(host.triple.partition("-")[0], {}).get("codemodel", "small")
    parts = (host.versions, host.triple, host.cpu, host.features, f"abi {ABI_VERSION}", model)
    return "\n".join((*parts, compiler_stamp()))


def compiler_stamp() -> str:
    """Names, sizes and times of the files that decide what a graph becomes: half a millisecond.

    Another version of a pass must not find what the one before it made.
    """
    root = Path(__file__).resolve().parent.parent
    found: list[tuple[str, int, int]] = []
    for folder in ("passes", "dialects", "runtime", "compile", "compiler/compile"):
        with suppress(OSError), os.scandir(root / folder) as files:
            for file in files:
                if file.name.endswith(".py"):
                    status = file.stat()
                    found.append((file.name, status.st_size, status.st_mtime_ns))
    return repr(sorted(found))


def key(*parts: str | bytes) -> str:
    """The key of an entry made from `parts` on this machine (parts are length-prefixed: no two
    lists collide).
    """
    digest = jit.blake2b(digest_size=24)
    for part in (salt(), *parts):
        data = part.encode() if isinstance(part, str) else part
        digest.update(_LENGTH.pack(len(data)))
        digest.update(data)
    return digest.hexdigest()


def directory() -> Path | None:
    """The cache directory by `TETRACTYS_CACHE` (a path; empty, `0` or `off`: no cache), or the
    default one.
    """
    named = os.environ.get(ENVIRONMENT)
    if named is not None:
        return None if named.lower() in _OFF else Path(named)
    base = os.environ.get("XDG_CACHE_HOME")
    try:
        return (Path(base) if base else Path.home() / ".cache") / "tetractys"
    except RuntimeError:  # no home directory
        return None


def get(key: str, where: Path | None = None) -> bytes | None:
    """The object code of an entry, or None."""
    entry = get_entry(key, where)
    return None if entry is None else entry.object


def get_entry(key: str, where: Path | None = None) -> Entry | None:
    """An entry, or None when there is none or it is not as it was written."""
    path = _path(key, where or directory(), create=False)
    if path is None:
        return None
    try:
        return _decode(path.read_bytes())
    except (OSError, ValueError):
        return None


def put(
    key: str, code: bytes, metadata: dict[str, Any] | None = None, where: Path | None = None
) -> bool:
    """Writes an entry; False when that is impossible (which is no error)."""
    where = where or directory()
    path = _path(key, where, create=True)
    if where is None or path is None:
        return False
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{next(_serial)}")
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        with os.fdopen(os.open(temporary, flags, 0o600), "wb") as file:
            file.write(_encode(code, metadata or {}))
        os.replace(temporary, path)
    except OSError:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        return False
    _prune_once(where)
    return True


def load_or_make(key: str, symbols: tuple[str, ...], make: Callable[[], bytes]) -> jit.Code:
    """The runtime's own code: the entry of `key` loaded, or what `make` compiles, which is kept.

    An entry that is whole but that this linker does not take is made anew, too.
    """
    found = get(key)
    if found is not None:
        with suppress(jit.LinkError):
            return jit.load(found, symbols)
    made = make()
    put(key, made)
    return jit.load(made, symbols)


def prune(where: Path, limit: int = LIMIT_BYTES) -> None:
    """Deletes the entries read or written longest ago until the rest is within half of `limit`;
    nothing when all is within `limit`.
    """
    files: list[tuple[float, int, Path]] = []
    for path in where.glob("??/*"):
        with suppress(OSError):
            status = path.stat()
            files.append((max(status.st_atime, status.st_mtime), status.st_size, path))
    total = sum(size for _, size, _ in files)
    if total <= limit:
        return
    for _, size, path in sorted(files):
        if total <= limit // 2:
            break
        with suppress(OSError):
            path.unlink()
            total -= size


@cache
def _prune_once(where: Path) -> None:
    """Once in a process, and in one process of sixteen: listing the directory takes time."""
    if os.getpid() % 16 == 0:
        prune(where)


def _encode(code: bytes, metadata: dict[str, Any]) -> bytes:
    text = repr(metadata).encode()  # NumPy has imported `ast`; `json` would cost 3 ms
    body = _LENGTH.pack(len(text)) + text + code
    return _MAGIC + jit.blake2b(body, digest_size=_DIGEST).digest() + body


def _decode(data: bytes) -> Entry | None:
    start = len(_MAGIC) + _DIGEST
    body = memoryview(data)[start:]
    if not data.startswith(_MAGIC) or len(body) < _LENGTH.size:
        return None
    if jit.blake2b(body, digest_size=_DIGEST).digest() != data[len(_MAGIC) : start]:
        return None
    end = _LENGTH.size + _LENGTH.unpack_from(body)[0]
    return Entry(bytes(body[end:]), bytes(body[_LENGTH.size : end]))


def _path(key: str, where: Path | None, create: bool) -> Path | None:
    """The file of a key, in two levels; None when the directory cannot serve."""
    if where is None or not key.isalnum():
        return None
    if not _is_private(where, create):
        return None
    folder = where / key[:2]
    if create:
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
        except OSError:
            return None
    return folder / f"{key[2:]}.o"


def _is_private(where: Path, create: bool) -> bool:
    """Whether the directory is ours and nobody else may write there; made (0700) when `create`."""
    try:
        if create:
            where.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = os.stat(where)
    except OSError:
        return False
    if not stat.S_ISDIR(status.st_mode):
        return False
    if os.name == "nt":
        return True  # a directory below the user's profile inherits a private access list
    return status.st_uid == os.geteuid() and not status.st_mode & 0o022
