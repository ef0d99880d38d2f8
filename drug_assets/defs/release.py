"""The last asset: a release of everything that a run made."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from functools import partial
from typing import Any, NamedTuple

import dagster as dg
import polars as pl

from drug_assets.answers import in_brief
from drug_assets.defs import OWNERS
from drug_assets.defs.assets import MADE
from drug_assets.defs.checks import LOOKED_AT
from drug_assets.defs.failures import explain_failures
from drug_assets.defs.news import make_again, read_news
from drug_assets.defs.workplace import (
    FILES_OF_RELEASE,
    FOLDERS_OF_RELEASE,
    Workplace,
    full_path,
    require_step,
    run_of,
)
from drug_assets.document.questions import add_evidence
from drug_assets.documents import EXPLORER
from drug_assets.news_report import describe
from drug_assets.sources.tables import Layer
from drug_assets.storage import staging
from drug_assets.storage.commit import LostRaceError
from drug_assets.storage.outputs import Outputs, evict_unused_parts, release_outputs
from drug_assets.storage.released import ReleasedTables
from drug_assets.storage.releases import Release
from drug_assets.storage.workspace import NotReleasableError
from drug_assets.wording import count_of, describe_retractions, printable, shorten

#: Keys of the metadata that hold the rows of every table of the release, and say what is new.
ROWS = "rows"
WHAT_IS_NEW = "what_is_new"


def _find_leaves(assets: Iterable[dg.AssetsDefinition]) -> list[dg.AssetKey]:
    """The assets that no other asset depends on: every other one is upstream of one of these."""
    keys = {key for asset in assets for key in asset.keys}
    upstream = {key for asset in assets for key in asset.dependency_keys}
    return sorted(keys - upstream)


@dg.asset(
    # A failed blocking check stops everything downstream of its asset, so the leaves are enough.
    deps=_find_leaves(MADE),
    group_name=Layer.PUBLISHED.value,
    kinds={"json"},
    owners=OWNERS,
    freshness_policy=dg.FreshnessPolicy.time_window(
        warn_window=timedelta(hours=24), fail_window=timedelta(hours=48)
    ),
    metadata={"files": list(FILES_OF_RELEASE)},
)
def release(context: dg.AssetExecutionContext, workplace: Workplace) -> dg.MaterializeResult[None]:
    """Make everything that a run made the current release, once all blocking checks have passed.

    A release is one folder that never changes, `releases/ID/` in the store: every table, the graph
    document, and `release.json`, which records what landed, the version of the rules, the rows of
    each table, and the number of blocking checks that passed. Replacing the store's pointer makes
    it current in one step; until then readers see the release before. Earlier releases are kept:
    `drug-assets releases` lists them, `drug-assets rollback ID` goes back to one.

    Choose *Materialize all*, or run the job `drug_mentions`. Assets that are materialized alone are
    written to the workspace of the store, and readers see nothing of them. `release` alone releases
    the workspace, if everything in it was made from the landing zone and the rules as they are now,
    and each blocking check passed on it; otherwise it fails and says what is missing.
    """
    with explain_failures(context, workplace):
        outputs = workplace.open(context)
        store = outputs.store
        run = run_of(require_step(context))
        before = _read_figures(outputs.base)
        try:
            _require_checked(context, outputs)
            beginning = staging.read_beginning(store, run)
            if outputs.workspace is None:
                _require_same_rules(beginning, workplace)
            remake = partial(make_again, workplace=workplace, warn=context.log.warning)
            if outputs.workspace is not None:
                remake(outputs)  # another run may have released since they were made
            committed = release_outputs(
                outputs,
                FILES_OF_RELEASE,
                workplace.rules(),
                folders=FOLDERS_OF_RELEASE,
                run=run,
                base=beginning.base if beginning else store.pointer(),
                keep=workplace.keep_releases,
                checks=len(LOOKED_AT),
                is_current=lambda fingerprint: workplace.fingerprint() == fingerprint,
                make_again=remake,
                warehouse=workplace.warehouse.open(),
            )
        except (LostRaceError, NotReleasableError):
            staging.discard(store, run)
            raise
        staging.discard(store, run)
        evict_unused_parts(store, context.log.warning)
        made = Release(store, committed.release)
        if not committed.is_new:
            context.log.info(f"release {committed.release} has the same content, and stays current")
        return dg.MaterializeResult(
            metadata={
                "release": committed.release,
                "is_new": committed.is_new,
                "path": full_path(store.uri(made.name())),
                EXPLORER.name: full_path(store.uri(made.name(EXPLORER.file))),
                **workplace.link(EXPLORER.file),
                **_tell_news(made, before, is_new=committed.is_new),
                **_describe(made),
                "pruned": list(committed.pruned),
            }
        )


class _Figures(NamedTuple):
    """What a release is compared by with the one before."""

    #: Rows by table.
    rows: Mapping[str, int]
    #: The landed files, with the hashes of their contents.
    files: Mapping[str, str]


def _read_figures(release: Release | None) -> _Figures | None:
    """The figures of a release; None if there is none."""
    if release is None:
        return None
    rows = release.read_summary().get("rows", {})
    try:
        files = Outputs(release.store, release=release).table("landed_files")
        by_name = files.select("source_file", "sha256").collect().rows()
    except (FileNotFoundError, pl.exceptions.PolarsError):  # damaged, or of an earlier version
        by_name = []
    return _Figures(rows, dict(by_name))


def _describe(release: Release) -> dict[str, Any]:
    """What a release holds, and what it answers."""
    now = _read_figures(release) or _Figures({}, {})
    tables = ReleasedTables(release)
    top = in_brief.find_top_journals(tables)
    told: dict[str, Any] = {
        "mentions": now.rows.get("mentions", 0),
        "drugs": now.rows.get("drugs", 0),
        "journals": in_brief.count_journals(tables),
        "landed_files": len(now.files),
        "rejected_records": now.rows.get("rejected_records", 0),
        "blocking_checks_passed": release.read_summary().get("checks", 0),
    }
    if top is not None:
        related = in_brief.find_related_drugs(tables, top.drug)
        told["top_journal"] = printable(
            f"{shorten(top.journals, '; ')} ({count_of(top.drug_count, 'drug')})"
        )
        told["related_drugs"] = printable(f"{related.drug}: {shorten(related.related) or 'none'}")
        retracted = add_evidence([top.evidence, related.evidence])
        if warning := describe_retractions(*retracted):
            told["behind_both_answers"] = warning
    return told | {ROWS: dg.MetadataValue.json(dict(now.rows))}


def _tell_news(release: Release, before: _Figures | None, *, is_new: bool) -> dict[str, Any]:
    """What is new in a release, and in its landing zone.

    Args:
        release: the release.
        before: figures of the one that was current when the run began; None if there was none.
        is_new: whether the run made the release; if not, it says nothing new of it.
    """
    if not is_new:
        return {WHAT_IS_NEW: "Nothing: the release holds the same, and stays current."}
    told: dict[str, Any] = {}
    sentences = []
    if before is not None:
        now = _read_figures(release) or _Figures({}, {})
        landed = [name for name, content in now.files.items() if before.files.get(name) != content]
        gone = [name for name in before.files if name not in now.files]
        told["new_files"] = len(landed)
        told["removed_files"] = len(gone)
        sentences.append(f"{_name_files(landed)} landed or changed, {_name_files(gone)} removed.")
    found = read_news(release)
    if found is not None:
        told["new_mentions"] = found.added
        told["first_mentions_in_a_journal"] = found.first_in_journal
        told["rules_changed"] = bool(found.rules_changed)
    text = printable(" ".join([*sentences, *describe(found)]))
    return told | {WHAT_IS_NEW: text}


def _name_files(names: list[str]) -> str:
    listed = f" ({shorten(names)})" if names else ""
    return count_of(len(names), "file") + listed


def _require_same_rules(beginning: staging.Beginning | None, workplace: Workplace) -> None:
    """Raise unless the present rules made all outputs of a run: Dagster can take up an old one.

    Args:
        beginning: what the run began from; None if nobody knows.
        workplace: the workplace of the run.

    Raises:
        NotReleasableError: they changed since it began.
    """
    if beginning is not None and beginning.rules != workplace.rules():
        raise NotReleasableError(
            "nothing was released: the rules (code, libraries or settings) changed since this run "
            "began, so other ones made a part of its outputs. Start a new run"
        )


def _require_checked(context: dg.AssetExecutionContext, outputs: Outputs) -> None:
    """Raise unless every blocking check passed on what is released.

    Raises:
        NotReleasableError: a check is missing, or an output is not what it was made for.
    """
    if outputs.workspace is not None:
        checks = {f"{key.asset_key.path[-1]}.{key.name}": LOOKED_AT[key] for key in LOOKED_AT}
        files = outputs.list_files(FOLDERS_OF_RELEASE)
        outputs.workspace.require_releasable([*FILES_OF_RELEASE, *files], checks)
        return
    # Dagster runs no asset downstream of a blocking check that failed, but a person can leave
    # checks out of a run.
    layer = require_step(context).job_def.asset_layer
    selected = {key for data in layer.data for key in data.assets_def.check_keys}
    if missing := sorted(f"{k.asset_key.path[-1]}: {k.name}" for k in LOOKED_AT.keys() - selected):
        raise NotReleasableError(
            f"nothing was released: the run left out the blocking checks {', '.join(missing)}. "
            "Materialize everything with its checks, or run the job drug_mentions"
        )
