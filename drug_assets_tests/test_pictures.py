"""The pictures of the documents, and the explorer among them, show what is there now."""

from __future__ import annotations

import re

import pytest

from docs import pictures
from drug_assets.explorer import FILE
from drug_assets_tests.support import runs

KILOBYTE = 1_000
TEXTS = "\n".join(
    path.read_text(encoding="utf-8")
    for pattern in ("*.md", "docs/*.md")
    for path in runs.REPOSITORY.glob(pattern)
)


@pytest.mark.slow
def test_the_explorer_of_the_documents_is_that_of_the_sample(sample_run: runs.Run) -> None:
    page = (runs.current(sample_run.store) / FILE).read_text(encoding="utf-8")
    written = pictures.EXPLORER.read_text(encoding="utf-8")
    same = pictures.unpacked(page) == pictures.unpacked(written)
    assert same, f"docs/{FILE} is out of date: make pictures"


@pytest.mark.slow
@pytest.mark.parametrize("name", pictures.SHOWN)
def test_a_picture_shows_what_is_there_now(name: str) -> None:
    written = (pictures.IMAGES / f"{name}.txt").read_text(encoding="utf-8")
    assert written == pictures.note(name), f"{name}.png is out of date: make pictures"


@pytest.mark.parametrize("name", pictures.SHOWN)
def test_a_picture_is_small_and_some_document_shows_it(name: str) -> None:
    data = (pictures.IMAGES / f"{name}.png").read_bytes()
    assert data.startswith(b"\x89PNG\r\n")
    assert len(data) < 300 * KILOBYTE
    assert re.search(rf"!\[[^]]+\]\((docs/)?images/{name}\.png\)", TEXTS)


def test_nothing_else_is_there_and_all_of_it_is_small() -> None:
    files = list(pictures.IMAGES.iterdir())
    assert {file.name for file in files} == {
        f"{name}.{end}" for name in pictures.SHOWN for end in ("png", "txt")
    }
    assert sum(file.stat().st_size for file in files) < 1_000 * KILOBYTE
    assert pictures.EXPLORER.stat().st_size < 200 * KILOBYTE


def test_how_data_are_packed_makes_no_difference() -> None:
    import base64
    import gzip

    def page(level: int) -> str:
        packed = base64.b64encode(gzip.compress(b'{"a": 1}' * 50, level, mtime=level)).decode()
        return f'<b><script type="text/plain" id="index">{packed}</script>'

    assert page(1) != page(9)
    assert pictures.unpacked(page(1)) == pictures.unpacked(page(9))
    assert '{"a": 1}' in pictures.unpacked(page(1))
