"""The only code that knows where bytes are stored: landing zone, files (local, GCS), BigQuery.

It knows formats and contracts, but nothing about cleaning, mentions or the graph.
"""
