"""The exports of a release: which they are, and the list of them."""

from __future__ import annotations

import io
import json
import tempfile
from typing import TYPE_CHECKING, Any

import pytest

from drug_assets.exports import NONE, ExportError, normalize_choice, of_release
from drug_assets_tests.exports import made

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from drug_assets.exports import Target


def written(
    exports: str | None = None, scratch: Path | None = None
) -> tuple[list[dict[str, Any]], dict[str, bytes]]:
    """The list of exports, and their bytes by name."""
    files: dict[str, bytes] = {}

    def beside(name: str, write: Callable[[Target], object]) -> None:
        file = io.BytesIO()
        write(file)
        files[name] = file.getvalue()

    tables = made.tables()
    choice = {} if exports is None else {"exports": exports}
    lines = of_release.write_files(
        tables.drugs, tables.mentions, **choice, beside=beside, scratch=scratch
    )
    return json.loads("\n".join(lines)), files


def test_by_default_a_release_has_a_graph_of_journals_and_a_sheet_of_mentions() -> None:
    listed, files = written()
    assert listed == [
        {
            "file": "exports/journals.graphml",
            "of": "journals",
            "format": "graphml",
            "nodes": 4,
            "edges": 3,
            "notes": [],
        },
        {
            "file": "exports/mentions.xlsx",
            "of": "mentions",
            "format": "xlsx",
            "rows": 5,
            "notes": [],
        },
    ]
    assert files == {f"exports/{name}": made.export(name) for name in of_release.DEFAULT_FILES}


def test_temporary_files_lie_where_the_run_wants_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    with pytest.raises(FileNotFoundError, match="nowhere"):
        written("mentions.xlsx")
    assert written("mentions.xlsx", scratch=tmp_path)[1]
    assert list(tmp_path.iterdir()) == []


def test_by_default_a_large_release_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(of_release, "MOST_BY_DEFAULT", 4)
    assert written() == ([], {})
    assert [each["file"] for each in written("mentions.csv")[0]] == ["exports/mentions.csv"]


def test_a_release_has_what_is_named() -> None:
    listed, files = written("mentions.csv.gz mentions.gexf")
    assert [each["file"] for each in listed] == list(files)
    assert files["exports/mentions.gexf"] == made.export("mentions.gexf")
    assert files["exports/mentions.csv.gz"] == made.export("mentions.csv.gz")


def test_a_release_can_have_none() -> None:
    assert written(NONE) == ([], {})


def test_a_choice_has_one_form_whatever_its_order_and_separators() -> None:
    chosen = normalize_choice("mentions.csv.gz,mentions.csv  journals.xlsx, mentions.csv")
    assert chosen == "journals.xlsx mentions.csv mentions.csv.gz"
    assert normalize_choice(chosen) == chosen
    with pytest.raises(ExportError, match="names no file"):
        normalize_choice("mentions.csv none")
