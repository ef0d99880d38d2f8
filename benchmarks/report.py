"""Writes the figures of `run` as RESULTS.md: tables, and a verdict on each claim.

Nothing is measured here, and the text contains no figure that was not measured.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

from benchmarks import mentions

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

_MILLION = 1_000_000
_SECONDS_OF_AN_ANSWER = 0.15
#: The size that the claims about the largest search are about: somewhat more than all of PubMed.
_MOST_TITLES, _MOST_SECONDS, _MOST_BYTES = 40 * _MILLION, 60, 2e9

_TITLES = {
    "drug_assets": "drug_assets",
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


def markdown(figures: Mapping[str, Any]) -> str:
    """The whole document as Markdown."""
    parts = [
        _head(figures),
        _claims(list(claims(figures))),
        _start(figures["start"]),
        _mentions(figures["mentions"], figures["names_come_from_package"]),
        _agreement(figures["mentions"]["agreement"]),
        _xml(figures["xml"]),
        _whole_run(figures["whole_run"], figures["large_run"], figures["plan"]),
        _graph(figures["graph"], figures["plan"]),
        _explorer(figures["explorer"]),
    ]
    return "\n\n".join(parts) + "\n"


def claims(figures: Mapping[str, Any]) -> Iterator[Claim]:
    """Every claim, in the order of the tables."""
    answered = figures["start"]["top-journal"]["seconds"]
    yield Claim(
        "top-journal of data/ in at most 0.15 seconds",
        f"{answered:.2f} seconds",
        answered <= _SECONDS_OF_AN_ANSWER,
    )
    found = figures["mentions"]
    for compared in found["side_by_side"]:
        yield from _claims_per_core(compared)
        if compared["titles"] == max(c["titles"] for c in found["side_by_side"]):
            yield _claim_of_speed(compared)
    unexplained = sum(
        agreement[side][mentions.UNEXPLAINED]
        for agreement in found["agreement"]
        for side in ("only_drug_assets", "only_flashtext")
        if side in agreement
    )
    was_compared = all("both" in agreement for agreement in found["agreement"])
    yield Claim(
        "The same mentions as FlashText, every difference explained by SPEC",
        f"{unexplained} spans unexplained" if was_compared else "FlashText is not installed",
        unexplained == 0 if was_compared else None,
    )
    yield _claim_of_spark(found)
    yield from _claims_of_scale(found["at_scale"])
    yield from _claims_of_largest(found["largest"])
    yield from _claims_of_xml(figures["xml"])
    yield from _claims_of_whole_run(figures["whole_run"])
    yield from _claims_of_cold_xml(figures["whole_run"], figures["plan"])
    yield from _claims_of_large_run(figures["large_run"], figures["plan"])
    yield from _claims_of_graph(figures["graph"])
    yield from _claims_of_explorer(figures["explorer"])


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


def _claim_of_spark(found: Mapping[str, Any]) -> Claim:
    text = "PySpark's cross join at least 1,000 times slower"
    spark = found["spark"]
    if "not_installed" in spark:
        return Claim(text, f"{spark['not_installed']} is not installed", None)
    titles = min(int(count) for count in found["at_scale"])
    ratio = _spark_seconds(spark, titles) / found["at_scale"][str(titles)]["seconds"]
    return Claim(
        f"{text} ({titles:,} titles x {spark['names']:,} names, extrapolated)",
        f"{ratio:,.0f} times",
        ratio >= 1000,
    )


def _spark_seconds(spark: Mapping[str, Any], titles: int) -> float:
    seconds: float = titles * spark["names"] / spark["pairs_per_second"]
    return seconds


def _claims_of_scale(at_scale: Mapping[str, Mapping[str, Any]]) -> Iterator[Claim]:
    few, many = sorted(int(count) for count in at_scale)
    growth = at_scale[str(many)]["seconds"] / at_scale[str(few)]["seconds"]
    yield Claim(
        f"{many:,} titles in at most 11 times the time of {few:,}",
        f"{growth:.1f} times",
        growth <= 11,
    )


def _claims_of_largest(largest: Mapping[str, Any]) -> Iterator[Claim]:
    """Claims about the largest search; without a verdict if it is not as large as theirs."""
    where = _name_size(largest)
    seconds, peak = largest["seconds"], largest["peak_mib"]
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


def _claims_of_xml(xml: Mapping[str, Any]) -> Iterator[Claim]:
    ours = xml["side_by_side"]["drug_assets"]["mb_per_core_second"]
    for who, bound in (("lxml_iterparse", 2.0), ("lxml_iterparse_articles", 1.4)):
        ratio = ours / xml["side_by_side"][who]["mb_per_core_second"]
        text = f"XML: at least {bound:g} times {_TITLES[who]}"
        yield Claim(text, f"{ratio:.2f} times per core", ratio >= bound)
    peak = xml["landing"]["peak_mib_per_process"]
    yield Claim("XML: a worker under 300 MB resident", f"{peak:,.0f} MiB", peak * 2**20 < 300e6)


def _claims_of_whole_run(whole: Mapping[str, Any]) -> Iterator[Claim]:
    for kind, runs in whole.items():
        peak = max(run["peak_mib"] for of_kind in runs.values() for run in of_kind)
        yield Claim(f"Whole run ({kind}) under 4 GB", f"{peak:,.0f} MiB", peak * 2**20 < 4e9)
        share = _seconds(runs["one more file"]) / _seconds(runs["cold"])
        text = f"One more file at most a quarter of the cold run ({kind})"
        yield Claim(text, f"{share:.0%}", share <= 0.25)


def _claims_of_cold_xml(whole: Mapping[str, Any], plan: Mapping[str, Any]) -> Iterator[Claim]:
    if "xml" in whole and plan["records"] == _MILLION:
        seconds = _seconds(whole["xml"]["cold"])
        text = f"Whole run (xml) of {_MILLION:,} records cold in at most 30 s on two cores"
        yield Claim(text, f"{seconds:.0f} s", seconds <= 30)


def _claims_of_large_run(runs: Mapping[str, Any], plan: Mapping[str, Any]) -> Iterator[Claim]:
    if not runs:
        return
    size = f"{plan['most_records']:,} records of CSV"
    # A run on few records takes what loading the libraries takes.
    is_large = plan["most_records"] >= _MILLION
    peak = max(run["peak_mib"] for of_kind in runs.values() for run in of_kind)
    yield Claim(
        f"Whole run on {size} under 3 GB",
        f"{peak:,.0f} MiB",
        peak * 2**20 < 3e9 if is_large else None,
    )
    seconds = _seconds(runs["one more file"])
    yield Claim(
        f"One more file on {size} in at most 30 seconds",
        f"{seconds:.0f} seconds",
        seconds <= 30 if is_large else None,
    )


def _claims_of_graph(graph: Mapping[str, Any]) -> Iterator[Claim]:
    size = graph["writing"]["megabytes"]
    for question in ("top-journal", "related-drugs"):
        peak = graph[question]["peak_mib"] * 2**20 / 1e6
        yield Claim(
            f"{question} does not load the document whole",
            f"{peak:,.0f} MB of memory for a document of {size:,.0f} MB",
            peak < size,
        )


def _claims_of_explorer(pages: Sequence[Mapping[str, Any]]) -> Iterator[Claim]:
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
        megabytes = opening["renderer_mib_of_drug"] * 2**20 / 1e6
        text = f"{where}: the browser needs under 300 MB for it"
        yield Claim(text, f"{megabytes:,.0f} MB", megabytes < 300)


def _seconds(runs: Sequence[Mapping[str, Any]]) -> float:
    middle: float = median(run["seconds"] for run in runs)
    return middle


def _head(figures: Mapping[str, Any]) -> str:
    machine, plan = figures["machine"], figures["plan"]
    versions = ", ".join(
        f"{name} {number or '(not installed)'}" for name, number in machine["versions"].items()
    )
    return f"""# Results of the benchmarks

