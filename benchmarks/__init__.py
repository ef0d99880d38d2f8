"""Benchmarks beside other libraries, on data made from a seed: `make bench` writes RESULTS.md.

This folder holds the data generators, the measurements and their report. They measure the public
interface of the package; nothing in the package depends on them. `make bench BASE=COMMIT` compares
the working tree with a commit instead: README.md explains how to read the result.
"""
