"""`python -m drug_assets_tests.fuzz --seconds 600`: hunt, and tell what was found."""

from __future__ import annotations

import argparse
import sys

from drug_assets_tests.fuzz.hunt import hunt

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=600)
    tried, failed = hunt(parser.parse_args().seconds)
    found = (f"{path}: {why}" for path, why in failed.items())
    print(f"{tried:,} inputs, {len(failed)} failures", *found, sep="\n")  # noqa: T201
    sys.exit(bool(failed))
