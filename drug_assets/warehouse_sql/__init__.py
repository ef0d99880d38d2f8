"""SQL for BigQuery: queries on the published tables, and the sales queries with their tables.

One statement per file, in `tables`, `functions`, `views` and `table_functions`; `deploy` runs them
all. The files are package data, so an installed package has them too. The pipeline's own tables do
not belong here: `storage.google` derives them from the contracts.
"""
