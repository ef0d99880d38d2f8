"""Files of this repository that are made from its declarations: `make generated` writes them.

A test compares each with what is made here, so that none of them is ever written by hand.
"""

from __future__ import annotations

import json
import re
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import results
from drug_assets import terms
from drug_assets.definitions import make_definitions
from drug_assets.document.schema import json_schema, names_json_schema
from drug_assets.settings import Settings
from drug_assets.sources.tables import TABLES, Layer, Table
from drug_assets.storage.google.table_schema import declare_dataset, declare_releases

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from dataframely.columns import Column

    from drug_assets.storage.google.table_schema import SchemaField

ROOT = Path(__file__).parents[1]

#: How wide prose in documents is.
WIDTH = 120

_CODE = re.compile(r"`[^`]+`")
_PICTURE = re.compile(r"(?<=<!-- assets -->\n).*?(?=<!-- /assets -->)", re.DOTALL)
_TERMS = re.compile(r"(?<=<!-- terms -->\n).*?(?=<!-- /terms -->)", re.DOTALL)
_LAYERS: Mapping[str, str] = {
    Layer.RAW: "What landed, as it is written.",
    Layer.CLEAN: "Each row cleaned by itself, then all rows together.",
    Layer.MENTIONS: "Which title names which drug.",
    Layer.PUBLISHED: "What follows from the mentions.",
}


def terraform_tables() -> str:
    """The tables that Terraform creates in BigQuery."""
    return _json(declare_dataset())


def graph_schema() -> str:
    """The JSON Schema of the graph document."""
    return _json(json_schema())


def names_schema() -> str:
    """The JSON Schema of the document of names."""
    return _json(names_json_schema())


