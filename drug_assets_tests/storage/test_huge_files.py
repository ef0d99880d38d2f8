"""Files of the largest size that owners deliver pass through memory in pieces.

Making and reading them takes minutes, so it happens where DRUG_ASSETS_TEST_ALL=1 asks for it.
"""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from drug_assets_tests.support.mesh import Concept, Record, Term, to_mesh_record, to_mesh_xml

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RECORDS = 600_000
MOST_BYTES = 1024**3
#: A record as long as NLM's are on average; `@` stands for its number.
TEMPLATE = to_mesh_record(
    Record(
        "C99@",
        "inventol-@",
        (
            Concept(
                (Term("inventol-@"), Term("@-fictine"), Term("Fictex @", "TRD")),
                ("12345ABCDE",),
                ("50-00-0 (inventol-@)",),
            ),
            Concept((Term("IV-@", "LAB"), Term("fictine salt @"))),
        ),
    )
).replace("<DateCreated>", f"<Note>{'It was invented as number @. ' * 20}</Note><DateCreated>")
SCRIPT = """
import resource, sys
from pathlib import Path
from drug_assets.engines.local import LocalMachine
from drug_assets.storage.landing import read_landing_zone
from drug_assets.storage.objects import LocalFolder

zone, store = (LocalFolder(Path(place)) for place in sys.argv[1:])
landed = read_landing_zone(zone, store, LocalMachine())
unit = 1 if sys.platform == "darwin" else 1024
print(landed.files["raw_rows"].sum(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit)
"""


def write_records(path: Path) -> None:
    """Write a packed file of supplementary records."""
    template = TEMPLATE.encode()
    head, end = to_mesh_xml([], supplementary=True).split(b"</")

    def pieces() -> Iterator[bytes]:
        yield head
        for number in range(RECORDS):
            yield template.replace(b"@", b"%d" % number)
        yield b"</" + end

    with gzip.open(path, "wb", compresslevel=1) as file:
        file.writelines(pieces())


@pytest.mark.slow
@pytest.mark.processes
@pytest.mark.skipif(
    os.environ.get("DRUG_ASSETS_TEST_ALL") != "1",
    reason="huge files are read where DRUG_ASSETS_TEST_ALL=1 asks for it",
)
def test_the_supplementary_records_of_mesh_are_never_in_memory_together(tmp_path: Path) -> None:
    landing = tmp_path / "landing"
    landing.mkdir()
    write_records(landing / "supp2026.xml.gz")
    ended = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(landing), str(tmp_path / "store")],
        capture_output=True,
        text=True,
        check=True,
    )
    rows, peak = map(int, ended.stdout.split())
    assert rows == RECORDS
    assert peak < MOST_BYTES
