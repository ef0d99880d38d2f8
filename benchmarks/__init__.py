"""Side by side with peers, on data made from a seed: `make bench` writes RESULTS.md.

Here stand the data, the measurements and their report. What is measured is the package's public
interface; nothing in the package knows of it.
"""
