"""Make Dagster's home on one machine: its settings and its databases, in one step.

    python deploy/make_dagster_home.py HOME SETTINGS

Two processes that make the databases at once can damage them (Dagster then finds "more than one
head present"). So they are made in a folder beside, which gets its name when it is complete; who
comes second finds it made. A home that exists gets the settings only.
"""

import shutil
import sys
import tempfile
from pathlib import Path

import dagster as dg

SETTINGS = "dagster.yaml"


def make_home(home: Path, settings: Path) -> None:
    """Make a home, unless another process does so at the same time.

    Args:
        home: the folder.
        settings: the file with its settings.
    """
    home.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(dir=home.parent, prefix=f"{home.name}-"))
    try:
        shutil.copyfile(settings, scratch / SETTINGS)
        if not home.is_dir():
            dg.DagsterInstance.from_config(str(scratch)).dispose()
            try:
                scratch.rename(home)
            except OSError:
                if not home.is_dir():
                    raise
            return
        (scratch / SETTINGS).replace(home / SETTINGS)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


if __name__ == "__main__":
    make_home(Path(sys.argv[1]).resolve(), Path(sys.argv[2]))