Written by `make bench`; do not edit. Taken on {machine["date"]} with the plan `{plan["name"]}`.

- Machine: {machine["processor"]}, {machine["cores"]} cores, {machine["memory_gib"]:.0f} GiB, \
{machine["system"]}; load before the first measurement: {machine["load_before"]:.1f}.
- Versions: Python {machine["python"]}; {versions}.
- Each measurement runs in its own process. Compared measurements take turns, {plan["rounds"]} \
times each, and the medians are given. Seconds are wall-clock time; "per core" compares processor \
time. Peak memory is the resident memory of all processes together, including mapped files and the \
interpreter.
- The data are synthetic, from a seed (`benchmarks/synthetic.py`): words follow Zipf's law, a \
fifth of the titles has a true name, a tenth a near-miss."""


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _claims(listed: Sequence[Claim]) -> str:
    verdict = {True: "met", False: "**not met**", None: "–"}
    rows = [(c.text, c.measured, verdict[c.holds]) for c in listed]
    return "## Claims\n\n" + table(("claim", "measured", ""), rows)


def _start(start: Mapping[str, Mapping[str, float]]) -> str:
    return "\n\n".join(
        (
            (
                "## Start\n\nWhat commands cost on `data/`. Bare imports: a process that only "
                "imports the libraries that a run has loaded at its end."
            ),
            start_table(start),
        )
    )


