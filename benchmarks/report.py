"""Writes figures as text: tables, and a verdict on each claim; a pair of functions per section.

Nothing is measured here, and the text contains no figure that was not measured. `results` makes a
document of the sections.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

from benchmarks import mentions
from benchmarks.checkouts import BASE, HEAD
from benchmarks.whole_run import COLD, ONE_MORE, ONE_MORE_XML, QUESTIONS, seconds_to_see

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

_MILLION = 1_000_000
_SECONDS_OF_AN_ANSWER = 0.15
#: The size that the claims about the largest search are about: somewhat more than all of PubMed.
_MOST_TITLES, _MOST_SECONDS, _MOST_BYTES = 40 * _MILLION, 60, 2e9
#: By how much a time may be above that of the base, without being slower: noise.
_NO_SLOWER = 1.05
#: What writing a file of exports may cost at most, in MiB: memory must not follow the file.
MOST_MIB = 1_000
#: Steps of a run that are shown.
_STEPS = 10

_TITLES = {
    "drug_assets": "drug_assets",
    BASE: "drug_assets at the base",
    "flashtext": "FlashText",
    "pyahocorasick": "pyahocorasick",
    "drug_named_entity_recognition": "drug-named-entity-recognition",
    "page_cache": "reading the packed file from the system's cache",
    "byte_search": "searching the unpacked file once",
    "gunzip": "unpacking alone",
    "lxml_iterparse": "lxml.iterparse, all elements",
    "lxml_iterparse_articles": "lxml.iterparse, articles only",
    "pubmed_parser": "pubmed_parser",
}


@dataclass(frozen=True)
class Claim:
    """A claim, the measured value, and whether the claim holds."""

    text: str
    measured: str
    #: None if the claim was not measured.
    holds: bool | None


def no_claims(_figures: Mapping[str, Any], _plan: Mapping[str, Any]) -> Iterator[Claim]:
    """For a section without any."""
    return iter(())


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def beside_table(
    first: Sequence[str],
    columns: Mapping[str, Callable[[Mapping[str, Any]], str]],
    rows: Iterable[tuple[Sequence[str], Mapping[str, Mapping[str, Any]]]],
) -> str:
    """A Markdown table with each figure of the base, if one was measured, before that of the head.

    Args:
        first: headings of the columns that say what was measured.
        columns: headings of figures, and what writes one of the figures of a side.
        rows: the first cells, and figures by side.
    """
    listed = list(rows)
    sides = [side for side in (BASE, HEAD) if any(side in of_row for _, of_row in listed)]
    headings = [
        f"{heading}, base" if side == BASE else heading for heading in columns for side in sides
    ]
    cells = [
        (
            *names,
            *(
                write(of_row[side]) if side in of_row else ""
                for write in columns.values()
                for side in sides
            ),
        )
        for names, of_row in listed
    ]
    return table((*first, *headings), cells)


def _shown(figure: str, form: str) -> Callable[[Mapping[str, Any]], str]:
    """Writes a figure of a side; blank where it was not measured."""
    return lambda figures: f"{figures[figure]:{form}}" if figure in figures else ""


# Start


def write_start(figures: Mapping[str, Any], _: Mapping[str, Any]) -> str:
    """The section about start."""
    return "\n\n".join(
        (
            (
                "What commands cost on `data/`. Bare imports: a process that only imports the "
                "libraries that a run has loaded at its end."
            ),
            _table_of_start(figures),
        )
    )


def start_table(start: Mapping[str, Mapping[str, float]]) -> str:
    """The figures of one side of `start.measured_start` as a table."""
    return _table_of_start({HEAD: start})


def _table_of_start(sides: Mapping[str, Mapping[str, Mapping[str, float]]]) -> str:
    columns = {
        "seconds": _shown("seconds", ".2f"),
        "processor seconds": _shown("cpu_seconds", ".2f"),
    }
    rows = [((name,), _by_side(sides, name)) for name in sides[HEAD]]
    return beside_table(("",), columns, rows)


def _by_side(sides: Mapping[str, Mapping[str, Any]], name: str) -> dict[str, Any]:
    """What each side has of a name."""
    return {side: of_side[name] for side, of_side in sides.items() if name in of_side}


def claims_of_start(figures: Mapping[str, Any], _: Mapping[str, Any]) -> Iterator[Claim]:
    """Claims about start."""
    answered = figures[HEAD]["top-journal"]["seconds"]
    yield Claim(
        "top-journal of data/ in at most 0.15 seconds",
        f"{answered:.2f} seconds",
        answered <= _SECONDS_OF_AN_ANSWER,
    )
    if BASE in figures:
        for name, most, what in (
            ("run on data/", _NO_SLOWER, "not slower than at the base"),
            ("above the imports", 0.5, "at most half of the base's"),
        ):
            base, head = (figures[side][name]["seconds"] for side in (BASE, HEAD))
            # What a machine is too quick for, as in a test, has no share.
            share = head / base if base > 0 else 0
            yield Claim(f"{name[0].upper()}{name[1:]}: {what}", f"{share:.2f} of it", share <= most)


# Finding mentions


def write_search(figures: Mapping[str, Any], _: Mapping[str, Any]) -> str:
    """The section about finding mentions beside other libraries."""
    rows = []
    for compared in figures["side_by_side"]:
        ours = compared["figures"]["drug_assets"]
        for who, of_who in compared["figures"].items():
            size = (f"{compared['titles']:,}", f"{compared['names']:,}", _TITLES[who])
            if "not_installed" in of_who:
                rows.append((*size, "not installed", *[""] * 8))
                continue
            scale = compared["titles"] / of_who.get("sample", compared["titles"])
            alone = _show_times(of_who, ours, "", scale)
            whole = _show_times(of_who, ours, "whole_", scale)
            note = f" (from {of_who['sample']:,} titles)" if "sample" in of_who else ""
            rows.append((*size, alone[0] + note, *alone[1:], *whole, f"{of_who['peak_mib']:,.0f}"))
    timing = ("seconds", "times ours", "CPU s", "times per core")
    of_files = tuple(f"from files: {column}" for column in timing)
    columns = ("titles", "names", "", *timing, *of_files, "peak MiB")
    shipped = "those that drug-named-entity-recognition ships"
    origin = shipped if figures["names_come_from_package"] else "built from syllables"
    parts = [
        (
            f"Names are {origin}. The first four figures are of the search alone: titles are in "
            "memory, and names are prepared (an index, an automaton). The next four begin with "
            "Parquet files and a list of names. The other libraries use one core, `find_mentions` "
            "all cores; seconds of the processor (CPU s) are compared per core."
        ),
        table(columns, rows),
    ]
    if measured := _of_spark(figures):
        spark, titles = measured[:2]
        hours = _spark_seconds(spark, titles) / 3600
        parts.append(
            f"PySpark's cross join with `contains` compared {spark['titles']:,} titles (a sample) "
            f"with {spark['names']:,} names at {spark['pairs_per_second'] / 1e6:,.1f} million "
            f"pairs per second: **extrapolated**, {hours:,.1f} hours for {titles:,} titles. It "
            "finds substrings, not mentions."
        )
    return "\n\n".join([*parts, _agreement(figures["agreement"])])


def _show_times(
    figures: Mapping[str, Any], ours: Mapping[str, Any], prefix: str, scale: float
) -> tuple[str, str, str, str]:
    """Seconds and processor seconds, and how many times ours they are; blank if not measured."""
    if f"{prefix}seconds" not in figures:
        return ("", "", "", "")
    shown = []
    for figure in (f"{prefix}seconds", f"{prefix}cpu_seconds"):
        seconds = figures[figure] * scale
        times = "" if figures is ours else f"{seconds / ours[figure]:.1f}"
        shown += [f"{seconds:.2f}", times]
    return (shown[0], shown[1], shown[2], shown[3])


def _agreement(agreements: Sequence[Mapping[str, Any]]) -> str:
    parts = [
        "### Agreement with FlashText\n\nSpans that both find, and, by reason, those of only one."
    ]
    for agreement in agreements:
        if "not_installed" in agreement:
            parts.append("FlashText is not installed.")
            break
        rows = [
            (reason, f"{agreement['only_drug_assets'][reason]:,}", f"{theirs:,}")
            for reason, theirs in agreement["only_flashtext"].items()
        ]
        parts.append(
            f"{agreement['names']:,} names, {agreement['titles']:,} titles: "
            f"{agreement['both']:,} spans found by both.\n\n"
            + table(("reason", "only drug_assets", "only FlashText"), rows)
        )
        parts += [f"Unexplained: {example}" for example in agreement["unexplained"]]
    return "\n\n".join(parts)


def claims_of_search(figures: Mapping[str, Any], _: Mapping[str, Any]) -> Iterator[Claim]:
    """Claims about finding mentions, beside other libraries."""
    for compared in figures["side_by_side"]:
        yield from _claims_per_core(compared)
        if compared["titles"] == max(c["titles"] for c in figures["side_by_side"]):
            yield _claim_of_speed(compared)
    unexplained = sum(
        agreement[side][mentions.UNEXPLAINED]
        for agreement in figures["agreement"]
        for side in ("only_drug_assets", "only_flashtext")
        if side in agreement
    )
    was_compared = all("both" in agreement for agreement in figures["agreement"])
    yield Claim(
        "The same mentions as FlashText, every difference explained by SPEC",
        f"{unexplained} spans unexplained" if was_compared else "FlashText is not installed",
        unexplained == 0 if was_compared else None,
    )
    yield _claim_of_spark(figures)


def _claims_per_core(compared: Mapping[str, Any]) -> Iterator[Claim]:
    """Claims on equal terms: both search alone, or both begin with files."""
    ours, theirs = compared["figures"]["drug_assets"], compared["figures"]["pyahocorasick"]
    for begin, figure in (("search alone", "cpu_seconds"), ("from files", "whole_cpu_seconds")):
        text = f"{_name_size(compared)}, {begin}: faster per core than pyahocorasick"
        if "not_installed" in theirs:
            yield Claim(text, "not installed", None)
        else:
            times = theirs[figure] / ours[figure]
            yield Claim(text, f"{times:.1f} times", times > 1)


def _claim_of_speed(compared: Mapping[str, Any]) -> Claim:
    ours, theirs = compared["figures"]["drug_assets"], compared["figures"]["flashtext"]
    text = f"{_name_size(compared)}: at least 5 times FlashText's speed"
    if "not_installed" in theirs:
        return Claim(text, "not installed", None)
    times = theirs["seconds"] / ours["seconds"]
    per_core = theirs["cpu_seconds"] / ours["cpu_seconds"]
    measured = f"{times:.1f} times on all cores, {per_core:.1f} times per core"
    return Claim(text, measured, times >= 5)


def _name_size(compared: Mapping[str, Any]) -> str:
    return f"{compared['titles']:,} titles x {compared['names']:,} names"


def _claim_of_spark(figures: Mapping[str, Any]) -> Claim:
    text = "PySpark's cross join at least 1,000 times slower"
    measured = _of_spark(figures)
    if measured is None:
        return Claim(text, f"{figures['spark']['not_installed']} is not installed", None)
    spark, titles, ours = measured
    ratio = _spark_seconds(spark, titles) / ours
    return Claim(
        f"{text} ({titles:,} titles x {spark['names']:,} names, extrapolated)",
        f"{ratio:,.0f} times",
        ratio >= 1000,
    )


def _of_spark(figures: Mapping[str, Any]) -> tuple[Mapping[str, Any], int, float] | None:
    """Spark's figures, and ours, from files, of the most titles: their number and our seconds."""
    spark = figures["spark"]
    if "not_installed" in spark:
        return None
    alike = [c for c in figures["side_by_side"] if c["names"] == spark["names"]]
    most = max(alike, key=lambda compared: int(compared["titles"]))
    return spark, most["titles"], most["figures"]["drug_assets"]["whole_seconds"]


