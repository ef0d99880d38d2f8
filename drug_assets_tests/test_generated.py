"""The generated files are up to date with the declarations."""

from __future__ import annotations

import pytest

from docs.generate import FILES, ROOT


@pytest.mark.parametrize("file", FILES)
def test_a_generated_file_is_up_to_date(file: str) -> None:
    written = (ROOT / file).read_text(encoding="utf-8")
    assert written == FILES[file](), f"{file} is out of date: make generated"


@pytest.mark.parametrize(("file", "part"), [("docs/SPEC.md", "terms"), ("README.md", "assets")])
def test_the_place_of_a_generated_part_is_marked(file: str, part: str) -> None:
    # Without its marks, nothing would be replaced, and the file compared with itself.
    written = (ROOT / file).read_text(encoding="utf-8")
    before, _, rest = written.partition(f"<!-- {part} -->\n")
    generated, _, after = rest.partition(f"<!-- /{part} -->")
    assert before
    assert generated
    assert after
