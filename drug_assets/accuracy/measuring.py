"""How well the names of drug lists find what people have marked, and what adds to it.

Names are chosen and searched for exactly as in a run: `cleaning.drugs` joins the lists, applies the
stop list and makes variants, `mentions` searches. Each list is then left out, and tried alone; so
are the stop list and each rule for variants. Only names all of whose words occur in some title are
searched for, which finds the same and takes a fraction of the time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from drug_assets.accuracy.gold import GoldError
from drug_assets.accuracy.mistakes import SIGN, Known, Mistakes, list_mistakes
from drug_assets.accuracy.scores import Figure, Scores, count_titles, score
from drug_assets.cleaning import drugs as drug_cleaning
from drug_assets.cleaning.drug_names import NO_LETTER
from drug_assets.cleaning.name_variants import RULES, Rules, make_variants_by_list
from drug_assets.cleaning.text import blank_raised, fold_text
from drug_assets.mention_rules import find_element
from drug_assets.mentions import Vocabulary, find_mentions
from drug_assets.terms import NameKind, SpanOrigin

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from drug_assets.accuracy.gold import Gold, Spans
    from drug_assets.cleaning.mesh_trees import MeshTrees
    from drug_assets.cleaning.stop_list import StopList

_WORD = r"[\p{L}\p{N}]+"
_ALL, _LISTED = "all", "as listed"
_ALONE, _WITHOUT = "alone", "without"
#: Before the names of lists, which can be called anything.
_LIST = "list "
STOP_LIST = "stop list"
_HAS_LETTER = pl.col("reason").ne_missing(NO_LETTER)


@dataclass(frozen=True)
class Part:
    """What a list, the stop list or a rule adds."""

    #: The list, `STOP_LIST`, or the name of the rule.
    name: str
    #: Number of names that are searched for with it alone.
    names: int
    #: With this list alone; with the stop list and no rule; with the stop list and this rule.
    alone: Scores
    #: With everything but this.
    without: Scores
    #: F1 with everything, less F1 without this.
    gain: Figure


@dataclass(frozen=True)
class Accuracy:
    """The accuracy of drug lists on titles with marked spans."""

    titles: int
    spans: int
    drugs: int
    #: Number of names that are searched for, and of those that the lists have.
    names: int
    listed_names: int
    scores: Scores
    #: With the names as they are listed: without stop list and variants.
    as_listed: Scores
    mistakes: list[Mistakes]
    #: Of each list, if there are several.
    lists: list[Part]
    #: Of the stop list, and of each rule for variants.
    rules: list[Part]
    #: Of each rule that finds mentions by something that is no name (`mention_rules`), with all
    #: names and no other of these rules, whether it was asked for or not.
    mention_rules: list[Part]


def measure(
    gold: Gold,
    records: Mapping[str, pl.DataFrame],
    stop_list: StopList,
    trees: MeshTrees | None = None,
    mention_rules: Collection[SpanOrigin] = (),
) -> Accuracy:
    """Measure the accuracy of drug lists.

    Args:
        gold: titles in which people have marked every drug.
        records: by name of the list, its rows (`contracts.DrugRecords`).
        stop_list: names that are not searched for.
        trees: the trees of MeSH whose records are drugs; the project's own choice if not given.
        mention_rules: the rules that find mentions by something that is no name.

    Raises:
        GoldError: the lists name no drug, so nothing can be measured.
    """
    names = list_names(records.values(), stop_list, trees=trees)
    searched, listed = names.filter("searched"), as_listed(names)
    if searched.is_empty():
        raise GoldError(f"no drug list names a drug: {', '.join(records) or 'there is none'}")
    measuring = _Measuring(gold, mention_rules)
    measuring.add(_ALL, searched)
    measuring.add(_LISTED, listed)
    _add_lists(measuring, records, stop_list, trees)
    _add_rules(measuring, names, stop_list)
    scored = score(measuring.counts, against=_ALL)
    by_mention_rules = _score_mention_rules(gold, searched)

    def part(name: str, group: str = "") -> Part:
        alone, without = (f"{group}{name}, {kind}" for kind in (_ALONE, _WITHOUT))
        return Part(name, measuring.names[alone], scored[alone][0], *scored[without])

    return Accuracy(
        titles=len(gold),
        spans=gold.count_spans(),
        drugs=searched["drug_id"].n_unique(),
        names=measuring.names[_ALL],
        listed_names=measuring.names[_LISTED],
        scores=scored[_ALL][0],
        as_listed=scored[_LISTED][0],
        mistakes=list_mistakes(gold, measuring.found[_ALL], _known(searched, listed)),
        lists=[part(name, _LIST) for name in records] if len(records) > 1 else [],
        rules=[part(name) for name in (STOP_LIST, *RULES)],
        mention_rules=by_mention_rules,
    )


def list_names(
    records: Iterable[pl.DataFrame],
    stop_list: StopList,
    rules: Rules = RULES,
    trees: MeshTrees | None = None,
) -> pl.DataFrame:
    """List the names of the drugs of some lists, as a run does (`contracts.DrugNames`).

    Args:
        records: the rows of each list (`contracts.DrugRecords`).
        stop_list: names that are not searched for.
        rules: the rules that make further spellings of a name.
        trees: the trees of MeSH whose records are drugs; the project's own choice if not given.
    """
    cleaned = drug_cleaning.clean_drugs(pl.concat(records).lazy(), stop_list, rules, trees)
    return cleaned.names.collect()


def as_listed(names: pl.DataFrame) -> pl.DataFrame:
    """The names that can be searched for as lists have them: with no stop list, and no variants.

    Args:
        names: table as `contracts.DrugNames`.
    """
    return names.filter(_HAS_LETTER, pl.col("kind") != NameKind.VARIANT)


def find_spans(
    titles: Sequence[str], names: pl.DataFrame, rules: Collection[SpanOrigin] = ()
) -> Spans:
    """Find the spans of names in titles.

    Args:
        titles: the titles.
        names: columns drug_id and name.
        rules: the rules that find mentions by something that is no name.

    Returns:
        The spans found in each title.
    """
    frame = pl.LazyFrame({"row": range(len(titles)), "title": titles})
    found = find_mentions(frame, Vocabulary.of(names), rules=rules)
    spans: Spans = [set() for _ in titles]
    for row, of_row in found.select("row", "spans").rows():
        spans[row] |= {(span["start"], span["end"]) for span in of_row}
    return spans


def _add_lists(
    measuring: _Measuring,
    records: Mapping[str, pl.DataFrame],
    stop_list: StopList,
    trees: MeshTrees | None,
) -> None:
    """Search with each list alone, and with all others."""
    if len(records) == 1:
        return
    of_lists: dict[frozenset[str], pl.DataFrame] = {}
    for name in records:
        for kind, chosen in ((_ALONE, {name}), (_WITHOUT, records.keys() - {name})):
            lists = frozenset(chosen)
            if lists not in of_lists:  # of two lists, one alone is all without the other
                rows = (records[each] for each in records if each in lists)
                of_lists[lists] = list_names(rows, stop_list, trees=trees).filter("searched")
            measuring.add(f"{_LIST}{name}, {kind}", of_lists[lists])


def _add_rules(measuring: _Measuring, names: pl.DataFrame, stop_list: StopList) -> None:
    """Search with each rule and the stop list alone, and with all others."""
    listed = as_listed(names)
    safe = listed.filter("searched").select("drug_id", "name")
    measuring.add(f"{STOP_LIST}, {_ALONE}", safe)
    measuring.add(f"{STOP_LIST}, {_WITHOUT}", names.filter(_HAS_LETTER))
    of_lists = listed.select("drug_id", "name", list="source_file")
    reason = stop_list.reason(pl.col("name"))
    unsafe = (
        names.group_by("drug_id", folded=fold_text(pl.col("name")))
        .agg(pl.col("searched").any())
        .filter(~pl.col("searched"))
    )
    for name, rule in RULES.items():
        others = {other: r for other, r in RULES.items() if other != name}
        for kind, rules in ((_ALONE, {name: rule}), (_WITHOUT, others)):
            variants = (
                make_variants_by_list(of_lists, rules)
                .filter(reason.is_null())
                .join(
                    unsafe, left_on=["drug_id", "name"], right_on=["drug_id", "folded"], how="anti"
                )
            )
            measuring.add(f"{name}, {kind}", pl.concat([safe, variants.select(safe.columns)]))


def _score_mention_rules(gold: Gold, searched: pl.DataFrame) -> list[Part]:
    """Search with all names, and each of the rules that find mentions by something else."""
    measuring = _Measuring(gold)
    measuring.add(_ALL, searched)
    rules = [rule for rule in SpanOrigin if rule is not SpanOrigin.NAME]
    for rule in rules:
        measuring.add(rule, searched, [rule])
    scored = score(measuring.counts, against=_ALL)
    parts = []
    for rule in rules:
        alone, loss = scored[rule]
        value, low, high = (
            None if each is None else 0.0 - each for each in (loss.value, loss.high, loss.low)
        )
        gain = Figure(value, low, high)
        parts.append(Part(rule.value, measuring.names[rule], alone, scored[_ALL][0], gain))
    return parts


class _Measuring:
    """Searches the same titles for several sets of names."""

    def __init__(self, gold: Gold, mention_rules: Collection[SpanOrigin] = ()) -> None:
        self._gold = gold
        self._mention_rules = mention_rules
        #: By setting: what `count_titles` returns, the spans found, the number of names.
        self.counts: dict[str, pl.DataFrame] = {}
        self.found: dict[str, Spans] = {}
        self.names: dict[str, int] = {}
        titles = pl.lit(pl.Series(gold.titles, dtype=pl.String))
        # Both readings of raised characters: as plain ones, and as signs.
        readings = pl.select(fold_text(pl.concat([titles, blank_raised(titles)]))).to_series()
        self._words = readings.str.extract_all(_WORD).explode().drop_nulls().unique().implode()

    def add(
        self, setting: str, names: pl.DataFrame, rules: Collection[SpanOrigin] | None = None
    ) -> None:
        """Search for names (columns drug_id and name), by rules other than those of all, if any."""
        folded = names.select("drug_id", name=fold_text(pl.col("name")))
        possible = self._keep_possible(folded)
        chosen = self._mention_rules if rules is None else rules
        if chosen:
            # An element can be there as a formula, without its name.
            elements = folded.filter(find_element(pl.col("name")).is_not_null())
            possible = pl.concat([possible, elements]).unique()
        self.found[setting] = find_spans(self._gold.titles, possible, chosen)
        self.counts[setting] = count_titles(self._gold, self.found[setting], set(possible["name"]))
        self.names[setting] = folded["name"].n_unique()

    def _keep_possible(self, names: pl.DataFrame) -> pl.DataFrame:
        """The names all of whose words occur in the titles."""
        first = pl.col("name").str.extract(_WORD, 0)
        words = pl.col("name").str.extract_all(_WORD)
        every_word_occurs = words.list.eval(pl.element().is_in(self._words)).list.all()
        return names.filter(first.is_in(self._words)).filter(every_word_occurs)


def _known(searched: pl.DataFrame, listed: pl.DataFrame) -> Known:
    name = fold_text(pl.col("name"))
    owned = searched.select("drug_id", name=name).unique().group_by("name").len()
    searched_names = set(owned["name"])
    listed_names = set(listed.select(name=name).to_series())
    return Known(
        searched=searched_names,
        listed=listed_names,
        bare=set(pl.Series(list(listed_names), dtype=pl.String).str.replace_all(SIGN, "")),
        stopped=listed_names - searched_names,
        ambiguous=set(owned.filter(pl.col("len") > 1)["name"]),
    )
