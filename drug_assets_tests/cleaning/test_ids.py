"""Ids in the forms in which files give them: one form each, or none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drug_assets.cleaning.ids import read_any_id, read_pubmed_id, read_trial_id

if TYPE_CHECKING:
    from collections.abc import Callable

READERS = [read_pubmed_id, read_trial_id, read_any_id]


def read(reader: Callable[[pl.Expr], pl.Expr], *texts: str | None) -> list[str | None]:
    frame = pl.DataFrame({"t": texts}, schema={"t": pl.String})
    return frame.select(reader(pl.col("t")))["t"].to_list()


@pytest.mark.parametrize(
    "text",
    [
        *("1234567", "1234567.0", "1234567.00", "01234567", "１２３４５６７", "pmid1234567"),
        *("PMID:1234567", "PMID: 1234567", "pmid 1234567", "PMID#1234567", "PubMed ID: 1234567."),
        *("https://pubmed.ncbi.nlm.nih.gov/1234567/", "pubmed.ncbi.nlm.nih.gov/1234567"),
        *("https://www.ncbi.nlm.nih.gov/pubmed/1234567", "info:pmid/1234567", "MED/1234567"),
        *("http://www.ncbi.nlm.nih.gov/pubmed/?term=1234567", "pubmed:1234567"),
        *("https://europepmc.org/article/MED/1234567", "https://identifiers.org/pubmed:1234567"),
        *("pmid=1234567", "urn:pmid:1234567", "https://pubmed.ncbi.nlm.nih.gov/1234567/?from=x"),
        *("https://europepmc.org/abstract/med/1234567", "PubMed PMID: 1234567"),
    ],
)
def test_a_pubmed_id_is_its_digits(text: str) -> None:
    assert read(read_pubmed_id, text) == ["1234567"]


@pytest.mark.parametrize(
    "text",
    [
        *("0", "000", "0.0", "9.00E+07", "9E7", "9.00007e+07", "123456789", "-12", "12.5", "1 2"),
        *(
            "PMC1234567",
            "article 1234567",
            "abstract1234567",
            "https://www.ncbi.nlm.nih.gov/pmc/articles/1234567/",
            "https://www.ncbi.nlm.nih.gov/books/1234567/",
            "https://europepmc.org/article/PMC/1234567",
            "10.1000/182",
            "NCT01234567",
            "12;13",
            "90,000,701",
            "x12",
            "PMID",
            "１.５",
        ),
    ],
)
def test_what_is_no_pubmed_id(text: str) -> None:
    assert read(read_pubmed_id, text) == [None]


@pytest.mark.parametrize(
    ("trial", "spellings"),
    [
        (
            "NCT01234567",
            [
                *(
                    "nct01234567",
                    "NCT 01234567",
                    "NCT-01234567",
                    "NCT: 01234567",
                    "NCT\u201001234567",
                ),
                *("ClinicalTrials.gov: NCT01234567", "ClinicalTrials.gov Identifier: nct01234567"),
                "https://clinicaltrials.gov/study/NCT01234567",
                "clinicaltrials.gov/study/NCT01234567",
                "https://clinicaltrials.gov/ct2/show/NCT01234567?term=x&rank=1",
                "https://clinicaltrials.gov/study/NCT01234567/#outcomes",
                "ClinicalTrials.gov NCT01234567",
                "ClinicalTrials.gov Identifier nct01234567",
                "https://clinicaltrials.gov/ct2/show/NCT01234567/",
            ],
        ),
        ("ISRCTN12345678", ["isrctn 12345678", "https://www.isrctn.com/ISRCTN12345678"]),
        (
            "2004-000446-20",
            ["EudraCT 2004-000446-20", "EudraCT Number: 2004-000446-20", "EUCTR2004-000446-20"],
        ),
        ("2004-000446-20-GB", ["EUCTR2004-000446-20-GB", "euctr2004‐000446‐20‐gb"]),
        ("2022-500123-12-00", ["CTIS2022-500123-12-00", "EU CT 2022-500123-12-00"]),
        ("CHICTR2000029308", ["ChiCTR2000029308", "ChiCTR 2000029308"]),
        ("CHICTR-IPR-16008455", ["ChiCTR-IPR-16008455", "ChiCTRIPR16008455"]),
        ("UMIN000012345", ["JPRN-UMIN000012345", "umin 000012345", "UMIN-CTR000012345"]),
        ("JRCTS031180001", ["jRCTs031180001", "JPRN-jRCTs031180001"]),
        ("JRCT2031200123", ["jRCT2031200123"]),
        ("JAPICCTI-123456", ["JapicCTI-123456", "JPRN-JapicCTI-123456"]),
        ("JMA-IIA00123", ["JPRN-JMA-IIA00123"]),
        ("CTRI/2020/01/022817", ["ctri/2020/01/022817", "CTRI-2020-01-022817", "CTRI202001022817"]),
        ("DRKS00012345", ["drks 00012345"]),
        ("ACTRN12605000123456", ["actrn 12605000123456"]),
        ("NTR1234", ["NTR 1234"]),
        ("NL7654", ["nl7654"]),
        ("NL-OMON12345", ["NLOMON12345"]),
        ("PACTR202001234567890", ["pactr202001234567890"]),
        ("IRCT20080825001083N1", ["irct20080825001083n1"]),
        ("KCT0001234", ["kct0001234"]),
        ("SLCTR/2010/001", ["SLCTR-2010-001"]),
        ("TCTR20200101001", ["tctr20200101001"]),
        ("RBR-6ABCDE", ["RBR-6abcde", "rbr6abcde"]),
        ("RPCEC00000123", ["rpcec00000123"]),
        ("PER-001-20", ["per 001 20"]),
        ("LBCTR2019070214", ["lbctr2019070214"]),
    ],
)
def test_a_trial_has_the_form_of_its_registry(trial: str, spellings: list[str]) -> None:
    assert read(read_trial_id, trial, *spellings) == [trial] * (1 + len(spellings))


@pytest.mark.parametrize(
    "text",
    ["OWN-2020-1", "x1", "Étude7", "12E5", "SAMPLE/3", "NCT0123456", "12", "NL-1.2", "KCT-1"],
)
def test_a_trial_may_have_an_id_of_the_teams_own(text: str) -> None:
    assert read(read_trial_id, text) == [text]


@pytest.mark.parametrize(
    "text", ["9E+07", "9.00e7", "0", "pending", "two words 1", "NCT01234567 NCT7"]
)
def test_what_is_no_trial_id(text: str) -> None:
    assert read(read_trial_id, text) == [None]


@pytest.mark.parametrize(
    ("text", "own"),
    [("9", "9"), ("9.0", "9"), ("10.00", "10"), ("DB00001", "DB00001"), ("a b", "a b"), ("é", "é")],
)
def test_any_text_may_be_the_id_of_a_drug(text: str, own: str) -> None:
    assert read(read_any_id, text) == [own]


@pytest.mark.parametrize("text", ["0", "0.0", "000", "9.00E+07", "1e-5", "+", "#"])
def test_what_is_no_id_of_anything(text: str) -> None:
    assert [read(reader, text) for reader in READERS] == [[None]] * 3


@pytest.mark.parametrize("reader", READERS)
def test_null_stays_null(reader: Callable[[pl.Expr], pl.Expr]) -> None:
    assert read(reader, None) == [None]


@pytest.mark.slow
@pytest.mark.parametrize("reader", READERS)
@given(
    text=st.from_regex(r"[A-Za-z:/ -]{0,8}[0-9]{1,12}[-/.NE+]{0,2}[0-9A-Za-z]{0,3}", fullmatch=True)
)
def test_reading_an_id_again_changes_nothing(
    reader: Callable[[pl.Expr], pl.Expr], text: str
) -> None:
    (once,) = read(reader, text)
    assert read(reader, once) == [once]


@pytest.mark.slow
@given(st.integers(min_value=1, max_value=99_999_999), st.integers(min_value=0, max_value=3))
@settings(max_examples=25)
def test_a_number_is_the_same_pubmed_id_however_it_is_written(number: int, zeros: int) -> None:
    written = [f"{number}", f"{number}.0", f"PMID: {number}", f"pmid:{'0' * zeros}{number}"]
    assert read(read_pubmed_id, *written) == [str(number)] * 4
