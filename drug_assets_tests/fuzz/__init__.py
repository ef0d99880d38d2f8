"""Inputs of no mercy for the readers, and for the whole path behind them.

`seeds` makes small files of every format, `mutations` damages them, `targets` says what must hold
of any bytes at all, `hunt` looks for bytes of which it does not, and makes them small. What it
finds is kept in the folder `failures`, which a test replays. `python -m drug_assets_tests.fuzz`
(`make fuzz`) hunts for as long as one likes, on all cores.
"""
