"""Questions that are answered from `graph.json`; `names.json` knows further names (SPEC 6).

People wait for these answers on a command line, so this module imports little, and some of the
standard library only when it is needed. `cli` formats the answers.

The graph is read once, line by line. Memory holds the names of drugs and journals, and one number
per mention by a journal, but no other part of the document, and nothing of the document of names.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import chain, islice
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple, TypeAlias, TypeVar

from drug_assets.document.reading import read_drugs
from drug_assets.document.schema import DrugInBrief, DrugWithResults, ListedDrugInBrief
from drug_assets.errors import DrugAssetsError
from drug_assets.sources import PUBLICATIONS
from drug_assets.sources.clinical_trials import SOURCE as CLINICAL_TRIALS
from drug_assets.sources.pubmed import SOURCE as PUBMED
from drug_assets.terms import TrialPublicationKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from drug_assets.document.reading import Graph
    from drug_assets.document.schema import PublicationOfTrialInBrief

CLOSE_SPELLINGS = 5
#: Spellings that are compared with an unknown name at once.
_BATCH_SPELLINGS = 10_000

#: Finds the document of names that belongs to a graph, when it is needed; None if there is none.
Names: TypeAlias = "Callable[[], Graph | None]"

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

    @property
    def evidence(self) -> Evidence:
        """The mentions by this journal."""
        return Evidence(self.mentions, self.retracted_mentions, self.unknown_mentions)


class RelatedDrug(NamedTuple):
    """A drug that is mentioned in PubMed publications of the same journals."""

    drug: str
    #: The journals that mention both, sorted.
    journals: list[str]
    #: The mentions of either drug by these journals, as in `Evidence`.
    mentions: int
    retracted_mentions: int
    unknown_mentions: int
    #: By name of a journal whose titles do not name both: ids of the trials by whose results it is
    #: counted, sorted. None unless such results are counted.
    via: dict[str, list[str]] | None = None


class RelatedDrugs(NamedTuple):
    """The drugs related to one drug, sorted by name."""

    #: Name of the given drug; if several drugs match, their names joined with " / ".
    drug: str
    related: list[RelatedDrug]
    #: The mentions of any of these drugs by the journals that link them.
    evidence: Evidence


class UnknownDrugError(DrugAssetsError):
    """No drug of the document has the given name.

    Attributes:
        name: The given name.
        close_spellings: Up to five similar names of the documents, most similar first.
    """

    def __init__(self, name: str, close_spellings: list[str]) -> None:
        self.name = name
        self.close_spellings = close_spellings
        close = ", ".join(close_spellings)
        hint = f"close spellings: {close}" if close else "nor is any spelled like it"
        super().__init__(f"no drug of the graph is named {name!r}; {hint}")


def top_journals(
    graph: Graph, *, exclude_retracted: bool = False, with_trial_results: bool = False
) -> list[TopJournal]:
    """The journals that mention the most different drugs; see `Index.top_journals`.

    Raises:
        NotAGraphError: the input is not a graph document.
        OSError: reading the document fails.
    """
    index = Index(graph, with_trial_results=with_trial_results)
    return index.top_journals(exclude_retracted=exclude_retracted)


def related_drugs(
    graph: Graph,
    drug: str,
    *,
    names: Names | None = None,
    exclude_trial_journals: bool = False,
    exclude_retracted: bool = False,
    with_trial_results: bool = False,
) -> RelatedDrugs:
    """The other drugs mentioned by the journals that mention a drug; see `Index.related_drugs`.

    Raises:
        UnknownDrugError: no drug has that name.
        NotAGraphError: the input is not a graph document, or `names` no document of names.
        OSError: reading a document fails.
    """
    return Index(graph, names, with_trial_results=with_trial_results).related_drugs(
        drug, exclude_trial_journals=exclude_trial_journals, exclude_retracted=exclude_retracted
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


class Index:
    """An index of which journal mentions which drug: answers several questions from one reading."""

    def __init__(
        self, graph: Graph, names: Names | None = None, *, with_trial_results: bool = False
    ) -> None:
        """Read a document.

        Args:
            graph: the document.
            names: finds the document of names beside it; it is read for a name that no drug of the
                graph has as its own.
            with_trial_results: whether a publication that reports the results of a trial is a
                mention of the drugs that the title of the trial names (SPEC 6).

        Raises:
            NotAGraphError: the input is not a graph document.
            OSError: reading the document fails.
        """
        #: Name and all spellings of each drug, in the order of the document.
        self._drugs: list[tuple[str, list[str]]] = []
        #: Name of each journal, by its identity.
        self._journals: dict[str, str] = {}
        self._names = names
        #: By identity of a journal and index of a drug: the trials whose results the journal has.
        self._trials: dict[tuple[str, int], set[str]] = defaultdict(set)
        mentioned: dict[tuple[str, bool | None, bool], dict[str, list[int]]] = defaultdict(
            lambda: defaultdict(list)
        )
        self._with_trial_results = with_trial_results
        brief = DrugWithResults if with_trial_results else DrugInBrief
        for index, drug in enumerate(read_drugs(graph, brief)):
            self._drugs.append((drug.drug, drug.names))
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

    def count_journals(self) -> int:
        """The number of journals that mention a drug."""
        return len(self._journals)

    def top_journals(self, *, exclude_retracted: bool = False) -> list[TopJournal]:
        """The journals that mention the most different drugs, over all sources (SPEC 6.1).

        All journals that tie are returned, sorted by name; none if no journal mentions a drug.

        Args:
            exclude_retracted: leave out the mentions of retracted publications; those of which it
                is not known stay.
        """
        counted = self._choose(exclude_retracted=exclude_retracted)
        mentioned = {
            journal: set().union(*(part.by_journal.get(journal, ()) for part in counted))
            for journal in self._journals
        }
        most = max(map(len, mentioned.values()), default=0)
        return sorted(
            TopJournal(
                self._journals[journal],
                most,
                sorted(self._drugs[drug][0] for drug in drugs),
                *add_evidence(
                    part.as_evidence(len(part.by_journal.get(journal, ()))) for part in counted
                ),
                self._show_trials(
                    (self._drugs[drug][0], self._trials[journal, drug])
                    for drug in drugs - _find_named(counted, journal)
                ),
            )
            for journal, drugs in mentioned.items()
            if drugs and len(drugs) == most
        )

    def related_drugs(
        self, drug: str, *, exclude_trial_journals: bool = False, exclude_retracted: bool = False
    ) -> RelatedDrugs:
        """The other drugs mentioned by the journals that mention a drug (SPEC 6.2).

        Only mentions in PubMed publications count, both of the given drug and of the others. The
        answer is empty if no journal mentions the drug.

        Args:
            drug: any of the drug's names; case, accents and spacing do not matter. If it is the
                name of one drug and a synonym of another, the drug of that name is used. If several
                drugs share it as a synonym, all are used together: a title with it mentions each.
            exclude_trial_journals: leave out the journals that mention the drug in a clinical
                trial.
            exclude_retracted: leave out the mentions of retracted publications, of the given drug
                and of the others; those of which it is not known stay.

        Raises:
            UnknownDrugError: no drug has that name.
            NotAGraphError: the document of names is damaged.
        """
        matches, unmentioned = self._find_drug(drug)
        every = self._choose(exclude_retracted=exclude_retracted)
        counted = [part for part in every if part.type == PUBMED.document_type]
        journals = _find_journals(counted, matches)
        if exclude_trial_journals:
            of_trials = (part for part in every if part.type == CLINICAL_TRIALS.document_type)
            journals -= _find_journals(of_trials, matches)
        linking: dict[int, list[str]] = defaultdict(list)
        evidence: dict[int, list[Evidence]] = defaultdict(list)
        total: list[Evidence] = []
        via: dict[int, list[tuple[str, set[str]]]] = defaultdict(list)
        for journal in sorted(journals, key=lambda journal: (self._journals[journal], journal)):
            by_drug: dict[int, list[Evidence]] = defaultdict(list)
            for part in counted:
                for index, count in Counter(part.by_journal.get(journal, ())).items():
                    by_drug[index].append(part.as_evidence(count))
            named = _find_named(counted, journal)
            # One of the drugs that were asked for is enough.
            by_results = set() if named & matches else self._collect_trials(journal, matches)
            asked = [part for match in matches for part in by_drug.pop(match, ())]
            for other, found in by_drug.items():
                linking[other].append(self._journals[journal])
                of_other = set() if other in named else self._collect_trials(journal, {other})
                if trials := by_results | of_other:
                    via[other].append((self._journals[journal], trials))
                evidence[other] += [*asked, *found]
                total += found
            if by_drug:
                total += asked
        related = sorted(
            RelatedDrug(
                self._drugs[other][0],
                names,
                *add_evidence(evidence[other]),
                self._show_trials(via[other]),
            )
            for other, names in linking.items()
        )
        given = " / ".join(sorted([*(self._drugs[match][0] for match in matches), *unmentioned]))
        return RelatedDrugs(given, related, add_evidence(total))

    def _show_trials(self, pairs: Iterable[tuple[str, set[str]]]) -> dict[str, list[str]] | None:
        """The trials of each name, sorted; None if their results are not counted."""
        if not self._with_trial_results:
            return None
        shown: dict[str, set[str]] = defaultdict(set)
        for name, trials in sorted(pairs, key=itemgetter(0)):
            shown[name] |= trials
        return {name: sorted(trials) for name, trials in shown.items()}

    def _collect_trials(self, journal: str, drugs: set[int]) -> set[str]:
        """The trials of any of the drugs whose results a journal has."""
        return set().union(*(self._trials.get((journal, drug), ()) for drug in drugs))

    def _choose(self, *, exclude_retracted: bool) -> list[_Mentioned]:
        """The mentions that count."""
        return [part for part in self._mentioned if not (exclude_retracted and part.retracted)]

    def _find_drug(self, name: str) -> tuple[set[int], set[str]]:
        """The drug of that name, or else all drugs that have it as a synonym.

        Returns:
            Indexes in `_drugs`, and names of drugs of the document of names.

        Raises:
            UnknownDrugError: there is none.
        """
        from drug_assets.cleaning.text import clean_string

        fold = _import_fold()
        folded = fold(clean_string(name))
        named, with_synonym = _match_names(enumerate(self._drugs), folded, fold)
        if named:
            return named, set()
        listed = ((drug, (drug, names)) for drug, names in self._read_names())
        unmentioned, unmentioned_with_synonym = _match_names(listed, folded, fold)
        if unmentioned:
            return set(), unmentioned
        if with_synonym or unmentioned_with_synonym:
            return with_synonym, unmentioned_with_synonym
        spellings = (
            (fold(spelling), spelling)
            for drug, names in chain(self._drugs, self._read_names())
            for spelling in (*names, drug)
        )
        raise UnknownDrugError(name, _find_close_spellings(folded, spellings))

    def _read_names(self) -> Iterator[tuple[str, list[str]]]:
        """Name and all spellings of each drug of the document of names, if there is one."""
        document = self._names() if self._names else None
        if document is not None:
            for drug in read_drugs(document, ListedDrugInBrief):
                yield drug.drug, drug.names


def _match_names(
    drugs: Iterable[tuple[_Key, tuple[str, list[str]]]], folded: str, fold: Callable[[str], str]
) -> tuple[set[_Key], set[_Key]]:
    """The drugs of a folded name, and those that have it as a synonym.

    Args:
        drugs: of each drug a key, its name and all its spellings.
        folded: the folded name.
        fold: what folds a name.
    """
    named: set[_Key] = set()
    with_synonym: set[_Key] = set()
    # An ASCII letter or digit at the start of a name is no mark, so most need no folding.
    ascii_characters = filter(str.isalnum, map(chr, range(0x80)))
    others = {start for start in ascii_characters if fold(start) != folded[:1]}
    for key, (drug, names) in drugs:
        if drug[:1] not in others and fold(drug) == folded:
            named.add(key)
        elif folded in [fold(name) for name in names if name[:1] not in others]:
            with_synonym.add(key)
    return named, with_synonym


def _find_journals(mentioned: Iterable[_Mentioned], drugs: set[int]) -> set[str]:
    """The journals that mention any of the drugs."""
    return {
        journal
        for part in mentioned
        for journal, found in part.by_journal.items()
        if not drugs.isdisjoint(found)
    }


def _find_named(mentioned: Iterable[_Mentioned], journal: str) -> set[int]:
    """The drugs that titles of a journal name."""
    own = (part.by_journal.get(journal, ()) for part in mentioned if not part.via_trials)
    return set().union(*own)


def _find_results(
    drug: DrugWithResults,
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


def _import_fold() -> Callable[[str], str]:
    """What gives a clean name the form, folded and without marks, by which drugs are compared.

    Only a question about a drug needs it, for thousands of names.
    """
    from drug_assets.cleaning.name_marks import string_without_marks
    from drug_assets.cleaning.text import fold_string

    def fold(name: str) -> str:
        return fold_string(string_without_marks(name))

    return fold
