from __future__ import annotations

import re
import subprocess
import sys
import unicodedata

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from drug_assets.cleaning.corrections import (
    is_retracted,
    split_corrections,
    split_publication_types,
)
from drug_assets.cleaning.identifiers import read_references, read_xrefs
from drug_assets.cleaning.text import (
    blank_raised,
    clean_field,
    clean_string,
    clean_text,
    fold_string,
    fold_text,
    split_values,
)
from drug_assets.terms import MISSING_WORDS, IdentifierScheme, is_missing

# Surrogates are no characters: neither UTF-8 nor Polars can hold them.
CHARACTERS = [
    character
    for character in map(chr, range(sys.maxunicode + 1))
    if unicodedata.category(character) not in {"Cs", "Cn", "Co"}
]
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
#: Texts with many characters that cleaning changes.
UNTIDY_TEXTS = st.lists(
    st.sampled_from(
        [*"aéI\u0301\u0327 \t\n\u00a0\u2003\u200b\ufeff\x00\x85\x1f&;\\x", r"\xc3", r"\xb1", "&lt;"]
    ),
    max_size=12,
).map("".join)


def clean(*texts: str | None) -> list[str | None]:
    return (
        pl.DataFrame({"t": texts}, schema={"t": pl.String})
        .select(clean_text(pl.col("t")))["t"]
        .to_list()
    )


def fold(*texts: str | None) -> list[str | None]:
    return (
        pl.DataFrame({"t": texts}, schema={"t": pl.String})
        .select(fold_text(pl.col("t")))["t"]
        .to_list()
    )


def fields(*texts: str | None) -> list[str | None]:
    return (
        pl.DataFrame({"t": texts}, schema={"t": pl.String})
        .select(clean_field(pl.col("t")))["t"]
        .to_list()
    )


