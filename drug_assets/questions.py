"""Questions that `graph.json` alone answers (SPEC sections 5 and 6).

Little is imported here, and of the standard library only what is needed when it is: people wait for
these answers on a command line. Making the document belongs to `graph`, where it is stored to
`storage`, how an answer is shown to `cli`.

The document is read once, one line a drug, the way `graph` writes it: memory holds one drug, the
names of the others, and a number for each mention by a journal, however large the document is. Any
other layout of that JSON is read too, all at once.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import chain
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    #: Where the document is: a local file, or what opens it anew each time it is called: a binary
    #: stream, or any lines of bytes. Closed after reading if it can be.
    Graph: TypeAlias = Path | Callable[[], Iterable[bytes]]

PUBMED = "pubmed"
CLINICAL_TRIAL = "clinical_trial"
CLOSE_SPELLINGS = 5

#: Lines are long: read through the default buffer, they would be put together of many pieces.
_BUFFER_BYTES = 2**20
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class TopJournal(NamedTuple):
    """A journal that mentions as many different drugs as any other does."""

    journal: str
    drug_count: int
    #: Names of these drugs, sorted.
    drugs: list[str]

    def asdict(self) -> dict[str, Any]:
        """The answer as JSON has it."""
        return self._asdict()


class RelatedDrug(NamedTuple):
    """A drug that PubMed publications of the same journals mention."""

    drug: str
    #: The journals that mention both, sorted.
    journals: list[str]

    def asdict(self) -> dict[str, Any]:
        """The answer as JSON has it."""
        return self._asdict()


class RelatedDrugs(NamedTuple):
    """The drugs related to one drug, sorted by name."""

    #: Name of the drug that was found; of several, separated by " / ".
    drug: str
    related: list[RelatedDrug]

    def asdict(self) -> dict[str, Any]:
        """The answer as JSON has it."""
        return {"drug": self.drug, "related": [related.asdict() for related in self.related]}


class NotAGraph(ValueError):  # noqa: N818 - the name says what is wrong
    """What was read is not a graph document."""


class UnknownDrug(LookupError):  # noqa: N818 - the name says what is wrong
    """No drug of the document has that name.

    Attributes:
        name: The name that was asked for.
        close_spellings: Names of the document that look like it, closest first, at most five.
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
        NotAGraph: If what is read is not a graph document.
        OSError: If it cannot be read.
    """
    return Index(graph).top_journals()


def related_drugs(graph: Graph, drug: str, *, exclude_trial_journals: bool = False) -> RelatedDrugs:
    """The other drugs mentioned by the journals that mention a drug (`Index.related_drugs`).

    Raises:
        UnknownDrug: If no drug has that name.
        NotAGraph: If what is read is not a graph document.
        OSError: If it cannot be read.
    """
    return Index(graph).related_drugs(drug, exclude_trial_journals=exclude_trial_journals)


class Index:
    """Which journal mentions which drug, from one reading of a document, for several questions."""

    def __init__(self, graph: Graph) -> None:
        """Read a document.

        Raises:
            NotAGraph: If what is read is not a graph document.
            OSError: If it cannot be read.
        """
        #: Name and names of each drug, in the order of the document.
        self._drugs: list[tuple[str, list[str]]] = []
        #: By type of publication, by journal: the position of a drug for each mention of it.
        self._mentioned: dict[str, dict[str, list[int]]] = {
            PUBMED: defaultdict(list),
            CLINICAL_TRIAL: defaultdict(list),
        }
        for position, drug in enumerate(_drugs(graph)):
            self._drugs.append((drug.drug, drug.names))
            for journal in drug.journals:
                for mention in journal.mentions:
                    self._mentioned[mention.type][journal.journal].append(position)

    def top_journals(self) -> list[TopJournal]:
        """The journals that mention the most different drugs, over both sources (SPEC 6.1).

        All that tie, sorted by name; none if no journal mentions any drug.
        """
        journals = {journal for of_kind in self._mentioned.values() for journal in of_kind}
        counts = {journal: len(self._drugs_of(journal)) for journal in journals}
        most = max(counts.values(), default=0)
        return [
            TopJournal(journal, most, sorted(self._drugs[d][0] for d in self._drugs_of(journal)))
            for journal, count in sorted(counts.items())
            if count == most
        ]

    def related_drugs(self, drug: str, *, exclude_trial_journals: bool = False) -> RelatedDrugs:
        """The other drugs mentioned by the journals that mention a drug (SPEC 6.2).

        Only mentions by PubMed publications count, of the drug as of the others. The answer is
        empty for a drug that no journal mentions.

        Args:
            drug: Any of the drug's names; case, accents and spacing do not matter. Where it is the
                name of one drug and a synonym of another, the first is meant. A synonym that
                several drugs share means all of them together: a title with it mentions each.
            exclude_trial_journals: Leave out the journals that mention the drug in a clinical
                trial.

        Raises:
            UnknownDrug: If no drug has that name.
        """
        asked = self._named(drug)
        journals = self._journals(PUBMED, asked)
        if exclude_trial_journals:
            journals -= self._journals(CLINICAL_TRIAL, asked)
        linking: dict[int, list[str]] = defaultdict(list)
        for journal in sorted(journals):
            for other in {*self._mentioned[PUBMED][journal]} - asked:
                linking[other].append(journal)
        return RelatedDrugs(
            " / ".join(sorted(self._drugs[found][0] for found in asked)),
            sorted(RelatedDrug(self._drugs[other][0], by) for other, by in linking.items()),
        )

    def _drugs_of(self, journal: str) -> set[int]:
        """The drugs that a journal mentions in publications of any type."""
        return set().union(*(of_kind.get(journal, ()) for of_kind in self._mentioned.values()))

    def _journals(self, kind: str, drugs: set[int]) -> set[str]:
        """The journals that mention any of the drugs in publications of that type."""
        mentioned = self._mentioned[kind].items()
        return {journal for journal, found in mentioned if not drugs.isdisjoint(found)}

    def _named(self, name: str) -> set[int]:
        """The drug of that name, or the drugs that share it as a synonym.

        Raises:
            UnknownDrug: If there is none.
        """
        wanted = _folded(name)
        named: set[int] = set()
        with_synonym: set[int] = set()
        spellings: dict[str, str] = {}
        for position, (drug, names) in enumerate(self._drugs):
            folds = {_folded(spelling): spelling for spelling in (*names, drug)}
            if _folded(drug) == wanted:
                named.add(position)
            elif wanted in folds:
                with_synonym.add(position)
            spellings.update(folds)
        if not named and not with_synonym:
            raise UnknownDrug(name, _close(wanted, spellings))
        return named or with_synonym


class _Mention(msgspec.Struct, frozen=True, gc=False):
    type: Literal["pubmed", "clinical_trial"]


class _Journal(msgspec.Struct, frozen=True, gc=False):
    journal: str
    mentions: list[_Mention]


class _Drug(msgspec.Struct, frozen=True, gc=False):
    """What the questions need of a drug; the rest of it is passed over, which takes little time."""

    drug_id: str
    drug: str
    journals: list[_Journal]
    names: list[str] = []


_DECODER = msgspec.json.Decoder(_Drug)


def _close(wanted: str, spellings: dict[str, str]) -> list[str]:
    """The spellings whose folds look most like the one wanted."""
    from difflib import get_close_matches

    return [spellings[fold] for fold in get_close_matches(wanted, spellings, CLOSE_SPELLINGS)]


def _folded(name: str) -> str:
    """A name as drugs are compared (SPEC section 2, "Folded text"), however it was typed."""
    spaced = " ".join(name.split())
    if spaced.isascii():
        return spaced.lower()
    from unicodedata import normalize

    from drug_assets.cleaning.text import fold_text

    return fold_text(normalize("NFC", spaced))


def _drugs(graph: Graph) -> Iterator[_Drug]:
    """The drugs of a document, in its order.

    Raises:
        NotAGraph: At the first thing that no graph document holds.
    """
    opened = graph() if callable(graph) else graph.open("rb", _BUFFER_BYTES)
    name = "the graph document" if callable(graph) else str(graph)
    try:
        yield from _read(opened, name)
    finally:
        close = getattr(opened, "close", None)
        if close is not None:
            close()


def _read(lines: Iterable[bytes], name: str) -> Iterator[_Drug]:
    """The drugs of a JSON array, a line at a time while a line is a drug.

    Where one is not, all that follows is read at once. So what was read of the array up to there is
    remembered as the shortest beginning that lets the same follow it.
    """
    beginning, number, closed = b"", 0, False
    numbered = enumerate(lines, start=1)
    for number, line in numbered:
        whole_line = line.removeprefix(_BYTE_ORDER_MARK) if number == 1 else line
        text = whole_line.strip()
        if not text:
            continue
        if closed:
            raise _not_a_graph(name, f"line {number}", "nothing after the closing bracket")
        if text == b"[" and not beginning:
            beginning = b"["
            continue
        if text == b"]" and beginning in {b"[", b"[null"}:
            closed = True
            continue
        element = text.removesuffix(b",")
        alone = beginning in {b"[", b"[null,"}
        drug = _drug_of(element, name, f"line {number}") if alone else None
        if drug is None:
            rest = chain([beginning + b"\n", whole_line], (line for _, line in numbered))
            skipped = 1 if b"null" in beginning else 0
            yield from _all_at_once(b"".join(rest), skipped, name, number)
            return
        yield drug
        beginning = b"[null," if element != text else b"[null"
    if not closed:
        raise _not_a_graph(name, f"line {max(number, 1)}", "the array to be closed, but it ends")


def _drug_of(line: bytes, name: str, place: str) -> _Drug | None:
    """The drug on a line; nothing if the line is not one JSON object."""
    try:
        return _DECODER.decode(line)
    except msgspec.ValidationError as error:
        if not line.startswith(b"{"):
            return None
        raise _not_a_drug(name, place, error) from error
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None


def _all_at_once(document: bytes, skipped: int, name: str, first_line: int) -> Iterator[_Drug]:
    """The drugs of a JSON array but those skipped; its second line is `first_line` of a file."""
    import json

    try:
        array = json.loads(document.decode())
    except json.JSONDecodeError as error:
        place = f"line {first_line + error.lineno - 2}, column {error.colno}"
        raise _not_a_graph(name, place, f"JSON ({error.msg})") from error
    except UnicodeDecodeError as error:
        line = first_line + document.count(b"\n", 0, error.start) - 1
        raise _not_a_graph(name, f"line {line}", "UTF-8") from error
    except RecursionError as error:
        raise _not_a_graph(name, f"line {first_line}", "JSON less deep") from error
    if not isinstance(array, list):
        raise _not_a_graph(name, f"line {first_line}", "a JSON array of drugs")
    for number, drug in enumerate(array[skipped:], start=1):
        try:
            yield msgspec.convert(drug, _Drug)
        except msgspec.ValidationError as error:
            place = f"drug {number} from line {first_line}"
            raise _not_a_drug(name, place, error) from error


def _not_a_drug(name: str, place: str, error: msgspec.ValidationError) -> NotAGraph:
    return _not_a_graph(name, place, f"a drug with its names and journals ({error})")


def _not_a_graph(name: str, place: str, expected: str) -> NotAGraph:
    return NotAGraph(
        f"{name} is not a graph document: {place}: expected {expected};"
        " `drug-assets run` writes a new one"
    )
