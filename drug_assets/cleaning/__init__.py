"""Raw rows -> clean tables: text, dates, journals, duplicates, drugs (SPEC 2).

Functions from frames to frames. No module here knows a file, a store or an orchestrator.
"""