class TestCleaned:
    @pytest.mark.parametrize(
        ("written", "kept"),
        [
            (r"Ni\xc3\xb1o", "Niño"),
            (r"Ni\xC3\xB1o", "Niño"),
            (r"\x41\x42\x43", "ABC"),
            (r"Nursing\xc3\x28", "Nursing"),
            (r"a\xc3\xb1\xc3b", "ab"),
            (r"\xc3\xb1 and \xc3\xb1\xc3\xa9", "ñ and ñé"),
            (r"a \x4 b \xzz", r"a \x4 b \xzz"),
            (r"C:\x", r"C:\x"),
            (r"\x4g \xg4 \X41 x41 \41", r"\x4g \xg4 \X41 x41 \41"),
            (r"\x411", "A1"),
            (r"\x2b\x2B\x39", "++9"),
            (r"\x30\x4A\x4a\x4F\x4f", "0JJOO"),
            (r"\xC3\xA9\xC3\xAF\xc3\xa9\xc3\xaf", "éïéï"),
            (r"\xf0\x9f\x98\x80", "😀"),
            (r"\xed\xa0\x80", None),
        ],
    )
    def test_escapes_become_what_their_bytes_spell(self, written: str, kept: str) -> None:
        assert clean(written) == [kept]

    @pytest.mark.parametrize(
        ("written", "kept"),
        [
            ("&lt;i&gt;E. coli&lt;/i&gt;", "E. coli"),
            ("caf&eacute; &#233; &#xE9; &#Xe9;", "café é é é"),
            ("a&nbsp;&nbsp;b", "a b"),
            ("soft&shy;ened", "softened"),
            ("AT&T; R&D", "AT&T; R&D"),
            ("Health&notes", "Health&notes"),
            ("&notaname;", "&notaname;"),
            ("&#55296;", "\ufffd"),
            ("&#00000233;&#x00000e9;&sup2;&frac12;", "éé²½"),
            ("&#000000233; &#x000000e9;", "&#000000233; &#x000000e9;"),
            ("&#; &#x; &#xg; &#2a; &; &2sup;", "&#; &#x; &#xg; &#2a; &; &2sup;"),
            ("&amp &eacute &#233 b", "&amp &eacute &#233 b"),
            ("&Eacute;&EACUTE;", "É&EACUTE;"),
            ("a&#9;b&#x9;c&#65;&#X4A;", "a b cAJ"),
            ("&#xA9;&#xa9;&#xAF;&#xaf;&#x30;", "©©¯¯0"),
            ("&Aacute;&aacute;&Zeta;&zeta;&rAarr;&fZig;", "ÁáΖζ⇛&fZig;"),
            ("&there4;&blk14;&frac78;", "∴░⅞"),
        ],
    )
    def test_references_are_decoded(self, written: str, kept: str) -> None:
        assert clean(written) == [kept]

    def test_decoding_happens_once(self) -> None:
        assert clean("&amp;lt;", r"\x5cx41") == ["&lt;", r"\x41"]

    def test_escapes_are_decoded_before_references(self) -> None:
        assert clean(r"\x26lt;") == ["<"]

    def test_text_is_composed(self) -> None:
        assert clean("e\u0301", "\u212b") == ["é", "Å"]

    def test_invisible_characters_do_not_keep_a_letter_from_its_accent(self) -> None:
        assert clean("e\u200b\u0301") == ["é"]

    def test_control_and_invisible_characters_are_removed(self) -> None:
        assert clean("\ufeffa\x00b\x1fc\u00add\u200be\u202af\x7f") == ["abcdef"]

    @pytest.mark.parametrize(
        ("first", "last"),
        [
            ("\x00", "\x08"),
            ("\x0e", "\x1f"),
            ("\x7f", "\x84"),
            ("\x86", "\x9f"),
            ("\xad", "\xad"),
            ("\u034f", "\u034f"),
            ("\u061c", "\u061c"),
            ("\u180e", "\u180e"),
            ("\u200b", "\u200b"),
            ("\u200e", "\u200f"),
            ("\u202a", "\u202e"),
            ("\u2060", "\u2064"),
            ("\u2066", "\u206f"),
            ("\ufe00", "\ufe0f"),
            ("\ufeff", "\ufeff"),
            ("\ufff9", "\ufffb"),
        ],
    )
    def test_every_invisible_character_is_removed_and_its_neighbours_are_not(
        self, first: str, last: str
    ) -> None:
        invisible = [chr(code) for code in range(ord(first), ord(last) + 1)]
        assert clean(*(f"a{character}b" for character in invisible)) == ["ab"] * len(invisible)
        for neighbour in (chr(max(ord(first) - 1, 9)), chr(ord(last) + 1)):
            # In Arabic script a joiner stays, too.
            kept = " " if neighbour.isspace() else neighbour
            assert clean(f"\u0645{neighbour}\u0646") == [f"\u0645{kept}\u0646"]

    def test_joiners_that_spell_words_stay(self) -> None:
        assert clean("می\u200cخواهم") == ["می\u200cخواهم"]
        assert clean("क्\u200dष", "👩\u200d🔬") == ["क्\u200dष", "👩\u200d🔬"]

    def test_joiners_that_change_nothing_are_removed(self) -> None:
        assert clean("asp\u200cirin", "aspirin\u200d x", "\u200dб\u200cβ 1\u200d-") == [
            *("aspirin", "aspirin x", "бβ 1-")
        ]

    @pytest.mark.parametrize(
        ("written", "kept"),
        [
            ("<i>N</i>-beta", "N-beta"),
            ("D<sub>3</sub> D<SUB>3</SUB >", "D3 D3"),
            ("D&lt;sub&gt;3&lt;/sub&gt;", "D3"),
            ("D&amp;lt;sub&amp;gt;3&amp;lt;/sub&amp;gt;", "D3"),
            ("D<inf>3</inf> <math><msub><mi>x</mi><mn>2</mn></msub></math>", "D3 x2"),
            ("<jats:italic>be</jats:italic>ta <mml:mi>x</mml:mi>", "beta x"),
            ("<span class=\"a b\" id='c'>beta</span>", "beta"),
            ("&lt;span class=&quot;a b&quot;&gt;beta&lt;/span&gt;", "beta"),
            ("&amp;lt;span class=&amp;quot;a b&amp;quot;&amp;gt;beta", "beta"),
            ("one<br/>two<p>three</p><h4>four</h4>", "one two three four"),
            ("<b>be</b>ta <sup>1</sup>", "beta 1"),
        ],
    )
    def test_tags_of_the_closed_list_are_flattened(self, written: str, kept: str) -> None:
        assert clean(written) == [kept]

    @pytest.mark.parametrize(
        "text",
        ["p<0.05 and x>3", "keep <all>", "a <b and c> d", "i<u", "<bold", "<sub 3>", "</x>", "<>"],
    )
    def test_what_is_no_tag_stays(self, text: str) -> None:
        assert clean(text) == [text]

    def test_ligatures_and_roman_numerals_are_spelt_out(self) -> None:
        assert clean("ﬂuoxetine aﬃx ﬆ", "type Ⅱ, ⅻ") == ["fluoxetine affix st", "type II, xii"]

    def test_any_white_space_is_one_blank(self) -> None:
        assert clean(" a\t\r\nb\u00a0\u2003c\u3000d\x85e ") == ["a b c d e"]
        assert clean("a  b", " a", "a ", "a\tb", "a\x0bb", "a\x0cb\u2028") == [
            *("a b", "a", "a", "a b", "a b", "a b")
        ]

    def test_a_blank_is_null(self) -> None:
        assert clean("", "  ", "\t\u00a0", "\u200b", r"\xff", None) == [None] * 6

    def test_tidy_text_stays(self) -> None:
        assert clean("Tetracycline, 5 mg (b.i.d.)") == ["Tetracycline, 5 mg (b.i.d.)"]

    def test_rows_do_not_influence_each_other(self) -> None:
        texts = [r"\xc3\xb1", r"\xc3", "&lt;", "x", None, r"\xc3\xb1\xc3", " y"]
        assert clean(*texts) == [clean(text)[0] for text in texts]

    def test_the_streaming_engine_gives_the_same(self) -> None:
        frame = pl.LazyFrame({"t": [r"\xc3\xb1 &lt;", " a", "b", None] * 100})
        query = frame.select(clean_text(pl.col("t")))
        assert query.collect(engine="streaming").equals(query.collect(engine="in-memory"))

    @pytest.mark.slow
    @given(UNTIDY_TEXTS | TEXTS)
    @example(r"\x\xc3\x2841")
    def test_cleaning_again_changes_nothing_unless_there_is_more_to_decode(self, text: str) -> None:
        (once,) = clean(text)
        if once is not None and not re.search(r"\\x[0-9A-Fa-f]{2}|&\S+;|<", once):
            assert clean(once) == [once]

    @pytest.mark.slow
    @given(UNTIDY_TEXTS | TEXTS)
    def test_what_is_kept_is_composed_and_spaced_by_single_blanks(self, text: str) -> None:
        kept = clean(text)[0] or "x"
        assert unicodedata.is_normalized("NFC", kept)
        assert kept == " ".join(re.split(r"\s+", kept)).strip()
        assert not any(unicodedata.category(character) == "Cc" for character in kept)


