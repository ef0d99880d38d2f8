"""Who writes about our drugs, where, since when.

ARCHITECTURE.md, at the root of the repository, is the map of what stands here. Nothing is imported:
`drug-assets top-journal` answers before Polars or Dagster could load.
"""
