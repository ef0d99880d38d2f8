"""Whole runs for tests: landing zones of the project's own making, runs in this process, outputs.

What a run should have made is for the tests to say.
"""

from __future__ import annotations

import asyncio
import io
import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from drug_assets.documents import DOCUMENTS
from drug_assets.settings import Settings
from drug_assets.storage.comparison import COMPARED_WITH, NEWS
from drug_assets.storage.objects import LocalFolder
from drug_assets.storage.outputs import Outputs, table_file

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl

REPOSITORY = Path(__file__).parents[2]
SAMPLE = REPOSITORY / "data"

#: A landing zone of one file per source, small enough to be known by heart.
SMALL: Mapping[str, str] = {
    "drugs.csv": "atccode,drug\nA01AD05,ASPIRIN\nN02BE01,PARACETAMOL\nV03AB16,ETHANOL\n",
    "pubmed.csv": (
        "id,title,date,journal\n"
        "1,Aspirin or paracetamol?,2020-01-01,Journal of Tests\n"
        "2,Ethanol in rats,02/01/2020,Letters of Tests\n"
        "3,,2020-01-01,Journal of Tests\n"
    ),
    "clinical_trials.csv": (
        "id,scientific_title,date,journal\n"
        "NCT1,A trial of aspirin,1 January 2020,Letters of Tests\n"
        "NCT2,A trial of nothing,1 January 2020,Letters of Tests\n"
    ),
}

#: A later state of `SMALL`: a drug and an article added, one of each gone, and a title changed.
LATER: Mapping[str, str] = {
    **SMALL,
    "drugs.csv": "atccode,drug\nA01AD05,ASPIRIN\nV03AB16,ETHANOL\nN06BC01,CAFFEINE\n",
    "pubmed.csv": (
        "id,title,date,journal\n"
        "1,Aspirin or paracetamol,2020-01-01,Journal of Tests\n"
        "4,Caffeine and ethanol,2021-05-03,Journal of Tests\n"
    ),
}


@dataclass(frozen=True)
class Run:
    """A run that ended."""

    succeeded: bool
    #: What it printed.
    report: str
    store: Path

    @property
    def graph(self) -> Path:
        """The graph document of the current release."""
        return self.store / "latest" / "graph.json"

    def table(self, name: str) -> pl.DataFrame:
        """A table of the store."""
        return table(self.store, name)


def landing_zone(folder: Path, files: Mapping[str, str | bytes] = SMALL) -> Path:
    """A folder with these files."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def console() -> Console:
    """A console whose output is thrown away."""
    return Console(file=io.StringIO(), width=200, soft_wrap=True)


def run(landing: Path, store: Path, **variables: str) -> Run:
    """Run everything in this process, as `drug-assets run` does with these variables."""
    from drug_assets.cli.in_process import run_everything

    told = io.StringIO()
    settings = Settings.of(variables, landing=str(landing), store=str(store))
    everything = partial(run_everything, settings, Console(file=told, width=200, soft_wrap=True))
    if asyncio._get_running_loop() is None:
        return Run(everything(), told.getvalue(), store)
    # Dagster starts an event loop, and this thread has one, which drives a browser.
    with ThreadPoolExecutor(1) as thread:
        return Run(thread.submit(everything).result(), told.getvalue(), store)


def copy(store: Path, target: Path) -> Path:
    """A copy of a store that a test may change."""
    shutil.copytree(store, target, symlinks=True)
    return target


def current(store: Path) -> Path:
    """The folder of the current release of a store."""
    return (store / "latest").resolve(strict=True)


def table(store: Path, name: str) -> pl.DataFrame:
    """A table that lies in a store."""
    return Outputs.current(LocalFolder(store)).table(name).collect()


def outputs(store: Path) -> dict[str, bytes]:
    """The bytes of every file of the current release of a store, by name."""
    folder = current(store)
    return {name: (folder / name).read_bytes() for name in _files(folder)}


#: The files of a release that say what is new, so they depend on the release before, too.
NEWS_FILES = frozenset(
    {
        *map(table_file, NEWS),
        *(document.file for document in DOCUMENTS.values() if document.tells_news),
    }
)


def without_news(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Files of a release, but for what says, or depends on, what is new in it."""
    summary = json.loads(files["release.json"])
    del summary[COMPARED_WITH]
    for file in NEWS_FILES:
        del summary["files"][file]
        summary["rows"].pop(file.partition(".")[0], None)
    kept = {name: data for name, data in files.items() if name not in NEWS_FILES}
    return kept | {"release.json": json.dumps(summary).encode()}


def left_over(store: Path) -> list[str]:
    """Names of what is in a store besides its releases and what is kept for the next run."""
    expected = (".kept/", "releases/")
    return [n for n in _files(store) if not n.startswith(expected) and n != ".lock"]


def _files(folder: Path) -> list[str]:
    # The link `latest` is not followed.
    return [p.relative_to(folder).as_posix() for p in sorted(folder.rglob("*")) if p.is_file()]
