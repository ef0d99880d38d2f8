"""The only code that knows where bytes lie: landing zone, files (local, GCS), BigQuery.

It knows formats and contracts, nothing of cleaning, mentions or the graph.
"""
