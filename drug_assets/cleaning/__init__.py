"""Raw rows to clean tables: text, dates, journals, duplicates, drugs (SPEC section 2).

Functions from frames to frames. Nothing here knows a file, a store or an orchestrator.
"""