def _spark_seconds(spark: Mapping[str, Any], titles: int) -> float:
    seconds: float = titles * spark["names"] / spark["pairs_per_second"]
    return seconds


# Finding mentions at scale


def write_titles(figures: Mapping[str, Any], _: Mapping[str, Any]) -> str:
    """The section about finding mentions at scale."""
    columns = {
        "seconds": _shown("seconds", ".1f"),
        "CPU s": _shown("cpu_seconds", ".1f"),
        "peak MiB": _shown("peak_mib", ",.0f"),
    }
    rows = [
        ((f"{size['titles']:,}", f"{size['names']:,}"), size["figures"])
        for size in figures["sizes"]
    ]
    text = (
        "From files, batch by batch (`search`): mentions are counted, and not kept. A base without "
        "`search` keeps all of them."
    )
    return f"{text}\n\n{beside_table(('titles', 'names'), columns, rows)}"


def claims_of_titles(figures: Mapping[str, Any], _: Mapping[str, Any]) -> Iterator[Claim]:
    """Claims about finding mentions at scale."""
    few, many, largest = figures["sizes"]
    growth = many["figures"][HEAD]["seconds"] / few["figures"][HEAD]["seconds"]
    yield Claim(
        f"{many['titles']:,} titles in at most 11 times the time of {few['titles']:,}",
        f"{growth:.1f} times",
        growth <= 11,
    )
    where, found = _name_size(largest), largest["figures"][HEAD]
    seconds, peak = found["seconds"], found["peak_mib"]
    # Without a verdict if it is not as large as the claims'.
    is_largest = largest["titles"] >= _MOST_TITLES
    yield Claim(
        f"{where} in at most {_MOST_SECONDS} s",
        f"{seconds:.0f} s",
        seconds <= _MOST_SECONDS if is_largest else None,
    )
    yield Claim(
        f"{where} in at most 2 GB",
        f"{peak:,.0f} MiB",
        peak * 2**20 <= _MOST_BYTES if is_largest else None,
    )


