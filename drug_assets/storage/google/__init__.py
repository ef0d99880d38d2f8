"""Google Cloud as a place: objects in a bucket, tables in a BigQuery dataset.

| module | holds |
| --- | --- |
| `client` | one client per service and process, time-outs, retries, and readable errors |
| `bucket` | a bucket as an `ObjectStore` |
| `warehouse` | a dataset as what `storage.commit` publishes releases to |
| `dataset` | the published tables in BigQuery: a release made current, rows read back |
| `publication` | what makes a release current: one transaction, the table `releases` |
| `layout` | columns, partitions and clustering of existing tables, changed without losing rows |
| `tables` | tables created, described and removed, with readable errors |
| `jobs` | load, copy and query jobs, run to their end |
| `table_schema` | contracts as BigQuery table declarations; imports no Google library |

Except for `table_schema`, import these only for a `gs://` location or the BigQuery environment:
importing Google's libraries takes seconds.
"""
