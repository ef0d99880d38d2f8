"""Helpers for the wording of messages. The text of a message belongs to the code that writes it."""

from __future__ import annotations


def count_of(number: int, noun: str) -> str:
    """A number with its noun: `1 file`, `1,200 files`."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