# XML


def write_xml(figures: Mapping[str, Any], _: Mapping[str, Any]) -> str:
    """The section about reading PubMed's XML."""
    rows = []
    bare = figures["side_by_side"]["lxml_iterparse"]
    for who, of_who in figures["side_by_side"].items():
        if "not_installed" in of_who:
            rows.append((_TITLES[who], "not installed", "", ""))
            continue
        share = of_who["mb_per_core_second"] / bare["mb_per_core_second"]
        rate = f"{of_who['mb_per_core_second']:.0f}"
        rows.append((_TITLES[who], rate, f"{share:.0%}", f"{of_who['peak_mib']:,.0f}"))
    size = figures["side_by_side"]["drug_assets"]
    (_, once), (times, repeated) = figures["memory"].items()
    columns = {
        "MB per second": _shown("mb_per_second", ".0f"),
        "seconds": _shown("seconds", ".1f"),
        "largest process, MiB": _shown("peak_mib_per_process", ",.0f"),
    }
    landed = f"{figures['landing'][HEAD]['megabytes']:,.0f} MB"
    landing = beside_table(("",), columns, [((landed,), figures["landing"])])
    return f"""One file of {size["articles"]:,} articles, {size["megabytes"]:,.0f} MB unpacked; \
all rates are of these. No reader can be faster than the first three rows. The unpacked file is \
in memory, except for pubmed_parser, which unpacks it while reading.

{table(("", "MB per second and core", "of bare lxml", "peak MiB"), rows)}

From packed files to raw rows in the store, on all cores:

{landing}

Peak memory for the same articles {times} times in one document of \
{repeated["megabytes"]:,.0f} MB: {repeated["peak_mib"]:,.0f} MiB; for the articles once: \
{once["peak_mib"]:,.0f} MiB."""


