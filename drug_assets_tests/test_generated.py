"""The generated files are up to date with the declarations."""

from __future__ import annotations

import pytest

from docs.generate import FILES, ROOT


@pytest.mark.parametrize("file", FILES)
def test_a_generated_file_is_up_to_date(file: str) -> None:
    written = (ROOT / file).read_text(encoding="utf-8")
    assert written == FILES[file](), f"{file} is out of date: make generated"
