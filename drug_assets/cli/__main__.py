"""`python -m drug_assets.cli`: the same as `drug-assets`."""

from drug_assets.cli import main

if __name__ == "__main__":
    main()