def start_table(start: Mapping[str, Mapping[str, float]]) -> str:
    """The figures of `start.measured_start` as a table."""
    rows = [
        (name, f"{figures['seconds']:.2f}", f"{figures['cpu_seconds']:.2f}")
        for name, figures in start.items()
    ]
    return table(("", "seconds", "processor seconds"), rows)


def _mentions(found: Mapping[str, Any], names_come_from_package: bool) -> str:
    rows = []
    for compared in found["side_by_side"]:
        ours = compared["figures"]["drug_assets"]
        for who, figures in compared["figures"].items():
            size = (f"{compared['titles']:,}", f"{compared['names']:,}", _TITLES[who])
            if "not_installed" in figures:
                rows.append((*size, "not installed", *[""] * 7))
                continue
            scale = compared["titles"] / figures.get("sample", compared["titles"])
            alone = _show_times(figures, ours, "", scale)
            whole = _show_times(figures, ours, "whole_", scale)
            note = f" (from {figures['sample']:,} titles)" if "sample" in figures else ""
            rows.append((*size, alone[0] + note, *alone[1:], *whole, f"{figures['peak_mib']:,.0f}"))
    timing = ("seconds", "times ours", "CPU s", "times per core")
    of_files = tuple(f"from files: {column}" for column in timing)
    columns = ("titles", "names", "", *timing, *of_files, "peak MiB")
    spark = found["spark"]
    shipped = "those that drug-named-entity-recognition ships"
    origin = shipped if names_come_from_package else "built from syllables"
    parts = [
        "## Finding mentions",
        (
            f"Names are {origin}. The first four figures are of the search alone: titles are in "
            "memory, and names are prepared (an index, an automaton). The next four begin with "
            "Parquet files and a list of names. The other libraries use one core, `find_mentions` "
            "all cores; seconds of the processor (CPU s) are compared per core."
        ),
        table(columns, rows),
        _at_scale(found),
    ]
    if "not_installed" not in spark:
        titles = min(int(count) for count in found["at_scale"])
        hours = _spark_seconds(spark, titles) / 3600
        parts.append(
            f"PySpark's cross join with `contains` compared {spark['titles']:,} titles (a sample) "
            f"with {spark['names']:,} names at {spark['pairs_per_second'] / 1e6:,.1f} million "
            f"pairs per second: **extrapolated**, {hours:,.1f} hours for {titles:,} titles. It "
            "finds substrings, not mentions."
        )
    return "\n\n".join(parts)


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


def _at_scale(found: Mapping[str, Any]) -> str:
    largest = found["largest"]
    sizes = [(int(titles), of_size) for titles, of_size in found["at_scale"].items()]
    rows = [
        (
            f"{titles:,}",
            f"{figures['names']:,}",
            f"{figures['seconds']:.1f}",
            f"{figures['cpu_seconds']:.1f}",
            f"{figures['peak_mib']:,.0f}",
        )
        for titles, figures in [*sizes, (largest["titles"], largest)]
    ]
    columns = ("titles", "names", "seconds", "CPU s", "peak MiB")
    text = "From files, batch by batch (`search`): mentions are counted, and not kept."
    return f"{text}\n\n{table(columns, rows)}"