def _json(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def tables() -> str:
    """The data dictionary: every table, column and word."""
    return "\n".join(_dictionary()) + "\n"


def _dictionary() -> Iterator[str]:
    yield "# Tables"
    yield ""
    yield "Made from the contracts by `make generated`. Keys are **bold**; null is possible where"
    yield "a type ends in `?`. Rules are checked before a table is written, and again in the store."
    for layer, meaning in _LAYERS.items():
        yield ""
        yield f"## {layer.capitalize()}"
        yield ""
        yield meaning
        for table in TABLES.values():
            if table.layer == layer:
                yield from _entry(table)
    yield from _releases()
    yield ""
    yield "## Words"
    yield from _words("###")


def _entry(table: Table) -> Iterator[str]:
    contract = table.contract
    keys = contract.primary_key()
    yield ""
    yield f"### `{table.name}`"
    yield ""
    yield _fill((contract.__doc__ or "").partition("\n")[0] + _kept(table))
    yield ""
    yield "| column | type | what it is |"
    yield "| --- | --- | --- |"
    for name, column in contract.columns().items():
        shown = f"**{name}**" if name in keys else name
        description = (column.description or "").replace("|", r"\|")
        yield f"| {shown} | {_type(column)} | {_without_words(description)} |"
    rules = contract._schema_validation_rules()  # noqa: SLF001 - there is no public list of them
    if rules:
        yield ""
        yield _fill("Rules: " + ", ".join(f"`{rule}`" for rule in sorted(rules)) + ".")


def _releases() -> Iterator[str]:
    declared = declare_releases()
    yield ""
    yield "## BigQuery only"
    yield ""
    yield "### `releases`"
    yield ""
    yield _fill(declared["description"])
    yield ""
    yield "| column | type | what it is |"
    yield "| --- | --- | --- |"
    for column in declared["schema"]:
        yield _field(column)
        for field in column.get("fields", []):
            yield _field(field, f"{column['name']}.")


def _field(field: SchemaField, above: str = "") -> str:
    kind = field["type"].lower()
    kind = {"REPEATED": f"list of {kind}", "NULLABLE": f"{kind}?"}.get(field["mode"], kind)
    return f"| {above}{field['name']} | {kind} | {field['description']} |"


def _kept(table: Table) -> str:
    kept = " Kept file by file." if table.by_file else ""
    return kept if table.published else f"{kept} Not published to a warehouse."


def _type(column: Column) -> str:
    kind = type(column).__name__.lower()
    inner = getattr(column, "inner", None)
    if kind == "list":
        kind = f"list of {type(inner).__name__.lower()}"
    return kind + ("?" if column.nullable else "")


def _without_words(description: str) -> str:
    """A description that points to the list of words, instead of repeating it."""
    for term in _term_classes():
        described = f"{term.listed()}."
        if described in description:
            link = f"See [{_heading(term)}](#{_heading(term).lower().replace(' ', '-')})."
            description = description.replace(described, link)
    return description


def words() -> str:
    """The words of the tables, for SPEC."""
    return "\n".join(_words("###")).lstrip("\n") + "\n"


def _words(level: str) -> Iterator[str]:
    for term in _term_classes():
        yield ""
        yield f"{level} {_heading(term)}"
        yield ""
        yield _fill((term.__doc__ or "").partition("\n")[0])
        yield ""
        yield "| word | meaning |"
        yield "| --- | --- |"
        yield from (f"| `{word.value}` | {word.meaning} |" for word in term)
    yield ""
    yield f"{level} Words for missing"
    yield ""
    yield "What programs write where a field holds nothing. Case, and what stands around a word of"
    yield f"`{terms.AROUND_MISSING.strip()}`, make no difference."
    yield ""
    yield _fill(", ".join(f"`{word}`" for word in sorted(terms.MISSING_WORDS)))
    yield ""
    yield "So are the errors in cells of spreadsheets, in any language: `#`, a word in capitals,"
    yield "and `!` or `?` (`#DIV/0!`, `#WERT!`, `#¿NOMBRE?`); or `#` and two capitals with a stroke"
    yield "between (`#N/D`)."


def _fill(text: str) -> str:
    """Prose in lines of the width of documents; code is not broken."""
    kept = _CODE.sub(lambda code: code[0].replace(" ", "\0"), text)
    lines = textwrap.wrap(kept, WIDTH, break_long_words=False, break_on_hyphens=False)
    return "\n".join(lines).replace("\0", " ")


def _term_classes() -> list[type[terms.Term]]:
    return [
        *(terms.ReadIssue, terms.Issue, terms.RejectReason, terms.MergeRule),
        *(terms.IdentifierScheme, terms.NameKind, terms.SpanOrigin),
        *(terms.TrialPublicationKind, terms.ReferenceSide, terms.DatePrecision),
        *(terms.MentionChange, terms.ListChange),
    ]


def _heading(term: type[terms.Term]) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", term.__name__).capitalize() + "s"


def picture() -> str:
    """The asset graph as Mermaid draws it: every asset and every edge of the definitions."""
    graph = make_definitions(Settings()).resolve_asset_graph()
    groups: dict[str, list[str]] = {}
    children: dict[str, list[str]] = {}
    for node in map(graph.get, sorted(graph.get_all_asset_keys())):
        name = node.key.path[-1]
        groups.setdefault(node.group_name, []).append(name)
        for above in node.parent_keys:
            children.setdefault(above.path[-1], []).append(name)
    order = ["pulls", *Layer]
    lines = ["```mermaid", "flowchart LR"]
    for group in sorted(groups, key=order.index):
        lines += [f"  subgraph group_{group} [{group}]", *(f"    {n}" for n in groups[group])]
        lines.append("  end")
    # Assets that lead to the same ones share a line; lines go down the layers.
    layer_of = {name: order.index(group) for group, names in groups.items() for name in names}
    parents: dict[str, list[str]] = {}
    for parent in sorted(children, key=lambda name: (layer_of[name], name)):
        parents.setdefault(" & ".join(sorted(children[parent])), []).append(parent)
    lines += [f"  {' & '.join(names)} --> {made}" for made, names in parents.items()]
    return "\n".join([*lines, "```", ""])


def _within(file: str, place: re.Pattern[str], made: str) -> str:
    text = (ROOT / file).read_text(encoding="utf-8")
    filled, count = place.subn(lambda _: made, text)
    if count != 1:
        raise LookupError(f"{file}: the place of what is generated is marked {count} times")
    return filled


#: What each file should hold.
FILES: Mapping[str, Callable[[], str]] = {
    "deploy/terraform/modules/bigquery/tables.json": terraform_tables,
    "drug_assets/document/graph.schema.json": graph_schema,
    "drug_assets/document/names.schema.json": names_schema,
    "docs/tables.md": tables,
    "docs/SPEC.md": lambda: _within("docs/SPEC.md", _TERMS, words()),
    "README.md": lambda: _within("README.md", _PICTURE, picture()),
    "benchmarks/RESULTS.md": results.document,
}


if __name__ == "__main__":
    for file, made in FILES.items():
        (ROOT / file).write_text(made(), encoding="utf-8")
