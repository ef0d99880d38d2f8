"""The command that measures sections of RESULTS.md, keeps their figures, and writes it anew.

    python -m benchmarks.run [--only "SECTION …"] [--beside COMMIT] [--prepare] [--plan PLAN]

`sections` says what is measured, `results` keeps it, `report` writes it as text. A section that
fails keeps its former figures, and the others are measured all the same.
"""

from __future__ import annotations

import argparse
import compileall
import json
import sys
import time
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import checkouts, results, synthetic
from benchmarks.checkouts import BASE, HEAD, Checkout, CheckoutError
from benchmarks.load import Others, look
from benchmarks.measuring import print_status
from benchmarks.plans import PLANS, Plan
from benchmarks.sections import SECTIONS, NoRoomError, Section, Setting

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_ROOT = Path(__file__).parents[1]


def run(
    plan: Plan,
    sections: Sequence[Section],
    sides: Mapping[str, Checkout],
    data: Path,
    folder: Path,
) -> dict[str, Exception]:
    """Measure sections, one after the other; RESULTS.md is written anew after each.

    Args:
        plan: the sizes of the measurements.
        sections: what is measured.
        sides: the checkouts; see `Setting`.
        data: where generated data are kept.
        folder: where RESULTS.md and the figures are kept.

    Returns:
        By name of the section, why it could not be measured.
    """
    failed: dict[str, Exception] = {}
    for section in sections:
        setting = make_setting(plan, section, sides, data)
        try:
            # Making data is no part of what is measured, and would count as load before it.
            section.prepare(setting)
            taken = _measure(section, setting)
        except (RuntimeError, OSError, NoRoomError) as error:
            print_status(f"{section.name} failed: {error}")
            failed[section.name] = error
            continue
        results.keep(taken, folder)
        results.write_document(folder)
    return failed


def make_setting(
    plan: Plan, section: Section, sides: Mapping[str, Checkout], data: Path
) -> Setting:
    """The setting of a section: its data's folder, and the base only if it is measured beside it.

    Args:
        plan: the sizes of the measurements.
        section: what is measured.
        sides: the checkouts.
        data: the folder of all data.
    """
    # Titles contain the names, so other names need a folder of their own.
    origin = "package" if synthetic.names_come_from_package() else "built"
    folder = data.resolve() / f"v{synthetic.VERSION}-{origin}-{plan.all_names}"
    folder.mkdir(parents=True, exist_ok=True)
    return Setting(plan, folder, sides if section.has_base else {HEAD: sides[HEAD]})


def _measure(section: Section, setting: Setting) -> results.Taken:
    load = look()
    print_status(f"{section.name}: {load.describe()}")
    if load.is_idle is False:
        print_status("warning: the machine is not idle, so that figures will be wrong")
    others, started = Others(), time.perf_counter()
    # Through JSON, so that what is reported now is what is reported of the file.
    figures = json.loads(json.dumps(section.measure(setting)))
    seconds = time.perf_counter() - started
    meanwhile = others.cores()
    told = "" if meanwhile is None else f"; others took {meanwhile:.2f} cores"
    print_status(f"{section.name}: measured in {seconds / 60:.1f} minutes{told}")
    return results.Taken(
        section=section.name,
        plan=asdict(setting.plan),
        date=datetime.now(tz=UTC).date().isoformat(),
        commit=setting.head.label,
        base=setting.base.label if setting.base else None,
        machine=results.machine(),
        seconds=seconds,
        busy_before=results.busy_cores(load),
        others=meanwhile,
        load_average=load.averages[0],
        figures=figures,
    )


@contextmanager
def made_sides(
    repository: Path,
    base: str | None,
    environments: Path,
    *,
    base_python: Path | None = None,
) -> Iterator[dict[str, Checkout]]:
    """The working tree; or a copy of it that can be edited meanwhile, and a commit beside it.

    Args:
        repository: the working tree.
        base: a commit.
        environments: folder of checkouts and environments; see `checkouts.both`.
        base_python: see `checkouts.both`.

    Raises:
        CheckoutError: see `checkouts.both`.
    """
    if base is None:
        yield {HEAD: checkouts.here(repository)}
        return
    # The environment of the benchmarks is the head's: it has the other libraries, too.
    python = Path(sys.executable)
    with checkouts.both(
        repository, base, environments, base_python=base_python, head_python=python
    ) as (of_base, of_head):
        for checkout in (of_base, of_head):
            compileall.compile_dir(checkout.tree / "drug_assets", quiet=2)
        yield {BASE: of_base, HEAD: of_head}


def _main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.run",
        description=__doc__,
        epilog=f"Sections: {' '.join(SECTIONS)}.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--only", default="", help="sections, with blanks between; all if not given"
    )
    parser.add_argument("--beside", metavar="COMMIT", help="a commit to measure beside it")
    parser.add_argument("--prepare", action="store_true", help="only make data and environments")
    parser.add_argument("--plan", choices=PLANS, default="full")
    build = _ROOT / "build" / "benchmarks"
    parser.add_argument("--data", type=Path, default=build)
    text = "folder of RESULTS.md; that of the plan full is committed, others are below build/"
    parser.add_argument("--results", type=Path, help=text)
    environments = _ROOT / ".venv-benchmarks" / "compared"
    parser.add_argument("--environments", type=Path, default=environments)
    chosen = parser.parse_args()
    names = chosen.only.replace(",", " ").split() or list(SECTIONS)
    if unknown := [name for name in names if name not in SECTIONS]:
        parser.error(f"no such section: {' '.join(unknown)}; there are {' '.join(SECTIONS)}")
    plan, sections = PLANS[chosen.plan], [SECTIONS[name] for name in names]
    folder = chosen.results or (results.HERE if plan.name == "full" else build / plan.name)
    try:
        with made_sides(_ROOT, chosen.beside, chosen.environments) as sides:
            if chosen.prepare:
                for section in sections:
                    print_status(f"preparing {section.name}")
                    section.prepare(make_setting(plan, section, sides, chosen.data))
                return 0
            failed = run(plan, sections, sides, chosen.data, folder)
    except (CheckoutError, NoRoomError) as error:
        print_status(str(error))
        return 2
    for name, why in failed.items():
        print_status(f"not measured: {name}: {why}")
    print_status(f"written: {folder / results.DOCUMENT}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(_main())
