"""Who writes about our drugs, where, since when.

ARCHITECTURE.md, at the root of the repository, is the map of what stands here. Nothing is imported:
`drug-assets top-journal` answers before Polars or Dagster could load.
"""

import os

# Until it has read one side of a join, or so many rows of both, Polars holds both in memory: by
# default ten million, so most tables whole. A person's own choice stands.
os.environ.setdefault("POLARS_JOIN_SAMPLE_LIMIT", "100000")
