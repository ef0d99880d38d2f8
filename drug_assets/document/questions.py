"""Questions that are answered from `graph.json` alone (SPEC 6).

People wait for these answers on a command line, so this module imports little, and some of the
standard library only when it is needed. `cli` formats the answers.

The document is read once, line by line. Memory holds the names of drugs and journals, and one
number per mention by a journal, but no other part of the document.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from drug_assets.document.reading import read_drugs
from drug_assets.document.schema import DrugInBrief
from drug_assets.errors import DrugAssetsError
from drug_assets.sources.clinical_trials import SOURCE as CLINICAL_TRIALS
from drug_assets.sources.pubmed import SOURCE as PUBMED

if TYPE_CHECKING:
    from drug_assets.document.reading import Graph

CLOSE_SPELLINGS = 5


class TopJournal(NamedTuple):
    """A journal that mentions the most different drugs; several journals can tie."""

    journal: str
    drug_count: int
    #: Names of these drugs, sorted.
    drugs: list[str]


class RelatedDrug(NamedTuple):
    """A drug that is mentioned in PubMed publications of the same journals."""

    drug: str
    #: The journals that mention both, sorted.
    journals: list[str]


class RelatedDrugs(NamedTuple):
    """The drugs related to one drug, sorted by name."""

    #: Name of the given drug; if several drugs match, their names joined with " / ".
    drug: str
    related: list[RelatedDrug]


class UnknownDrugError(DrugAssetsError):
    """No drug of the document has the given name.

    Attributes:
        name: The given name.
        close_spellings: Up to five similar names of the document, most similar first.
    """

    def __init__(self, name: str, close_spellings: list[str]) -> None:
        self.name = name
        self.close_spellings = close_spellings
        close = ", ".join(close_spellings)
        hint = f"close spellings: {close}" if close else "nor is any spelled like it"
        super().__init__(f"no drug of the graph is named {name!r}; {hint}")


def top_journals(graph: Graph) -> list[TopJournal]:
    """The journals that mention the most different drugs (`Index.top_journals`).

    Raises:
        NotAGraphError: the input is not a graph document.
        OSError: reading the document fails.
    """
    return Index(graph).top_journals()


def related_drugs(graph: Graph, drug: str, *, exclude_trial_journals: bool = False) -> RelatedDrugs:
    """The other drugs mentioned by the journals that mention a drug; see `Index.related_drugs`.

    Raises:
        UnknownDrugError: no drug has that name.
        NotAGraphError: the input is not a graph document.
        OSError: reading the document fails.
    """
    return Index(graph).related_drugs(drug, exclude_trial_journals=exclude_trial_journals)


class Index:
    """An index of which journal mentions which drug: answers several questions from one reading."""

    def __init__(self, graph: Graph) -> None:
        """Read a document.

        Raises:
            NotAGraphError: the input is not a graph document.
            OSError: reading the document fails.
        """
        #: Name and all spellings of each drug, in the order of the document.
        self._drugs: list[tuple[str, list[str]]] = []
        #: Name of each journal, by its identity.
        self._journals: dict[str, str] = {}
        #: By type of publication, then by identity of a journal: per mention, the drug's index in
        #: `_drugs`.
        self._mentioned: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
        for index, drug in enumerate(read_drugs(graph, DrugInBrief)):
            self._drugs.append((drug.drug, drug.names))
            for journal in drug.journals:
                self._journals[journal.journal_id] = journal.journal
                for mention in journal.mentions:
                    self._mentioned[mention.type][journal.journal_id].append(index)

    def top_journals(self) -> list[TopJournal]:
        """The journals that mention the most different drugs, over all sources (SPEC 6.1).

        All journals that tie are returned, sorted by name; none if no journal mentions a drug.
        """
        mentioned = {journal: self._drugs_of(journal) for journal in self._journals}
        most = max(map(len, mentioned.values()), default=0)
        return sorted(
            TopJournal(self._journals[journal], most, sorted(self._drugs[d][0] for d in drugs))
            for journal, drugs in mentioned.items()
            if len(drugs) == most
        )

    def related_drugs(self, drug: str, *, exclude_trial_journals: bool = False) -> RelatedDrugs:
        """The other drugs mentioned by the journals that mention a drug (SPEC 6.2).

        Only mentions in PubMed publications count, both of the given drug and of the others. The
        answer is empty if no journal mentions the drug.

        Args:
            drug: any of the drug's names; case, accents and spacing do not matter. If it is the
                name of one drug and a synonym of another, the drug of that name is used. If several
                drugs share it as a synonym, all are used together: a title with it mentions each.
            exclude_trial_journals: leave out the journals that mention the drug in a clinical
                trial.

        Raises:
            UnknownDrugError: no drug has that name.
        """
        matches = self._find_drug(drug)
        journals = self._journals_of(PUBMED.document_type, matches)
        if exclude_trial_journals:
            journals -= self._journals_of(CLINICAL_TRIALS.document_type, matches)
        shared: dict[int, list[str]] = defaultdict(list)
        for journal in sorted(journals, key=lambda journal: (self._journals[journal], journal)):
            for other in {*self._mentioned[PUBMED.document_type][journal]} - matches:
                shared[other].append(self._journals[journal])
        return RelatedDrugs(
            " / ".join(sorted(self._drugs[match][0] for match in matches)),
            sorted(RelatedDrug(self._drugs[other][0], names) for other, names in shared.items()),
        )

    def _drugs_of(self, journal: str) -> set[int]:
        """The drugs that a journal mentions in publications of any type."""
        return set().union(*(of_type.get(journal, ()) for of_type in self._mentioned.values()))

    def _journals_of(self, publication_type: str, drugs: set[int]) -> set[str]:
        """The journals that mention any of the drugs in publications of that type."""
        mentioned = self._mentioned[publication_type].items()
        return {journal for journal, found in mentioned if not drugs.isdisjoint(found)}

    def _find_drug(self, name: str) -> set[int]:
        """The drug of that name, or else all drugs that have it as a synonym.

        Returns:
            Indexes in `_drugs`.

        Raises:
            UnknownDrugError: there is none.
        """
        folded = _fold(name)
        named: set[int] = set()
        with_synonym: set[int] = set()
        spellings: dict[str, str] = {}
        for index, (drug, names) in enumerate(self._drugs):
            folded_names = {_fold(spelling): spelling for spelling in (*names, drug)}
            if _fold(drug) == folded:
                named.add(index)
            elif folded in folded_names:
                with_synonym.add(index)
            spellings.update(folded_names)
        if not named and not with_synonym:
            raise UnknownDrugError(name, _find_close_spellings(folded, spellings))
        return named or with_synonym


def _find_close_spellings(folded: str, spellings: dict[str, str]) -> list[str]:
    """The spellings that are most similar to a folded name.

    Args:
        folded: the folded name.
        spellings: all spellings, by their folded form.
    """
    from difflib import get_close_matches

    return [spellings[match] for match in get_close_matches(folded, spellings, CLOSE_SPELLINGS)]


def _fold(name: str) -> str:
    """The folded form of a name, by which drugs are compared (SPEC 2, "Folded text")."""
    spaced = " ".join(name.split())
    if spaced.isascii():
        return spaced.lower()
    from unicodedata import normalize

    from drug_assets.cleaning.text import fold_string

    return fold_string(normalize("NFC", spaced))
