"""What is new, found in another way: with Python's sets and dictionaries, one row at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drug_assets import sources
from drug_assets.storage.comparison import compare
from drug_assets.storage.outputs import Outputs
from drug_assets.storage.releases import list_releases
from drug_assets.storage.workspace import Origin

if TYPE_CHECKING:
    from collections.abc import Iterable

    from drug_assets.storage.objects import ObjectStore

Row = dict[str, Any]

KEY = ("drug_id", "source", "publication_id")
_SOURCES = [source.name for source in sources.PUBLICATIONS]


def follow_drugs(
    before: Iterable[Row], drugs_before: Iterable[Row], drugs_now: Iterable[Row]
) -> tuple[list[Row], list[Row]]:
    """The mentions and drugs of the release before, with the ids that its drugs have now.

    The arguments are those of `find_new_mentions`.
    """
    drugs_before, drugs_now = list(drugs_before), list(drugs_now)
    listed = {row["drug_id"] for row in drugs_now}
    named: dict[str, set[str]] = {}
    for row in drugs_now:
        for name in (row["drug"], *row["names"]):
            named.setdefault(name.casefold(), set()).add(row["drug_id"])
    ids = {}
    for row in drugs_before:
        having = named.get(row["drug"].casefold(), set())
        if row["drug_id"] not in listed and len(having) == 1:
            ids[row["drug_id"]] = next(iter(having))
    mentions: dict[tuple[str, ...], Row] = {}
    for row in sorted(before, key=lambda row: row["drug_id"] in ids):
        renamed = {**row, "drug_id": ids.get(row["drug_id"], row["drug_id"])}
        mentions.setdefault(tuple(renamed[k] for k in KEY), renamed)
    drugs = [{**row, "drug_id": ids.get(row["drug_id"], row["drug_id"])} for row in drugs_before]
    return list(mentions.values()), drugs


def find_new_mentions(
    before: Iterable[Row], drugs_before: Iterable[Row], now: Iterable[Row], drugs_now: Iterable[Row]
) -> list[Row]:
    """The rows of `new_mentions`, as SPEC says.

    Args:
        before: the mentions of the release before.
        drugs_before: its drugs.
        now: the mentions of the release.
        drugs_now: its drugs.
    """
    drugs_now = list(drugs_now)
    before, drugs_before = follow_drugs(before, drugs_before, drugs_now)
    there = {tuple(row[k] for k in KEY): row for row in before}
    here = {tuple(row[k] for k in KEY): row for row in now}
    listed_before = {row["drug_id"] for row in drugs_before}
    listed = {row["drug_id"] for row in drugs_now}
    known = {(row["drug_id"], row["journal_id"]) for row in there.values()}
    known |= {(here[k]["drug_id"], here[k]["journal_id"]) for k in here.keys() & there.keys()}
    earliest: dict[tuple[str, str], tuple[Any, ...]] = {}
    for key in here.keys() - there.keys():
        row = here[key]
        pair = row["drug_id"], row["journal_id"]
        if row["journal_id"] is not None and pair not in known:
            of_source = _SOURCES.index(row["source"])
            rank = (row["date"] is None, row["date"] or 0, of_source, row["publication_id"], key)
            earliest[pair] = min(earliest.get(pair, rank), rank)
    firsts = {rank[-1] for rank in earliest.values()}
    found = []
    for key in sorted(here.keys() | there.keys()):
        new, former = here.get(key), there.get(key)
        changed: list[str] = []
        if former is None:
            change = "added"
        elif new is None:
            change = "gone" if key[0] in listed else "no_longer_searched"
        else:
            parts = {
                "journal": all(new[c] != former[c] for c in ("journal", "journal_id")),
                "date": any(new[c] != former[c] for c in ("date", "date_precision")),
                "title": new["title"] != former["title"],
            }
            changed = [part for part, differs in parts.items() if differs]
            if not changed:
                continue
            change = "changed"
        shown = new or former or {}
        columns = ("drug", "title", "journal", "journal_id", "date", "date_precision")
        was = former if changed and former else {}
        found.append(
            {
                **dict(zip(KEY, key, strict=True)),
                "change": change,
                "first_in_journal": key in firsts,
                "drug_added": key[0] in listed and key[0] not in listed_before,
                **{column: shown[column] for column in columns},
                "changed": changed,
                **{
                    f"{column}_before": was.get(column)
                    for column in ("title", "journal", "date", "date_precision")
                },
            }
        )
    return found


def find_changed_names(drugs_before: Iterable[Row], drugs_now: Iterable[Row]) -> list[Row]:
    """The rows of `changed_names`, as SPEC says; arguments as in `find_new_mentions`."""
    now = list(drugs_now)
    _, before = follow_drugs([], drugs_before, now)
    found: dict[tuple[str, str], Row] = {}
    for change, of, beside in (("added", now, before), ("dropped", before, now)):
        for row in of:
            others = [other for other in beside if other["drug_id"] == row["drug_id"]]
            known = {n.casefold() for other in others for n in (other["drug"], *other["names"])}
            shown = next((each["drug"] for each in now if each["drug_id"] == row["drug_id"]), None)
            for name in {*row["names"], row["drug"]}:
                if name.casefold() in known:
                    continue
                new = {
                    "drug_id": row["drug_id"],
                    "name": name,
                    "change": change,
                    "of_drug": not others,
                    "drug": shown or row["drug"],
                }
                found.setdefault((row["drug_id"], name), new)
    return [found[key] for key in sorted(found)]


def require_right_news(store: ObjectStore) -> None:
    """Fail unless every release says what is new since the one before it."""
    releases = [*reversed(list_releases(store))]
    assert releases
    for before, release in zip([None, *releases], releases, strict=False):
        summary = release.read_summary()
        now = Origin(summary["landing"]["fingerprint"], summary["rules"])
        comparison = compare(before, now)
        assert summary["compared_with"] == comparison.to_document()
        assert not comparison.is_taken_over, "what is the same is not released again"
        new = Outputs(store, release=release)
        if before is None:
            assert new.table("new_mentions").collect().is_empty()
            assert new.table("changed_names").collect().is_empty()
            continue
        old = Outputs(store, release=before)
        rows = {
            (of, table): tables.table(table).collect().to_dicts()
            for of, tables in (("old", old), ("new", new))
            for table in ("mentions", "drugs")
        }
        expected = find_new_mentions(
            *(rows[of, table] for of in ("old", "new") for table in ("mentions", "drugs"))
        )
        assert new.table("new_mentions").collect().to_dicts() == expected
        names = find_changed_names(rows["old", "drugs"], rows["new", "drugs"])
        assert new.table("changed_names").collect().to_dicts() == names
