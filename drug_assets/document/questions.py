"""Questions that are answered from `graph.json`; `names.json` knows further names (SPEC 6).

People wait for these answers on a command line, so this module imports little, and some of the
standard library only when it is needed. `cli` formats the answers.

The graph is read once, line by line. Memory holds the names of drugs and journals, and one number
per mention by a journal, but no other part of the document, and nothing of the document of names.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from functools import cache
from itertools import chain, islice
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple, TypeAlias, TypeVar

from drug_assets.document import RELATED_ORDERS
from drug_assets.document.reading import read_drugs
from drug_assets.document.schema import (
    DrugInBrief,
    DrugWithDates,
    DrugWithResults,
    ListedDrugInBrief,
)
from drug_assets.errors import DrugAssetsError
from drug_assets.periods import COUNTED, Placed
from drug_assets.sources import PUBLICATIONS
from drug_assets.sources.clinical_trials import SOURCE as CLINICAL_TRIALS
from drug_assets.sources.pubmed import SOURCE as PUBMED
from drug_assets.terms import ATC_CODE, ATC_LEVELS, TrialPublicationKind

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

    from drug_assets.document.reading import Graph
    from drug_assets.document.schema import PublicationOfTrialInBrief
    from drug_assets.periods import Period

CLOSE_SPELLINGS = CLOSE_CODES = 5
#: Spellings that are compared with an unknown name at once.
_BATCH_SPELLINGS = 10_000

#: Finds the document of names that belongs to a graph, when it is needed; None if there is none.
Names: TypeAlias = "Callable[[], Graph | None]"

#: What a question needs of a drug: its name, all its spellings, its ATC codes.
_Listed: TypeAlias = "tuple[str, list[str], list[str]]"
#: By the type of a publication, whether it was retracted, and whether it counts by the results of a
#: trial: by identity of a journal, the drugs mentioned.
_ByKind: TypeAlias = "dict[tuple[str, bool | None, bool], dict[str, list[int]]]"
_Key = TypeVar("_Key", int, str)

#: The types of publications that can be retracted: of others, nothing is unknown.
_CAN_BE_RETRACTED = {s.document_type for s in PUBLICATIONS if s.can_be_retracted}


class Evidence(NamedTuple):
    """The mentions (of a drug by a publication) that an answer counts."""

    mentions: int
    #: Of these, those of retracted publications.
    retracted_mentions: int
    #: Of these, those of publications of which no record says whether they were retracted.
    unknown_mentions: int


class LeftOut(NamedTuple):
    """What a period makes of the mentions that a question is about."""

    #: Those that count, though they may lie outside, as far as their date is known.
    open_mentions: int
    #: Those that surely lie outside, and so do not count.
    outside_mentions: int
    #: Those without a date, which do not count either.
    undated_mentions: int


class TopJournal(NamedTuple):
    """A journal that mentions the most different drugs; several journals can tie."""

    journal: str
    drug_count: int
    #: Names of these drugs, sorted.
    drugs: list[str]
    #: The mentions by this journal, as in `Evidence`.
    mentions: int
    retracted_mentions: int
    unknown_mentions: int
    #: By name of a drug that no title of this journal names: ids of the trials by whose results it
    #: is counted, sorted. None unless such results are counted.
    via: dict[str, list[str]] | None = None
    #: The ATC class whose drugs alone are counted; None for all drugs.
    atc_class: str | None = None
    #: Of the mentions of these drugs by this journal, in or out of the period; None without one.
    left_out: LeftOut | None = None

    @property
    def evidence(self) -> Evidence:
        """The mentions by this journal."""
        return Evidence(self.mentions, self.retracted_mentions, self.unknown_mentions)

    def as_object(self) -> dict[str, object]:
        """The answer as an object of JSON; what was not asked for is left out."""
        # `class` is a word of Python.
        members = {"class" if name == "atc_class" else name: of for name, of in _named(self)}
        return members | (self.left_out._asdict() if self.left_out else {})


class RelatedDrug(NamedTuple):
    """A drug that is mentioned in PubMed publications of the same journals."""

    drug: str
    #: The journals that mention both, sorted.
    journals: list[str]
    #: The mentions of either drug by these journals, as in `Evidence`.
    mentions: int
    retracted_mentions: int
    unknown_mentions: int
    #: How much more often than by chance journals mention both (`compute_lift`).
    lift: float
    #: By name of a journal whose titles do not name both: ids of the trials by whose results it is
    #: counted, sorted. None unless such results are counted.
    via: dict[str, list[str]] | None = None

    def as_object(self) -> dict[str, object]:
        """The answer as an object of JSON; what was not asked for is left out."""
        return dict(_named(self))


class RelatedDrugs(NamedTuple):
    """The drugs related to one drug, or to those of an ATC class, in the order asked for."""

    #: Name of the given drug; if several drugs match, their names joined with " / ". The code of
    #: the given class.
    drug: str
    related: list[RelatedDrug]
    #: The mentions of any of these drugs by the journals that link them.
    evidence: Evidence
    #: Names of the drugs of the given class that journals mention, sorted; None for a drug.
    of_class: list[str] | None = None
    #: Of the mentions by PubMed publications of the journals that mention the drug, whenever that
    #: is, and are not left out for their trials; None without a period.
    left_out: LeftOut | None = None

    def as_object(self) -> dict[str, object]:
        """The answer as an object of JSON; what was not asked for is left out."""
        given: dict[str, object] = {"drug": self.drug}
        if self.of_class is not None:
            given = {"class": self.drug, "drugs": self.of_class}
        return {
            **given,
            "related": [related.as_object() for related in self.related],
            **self.evidence._asdict(),
            **(self.left_out._asdict() if self.left_out else {}),
        }


def _named(answer: TopJournal | RelatedDrug) -> Iterator[tuple[str, object]]:
    """The members of an answer that were asked for, by name, but for what a period left out."""
    for name, member in answer._asdict().items():
        if member is not None and not isinstance(member, LeftOut):
            yield name, member


def compute_lift(shared: int, every: int, one: int, other: int) -> float:
    """How much more often than by chance journals mention two drugs (SPEC 6.2).

    Args:
        shared: the journals that mention both.
        every: the journals that mention any drug.
        one: those that mention the one.
        other: those that mention the other.
    """
    return shared * every / (one * other)


class UnknownDrugError(DrugAssetsError):
    """No drug of the document has the given name.

    Attributes:
        name: The given name.
        close_spellings: Up to five similar names of the documents, most similar first.
        close_codes: If the name has the form of an ATC code: up to five codes, as in
            `UnknownClassError`.
    """

    def __init__(
        self, name: str, close_spellings: list[str], close_codes: list[str] | None = None
    ) -> None:
        self.name = name
        self.close_spellings = close_spellings
        self.close_codes = close_codes or []
        close = ", ".join(close_spellings)
        what = f"no drug of the graph is named {name!r}"
        hint = f"close spellings: {close}" if close else "nor is any spelled like it"
        if close_codes is not None:
            what += f", and none is of that ATC class; {_hint_at(close_codes)}"
        super().__init__(f"{what}; {hint}")


class UnknownClassError(DrugAssetsError):
    """No drug of the document is of the given ATC class.

    Attributes:
        code: What was given.
        close_codes: Up to five codes of classes of the documents that begin with its letter, those
            that share the most levels with it first; none if it has not the form of a code.
    """

    def __init__(self, code: str, close_codes: list[str]) -> None:
        self.code = code
        self.close_codes = close_codes
        super().__init__(
            f"no drug of the graph is of the ATC class {code!r}; {_hint_at(close_codes)}"
        )


def _hint_at(close_codes: list[str]) -> str:
    return f"close codes: {', '.join(close_codes)}" if close_codes else "no code begins like it"


def top_journals(
    graph: Graph,
    *,
    names: Names | None = None,
    atc_class: str | None = None,
    exclude_retracted: bool = False,
    with_trial_results: bool = False,
    period: Period | None = None,
) -> list[TopJournal]:
    """The journals that mention the most different drugs; see `Index.top_journals`.

    Raises:
        UnknownClassError: no drug is of that class.
        NotAGraphError: the input is not a graph document, or `names` no document of names.
        OSError: reading a document fails.
    """
    index = Index(graph, names, with_trial_results=with_trial_results, period=period)
    return index.top_journals(atc_class, exclude_retracted=exclude_retracted)


def related_drugs(
    graph: Graph,
    drug_or_class: str,
    *,
    names: Names | None = None,
    exclude_trial_journals: bool = False,
    exclude_retracted: bool = False,
    with_trial_results: bool = False,
    period: Period | None = None,
    order: str = RELATED_ORDERS[0],
) -> RelatedDrugs:
    """The other drugs mentioned by the journals that mention a drug; see `Index.related_drugs`.

    Raises:
        UnknownDrugError: no drug has that name or is of that class.
        NotAGraphError: the input is not a graph document, or `names` no document of names.
        OSError: reading a document fails.
    """
    index = Index(graph, names, with_trial_results=with_trial_results, period=period)
    return index.related_drugs(
        drug_or_class,
        exclude_trial_journals=exclude_trial_journals,
        exclude_retracted=exclude_retracted,
        order=order,
    )


class _Mentioned(NamedTuple):
    """The mentions of one type of publication, all retracted, all not, or all unknown."""

    type: str
    retracted: bool | None
    #: Whether titles of trials name the drugs, and the publications report the results.
    via_trials: bool
    #: By identity of a journal: per mention, the drug's index in the document.
    by_journal: dict[str, list[int]]

    def as_evidence(self, mentions: int) -> Evidence:
        """So many of these mentions, as evidence."""
        unknown = self.retracted is None and self.type in _CAN_BE_RETRACTED
        return Evidence(mentions, mentions if self.retracted else 0, mentions if unknown else 0)

    def of(self, drugs: Collection[int]) -> _Mentioned:
        """Those of these mentions that are of some drugs."""
        kept = {
            journal: [drug for drug in found if drug in drugs]
            for journal, found in self.by_journal.items()
        }
        return self._replace(by_journal=kept)


class _Found(NamedTuple):
    """The drugs that a question is about."""

    #: Indexes of those of the graph.
    drugs: set[int]
    #: Names of those of the document of names; of a class, none.
    unmentioned: set[str]
    #: The class that was asked for.
    atc_class: str | None = None


class Index:
    """An index of which journal mentions which drug: answers several questions from one reading."""

    def __init__(
        self,
        graph: Graph,
        names: Names | None = None,
        *,
        with_trial_results: bool = False,
        period: Period | None = None,
    ) -> None:
        """Read a document.

        Args:
            graph: the document.
            names: finds the document of names beside it; it is read for a name that no drug of the
                graph has as its own, and for a class that none of them is of.
            with_trial_results: whether a publication that reports the results of a trial is a
                mention of the drugs that the title of the trial names (SPEC 6).
            period: only the mentions that do not surely lie outside it, and have a date. Then the
                mentions of a document are read, not only those of its journals, which have no
                precision of dates.

        Raises:
            NotAGraphError: the input is not a graph document.
            OSError: reading the document fails.
        """
        #: The drugs, in the order of the document, and their ids.
        self._drugs: list[_Listed] = []
        self._ids: list[str] = []
        #: Name of each journal, by its identity.
        self._journals: dict[str, str] = {}
        self._names = names
        #: By identity of a journal and index of a drug: the trials whose results the journal has.
        self._trials: dict[tuple[str, int], set[str]] = defaultdict(set)
        mentioned: _ByKind = defaultdict(lambda: defaultdict(list))
        self._with_trial_results = with_trial_results
        self._period = period
        #: The mentions that may lie outside the period, that do, and that have no date.
        self._placed: list[tuple[Placed, _Mentioned]] = []
        brief = DrugWithResults if with_trial_results else DrugInBrief
        if period is not None:
            self._mentioned = self._read_dated(graph, period)
            return
        for index, drug in enumerate(read_drugs(graph, brief)):
            self._drugs.append((drug.drug, drug.names, drug.atc_codes))
            self._ids.append(drug.drug_id)
            for journal in drug.journals:
                journal_id = journal.journal_id
                self._journals[journal_id] = journal.journal
                for mention in journal.mentions:
                    mentioned[mention.type, mention.retracted, False][journal_id].append(index)
            if isinstance(drug, DrugWithResults):
                for result, trials in _find_results(drug).values():
                    journal_id = result.journal_id or ""
                    self._journals.setdefault(journal_id, result.journal or "")
                    self._trials[journal_id, index] |= trials
                    mentioned[result.type, result.retracted, True][journal_id].append(index)
        self._mentioned = [
            _Mentioned(*key, by_journal=by_journal) for key, by_journal in mentioned.items()
        ]

    def _read_dated(self, graph: Graph, period: Period) -> list[_Mentioned]:
        """Read a document; return the mentions that count, and keep the others apart."""
        placed: dict[Placed, _ByKind] = defaultdict(lambda: defaultdict(lambda: defaultdict(list)))
        place = cache(period.place)
        for index, drug in enumerate(read_drugs(graph, DrugWithDates)):
            self._drugs.append((drug.drug, drug.names, drug.atc_codes))
            self._ids.append(drug.drug_id)
            for mention in drug.mentions:
                if mention.journal_id is not None:
                    self._journals[mention.journal_id] = mention.journal or ""
                    where = place(mention.date, mention.date_precision)
                    kind = mention.type, mention.retracted, False
                    placed[where][kind][mention.journal_id].append(index)
            if self._with_trial_results:
                for result, trials in _find_results(drug).values():
                    journal_id = result.journal_id or ""
                    self._journals.setdefault(journal_id, result.journal or "")
                    where = place(result.date, result.date_precision)
                    if where in COUNTED:
                        self._trials[journal_id, index] |= trials
                    kind = result.type, result.retracted, True
                    placed[where][kind][journal_id].append(index)
        parts = [
            (where, _Mentioned(*kind, by_journal=by_journal))
            for where, kinds in placed.items()
            for kind, by_journal in kinds.items()
        ]
        self._placed = [(where, part) for where, part in parts if where != Placed.INSIDE]
        return [part for where, part in parts if where in COUNTED]

    def count_journals(self) -> int:
        """The number of journals that mention a drug."""
        return len(self._journals)

    def top_journals(
        self, atc_class: str | None = None, *, exclude_retracted: bool = False
    ) -> list[TopJournal]:
        """The journals that mention the most different drugs, over all sources (SPEC 6.1).

        All journals that tie are returned, sorted by name, those of one name by id; none if no
        journal mentions a drug.

        Args:
            atc_class: code of an ATC class, in any case: only its drugs are counted.
            exclude_retracted: leave out the mentions of retracted publications; those of which it
                is not known stay.

        Raises:
            UnknownClassError: no drug is of that class.
            NotAGraphError: the document of names is damaged.
        """
        counted = self._choose(exclude_retracted=exclude_retracted)
        placed = self._choose_placed(exclude_retracted=exclude_retracted)
        code = None
        if atc_class is not None:
            code, of_class = self._find_class(atc_class)
            counted = [part.of(of_class) for part in counted]
            placed = [(where, part.of(of_class)) for where, part in placed]
        mentioned = {
            journal: set().union(*(part.by_journal.get(journal, ()) for part in counted))
            for journal in self._journals
        }
        most = max(map(len, mentioned.values()), default=0)
        tops = [journal for journal, drugs in mentioned.items() if drugs and len(drugs) == most]
        return [
            TopJournal(
                self._journals[journal],
                most,
                sorted(self._drugs[drug][0] for drug in mentioned[journal]),
                *add_evidence(
                    part.as_evidence(len(part.by_journal.get(journal, ()))) for part in counted
                ),
                self._show_trials(
                    (self._drugs[drug][0], self._trials[journal, drug])
                    for drug in mentioned[journal] - _find_named(counted, journal)
                ),
                code,
                self._count_left_out(placed, {journal}),
            )
            for journal in sorted(tops, key=self._sort_key_of_journal)
        ]

    def related_drugs(
        self,
        drug_or_class: str,
        *,
        exclude_trial_journals: bool = False,
        exclude_retracted: bool = False,
        order: str = RELATED_ORDERS[0],
    ) -> RelatedDrugs:
        """The other drugs mentioned by the journals that mention a drug (SPEC 6.2).

        Only mentions in PubMed publications count, both of the given drug and of the others. The
        answer is empty if no journal mentions the drug.

        Args:
            drug_or_class: any of the drug's names; case, accents and spacing do not matter. If it
                is the name of one drug and a synonym of another, the drug of that name is used. If
                several drugs share it as a synonym, all are used together: a title with it mentions
                each. Or the code of an ATC class, which goes before a synonym: all its drugs are
                used together, and are not among the others.
            exclude_trial_journals: leave out the journals that mention the drug in a clinical
                trial.
            exclude_retracted: leave out the mentions of retracted publications, of the given drug
                and of the others; those of which it is not known stay.
            order: one of `RELATED_ORDERS`: by the number of journals that link them, the most
                first; by name; or by lift, the highest first.

        Raises:
            UnknownDrugError: no drug has that name or is of that class.
            NotAGraphError: the document of names is damaged.
        """
        matches, unmentioned, atc_class = self._find(drug_or_class)
        every = self._choose(exclude_retracted=exclude_retracted)
        counted = [part for part in every if part.type == PUBMED.document_type]
        left: set[str] = set()
        if exclude_trial_journals:
            of_trials = (part for part in every if part.type == CLINICAL_TRIALS.document_type)
            left = _find_journals(of_trials, matches)
        journals = _find_journals(counted, matches) - left
        by_drug_count, every_journal = _count_by_drug(counted, left)
        placed = [
            (where, part)
            for where, part in self._choose_placed(exclude_retracted=exclude_retracted)
            if part.type == PUBMED.document_type
        ]
        whenever = _find_journals((part for _, part in placed), matches) - left
        left_out = self._count_left_out(placed, journals | whenever)
        linking: dict[int, list[str]] = defaultdict(list)
        # The counts of `Evidence`, which are added up for each pair of a journal and a drug.
        evidence: dict[int, list[int]] = defaultdict(lambda: [0, 0, 0])
        total: list[Evidence] = []
        via: dict[int, list[tuple[str, set[str]]]] = defaultdict(list)
        for journal in sorted(journals, key=self._sort_key_of_journal):
            asked, found = [], []
            others: set[int] = set()
            for part in counted:
                numbers = Counter(part.by_journal.get(journal, ()))
                of_matches = [numbers.pop(match) for match in numbers.keys() & matches]
                asked.append(part.as_evidence(sum(of_matches)))
                found.append(part.as_evidence(numbers.total()))
                _, retracted, unknown = part.as_evidence(1)
                for other, number in numbers.items():
                    of_other = evidence[other]
                    of_other[0] += number
                    of_other[1] += number * retracted
                    of_other[2] += number * unknown
                others |= numbers.keys()
            name, of_asked = self._journals[journal], add_evidence(asked)
            for other in others:
                linking[other].append(name)
                of_other = evidence[other]
                of_other[0] += of_asked.mentions
                of_other[1] += of_asked.retracted_mentions
                of_other[2] += of_asked.unknown_mentions
            if others:
                total += [*asked, *found]
            for other, trials in self._find_trials(counted, journal, matches, others):
                via[other].append((name, trials))
        lifts = {
            other: compute_lift(len(names), len(every_journal), len(journals), by_drug_count[other])
            for other, names in linking.items()
        }
        ranks: dict[str, Callable[[int], float]] = {
            "journals": lambda other: -len(linking[other]),
            "name": lambda _: 0,
            "lift": lambda other: -lifts[other],
        }
        rank, by_name = ranks[order], self._sort_by_name(linking)
        related = [
            RelatedDrug(
                self._drugs[other][0],
                linking[other],
                *Evidence(*evidence[other]),
                lifts[other],
                self._show_trials(via[other]),
            )
            for other in sorted(by_name, key=rank)
        ]
        if atc_class is not None:
            theirs = set().union(*(found for part in counted for found in part.by_journal.values()))
            of_class = sorted(self._drugs[match][0] for match in matches & theirs)
            return RelatedDrugs(atc_class, related, add_evidence(total), of_class, left_out)
        given = " / ".join(sorted([*(self._drugs[match][0] for match in matches), *unmentioned]))
        return RelatedDrugs(given, related, add_evidence(total), None, left_out)

    def _sort_key_of_journal(self, journal: str) -> tuple[str, str]:
        """Journals are sorted by name, then by identity."""
        return self._journals[journal], journal

    def _sort_by_name(self, drugs: Iterable[int]) -> list[int]:
        """Drugs by folded name, then by id, as the explorer lists them."""
        from drug_assets.cleaning.text import fold_string

        return sorted(drugs, key=lambda one: (fold_string(self._drugs[one][0]), self._ids[one]))

    def _count_left_out(
        self, placed: Iterable[tuple[Placed, _Mentioned]], journals: Collection[str]
    ) -> LeftOut | None:
        """What the period makes of the mentions by some journals; None without a period."""
        if self._period is None:
            return None
        numbers: Counter[Placed] = Counter()
        for where, part in placed:
            found = part.by_journal
            numbers[where] += sum(len(found[journal]) for journal in journals if journal in found)
        return LeftOut(numbers[Placed.OPEN], numbers[Placed.OUTSIDE], numbers[Placed.UNDATED])

    def _show_trials(self, pairs: Iterable[tuple[str, set[str]]]) -> dict[str, list[str]] | None:
        """The trials of each name, sorted; None if their results are not counted."""
        if not self._with_trial_results:
            return None
        shown: dict[str, set[str]] = defaultdict(set)
        for name, trials in sorted(pairs, key=itemgetter(0)):
            shown[name] |= trials
        return {name: sorted(trials) for name, trials in shown.items()}

    def _find_trials(
        self, counted: Sequence[_Mentioned], journal: str, asked: set[int], others: set[int]
    ) -> Iterator[tuple[int, set[str]]]:
        """The drugs that a journal links with those asked for by results of trials, and the trials.

        Args:
            counted: the mentions that count.
            journal: the journal.
            asked: the drugs that were asked for.
            others: the other drugs that the journal mentions.
        """
        if not self._trials:
            return
        named = _find_named(counted, journal)
        # One of the drugs that were asked for is enough.
        by_results = set() if named & asked else self._collect_trials(journal, asked)
        for other in others:
            of_other = set() if other in named else self._collect_trials(journal, {other})
            if trials := by_results | of_other:
                yield other, trials

    def _collect_trials(self, journal: str, drugs: set[int]) -> set[str]:
        """The trials of any of the drugs whose results a journal has."""
        return set().union(*(self._trials.get((journal, drug), ()) for drug in drugs))

    def _choose(self, *, exclude_retracted: bool) -> list[_Mentioned]:
        """The mentions that count."""
        return [part for part in self._mentioned if not (exclude_retracted and part.retracted)]

    def _choose_placed(self, *, exclude_retracted: bool) -> list[tuple[Placed, _Mentioned]]:
        """The mentions that the period leaves out, or of which it is not sure."""
        return [
            (where, part)
            for where, part in self._placed
            if not (exclude_retracted and part.retracted)
        ]

    def _find(self, asked: str) -> _Found:
        """The drug of that name, else all drugs of that class, else those of that synonym.

        Raises:
            UnknownDrugError: there is none.
        """
        folded, fold = _fold(asked)
        code = _read_code(folded)
        named, of_class, with_synonym = _match(enumerate(self._drugs), folded, fold, code)
        if named:
            return _Found(named, set())
        listed = ((drug[0], drug) for drug in self._read_names())
        unmentioned, others_of_class, others = _match(listed, folded, fold, code)
        if unmentioned:
            return _Found(set(), unmentioned)
        if of_class or others_of_class:
            return _Found(of_class, set(), code)
        if with_synonym or others:
            return _Found(with_synonym, others)
        spellings = (
            (fold(spelling), spelling)
            for drug, names, _ in chain(self._drugs, self._read_names())
            for spelling in (*names, drug)
        )
        close_codes = None if code is None else self._find_close_codes(code)
        raise UnknownDrugError(asked, _find_close_spellings(folded, spellings), close_codes)

    def _find_class(self, asked: str) -> tuple[str, set[int]]:
        """The code of a class, and the indexes of its drugs.

        Raises:
            UnknownClassError: there is no such drug in any document.
        """
        folded, _ = _fold(asked)
        code = _read_code(folded)
        if code is None:
            raise UnknownClassError(asked, [])
        of_class = {index for index, drug in enumerate(self._drugs) if _is_of_class(drug, code)}
        if not of_class and not any(_is_of_class(drug, code) for drug in self._read_names()):
            raise UnknownClassError(asked, self._find_close_codes(code))
        return code, of_class

    def _find_close_codes(self, code: str) -> list[str]:
        """The classes of all documents that share the most levels with a code, up to five."""
        known = {
            held[:chars]
            for _, _, codes in chain(self._drugs, self._read_names())
            for held in codes
            if held[0] == code[0]
            for chars in ATC_LEVELS
        }

        def distance(other: str) -> tuple[int, int, str]:
            shared = sum(other[:chars] == code[:chars] for chars in ATC_LEVELS)
            return -shared, abs(len(code) - len(other)), other

        return sorted(known, key=distance)[:CLOSE_CODES]

    def _read_names(self) -> Iterator[_Listed]:
        """The drugs of the document of names, if there is one."""
        document = self._names() if self._names else None
        if document is not None:
            for drug in read_drugs(document, ListedDrugInBrief):
                yield drug.drug, drug.names, drug.atc_codes


def _match(
    drugs: Iterable[tuple[_Key, _Listed]], folded: str, fold: Callable[[str], str], code: str | None
) -> tuple[set[_Key], set[_Key], set[_Key]]:
    """The drugs of a folded name, those of a class, and those that have the name as a synonym.

    Args:
        drugs: the drugs, each with a key.
        folded: the folded name.
        fold: what folds a name.
        code: the code of the class; None for no class.
    """
    named: set[_Key] = set()
    of_class: set[_Key] = set()
    with_synonym: set[_Key] = set()
    # An ASCII letter or digit at the start of a name is no mark, so most need no folding.
    ascii_characters = filter(str.isalnum, map(chr, range(0x80)))
    others = {start for start in ascii_characters if fold(start) != folded[:1]}
    for key, listed in drugs:
        drug, names, _ = listed
        if drug[:1] not in others and fold(drug) == folded:
            named.add(key)
        elif folded in [fold(name) for name in names if name[:1] not in others]:
            with_synonym.add(key)
        if code is not None and _is_of_class(listed, code):
            of_class.add(key)
    return named, of_class, with_synonym


def _is_of_class(drug: _Listed, code: str) -> bool:
    """Whether a drug has the code of a class, or of one below it."""
    return any(held.startswith(code) for held in drug[2])


def _read_code(folded: str) -> str | None:
    """The ATC code that a folded text is; None if it has not the form of one."""
    code = folded.upper()
    return code if re.fullmatch(ATC_CODE, code) else None


def _find_journals(mentioned: Iterable[_Mentioned], drugs: set[int]) -> set[str]:
    """The journals that mention any of the drugs."""
    return {
        journal
        for part in mentioned
        for journal, found in part.by_journal.items()
        if not drugs.isdisjoint(found)
    }


def _count_by_drug(
    mentioned: Sequence[_Mentioned], left: set[str]
) -> tuple[Counter[int], set[str]]:
    """By drug, how many journals mention it; and the journals that mention any drug.

    Args:
        mentioned: the mentions that count.
        left: the journals that are left out, of both.
    """
    journals: set[str] = set().union(*(part.by_journal for part in mentioned)) - left
    by_drug: Counter[int] = Counter()
    for journal in journals:
        by_drug.update(set().union(*(part.by_journal.get(journal, ()) for part in mentioned)))
    return by_drug, journals


def _find_named(mentioned: Iterable[_Mentioned], journal: str) -> set[int]:
    """The drugs that titles of a journal name."""
    own = (part.by_journal.get(journal, ()) for part in mentioned if not part.via_trials)
    return set().union(*own)


def _find_results(
    drug: DrugWithResults | DrugWithDates,
) -> dict[tuple[str, str], tuple[PublicationOfTrialInBrief, set[str]]]:
    """The publications of journals that report results of the trials whose titles name a drug.

    Returns:
        By type and id, each publication with the ids of these trials. Publications whose own titles
        name the drug are left out: they are mentions anyway.
    """
    own = {(mention.type, mention.id) for mention in drug.mentions}
    results: dict[tuple[str, str], tuple[PublicationOfTrialInBrief, set[str]]] = {}
    for mention in drug.mentions:
        for result in mention.publications:
            key = result.type, result.id
            reports = result.kind == TrialPublicationKind.RESULT
            if reports and result.journal_id is not None and key not in own:
                results.setdefault(key, (result, set()))[1].add(mention.id)
    return results


def add_evidence(evidence: Iterable[Evidence]) -> Evidence:
    """All evidence together."""
    return Evidence(*(sum(counts) for counts in zip(Evidence(0, 0, 0), *evidence, strict=True)))


def _find_close_spellings(folded: str, spellings: Iterator[tuple[str, str]]) -> list[str]:
    """The spellings that are most similar to a folded name, of however many.

    Args:
        folded: the folded name.
        spellings: all spellings, each folded and as it is shown; of those that fold to the same
            text, the last is shown.
    """
    from difflib import get_close_matches

    closest: dict[str, str] = {}
    while batch := dict(islice(spellings, _BATCH_SPELLINGS)):
        known = closest | batch
        found = get_close_matches(folded, known, CLOSE_SPELLINGS)
        closest = {spelling: known[spelling] for spelling in found}
    return list(closest.values())


def _fold(asked: str) -> tuple[str, Callable[[str], str]]:
    """What was asked for, folded; and what folds names of the documents, which are clean.

    That is the form, without marks, by which drugs are compared. Only a question about a drug or a
    class needs it, for thousands of names.
    """
    from drug_assets.cleaning.name_marks import string_without_marks
    from drug_assets.cleaning.text import clean_string, fold_string

    def fold(name: str) -> str:
        return fold_string(string_without_marks(name))

    return fold(clean_string(asked)), fold