class TestFields:
    @pytest.mark.parametrize("word", sorted(MISSING_WORDS))
    def test_a_word_for_missing_is_missing_in_any_case(self, word: str) -> None:
        written = [word, word.upper(), word.title(), f" {word}\t", f"[{word}].", f'"{word}"']
        assert fields(*written) == [None] * len(written)
        assert all(map(is_missing, written))

    @pytest.mark.parametrize("text", [None, "", " ", "\u00a0", "[]", "()", "...", "<NA>", "(null)"])
    def test_blanks_and_brackets_hold_nothing(self, text: str | None) -> None:
        assert fields(text) == [None]
        assert is_missing(text)

    @pytest.mark.parametrize(
        "text", ["&lt;NA&gt;", "N\u200bA", "\u2014", "\u2013 ", "n\u00e0", "&nbsp;NULL&nbsp;"]
    )
    def test_how_a_word_is_written_makes_no_difference(self, text: str) -> None:
        assert fields(text) == [None]

    @pytest.mark.parametrize(
        "text",
        [
            *("#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#NULL!", "#SPILL!", "#CALC!"),
            *("#N/A", "#N/D", "#I/T", "#Н/Д", "#N/D!"),
            *("#WERT!", "#BEZUG!", "#ZAHL!", "#ÜBERLAUF!", "#VALEUR!", "#NOM?", "#NOMBRE!"),
            *("#¡VALOR!", "#¿NOMBRE?", "#¡DIV/0!", "#ЗНАЧ!", "#ИМЯ?", "#ДЕЛ/0!", "#SAYI/0!"),
            *("#GEEN_OVERLOOP!", "#DESBORDAMIENTO!"),
        ],
    )
    def test_an_error_of_a_spreadsheet_in_any_language_is_missing(self, text: str) -> None:
        written = [text, f" {text}\t", f'"{text}"', f"[{text}]"]
        assert fields(*written) == [None] * len(written)
        assert all(map(is_missing, written))

    @pytest.mark.parametrize(
        "text",
        [
            *("#MeToo?", "#MeToo!", "#COVID", "#1 in 10!", "#1!", "#!", "# DIV/0!", "DIV/0!"),
            *("#STOP TB!", "#STOP-TB!", "Why #REF!", "#REF! in tables", "#REF!!", "#a/b", "#N/AB"),
            *("N/D", "#12/3", "1/10/1900", "10/1/1900"),
        ],
    )
    def test_what_only_resembles_such_an_error_is_kept(self, text: str) -> None:
        assert fields(text) == [text]
        assert not is_missing(text)

    @pytest.mark.slow
    @given(st.text(st.sampled_from("#AbÄ¡?!/0_1 .ǅª中"), max_size=6))
    def test_readers_and_cleaning_know_the_same_missing_words(self, text: str) -> None:
        assert (fields(text) == [None]) == is_missing(text)

    @pytest.mark.parametrize(
        "text",
        ["NA+ channels", "Nana", "0", "!", "Nil by mouth", "Not available yet", "none of us"],
    )
    def test_what_only_begins_with_such_a_word_is_kept(self, text: str) -> None:
        assert fields(text) == [text]
        assert not is_missing(text)

    def test_values_of_a_list_are_cleaned_one_by_one(self) -> None:
        values = pl.DataFrame({"t": [" a |NA|b&amp;c||null", "NaN", None]})
        assert values.select(split_values("t"))["t"].to_list() == [["a", "b&c"], [], []]


