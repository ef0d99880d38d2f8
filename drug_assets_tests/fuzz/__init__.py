"""Damaged files for the readers, and for the whole path behind them.

`seeds` makes small files of every format, `mutations` damages them, `targets` checks what must hold
of any bytes, and `hunt` looks for files that fail a check and makes them smaller. It keeps them in
the folder `failures`, and a test reads these again. `python -m drug_assets_tests.fuzz`
(`make fuzz`) hunts for a given time, on all cores.
"""
