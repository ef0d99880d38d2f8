"""What a module says: the digest of its syntax, and what it imports.

To parse the whole package takes longer than a run with nothing to do. So what was read is kept, in
the user's cache, beside the digest of the bytes that it was read from: it is used for these very
bytes only. What is missing or damaged there is read again, and so is all of it where others may
write: they could have our code taken for another.
"""

from __future__ import annotations

import ast
import hashlib
import json
import os
import stat
import sys
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

#: Where statements hold further ones; an exception handler and a case of `match` count as some.
_BLOCKS = ("body", "orelse", "finalbody", "handlers", "cases")


class Syntax(NamedTuple):
    """What a module says."""

    #: Of its syntax without positions, comments and docstrings.
    digest: str
    #: The dotted names that it imports at any level, sorted, except those under `TYPE_CHECKING`.
    imports: tuple[str, ...]


def read_syntax(module: str, source: bytes) -> Syntax:
    """Read what a module says.

    Args:
        module: its name, under which the result is kept.
        source: its bytes.
    """
    kept = _Kept.of(_kept_file())
    digest = hashlib.sha256(source).hexdigest()
    found = kept.modules.get(module)
    if found is None or found[0] != digest:
        said = _parse(source)
        found = digest, said.digest, *said.imports
        kept.modules[module] = found
        kept.is_changed = True
    return Syntax(found[1], found[2:])


def keep() -> None:
    """Keep what this process read for the next one, if the user's cache can be written to."""
    _Kept.of(_kept_file()).write()


def _kept_file() -> Path | None:
    """The file in the user's cache; None where there is no such folder."""
    # A relative folder counts as none, as the standard of the variable has it.
    folder = Path(os.environ.get("XDG_CACHE_HOME", ""))
    with suppress(RuntimeError):  # no home
        caches = folder if folder.is_absolute() else Path.home() / ".cache"
        return caches / "drug_assets" / "syntax.json"
    return None


class _Kept:
    """The file in the user's cache: a checksum, and on the next line what modules say, as JSON."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        #: By module, the digest of its bytes, that of its syntax, and what it imports.
        self.modules = {} if file is None else _load(file)
        self.is_changed = False

    @classmethod
    @cache
    def of(cls, file: Path | None) -> _Kept:
        return cls(file)

    def write(self) -> None:
        if not self.is_changed or self._file is None:
            return
        self.is_changed = False
        text = json.dumps({"read_by": _reader(), "modules": self.modules})
        with suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            self._file.parent.chmod(0o700)
            # In one step: other processes read it at the same time.
            scratch = self._file.with_name(f"{self._file.name}.{os.getpid()}")
            try:
                # A new file: where others may write, it could be a link to another one of ours.
                with scratch.open("x", encoding="utf-8") as file:
                    os.fchmod(file.fileno(), 0o600)
                    file.write(f"{_checksum(text)}\n{text}")
                scratch.replace(self._file)
            finally:
                scratch.unlink(missing_ok=True)


def _load(file: Path) -> dict[str, tuple[str, ...]]:
    """What is kept; nothing if it is missing, damaged, of another way to read, or of others."""
    try:
        if not _is_own(file.parent.stat()) or not _is_own(file.stat()):
            return {}
        checksum, _, text = file.read_text("utf-8").partition("\n")
    except (OSError, UnicodeDecodeError):
        return {}
    if checksum != _checksum(text):
        return {}
    kept = json.loads(text)
    if kept["read_by"] != _reader():
        return {}
    return {module: tuple(said) for module, said in kept["modules"].items()}


def _is_own(status: os.stat_result) -> bool:
    """Whether nobody but this user may write to it."""
    return status.st_uid == os.geteuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def _checksum(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@cache
def _reader() -> str:
    """What decides how a module is read: this module, and the version of Python."""
    return f"{hashlib.sha256(Path(__file__).read_bytes()).hexdigest()} {sys.version}"


def _parse(source: bytes) -> Syntax:
    tree = ast.parse(source)
    imports = {*_imports(tree.body)}
    _drop_docstrings(tree)
    digest = hashlib.sha256(repr(_list_syntax(tree)).encode()).hexdigest()
    return Syntax(digest, tuple(sorted(imports)))


def _imports(statements: Iterable[ast.AST]) -> Iterator[str]:
    for node in statements:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.If) and getattr(node.test, "id", None) == "TYPE_CHECKING":
            yield from _imports(node.orelse)
        else:
            yield from _imports(_statements_of(node))


def _drop_docstrings(node: ast.AST) -> None:
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    if isinstance(node, documented) and ast.get_docstring(node, clean=False) is not None:
        del node.body[0]
    for statement in _statements_of(node):
        _drop_docstrings(statement)


def _statements_of(node: ast.AST) -> list[ast.AST]:
    """The statements directly below a node. Expressions, most of a tree, hold none."""
    return [statement for block in _BLOCKS for statement in getattr(node, block, ())]


def _list_syntax(tree: ast.AST) -> list[object]:
    """All that a tree says, without positions: the kinds of its nodes, sizes of lists, and values.

    `ast.dump` says it for people, and takes twice as long.
    """
    said: list[object] = []
    pending = [tree]
    while pending:
        node = pending.pop()
        for field in node._fields:
            parts = getattr(node, field, None)
            if isinstance(parts, list):
                said.append(len(parts))
            else:
                parts = [parts]
            for part in parts:
                if isinstance(part, ast.AST):
                    said.append(type(part).__name__)
                    pending.append(part)
                else:
                    said.append(part)
    return said
