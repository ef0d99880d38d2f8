"""The records of MeSH that are drugs, by the trees of its hierarchy (SPEC 2, "drug").

A descriptor stands in trees by its own numbers (`D02.355.291`), a supplementary record by the
descriptors that it is mapped to. Lists without tree numbers are all kept.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from drug_assets.errors import DrugAssetsError
from drug_assets.terms import IdentifierScheme, RejectReason

if TYPE_CHECKING:
    import polars as pl

#: Chemicals and drugs but for enzymes and coenzymes (D08), proteins (D12) and the kinds of effects
#: (D23, and D27, which is not among those chosen): `docs/accuracy.md` has what others cost.
DEFAULT = "D02 D03 D04 -D08 -D12 -D23"
_LEAVES_OUT = "-"
#: A branch: a category, a tree, or a branch of a tree.
_BRANCH = re.compile(r"-?[A-Z](?:[0-9]{2}(?:\.[0-9]{3})*)?")


class MeshTreesError(DrugAssetsError):
    """A choice of trees that cannot be used; the message names the word and the remedy."""


@dataclass(frozen=True)
class MeshTrees:
    """A choice of branches of MeSH's hierarchy."""

    #: Branches whose records are drugs.
    chosen: frozenset[str]
    #: Branches whose records are none, also where they stand in a chosen one, too.
    left_out: frozenset[str] = frozenset()

    @classmethod
    def of(cls, text: str = DEFAULT) -> MeshTrees:
        """Parse a choice: branches with blanks between them, a `-` before those to leave out.

        Raises:
            MeshTreesError: a word is no branch, or none is chosen.
        """
        words = text.upper().split()
        for word in words:
            if not _BRANCH.fullmatch(word):
                raise MeshTreesError(
                    f"{word!r} is no tree of MeSH: write trees such as D02 or D03.633, with blanks "
                    "between them and a - before those to leave out"
                )
        left_out = frozenset(word[1:] for word in words if word.startswith(_LEAVES_OUT))
        chosen = frozenset(word for word in words if not word.startswith(_LEAVES_OUT))
        if not chosen:
            raise MeshTreesError(f"{text!r} chooses no tree of MeSH: write one, such as D02")
        return cls(chosen, left_out)

    @property
    def digest(self) -> str:
        """A text that is equal for choices of the same branches."""
        left_out = (f"{_LEAVES_OUT}{branch}" for branch in self.left_out)
        return " ".join(sorted([*self.chosen, *left_out]))

    def choose(self, tree_numbers: pl.Expr) -> pl.Expr:
        """Whether each list of tree numbers has one in a chosen branch, and none in one left out.

        Args:
            tree_numbers: a column of lists of texts.
        """
        import polars as pl  # here, as settings are read before Polars is needed

        stands_in = [
            tree_numbers.list.eval(pl.element().str.contains(_pattern(branches))).list.any()
            for branches in (self.chosen, self.left_out)
        ]
        return stands_in[0] & ~stands_in[1]


def _pattern(branches: frozenset[str]) -> str:
    """Matches the tree numbers in some branches; a category of one letter holds all its trees."""
    alternatives = (
        re.escape(branch) + ("" if len(branch) == 1 else r"(?:\.|$)") for branch in sorted(branches)
    )
    # Without a branch nothing matches: a tree number is not empty.
    return f"^(?:{'|'.join(alternatives) or '$'})"


def mark_out_of_trees(records: pl.LazyFrame, trees: MeshTrees) -> pl.LazyFrame:
    """Mark the records of MeSH that are no drugs: their reason is `out_of_trees`.

    A descriptor is one if its trees say so; a supplementary record if any descriptor that it is
    mapped to is one that landed. Rows with neither trees nor mapping are no records of MeSH.

    Args:
        records: rows of any source; those of drug lists are of `contracts.DrugRecords`.
        trees: the choice.

    Returns:
        The records, in their order. A row that had a reason keeps it.
    """
    import polars as pl

    if "tree_numbers" not in records.collect_schema():
        return records
    reason, descriptor = pl.col("reason"), pl.col("tree_numbers").list.len() > 0
    supplementary = ~descriptor & (pl.col("mapped_to").list.len() > 0)
    mesh = f"{IdentifierScheme.MESH}:"
    chosen = (
        records.filter(reason.is_null(), descriptor, trees.choose(pl.col("tree_numbers")))
        .select(pl.col("xrefs").explode().drop_nulls())
        .filter(pl.col("xrefs").str.starts_with(mesh))
        .select(pl.col("xrefs").str.strip_prefix(mesh).unique().sort())
        .collect()
        .to_series()
    )
    is_mapped = pl.col("mapped_to").list.eval(pl.element().is_in(chosen.implode())).list.any()
    out = pl.when(descriptor).then(~trees.choose(pl.col("tree_numbers"))).when(supplementary)
    return records.with_columns(
        reason=pl.when(reason.is_null(), out.then(~is_mapped).otherwise(pl.lit(value=False)))
        .then(pl.lit(RejectReason.OUT_OF_TREES))
        .otherwise(reason)
    )
