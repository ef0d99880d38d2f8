"""Google Cloud as a place: objects in a bucket, tables in a BigQuery dataset.

| module | holds |
| --- | --- |
| `client` | one client per service and process, time-outs, retries, and readable errors |
| `bucket` | a bucket as an `ObjectStore` |
| `dataset` | a store whose published tables are in BigQuery |
| `table_schema` | contracts as BigQuery table declarations; imports no Google library |

Except for `table_schema`, import these only for a `gs://` location or the BigQuery environment:
importing Google's libraries takes seconds.
"""
