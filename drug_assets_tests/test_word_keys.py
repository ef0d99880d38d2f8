from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drug_assets import word_keys
from drug_assets.word_keys import ENDING, KeyFilter, Words

#: Words of all sizes around one and two times eight bytes, many of them nearly alike.
WORDS = st.text("abé", max_size=20)


def words_of(texts: list[str]) -> Words:
    return Words.of(("\n" + "\n".join(texts) + ENDING).encode())


def numbers(words: Words) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.arange(len(words))


def test_words_lie_between_line_breaks() -> None:
    words = words_of(["a", "", "bcd", ""])
    assert words.starts(numbers(words)).tolist() == [1, 3, 4, 8]
    assert words.sizes(numbers(words)).tolist() == [1, 0, 3, 0]


def test_a_place_behind_the_text_is_no_break() -> None:
    words = words_of(["a"])
    assert words.are_breaks(np.array([0, 1, 2, 10**6])).tolist() == [True, False, True, False]


@settings(max_examples=100, deadline=None)
@given(st.lists(WORDS, min_size=1, max_size=8))
def test_keys_are_equal_where_words_are(texts: list[str]) -> None:
    words = words_of(texts)
    keys = words.keys(numbers(words)).tolist()
    # The middle of a long word is not looked at.
    seen = [(text.encode()[:8], text.encode()[-8:], len(text.encode())) for text in texts]
    for n, m in np.ndindex(len(texts), len(texts)):
        assert (keys[n] == keys[m]) == (seen[n] == seen[m])


def test_the_next_word_is_that_behind_an_empty_one() -> None:
    words = words_of(["a", "b", "a", "", "b", "a", "", "", "b", "a"])
    first = np.array([0, 2, 5, 9])
    keys = words.add_next(words.keys(first), first).tolist()
    assert keys[0] == keys[1]
    assert keys[2] == keys[3]
    assert keys[0] != keys[2]


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(st.lists(WORDS, min_size=1, max_size=30), st.integers(1, 4), st.integers(1, 9))
def test_words_are_found_by_their_heads_however_they_are_divided(
    texts: list[str], together: int, together_bytes: int
) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(word_keys, "_TOGETHER", together)
        patched.setattr(word_keys, "_TOGETHER_BYTES", together_bytes)
        words = words_of(texts)
        of_first = KeyFilter.of(words.heads(np.array([0])))
        found = words.find(of_first).tolist()
    alike = [n for n, text in enumerate(texts) if text.encode()[:8] == texts[0].encode()[:8]]
    # A filter lets few others pass.
    assert set(alike) <= set(found)
    assert found == np.flatnonzero(of_first.may_have(words.heads(numbers(words)))).tolist()


@pytest.mark.parametrize("count", [0, 1, 1000, 50_000])
def test_what_a_filter_is_made_of_passes_and_little_else(count: int) -> None:
    keys = np.arange(count, dtype=np.uint64) * np.uint64(977)
    others = np.arange(10**5, dtype=np.uint64) * np.uint64(977) + np.uint64(1)
    made = KeyFilter.of(keys)
    assert made.may_have(keys).all()
    assert made.may_have(others).mean() < 0.05
