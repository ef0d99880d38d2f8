"""The syntax of modules is kept for the bytes that it was read from, and for no others."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drug_assets import syntax
from drug_assets.syntax import read_syntax

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ONE = b'"""Doc."""\n\nimport json\n\nx = 1\n'
#: Of the same size.
OTHER = b'"""Doc."""\n\nimport json\n\nx = 2\n'


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The file in the user's cache, which is a folder of this test."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    syntax._Kept.of.cache_clear()
    yield tmp_path / "cache" / "drug_assets" / "syntax.json"
    syntax._Kept.of.cache_clear()


def in_next_process() -> None:
    syntax.keep()
    syntax._Kept.of.cache_clear()


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """What is parsed from here on."""
    found: list[bytes] = []
    parse = syntax._parse

    def note(source: bytes) -> syntax.Syntax:
        found.append(source)
        return parse(source)

    monkeypatch.setattr(syntax, "_parse", note)
    return found


def test_the_next_process_need_not_parse(kept: Path, parsed: list[bytes]) -> None:
    before = read_syntax("a", ONE)
    in_next_process()
    assert read_syntax("a", ONE) == before == syntax.Syntax(before.digest, ("json",))
    assert parsed == [ONE]


def test_other_bytes_are_parsed_whatever_the_file_says_of_its_time(
    kept: Path, parsed: list[bytes]
) -> None:
    before = read_syntax("a", ONE)
    in_next_process()
    after = read_syntax("a", OTHER)
    assert after != before
    assert parsed == [ONE, OTHER]
    in_next_process()
    assert (read_syntax("a", OTHER), len(parsed)) == (after, 2)


def sealed(text: str) -> bytes:
    """A file with the right checksum."""
    return f"{hashlib.sha256(text.encode()).hexdigest()}\n{text}".encode()


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "truncated": lambda content: content[:-20],
    "a letter is another": lambda content: content.replace(b'"json"', b'"jsoN"'),
    "no text": lambda _: b"\xff\xfe\x00",
    "read by another version": lambda content: sealed(
        json.dumps({**json.loads(content.partition(b"\n")[2]), "read_by": "another"})
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_is_damaged_counts_as_missing(kept: Path, parsed: list[bytes], damage: str) -> None:
    before = read_syntax("a", ONE)
    in_next_process()
    content = kept.read_bytes()
    kept.write_bytes(DAMAGES[damage](content))
    assert kept.read_bytes() != content
    assert read_syntax("a", ONE) == before
    assert parsed == [ONE, ONE]
    in_next_process()
    assert kept.read_bytes() == content


@pytest.mark.parametrize("what", ["folder", "file"])
@pytest.mark.parametrize("mode", [0o720, 0o702])
def test_what_others_may_write_to_is_not_believed_and_is_made_our_own(
    kept: Path, parsed: list[bytes], what: str, mode: int
) -> None:
    before = read_syntax("a", ONE)
    in_next_process()
    (kept.parent if what == "folder" else kept).chmod(mode)
    assert read_syntax("a", ONE) == before
    assert parsed == [ONE, ONE]
    in_next_process()
    assert read_syntax("a", ONE) == before
    assert parsed == [ONE, ONE]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files to others")
def test_what_is_of_another_user_is_not_believed(kept: Path, parsed: list[bytes]) -> None:
    read_syntax("a", ONE)
    in_next_process()
    os.chown(kept.parent, 65534, 65534)
    read_syntax("a", ONE)
    assert parsed == [ONE, ONE]


def test_another_python_reads_again(
    kept: Path, parsed: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    read_syntax("a", ONE)
    in_next_process()
    monkeypatch.setattr(sys, "version", "4.0")
    syntax._reader.cache_clear()
    read_syntax("a", ONE)
    syntax._reader.cache_clear()
    assert parsed == [ONE, ONE]


def test_a_cache_that_cannot_be_written_to_is_none(
    kept: Path, parsed: list[bytes], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    before = read_syntax("a", ONE)
    in_next_process()
    assert read_syntax("a", ONE) == before
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(Path, "home", no_home)
    in_next_process()
    assert read_syntax("a", ONE) == before
    in_next_process()
    assert parsed == [ONE, ONE, ONE]


def no_home() -> Path:
    raise RuntimeError("could not determine the home directory")


def test_without_the_variable_it_is_below_the_home(
    kept: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    read_syntax("a", ONE)
    in_next_process()
    assert (tmp_path / "home" / ".cache" / "drug_assets" / "syntax.json").is_file()


def test_a_relative_folder_counts_as_none(
    kept: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CACHE_HOME", "~/.cache")
    read_syntax("a", ONE)
    in_next_process()
    assert (tmp_path / "home" / ".cache" / "drug_assets" / "syntax.json").is_file()
    assert not (tmp_path / "~").exists()


def test_no_link_is_followed_to_another_file(kept: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("mine")
    kept.parent.mkdir(parents=True)
    kept.with_name(f"{kept.name}.{os.getpid()}").symlink_to(other)
    read_syntax("a", ONE)
    in_next_process()
    assert other.read_text() == "mine"
    assert not kept.exists(), "the link was in the way"
    read_syntax("b", ONE)
    in_next_process()
    assert kept.is_file()


def test_nothing_is_written_if_nothing_is_new(kept: Path) -> None:
    read_syntax("a", ONE)
    in_next_process()
    kept.unlink()
    read_syntax("b", ONE)
    in_next_process()
    first = kept.stat()
    read_syntax("b", ONE)
    in_next_process()
    # Reading may change the time of the last access; a file that is written again is another inode.
    assert (kept.stat().st_ino, kept.stat().st_mtime_ns) == (first.st_ino, first.st_mtime_ns)


STATEMENTS = ("x = 1", "x = 2", "import json", "from os import path", '"""Doc."""', "# note", "")
SOURCES = st.lists(st.sampled_from(STATEMENTS), max_size=3).map(lambda s: "\n".join(s).encode())


@pytest.mark.slow
@given(st.lists(st.tuples(st.sampled_from(["a", "b"]), SOURCES, st.booleans()), max_size=12))
@settings(max_examples=100)
def test_what_is_kept_is_what_is_read(
    tmp_path_factory: pytest.TempPathFactory, reads: list[tuple[str, bytes, bool]]
) -> None:
    with pytest.MonkeyPatch.context() as elsewhere:
        elsewhere.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        for module, source, ends in reads:
            assert read_syntax(module, source) == syntax._parse(source)
            if ends:
                in_next_process()
    syntax._Kept.of.cache_clear()