class TestRaised:
    def test_every_raised_letter_and_digit_becomes_a_sign_as_long_as_its_fold(self) -> None:
        raised = [
            c
            for c in CHARACTERS
            if unicodedata.decomposition(c).startswith("<super>") and fold_string(c).isalnum()
        ]
        assert {"²", "ᵃ"} <= {*raised}
        signs = pl.select(blank_raised(pl.lit(pl.Series(raised)))).to_series()
        assert fold(*signs) == signs.to_list()
        for character, sign in zip(raised, signs, strict=True):
            assert (len(sign), sign.isalnum()) == (1, False)
            assert len(sign.encode()) == len(fold_string(character).encode())

    def test_other_characters_stay(self) -> None:
        text = "B₁₂, a1 é™ ½"
        assert pl.select(blank_raised(pl.lit(text))).item() == text


class TestFolded:
    @pytest.mark.parametrize(
        ("text", "fold_of_it"),
        [
            ("ÉTHANOL", "ethanol"),
            ("Ångström \u212b", "angstrom a"),
            ("İstanbul", "istanbul"),
            ("Straße STRAẞE", "straße straße"),
            ("ΟΔΟΣ ὀδός", "οδοσ οδοσ"),
            ("µg μg", "μg μg"),
            ("Ấ", "a"),
            ("\u212a", "k"),
            ("ﬁ Ø ł", "ﬁ ø ł"),
            ("‐‑‒–—―−﹘﹣－⁻⸺⸻⁃˗", "---------------"),
            ("’‘ʼ´`′＇ʹ‵", "'" * 9),
            ("“”„″＂", '"' * 5),
            ("ＡＢ１ B₁₂ m² ¹⁷⁷Lu 𝐚𝛃𝟗", "ab1 b12 m2 177lu aβ9"),
            ("Ⓡ ㊊ ™ ½", "ⓡ ㊊ ™ ½"),
            ("ЁЛКА", "елка"),
            ("≠ 한 が ग़", "≠ 한 が ग़"),
            ("x\u0302", "x\u0302"),
            ("", ""),
        ],
    )
    def test_case_and_accents_do_not_count(self, text: str, fold_of_it: str) -> None:
        assert fold(text) == [fold_of_it]
        assert fold_string(text) == fold_of_it

    def test_null_stays_null(self) -> None:
        assert fold(None, "É") == [None, "e"]

    @pytest.mark.slow
    def test_every_character_folds_to_one_that_folds_to_itself(self) -> None:
        folds = fold(*CHARACTERS)
        assert [c for c, f in zip(CHARACTERS, folds, strict=True) if f is None or len(f) != 1] == []
        assert fold(*folds) == folds

    @pytest.mark.slow
    def test_every_character_folds_alike_in_python(self) -> None:
        assert fold(*CHARACTERS) == [fold_string(character) for character in CHARACTERS]

    @pytest.mark.slow
    def test_letters_and_digits_fold_to_letters_and_digits_and_nothing_else_does(self) -> None:
        changed = [(c, f) for c, f in zip(CHARACTERS, fold(*CHARACTERS), strict=True) if f != c]
        assert changed
        # Unicode calls some apostrophes and primes letters.
        assert {f for c, f in changed if f is None or c.isalnum() != f.isalnum()} <= {"'", '"'}

    def test_upper_and_lower_case_fold_alike_where_each_is_one_letter(self) -> None:
        pairs = [
            (letter, cased)
            for letter in CHARACTERS
            for cased in (letter.upper(), letter.lower())
            # Turkish dotless ı and i are different letters, though the capital of both is I.
            if len(cased) == 1 and cased != letter and letter.isalpha() and letter != "ı"
        ]
        assert [(a, b) for a, b in pairs if fold_string(a) != fold_string(b)] == []

    @pytest.mark.slow
    @given(TEXTS)
    def test_texts_fold_character_by_character(self, text: str) -> None:
        assert fold(text) == [fold_string(text)] == ["".join(map(fold_string, text))]

    @pytest.mark.slow
    @given(TEXTS)
    def test_folding_again_changes_nothing(self, text: str) -> None:
        assert fold_string(fold_string(text)) == fold_string(text)


