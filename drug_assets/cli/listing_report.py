"""The text of the commands that list: a line of what was understood, a table, what is left out."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import polars as pl

from drug_assets import sources
from drug_assets.cleaning.text import fold_string
from drug_assets.periods import show_date
from drug_assets.wording import count_of, describe_more, describe_period, printable, shorten

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from drug_assets.answers.finding import Found
    from drug_assets.answers.forms import Answer
    from drug_assets.answers.mentions import MentionsOfDrugs
    from drug_assets.answers.overviews import Overview
    from drug_assets.answers.rejections import Rejections
    from drug_assets.answers.tracing import Trace

_BETWEEN = "  "
#: No cell gets narrower than this to fit a terminal.
_NARROWEST = 12


def mentions_as_lines(answer: MentionsOfDrugs, width: int | None) -> Iterator[str]:
    """The mentions of drugs as text.

    Args:
        answer: the answer.
        width: columns of the terminal that the table must fit; None for no limit.
    """
    counted = answer.counted
    where = "".join(
        [
            f" in {_name_all([journal.journal for journal in answer.journals])}"
            if answer.journals
            else "",
            f" by {answer.source}" if answer.source else "",
            f" {answer.period}" if answer.period else "",
        ]
    )
    told = f"{count_of(counted.mentions, 'mention')}{where}"
    if not answer.journals:
        told += f", in {count_of(answer.journal_count, 'journal')}"
    yield f"{describe_found(answer.found)}: {told}"
    several = len(answer.found.drugs) > 1
    header = ["date", "source", "id", *(["drug"] if several else []), "journal", "title", "notes"]
    rows = [
        [
            show_date(row["date"], row["date_precision"]) or "no date",
            row["source"],
            row["publication_id"],
            *([row["drug"]] if several else []),
            row["journal"] or "-",
            row["title"],
            ", ".join(word for word in ("retracted", "ambiguous") if row[word]),
        ]
        for row in answer.rows.iter_rows(named=True)
    ]
    yield from as_table(header, rows, width, narrow=("title", "journal"))
    yield from _tell_of_more(counted.mentions, len(rows), "mention")
    if answer.period is not None:
        placed = counted.open_mentions, counted.outside_mentions, counted.undated_mentions
        yield f"Of these, {describe_period(*placed)}"


def drugs_as_lines(answer: Overview, width: int | None) -> Iterator[str]:
    """All drugs as text; see `mentions_as_lines`."""
    yield f"{count_of(answer.total, 'drug')}, {answer.mentioned:,} of them mentioned"
    header = ["drug", "mentions", *_names_of_counts(), "journals", "since", "latest", "codes"]
    rows = [
        [
            row["drug"],
            f"{row['mentions']:,}",
            *_counts(row),
            f"{row['journals']:,}",
            *_dates(row),
            shorten(row["atc_codes"], " ", most=3),
        ]
        for row in answer.rows.iter_rows(named=True)
    ]
    yield from as_table(header, rows, width, narrow=("drug",))
    yield from _tell_of_more(answer.total, len(rows), "drug")


def journals_as_lines(answer: Overview, width: int | None) -> Iterator[str]:
    """All journals as text; see `mentions_as_lines`."""
    yield f"{count_of(answer.total, 'journal')}, {answer.mentioned:,} of them mention a drug"
    header = ["journal", "drugs", "mentions", *_names_of_counts(), "since", "latest", "id"]
    rows = [
        [
            row["journal"],
            f"{row['drugs']:,}",
            f"{row['mentions']:,}",
            *_counts(row),
            *_dates(row),
            # The identity of a journal without one of its own is its name.
            "" if row["journal_id"] == fold_string(row["journal"]) else row["journal_id"],
        ]
        for row in answer.rows.iter_rows(named=True)
    ]
    yield from as_table(header, rows, width, narrow=("journal", "id"))
    yield from _tell_of_more(answer.total, len(rows), "journal")


def rejected_as_lines(answer: Rejections, width: int | None) -> Iterator[str]:
    """The rejected rows as text; see `mentions_as_lines`."""
    of = "" if answer.files is None else f" of {_name_all(answer.files)}"
    why = ", ".join(f"{count:,} {reason}" for reason, count in answer.reasons.items())
    yield f"{count_of(answer.total, 'row')}{of} rejected" + (f": {why}" if why else "")
    rows = [
        [
            row["source_file"],
            f"{row['source_row']:,}",
            ", ".join(row["reasons"]),
            _show_record(json.loads(row["record"])),
        ]
        for row in answer.rows.iter_rows(named=True)
    ]
    yield from as_table(["file", "row", "reasons", "record"], rows, width, ("record", "file"))
    yield from _tell_of_more(answer.total, len(rows), "row")


def trace_as_lines(answer: Trace, zone: str, states: Mapping[str, str]) -> Iterator[str]:
    """The landed rows behind a mention as text.

    Args:
        answer: the answer.
        zone: location of the landing zone.
        states: what became of the files there; empty if the landing zone is not there.
    """
    yield f"{describe_found(answer.found)}, in {answer.publication_id} of {answer.source}:"
    yield f"  {answer.title}"
    date = show_date(answer.date, answer.date_precision) or "no date"
    noted = f"; {', '.join(answer.issues)}" if answer.issues else ""
    yield f"  {answer.journal or 'no journal'}, {date}{noted}"
    for drug in answer.drugs:
        for name in drug.names:
            of_list = f", {name.kind} {name.name} of {name.source_file}" if name.name else ""
            found_by = "" if of_list else f", by {name.by}"
            yield f"  names {drug.drug} as {name.text!r}{of_list}{found_by}"
    for row in answer.rows:
        became = "kept" if row.became == "kept" else f"merged into it, {row.became}"
        state = f", {states[row.source_file]} in {zone}" if states else ""
        yield f"{row.source_file}, row {row.source_row:,}: {became}{state}"
        for field, value in row.record.items():
            shown = ", ".join(value) if isinstance(value, list) else value
            yield f"    {field}: {printable(shown)}"
    if not states:
        yield f"The landing zone {zone} is not there."


def add_states(answer: Answer, states: Mapping[str, str]) -> Answer:
    """A trace in which rows have the state of their file in the landing zone, null if unknown.

    Args:
        answer: rows with a column source_file.
        states: what became of each file.
    """
    state = answer.rows["source_file"].replace_strict(states, default=None, return_dtype=pl.String)
    return answer._replace(rows=answer.rows.with_columns(state.alias("in_landing_zone")))


def describe_found(found: Found) -> str:
    """The drugs that were understood, and that several share a name."""
    names = _name_all([drug.drug for drug in found.drugs])
    if found.by == "class":
        several = count_of(len(found.drugs), "drug")
        return f"class {found.asked.strip().upper()} ({several}: {names})"
    if found.is_ambiguous:
        return f"{found.asked} is ambiguous: {count_of(len(found.drugs), 'drug')} ({names})"
    return names if found.by == "name" else f"{names} ({found.asked})"


def as_table(
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    width: int | None,
    narrow: Sequence[str] = (),
) -> Iterator[str]:
    """Rows as lines of aligned columns; numbers stand to the right. No rows: no lines.

    Args:
        header: names of the columns.
        rows: the rows.
        width: columns of the terminal that the lines must fit; None for no limit.
        narrow: the columns that are cut, the widest first, where the lines are too long.
    """
    if not rows:
        return
    from rich.cells import cell_len, set_cell_size

    # A column in which no row holds anything says nothing.
    kept = [at for at in range(len(header)) if any(row[at] for row in rows)]
    shown = [[printable(row[at]) for at in kept] for row in (header, *rows)]
    widths = [max(map(cell_len, column)) for column in zip(*shown, strict=True)]
    if width is not None:
        cut = [place for place, at in enumerate(kept) if header[at] in narrow]
        room = width - sum(widths) - len(_BETWEEN) * (len(widths) - 1)
        # The widest is cut first, so that all of them keep as much as there is room for.
        while room < 0 and cut and max(widths[place] for place in cut) > _NARROWEST:
            widths[max(cut, key=widths.__getitem__)] -= 1
            room += 1
    is_number = [all(_is_number(row[at]) for row in rows) for at in kept]
    for row in shown:
        cells = []
        for cell, size, right in zip(row, widths, is_number, strict=True):
            length = cell_len(cell)
            if length > size:
                cells.append(set_cell_size(cell, size - 1) + "…")
            else:
                blanks = " " * (size - length)
                cells.append(blanks + cell if right else cell + blanks)
        yield _BETWEEN.join(cells).rstrip()


def _is_number(cell: str) -> bool:
    return cell.replace(",", "").isdecimal()


def _tell_of_more(total: int, listed: int, noun: str) -> Iterator[str]:
    if told := describe_more(total, listed, noun):
        yield told


def _show_record(record: Mapping[str, Any]) -> str:
    """The fields of a raw row that hold something, in one line."""
    place = ("source_file", "source_row")
    held = {field: value for field, value in record.items() if value and field not in place}
    return json.dumps(held, ensure_ascii=False)


def _name_all(names: Sequence[str]) -> str:
    return shorten(list(dict.fromkeys(names)))


def _names_of_counts() -> list[str]:
    return [source.name for source in sources.PUBLICATIONS]


def _counts(row: dict[str, Any]) -> list[str]:
    return [f"{row[f'{source.document_type}_mentions']:,}" for source in sources.PUBLICATIONS]


def _dates(row: dict[str, Any]) -> list[str]:
    return [
        show_date(row[f"{name}_date"], row[f"{name}_date_precision"]) or "-"
        for name in ("first", "latest")
    ]
