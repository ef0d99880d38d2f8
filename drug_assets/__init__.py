"""Who writes about our drugs, where, since when.

The folders tell the story of the data, top to bottom: a landing zone (`storage`) is read into raw
rows (`formats`), cleaned (`cleaning`), searched for drugs (`mentions`), joined into a graph
(`graph`) and asked (`questions`). `contracts` declares every table; `defs` tells Dagster about it.

Nothing is imported here: `drug-assets top-journal` answers before Polars or Dagster could load.
"""

#: Raised when cleaning, matching or the graph give other results for the same input.
CODE_VERSION = "2"