@given(st.text("ab é\u0301\u00a0\t\u00ad\u200b\u2060\ufe0f\u034fﬁⅡ‐®."))
def test_a_string_is_cleaned_like_a_column(text: str) -> None:
    assert [clean_string(text) or None] == clean(text)


@pytest.mark.parametrize(
    "made",
    [
        clean_field(pl.col("given")),
        split_values("given"),
        split_publication_types(pl.col("given")),
        split_corrections(pl.col("given")),
        is_retracted(pl.col("given"), pl.col("other")),
        is_retracted(pl.col("other"), pl.col("given")),
        read_references("given"),
        read_xrefs(dict.fromkeys(IdentifierScheme, "given"), "given"),
    ],
)
def test_nulls_alone_are_read_like_nulls_beside_texts(made: pl.Expr) -> None:
    rows = pl.DataFrame({"given": [None, "CAS:50-78-2", None], "other": None}).cast(pl.String)
    nulls = pl.col("given").is_null()
    beside_texts = rows.with_columns(made=made).filter(nulls)
    assert rows.filter(nulls).with_columns(made=made).equals(beside_texts)


@pytest.mark.processes
def test_folding_a_string_needs_no_polars() -> None:
    code = (
        "import sys; from drug_assets.cleaning.text import fold_string;"
        "print(fold_string('É'), 'polars' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert run.stdout.decode("utf-8").split() == ["e", "False"]
