"""Every document that a run writes besides the tables: its input tables, and how it is made.

One `Document` declares one output format; its asset, its object in the store and its preview are
derived from it. Checks of the content belong to `audit`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from drug_assets import explorer
from drug_assets.document.schema import FILE, NAMES_FILE, json_schema, names_json_schema
from drug_assets.document.writing import write_lines, write_names
from drug_assets.explorer import pack, page
from drug_assets.exports import of_release

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping


@dataclass(frozen=True)
class Document:
    """A text document in the store."""

    #: Name of its asset.
    name: str
    #: Name of its object in the store.
    file: str
    #: Its description, for people.
    description: str
    #: Its syntax, for the asset's tag and for previews: `json`, `csv`, `xml`.
    kind: str
    #: The tables that it is made from.
    tables: tuple[str, ...]
    #: Makes its lines, without line ends, as texts or in UTF-8; takes these tables and choices as
    #: keyword arguments.
    lines: Callable[..., Iterator[str | bytes]]
    #: Whether a line holds an element; only such lines are counted and previewed. None if none do.
    is_element: Callable[[str | bytes], bool] | None = None
    #: Makes its schema, if it has one.
    schema: Callable[[], Mapping[str, Any]] | None = None
    #: The settings that decide its content (`settings.Settings.choices`).
    choices: tuple[str, ...] = ()
    #: Whether it says what is new; then `lines` also takes `news` (`news.News`; None if there is
    #: nothing to compare with), and the tables that say so are among its tables.
    tells_news: bool = False
    #: The folder of the files that are put beside it if it is long; None if there never are any.
    #: With a folder, `lines` also takes `beside`, a function of the name and lines of such a file;
    #: or, if these files are no text, of its name and a function that writes it to a binary file;
    #: and then `scratch`, a folder for temporary files.
    folder: str | None = None
    is_text: bool = True


def _is_element(line: str | bytes) -> bool:
    """Whether a line of a JSON array holds an element."""
    return len(line) > 1  # a set of both brackets would hash every line


GRAPH = Document(
    name="drug_graph",
    file=FILE,
    description=(
        "The drug–publication–journal graph as one JSON document, one line per drug.\n\n"
        "Each drug has its names and codes, the publications whose titles mention it, with the "
        "places in the title, and the journals of these publications, with dates. A trial lists "
        "the publications that belong to it, and such a publication the trial. A drug that no "
        f"title mentions is there, too; of a long list it is in `{NAMES_FILE}` instead. "
        "`drug-assets top-journal` and `drug-assets related-drugs` answer from this document. "
        "A line begins like this: "
        '`{"drug_id": "ethanol", "drug": "ETHANOL", "names": ["ETHANOL"], …, "mentions": '
        '[{"type": "pubmed", "id": "2", "title": "Ethanol in rats", …` and so on.'
    ),
    kind="json",
    tables=("drugs", "mentions", "trial_publications"),
    lines=write_lines,
    is_element=_is_element,
    schema=json_schema,
    choices=("graph_drugs",),
)

NAMES = Document(
    name="unmentioned_drugs",
    file=NAMES_FILE,
    description=(
        "The drugs that no title names, with their names and codes, one line per drug, if the list "
        "has more drugs than `DRUG_ASSETS_GRAPH_DRUGS`; otherwise it is empty, and they are in "
        f"`{FILE}`.\n\n"
        f"`drug-assets related-drugs` reads it for a name that `{FILE}` does not know: it tells a "
        "drug that nobody writes about from one that is not on the list."
    ),
    kind="json",
    tables=("drugs", "mentions"),
    lines=write_names,
    is_element=_is_element,
    schema=names_json_schema,
    choices=("graph_drugs",),
)

EXPLORER = Document(
    name="explorer",
    file=explorer.FILE,
    description=(
        "The results as one page for people: open it in a browser, from disk, without a "
        "network.\n\n"
        "It answers which journals mention a drug, since when, in which titles, and which drugs "
        "the same journals mention. Search takes every name and code of a drug. The page is one "
        f"file; of very many mentions it has its data in `{explorer.FOLDER}/` beside it. "
        "`drug-assets explore` opens it."
    ),
    kind="html",
    tables=pack.TABLES,
    lines=page.write_page,
    tells_news=True,
    folder=explorer.FOLDER,
)

EXPORTS = Document(
    name="exports",
    file=of_release.FILE,
    description=(
        "Files for other tools, such as Gephi, Cytoscape, R or Excel: those that "
        "`DRUG_ASSETS_EXPORTS` names, in the folder "
        f"`{of_release.FOLDER}/` beside this list of them.\n\n"
        f"If nobody names any, these are `{'` and `'.join(of_release.DEFAULT_FILES)}`, of up to "
        f"{of_release.MOST_BY_DEFAULT:,} mentions. `drug-assets export` writes them, and "
        "those of some drugs or a period, from any release."
    ),
    kind="json",
    tables=("drugs", "mentions"),
    lines=of_release.write_files,
    is_element=_is_element,
    choices=("exports",),
    folder=of_release.FOLDER,
    is_text=False,
)

#: Every document, by name of its asset.
DOCUMENTS: Mapping[str, Document] = {
    document.name: document for document in (GRAPH, NAMES, EXPLORER, EXPORTS)
}