def claims_of_xml(figures: Mapping[str, Any], _: Mapping[str, Any]) -> Iterator[Claim]:
    """Claims about reading PubMed's XML."""
    ours = figures["side_by_side"]["drug_assets"]["mb_per_core_second"]
    for who, bound in (("lxml_iterparse", 2.0), ("lxml_iterparse_articles", 1.4)):
        ratio = ours / figures["side_by_side"][who]["mb_per_core_second"]
        text = f"XML: at least {bound:g} times {_TITLES[who]}"
        yield Claim(text, f"{ratio:.2f} times per core", ratio >= bound)
    peak = figures["landing"][HEAD]["peak_mib_per_process"]
    yield Claim("XML: a worker under 300 MB resident", f"{peak:,.0f} MiB", peak * 2**20 < 300e6)


# Whole runs


def write_million(figures: Mapping[str, Any], plan: Mapping[str, Any], kind: str) -> str:
    """The section about the whole run on a million records of a format."""
    return _write_whole_run(figures, plan, plan["records"], plan["files"], kind)


def write_large(figures: Mapping[str, Any], plan: Mapping[str, Any]) -> str:
    """The section about the whole run on ten million records."""
    return _write_whole_run(figures, plan, plan["large_records"], plan["large_files"], "csv")


def _write_whole_run(
    sides: Mapping[str, Any], plan: Mapping[str, Any], records: int, files: int, kind: str
) -> str:
    columns = {
        "seconds": lambda runs: f"{_middle(runs):.1f}",
        "without pages": lambda runs: f"{s:.1f}" if (s := _without_pages(runs)) else "",
        "processor seconds": lambda runs: f"{_middle(runs, 'cpu_seconds'):.1f}",
        "peak MiB": lambda runs: f"{_peak(runs):,.0f}",
    }
    head = sides[HEAD]
    rows = []
    for name, runs in head.items():
        share = _middle(runs) / _middle(head[COLD])
        of_cold = "" if name in QUESTIONS else f"{share:.0%}"
        rows.append(((name, of_cold, f"{len(runs)}"), _by_side(sides, name)))
    return "\n\n".join(
        (
            (
                f"`drug-assets run` on {records:,} records in {files:,} files of {kind.upper()} "
                f"and {plan['many_titles_names']:,} names, from the start of the command to its "
                "end, into a new store; with one more file, as large as each of the others; "
                "questions to that store. Without pages: less what the steps take that make "
                "explorer and exports. Medians of the runs; the largest peak."
            ),
            beside_table(("", "of cold", "runs"), columns, rows),
            _write_steps(sides),
        )
    )