def _agreement(agreements: Sequence[Mapping[str, Any]]) -> str:
    parts = [
        "## Agreement with FlashText\n\nSpans that both find, and, by reason, those of only one."
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


def _xml(xml: Mapping[str, Any]) -> str:
    rows = []
    bare = xml["side_by_side"]["lxml_iterparse"]
    for who, figures in xml["side_by_side"].items():
        if "not_installed" in figures:
            rows.append((_TITLES[who], "not installed", "", ""))
            continue
        share = figures["mb_per_core_second"] / bare["mb_per_core_second"]
        rate = f"{figures['mb_per_core_second']:.0f}"
        rows.append((_TITLES[who], rate, f"{share:.0%}", f"{figures['peak_mib']:,.0f}"))
    size, landing = xml["side_by_side"]["drug_assets"], xml["landing"]
    (_, once), (times, repeated) = xml["memory"].items()
    return f"""## PubMed's XML

One file of {size["articles"]:,} articles, {size["megabytes"]:,.0f} MB unpacked; all rates are of \
these. No reader can be faster than the first three rows. The unpacked file is in memory, except \
for pubmed_parser, which unpacks it while reading.

{table(("", "MB per second and core", "of bare lxml", "peak MiB"), rows)}

From packed files to raw rows in the store, on all cores: {landing["megabytes"]:,.0f} MB in \
{landing["seconds"]:.1f} seconds, {landing["mb_per_second"]:.0f} MB per second; the largest \
process had {landing["peak_mib_per_process"]:,.0f} MiB.

Peak memory for the same articles {times} times in one document of \
{repeated["megabytes"]:,.0f} MB: {repeated["peak_mib"]:,.0f} MiB; for the articles once: \
{once["peak_mib"]:,.0f} MiB."""


def _whole_run(whole: Mapping[str, Any], large: Mapping[str, Any], plan: Mapping[str, Any]) -> str:
    zones = [(kind, plan["records"], of_kind) for kind, of_kind in whole.items()]
    if large:
        zones.append(("csv", plan["most_records"], large))
    rows = [
        (
            kind,
            f"{records:,}",
            name,
            f"{_seconds(runs):.0f}",
            f"{_seconds(runs) / _seconds(of_kind['cold']):.0%}",
            f"{max(run['peak_mib'] for run in runs):,.0f}",
            f"{len(runs)}",
        )
        for kind, records, of_kind in zones
        for name, runs in of_kind.items()
    ]
    of_large = f" ({plan['most_records']:,} in {plan['most_files']})" if large else ""
    return "\n\n".join(
        (
            (
                f"## The whole run\n\n`drug-assets run` on {plan['records']:,} records in "
                f"{plan['files']} files{of_large} and {plan['many_titles_names']:,} names, from "
                "the start of the command to its end. The additional file is as large as each of "
                "the others."
            ),
            table(("format", "records", "run", "seconds", "of cold", "peak MiB", "runs"), rows),
        )
    )


def _graph(graph: Mapping[str, Any], plan: Mapping[str, Any]) -> str:
    writing = graph["writing"]
    rows = [
        (name, f"{graph[name]['seconds']:.1f}", f"{graph[name]['peak_mib']:,.0f}")
        for name in ("top-journal", "related-drugs")
    ]
    written = ("writing it", f"{writing['seconds']:.1f}", f"{writing['peak_mib']:,.0f}")
    return "\n\n".join(
        (
            (
                f"## The graph document\n\n`graph.json` of {plan['mentions']:,} mentions, "
                f"{writing['megabytes']:,.0f} MB."
            ),
            table(("", "seconds", "peak MiB"), [written, *rows]),
        )
    )


def _explorer(pages: Sequence[Mapping[str, Any]]) -> str:
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
            "## The explorer\n\nMaking the page from tables on disk.",
            table((*head, "page MB", "all MB", "files beside it"), rows),
            _opening(pages),
        )
    )


def _opening(pages: Sequence[Mapping[str, Any]]) -> str:
    figures = ("painted", "searchable", "keystroke", "evidence", "related")
    rows = [
        (
            f"{page['mentions']:,}",
            *(f"{page['opening'][figure]:.2f}" for figure in figures),
            f"{page['opening']['renderer_mib']:,.0f}",
            f"{page['opening']['renderer_mib_of_drug']:,.0f}",
        )
        for page in pages
        if "not_installed" not in page["opening"]
    ]
    if not rows:
        return "Opening it was not measured: Playwright or a browser is not installed."
    head = ("mentions", *figures, "renderer MiB", "with the drug")
    return (
        "Opening it from disk in a browser, in seconds: until the first view is drawn, until all "
        "names can be searched, from a key to what is drawn of it (the slowest), and from choosing "
        "the most frequent drug to its evidence and to its related drugs. Memory is the renderer's "
        "own, without the code of the browser.\n\n" + table(head, rows)
    )
