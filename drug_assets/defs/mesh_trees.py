"""The trees of MeSH whose records are drugs, as a resource."""

import dagster as dg

from drug_assets.cleaning.mesh_trees import DEFAULT, MeshTrees


class ChosenTrees(dg.ConfigurableResource[MeshTrees]):
    """The choice of trees: the user's, or the project's own."""

    trees: str = DEFAULT

    def read(self) -> MeshTrees:
        """Parse the choice; see `MeshTrees.of`."""
        return MeshTrees.of(self.trees)
