"""What is committed of the explorer's page is what its sources give."""

from __future__ import annotations

import json
import re
import tomllib
from typing import TYPE_CHECKING

import pytest

from drug_assets.terms import RejectReason
from drug_assets_tests.support import node, runs

if TYPE_CHECKING:
    from pathlib import Path

BUILT = runs.REPOSITORY / "drug_assets/explorer/built"
FILES = ("LICENSES.txt", "explorer.css", "explorer.js")
LOCK = json.loads((node.EXPLORER / "package-lock.json").read_text(encoding="utf-8"))
PACKAGE = json.loads((node.EXPLORER / "package.json").read_text(encoding="utf-8"))


@pytest.mark.processes
def test_the_types_of_the_sources_hold() -> None:
    node.run("node_modules/typescript/bin/tsc")


@pytest.mark.processes
def test_the_sources_are_formatted() -> None:
    node.run("node_modules/prettier/bin/prettier.cjs", "--check", ".")


@pytest.mark.processes
def test_what_is_committed_is_what_the_sources_give(tmp_path: Path) -> None:
    node.run("build.mjs", str(tmp_path))
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(FILES)
    for name in FILES:
        same = (tmp_path / name).read_bytes() == (BUILT / name).read_bytes()
        assert same, f"{name} is out of date: make explorer"


def test_only_what_is_built_is_committed_there() -> None:
    assert sorted(path.name for path in BUILT.iterdir()) == sorted(FILES)


def test_the_wheel_holds_it() -> None:
    project = tomllib.loads((runs.REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    data = project["tool"]["setuptools"]["package-data"]
    assert data["drug_assets.explorer"] == ["built/*"]


def test_the_script_is_small_and_html_can_hold_it() -> None:
    script = (BUILT / "explorer.js").read_text(encoding="utf-8")
    style = (BUILT / "explorer.css").read_text(encoding="utf-8")
    assert len(script.encode()) < 128_000
    assert not re.search(r"</script|<!--", script, re.IGNORECASE)
    assert not re.search(r"</style|<!--", style, re.IGNORECASE)
    sources = list((node.EXPLORER / "src").rglob("*.ts*"))
    assert sources
    assert not [path for path in sources if "innerHTML" in path.read_text(encoding="utf-8")]


def test_licences_name_what_the_script_is_made_of() -> None:
    text = (BUILT / "LICENSES.txt").read_text(encoding="utf-8")
    for name, version in PACKAGE["dependencies"].items():
        assert f"{name} {version} (MIT)" in text
    assert "The MIT License (MIT)" in text
    assert "Permission is hereby granted, free of charge" in text


def test_versions_are_exact_and_the_lock_file_names_no_registry() -> None:
    versions = {**PACKAGE["dependencies"], **PACKAGE["devDependencies"]}
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in versions.values())
    assert "resolved" not in {key for entry in LOCK["packages"].values() for key in entry}
    packages = {name: entry for name, entry in LOCK["packages"].items() if name}
    assert all(entry["integrity"].startswith("sha512-") for entry in packages.values())
    assert "http" not in "".join(
        line
        for line in (node.EXPLORER / "package-lock.json").read_text(encoding="utf-8").splitlines()
        if '"url"' not in line  # the address of a package's funding
    )


def test_every_reason_of_a_rejection_has_words() -> None:
    source = (node.EXPLORER / "src/words-reasons.ts").read_text(encoding="utf-8")
    languages = re.split(r"^export const ", source, flags=re.MULTILINE)[1:]
    assert len(languages) == 2
    for language in languages:
        assert set(re.findall(r"^  (\w+):", language, re.MULTILINE)) == set(map(str, RejectReason))