def _write_steps(sides: Mapping[str, Any]) -> str:
    """The steps that take longest of the runs of the head, in seconds."""
    names = [name for name in sides[HEAD] if name not in QUESTIONS]
    steps = sorted({step for name in names for step in _steps(sides[HEAD][name])})
    longest = sorted(
        steps, key=lambda step: -sum(_steps(sides[HEAD][name]).get(step, 0) for name in names)
    )[:_STEPS]
    kept = [side for side in (BASE, HEAD) if side in sides]
    columns = [f"{name}, base" if side == BASE else name for name in names for side in kept]
    told = [(side, name) for name in names for side in kept]
    rows = [
        (
            f"`{step}`",
            *(
                f"{_steps(sides[side][name])[step]:.1f}"
                if step in _steps(sides[side][name])
                else ""
                for side, name in told
            ),
        )
        for step in longest
    ]
    rest = [
        _middle(sides[side][name]) - sum(_steps(sides[side][name]).values()) for side, name in told
    ]
    outside = ("outside of steps: imports, definitions, the report", *(f"{s:.1f}" for s in rest))
    return "The steps that take longest, in seconds:\n\n" + table(
        ("step", *columns), [*rows, outside]
    )


def _steps(runs: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """The median seconds of each step."""
    names = {name for run in runs for name in run["steps"]}
    return {name: median(run["steps"].get(name, 0) for run in runs) for name in names}


def _middle(runs: Sequence[Mapping[str, Any]], figure: str = "seconds") -> float:
    middle: float = median(run[figure] for run in runs)
    return middle


def _without_pages(runs: Sequence[Mapping[str, Any]]) -> float | None:
    if "steps" not in runs[0]:
        return None
    middle: float = median(run["seconds"] - seconds_to_see(run) for run in runs)
    return middle


def _peak(runs: Sequence[Mapping[str, Any]]) -> float:
    peak: float = max(run["peak_mib"] for run in runs)
    return peak


def claims_of_million(
    figures: Mapping[str, Any], plan: Mapping[str, Any], kind: str
) -> Iterator[Claim]:
    """Claims about the whole run on a million records of a format."""
    runs = figures[HEAD]
    peak = max(_peak(of_kind) for of_kind in runs.values())
    where = f"Whole run on {plan['records']:,} records of {kind.upper()}"
    yield Claim(f"{where} under 4 GB", f"{peak:,.0f} MiB", peak * 2**20 < 4e9)
    share = _middle(runs[ONE_MORE]) / _middle(runs[COLD])
    yield Claim(f"{where}: one more file at most a quarter", f"{share:.0%}", share <= 0.25)
    if kind == "xml" and plan["records"] == _MILLION:
        seconds = _middle(runs[COLD])
        yield Claim(f"{where} cold in at most 30 s on two cores", f"{seconds:.0f} s", seconds <= 30)


def claims_of_large(figures: Mapping[str, Any], plan: Mapping[str, Any]) -> Iterator[Claim]:
    """Claims about the whole run on ten million records."""
    runs, where = figures[HEAD], f"Whole run on {plan['large_records']:,} records of CSV, with XML"
    # A run on few records takes what loading the libraries takes.
    is_large = plan["large_records"] >= _MILLION
    peak = max(_peak(of_kind) for of_kind in runs.values())
    yield Claim(f"{where} under 3 GB", f"{peak:,.0f} MiB", peak * 2**20 < 3e9 if is_large else None)
    for name in (ONE_MORE, ONE_MORE_XML):
        seconds, without = _middle(runs[name]), _without_pages(runs[name]) or 0
        for what, taken, most in (("", seconds, 30), (", without pages", without, 20)):
            yield Claim(
                f"{where}: {name} in at most {most} s{what}",
                f"{taken:.1f} s",
                taken <= most if is_large else None,
            )


def write_most(figures: Mapping[str, Any], plan: Mapping[str, Any]) -> str:
    """The section about the whole run on forty million records."""
    run = figures[COLD]
    rows = [
        ("seconds", f"{run['seconds']:,.0f}"),
        ("processor seconds", f"{run['cpu_seconds']:,.0f}"),
        ("peak MiB", f"{run['peak_mib']:,.0f}"),
        ("largest process, MiB", f"{run['peak_mib_per_process']:,.0f}"),
        ("landed, MB", f"{run['landed_megabytes']:,.0f}"),
        ("store afterwards, MB", f"{run['store_megabytes']:,.0f}"),
        ("less free disk, at most, MB", f"{run['disk_megabytes']:,.0f}"),
    ]
    return "\n\n".join(
        (
            (
                f"`drug-assets run`, cold, once, on {plan['most_records']:,} records in "
                f"{plan['most_files']:,} files of CSV and {plan['many_titles_names']:,} names."
            ),
            table(("", "measured"), rows),
            _write_steps({HEAD: {COLD: [run]}}),
        )
    )


def claims_of_most(figures: Mapping[str, Any], plan: Mapping[str, Any]) -> Iterator[Claim]:
    """Claims about the whole run on forty million records."""
    peak = figures[COLD]["peak_mib"]
    yield Claim(
        f"Whole run on {plan['most_records']:,} records of CSV under 10 GB",
        f"{peak:,.0f} MiB",
        peak * 2**20 < 10e9 if plan["most_records"] >= _MILLION else None,
    )


# The graph document


def write_document(figures: Mapping[str, Any], plan: Mapping[str, Any]) -> str:
    """The section about the graph document."""
    writing = figures["writing"]
    rows = [
        (name, f"{figures[name]['seconds']:.1f}", f"{figures[name]['peak_mib']:,.0f}")
        for name in QUESTIONS
    ]
    written = ("writing it", f"{writing['seconds']:.1f}", f"{writing['peak_mib']:,.0f}")
    return "\n\n".join(
        (
            f"`graph.json` of {plan['mentions']:,} mentions, {writing['megabytes']:,.0f} MB.",
            table(("", "seconds", "peak MiB"), [written, *rows]),
        )
    )


def claims_of_document(figures: Mapping[str, Any], _: Mapping[str, Any]) -> Iterator[Claim]:
    """Claims about the graph document."""
    size = figures["writing"]["megabytes"]
    for question in QUESTIONS:
        peak = figures[question]["peak_mib"] * 2**20 / 1e6
        yield Claim(
            f"{question} does not load the document whole",
            f"{peak:,.0f} MB of memory for a document of {size:,.0f} MB",
            peak < size,
        )


# The explorer


def claims_of_explorer(figures: Mapping[str, Any], _: Mapping[str, Any]) -> Iterator[Claim]:
    """Claims about the explorer's pages."""
    pages = figures["pages"]
    largest = max(pages, key=lambda page: int(page["mentions"]))
    making, millions = largest["making"], largest["mentions"] / _MILLION
    # A page of few mentions takes what loading the libraries takes.
    is_large = millions >= 1
    seconds, gigabytes = making["seconds"] / millions, making["peak_mib"] * 2**20 / 1e9 / millions
    where = f"The explorer's page of {largest['mentions']:,} mentions"
    yield Claim(
        f"{where} made in 30 s per million",
        f"{seconds:.1f} s per million",
        seconds <= 30 if is_large else None,
    )
    yield Claim(
        f"{where} made in 1 GB per million",
        f"{gigabytes:.2f} GB per million",
        gigabytes <= 1 if is_large else None,
    )
    # What the browser needs follows the mentions of one drug: the claims are about a million.
    usual = [page for page in pages if page["mentions"] <= _MILLION]
    yield from _claims_of_opening(max(usual, key=lambda page: int(page["mentions"])))


def _claims_of_opening(page: Mapping[str, Any]) -> Iterator[Claim]:
    """Claims about the page of the most mentions, in a browser."""
    opening, where = page["opening"], f"The explorer's page of {page['mentions']:,} mentions"
    bounds = (
        ("painted", "drawn within 3 s of opening it", 3.0),
        ("keystroke", "answers a key within 50 ms", 0.05),
        ("evidence", "shows the evidence of the most frequent drug within 1 s", 1.0),
        ("related", "shows the drugs related to it within 2 s", 2.0),
    )
    for figure, what, most in bounds:
        if "not_installed" in opening:
            yield Claim(f"{where}: {what}", f"no {opening['not_installed']}", None)
        else:
            seconds = opening[figure]
            yield Claim(f"{where}: {what}", f"{seconds:.2f} s", seconds <= most)
    if "not_installed" not in opening:
        megabytes = opening["proportional_of_drug"] * 2**20 / 1e6
        text = f"{where}: its renderer needs under 300 MB, proportionally"
        yield Claim(text, f"{megabytes:,.0f} MB", megabytes < 300)


def write_explorer(figures: Mapping[str, Any], _: Mapping[str, Any]) -> str:
    """The section about the explorer's pages."""
    pages = figures["pages"]
    rows = [
        (
            f"{page['drugs']:,}",
            f"{page['mentions']:,}",
            f"{page['making']['seconds']:.1f}",
            f"{page['making']['cpu_seconds']:.1f}",
            f"{page['making']['peak_mib']:,.0f}",
            f"{page['making']['page_megabytes']:,.1f}",
            f"{page['making']['megabytes']:,.1f}",
            f"{page['making']['files_beside']:,}",
        )
        for page in pages
    ]
    head = ("drugs", "mentions", "seconds", "processor seconds", "peak MiB")
    return "\n\n".join(
        (
            "Making the page from tables on disk.",
            table((*head, "page MB", "all MB", "files beside it"), rows),
            _opening(pages),
        )
    )


def _opening(pages: Sequence[Mapping[str, Any]]) -> str:
    times = ("painted", "searchable", "keystroke", "evidence", "related")
    memory = ("resident", "proportional", "private")
    opened = [page for page in pages if "not_installed" not in page["opening"]]
    if not opened:
        return "Opening it was not measured: Playwright or a browser is not installed."
    of_times = [
        (f"{page['mentions']:,}", *(f"{page['opening'][figure]:.2f}" for figure in times))
        for page in opened
    ]
    of_memory = [
        (
            f"{page['mentions']:,}",
            *(
                f"{page['opening'][figure + when]:,.0f}"
                for when in ("_of_nothing", "", "_of_drug")
                for figure in memory
            ),
        )
        for page in opened
    ]
    columns = [
        f"{when}{what}" for when in ("empty page: ", "", "with the drug: ") for what in memory
    ]
    return "\n\n".join(
        (
            (
                "Opening it from disk in a browser, in seconds: until the first view is drawn, "
                "until all names can be searched, from a key to what is drawn of it (the slowest), "
                "and from choosing the most frequent drug to its evidence and to its related drugs."
            ),
            table(("mentions", *times), of_times),
            (
                "Memory of the renderer, in MiB. Resident memory counts whole what all processes "
                "of the browser share, such as its own code; private memory leaves out what is "
                "shared, though some of it is the page's. Proportional memory counts of each "
                "shared page its part, so that all processes together add up to what the machine "
                "has less: the claim is about that."
            ),
            table(("mentions", *columns), of_memory),
        )
    )


# Exports and the server


def write_exports(figures: Mapping[str, Any], plan: Mapping[str, Any]) -> str:
    """The section about exports."""
    drugs, count = plan["exported"]
    text = (
        f"Every file of `drug-assets export` of {count:,} mentions of {drugs:,} drugs, each "
        "written by a process of its own. Rows are edges in a graph."
    )
    return f"{text}\n\n{exports_table(figures['files'])}"


def exports_table(files: Mapping[str, Mapping[str, Any]]) -> str:
    """The figures of `exports.measured_exports` as a table."""
    rows = [
        (
            f"`{name}`",
            f"{of_file['rows']:,}",
            f"{of_file['seconds']:.1f}",
            f"{of_file['cpu_seconds']:.1f}",
            f"{of_file['peak_mib']:,.0f}",
            f"{of_file['megabytes']:,.0f}",
        )
        for name, of_file in files.items()
    ]
    return table(("file", "rows", "seconds", "processor seconds", "peak MiB", "MB"), rows)


def claims_of_exports(figures: Mapping[str, Any], plan: Mapping[str, Any]) -> Iterator[Claim]:
    """Claims about exports."""
    _, count = plan["exported"]
    name, largest = max(figures["files"].items(), key=lambda item: float(item[1]["peak_mib"]))
    yield Claim(
        f"Each export of {count:,} mentions in at most {MOST_MIB:,} MiB",
        f"{largest['peak_mib']:,.0f} MiB ({name})",
        largest["peak_mib"] <= MOST_MIB,
    )


def write_serving(figures: Mapping[str, Any], _: Mapping[str, Any]) -> str:
    """The section about the server."""
    text = (
        "`drug-assets serve` on a store of `data/`, on loopback, beside a bare Starlette route "
        "that gives the same bytes."
    )
    return f"{text}\n\n{serving_table(figures)}"


def serving_table(figures: Mapping[str, Any]) -> str:
    """The figures of `serving.measured_serving` as a table."""
    rows = [(name, f"{rate:,.0f}") for name, rate in figures["rates"].items()]
    told = f"{figures['bytes']:,} bytes an answer, {figures['connections']} connections."
    return f"{told}\n\n{table(('asked for', 'requests a second'), rows)}"
