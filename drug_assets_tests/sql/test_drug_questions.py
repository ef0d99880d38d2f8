"""The questions of SPEC 6 in SQL: each answer is that of `questions` on the same data."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest
from google.api_core.exceptions import BadRequest

from drug_assets.document import questions
from drug_assets_tests.support.publishing import Publishing

if TYPE_CHECKING:
    from drug_assets_tests.support.dataset import Dataset

Answer = list[tuple[str, list[str]]]
COUNTS = ("mentions", "retracted_mentions", "unknown_mentions")
READINGS = {"with trials": False, "without trials": True}

each_reading = pytest.mark.parametrize("exclude", READINGS.values(), ids=READINGS)


def in_sql(dataset: Dataset, drug: str | None, exclude: bool | None) -> Answer:
    rows = dataset.rows(
        "SELECT * FROM {drugs_in_same_journals}(@drug_name, @exclude, NULL, NULL) "
        "ORDER BY ARRAY_LENGTH(journals) DESC, {folded_name}(drug), drug_id",
        drug_name=drug,
        exclude=exclude,
    )
    return [(row["drug"], row["journals"]) for row in rows]


def in_python(publishing: Publishing, drug: str, exclude: bool) -> Answer:
    answer = questions.related_drugs(publishing.document, drug, exclude_trial_journals=exclude)
    return [(related.drug, related.journals) for related in answer.related]


def trials_of(answer: questions.TopJournal | questions.RelatedDrug) -> list[str]:
    """The trials by whose results an answer counts anything."""
    return sorted({trial for trials in (answer.via or {}).values() for trial in trials})


def tops_in_sql(dataset: Dataset) -> list[tuple[str, int, list[str]]]:
    rows = dataset.rows("SELECT * FROM {top_journal_view} ORDER BY journal")
    return [(row["journal"], row["drug_count"], row["drugs"]) for row in rows]


@pytest.fixture(scope="module")
def deployed(dataset: Dataset) -> Dataset:
    dataset.deploy()
    return dataset


def small() -> Publishing:
    """Lancet links aspirin to ibuprofen; Pain, which has a trial of aspirin, to codeine."""
    publishing = Publishing()
    aspirin = publishing.drug("ASPIRIN", "Acétylsalicylic  acid", drug_id="DB00945")
    ibuprofen = publishing.drug("IBUPROFEN")
    codeine = publishing.drug("CODEINE")
    trialled = publishing.drug("NALOXONE")
    publishing.drug("UNMENTIONED")
    publishing.mention(aspirin, "Lancet")
    publishing.mention(aspirin, "Lancet")
    publishing.mention(ibuprofen, "Lancet")
    publishing.mention(trialled, "Lancet", "clinical_trials")
    publishing.mention(aspirin, "Pain")
    publishing.mention(aspirin, "Pain", "clinical_trials")
    publishing.mention(codeine, "Pain")
    publishing.mention(aspirin, "Registry", "clinical_trials")
    publishing.mention(trialled, "Registry")
    publishing.mention(aspirin, None)
    publishing.mention(codeine, None)
    return publishing


@pytest.fixture
def loaded(deployed: Dataset) -> Dataset:
    small().load(deployed)
    return deployed


def test_journals_with_pubmed_mentions_of_both_link_drugs(loaded: Dataset) -> None:
    linked = [("CODEINE", ["Pain"]), ("IBUPROFEN", ["Lancet"])]
    assert in_sql(loaded, "ASPIRIN", exclude=False) == linked


def test_journals_with_trials_of_the_drug_asked_for_can_be_left_out(loaded: Dataset) -> None:
    assert in_sql(loaded, "ASPIRIN", exclude=True) == [("IBUPROFEN", ["Lancet"])]
    # Pain has a trial of aspirin, but codeine is the drug asked for.
    assert in_sql(loaded, "CODEINE", exclude=True) == [("ASPIRIN", ["Pain"])]


def test_no_journal_is_left_out_unless_it_is_asked_for(loaded: Dataset) -> None:
    with_trials = in_sql(loaded, "ASPIRIN", exclude=False)
    assert in_sql(loaded, "ASPIRIN", exclude=None) == with_trials
    # As in a query that does not need the argument.
    query = "SELECT * FROM {drugs_in_same_journals}('aspirin', NULL, NULL, NULL) ORDER BY drug"
    assert [(row["drug"], row["journals"]) for row in loaded.rows(query)] == with_trials


@each_reading
@pytest.mark.parametrize(
    "name",
    [
        *("aspirin", " Aspirin ", "ACÉTYLSALICYLIC ACID", "acetylsalicylic\tacid"),
        *(
            "ＡＳＰＩＲＩＮ",
            "aspirin®",
            "Aspirin (USP/BAN).",
            "*aspirin, INN",
            "acetylsalicylic acid™*",
        ),
    ],
)
def test_a_drug_is_found_by_any_name_however_it_is_typed(
    loaded: Dataset, exclude: bool, name: str
) -> None:
    answer = in_sql(loaded, name, exclude)
    assert answer == in_sql(loaded, "ASPIRIN", exclude) == in_python(small(), name, exclude)


@each_reading
@pytest.mark.parametrize("name", ["2′‑F–5", "2`-f‐5", "2’—F−₅"])
def test_a_drug_is_found_in_any_typography(deployed: Dataset, exclude: bool, name: str) -> None:
    publishing = Publishing()
    publishing.mention(publishing.drug("2'-F-5"), "A")
    publishing.mention(publishing.drug("OTHER"), "A")
    publishing.load(deployed)
    answer = in_sql(deployed, name, exclude)
    assert answer == in_python(publishing, name, exclude) == [("OTHER", ["A"])]


@each_reading
def test_a_drug_without_mention_has_an_empty_answer(loaded: Dataset, exclude: bool) -> None:
    assert in_sql(loaded, "unmentioned", exclude) == []


@each_reading
@pytest.mark.parametrize("name", ["asprin", "", "DB00945", None])
def test_an_unknown_drug_is_an_error(loaded: Dataset, exclude: bool, name: str | None) -> None:
    with pytest.raises(BadRequest, match=f"No drug is named {'NULL' if name is None else name}"):
        in_sql(loaded, name, exclude)


@each_reading
def test_a_name_is_first_that_of_a_drug_and_then_a_synonym(
    deployed: Dataset, exclude: bool
) -> None:
    publishing = Publishing()
    for journal, drug, synonyms in (
        ("A", "ESTER", ("salt", "shared")),
        ("B", "SALT", ("shared",)),
        ("C", "OTHER", ()),
    ):
        publishing.mention(publishing.drug(drug, *synonyms), journal)
        publishing.mention(publishing.drug(f"NEIGHBOUR {journal}"), journal)
    publishing.load(deployed)
    assert in_sql(deployed, "salt", exclude) == [("NEIGHBOUR B", ["B"])]
    assert in_sql(deployed, "shared", exclude) == [("NEIGHBOUR A", ["A"]), ("NEIGHBOUR B", ["B"])]
    for name in ("salt", "shared"):
        assert in_sql(deployed, name, exclude) == in_python(publishing, name, exclude)


def test_every_journal_that_ties_is_top(loaded: Dataset) -> None:
    assert tops_in_sql(loaded) == [
        ("Lancet", 3, ["ASPIRIN", "IBUPROFEN", "NALOXONE"]),
    ]
    publishing = small()
    publishing.mention("ibuprofen", "Pain", "clinical_trials")
    publishing.load(loaded)
    assert tops_in_sql(loaded) == [
        ("Lancet", 3, ["ASPIRIN", "IBUPROFEN", "NALOXONE"]),
        ("Pain", 3, ["ASPIRIN", "CODEINE", "IBUPROFEN"]),
    ]


def test_two_drugs_of_one_name_count_twice(deployed: Dataset) -> None:
    publishing = Publishing()
    for drug_id in ("DB1", "DB2"):
        publishing.mention(publishing.drug("HEPARIN", drug_id=drug_id), "Lancet")
    publishing.load(deployed)
    assert tops_in_sql(deployed) == [("Lancet", 2, ["HEPARIN", "HEPARIN"])]


def test_without_mentions_no_journal_is_top(deployed: Dataset) -> None:
    publishing = Publishing()
    publishing.drug("ASPIRIN")
    publishing.load(deployed)
    assert tops_in_sql(deployed) == []
    assert in_sql(deployed, "aspirin", exclude=False) == []


@pytest.mark.parametrize("seed", [1, 2])
def test_sql_answers_as_python_does(deployed: Dataset, seed: int) -> None:
    """Every question about every drug, over data with all kinds of links."""
    chance = random.Random(seed)  # noqa: S311 - data, not secrets
    publishing = Publishing()
    drugs = [publishing.drug(f"DRUG {n}", f"alias {n}", "shared alias") for n in range(8)]
    journals = [None, *(f"Journal {n}" for n in range(9))]
    for _ in range(45):
        publishing.mention(
            chance.choice(drugs),
            chance.choice(journals),
            chance.choice(["pubmed", "pubmed", "clinical_trials"]),
        )
    publishing.load(deployed)
    assert tops_in_sql(deployed) == [
        (top.journal, top.drug_count, top.drugs)
        for top in questions.top_journals(publishing.document)
    ]
    assert deployed.rows("SELECT * FROM {top_journal_view} ORDER BY journal") == (
        publishing.top_journal.to_dicts()
    )
    answers = 0
    for exclude in READINGS.values():
        for name in [*drugs, "Alias 3", "shared alias"]:
            expected = in_python(publishing, name, exclude)
            assert in_sql(deployed, name, exclude) == expected, (name, exclude)
            answers += bool(expected)
    assert answers > len(drugs)


@pytest.mark.parametrize("with_trial_results", [True, False])
@pytest.mark.parametrize("exclude_retracted", [True, False])
@each_reading
def test_sql_counts_retracted_mentions_and_results_of_trials_as_python_does(
    deployed: Dataset, exclude: bool, exclude_retracted: bool, with_trial_results: bool
) -> None:
    chance = random.Random(3)  # noqa: S311 - data, not secrets
    publishing = Publishing()
    drugs = [publishing.drug(f"DRUG {n}", "shared alias") for n in range(5)]
    for _ in range(30):
        source = chance.choice(["pubmed", "pubmed", "clinical_trials"])
        publishing.mention(
            chance.choice(drugs),
            f"Journal {chance.randrange(5)}",
            source,
            retracted=chance.choice([True, True, False, None]) if source == "pubmed" else None,
        )
    publishing.report_results(chance)
    publishing.load(deployed)
    flags: dict[str, Any] = {
        "exclude_retracted": exclude_retracted,
        "with_trial_results": with_trial_results,
    }
    tops = deployed.rows(
        "SELECT * FROM {top_journals}(@exclude_retracted, @with_trial_results) ORDER BY journal",
        **flags,
    )
    expected = questions.top_journals(publishing.document, **flags)
    assert [
        (row["journal"], row["drug_count"], row["drugs"], *(row[count] for count in COUNTS))
        for row in tops
    ] == [answer[:6] for answer in expected]
    assert [row["via_trials"] for row in tops] == [trials_of(answer) for answer in expected]
    if not exclude_retracted and not with_trial_results:
        for row in tops:
            del row["via_trials"]
        assert tops == deployed.rows("SELECT * FROM {top_journal_view} ORDER BY journal")
        assert tops == publishing.top_journal.to_dicts()
    for name in [*drugs, "shared alias"]:
        rows = deployed.rows(
            "SELECT * FROM {drugs_in_same_journals}("
            "@drug_name, @exclude, @exclude_retracted, @with_trial_results) "
            "ORDER BY ARRAY_LENGTH(journals) DESC, {folded_name}(drug), drug_id",
            drug_name=name,
            exclude=exclude,
            **flags,
        )
        answer = questions.related_drugs(
            publishing.document, name, exclude_trial_journals=exclude, **flags
        )
        assert [
            (row["drug"], row["journals"], *(row[count] for count in COUNTS)) for row in rows
        ] == [related[:5] for related in answer.related], name
        assert [row["lift"] for row in rows] == [related.lift for related in answer.related], name
        assert [row["via_trials"] for row in rows] == list(map(trials_of, answer.related)), name


def classes() -> Publishing:
    """Drugs with codes; one is named like a class, and one has such a synonym."""
    publishing = Publishing()
    publishing.drug("ASPIRIN", drug_id="DB00945", atc=("B01AC06", "N02BA01"))
    publishing.drug("PARACETAMOL", atc=("N02BE01",))
    publishing.drug("WARFARIN", atc=("B01AA03",))
    publishing.drug("OTHER", "n02b", "c99")
    publishing.drug("B01", atc=("V03",))
    publishing.drug("UNMENTIONED", atc=("A04AD",))
    for drug_id, journal, source in (
        ("DB00945", "Pain", "pubmed"),
        ("paracetamol", "Pain", "pubmed"),
        ("other", "Pain", "pubmed"),
        ("paracetamol", "Heart", "clinical_trials"),
        ("DB00945", "Heart", "pubmed"),
        ("warfarin", "Heart", "pubmed"),
        ("b01", "Blood", "pubmed"),
        ("warfarin", "Blood", "pubmed"),
    ):
        publishing.mention(drug_id, journal, source)
    return publishing


@each_reading
@pytest.mark.parametrize(
    "asked", ["N02B", " n02b ", "N", "B01AC06", "B01", "B01A", "c99", "A04A", "Ｎ０２Ｂ"]
)
def test_the_drugs_of_a_class_are_asked_for_together(
    deployed: Dataset, asked: str, exclude: bool
) -> None:
    publishing = classes()
    publishing.load(deployed)
    assert in_sql(deployed, asked, exclude) == in_python(publishing, asked, exclude)


@pytest.mark.parametrize("asked", ["N02B", " n02", "B01A", "Ｂ01AA03", "A"])
@pytest.mark.parametrize("exclude_retracted", [True, False])
@pytest.mark.parametrize("with_trial_results", [True, False])
def test_top_journals_of_a_class(
    deployed: Dataset, asked: str, exclude_retracted: bool, with_trial_results: bool
) -> None:
    publishing = classes()
    chance = random.Random(5)  # noqa: S311 - data, not secrets
    for drug_id in ("DB00945", "paracetamol", "warfarin"):
        publishing.mention(drug_id, "Pain", retracted=True)
        publishing.mention(drug_id, "Pain", "clinical_trials")
    publishing.report_results(chance)
    publishing.load(deployed)
    flags: dict[str, Any] = {
        "exclude_retracted": exclude_retracted,
        "with_trial_results": with_trial_results,
    }
    rows = deployed.rows(
        "SELECT * FROM {top_journals_of_class}(@atc_class, @exclude_retracted, @with_trial_results)"
        " ORDER BY journal",
        atc_class=asked,
        **flags,
    )
    expected = questions.top_journals(publishing.document, atc_class=asked, **flags)
    assert [
        (row["journal"], row["drug_count"], row["drugs"], *(row[count] for count in COUNTS))
        for row in rows
    ] == [answer[:6] for answer in expected]
    assert [row["via_trials"] for row in rows] == [trials_of(answer) for answer in expected]


@pytest.mark.parametrize("asked", ["N03", "", "ASPIRIN", "N02BA0", None])
def test_a_class_that_no_drug_is_of_is_an_error(deployed: Dataset, asked: str | None) -> None:
    classes().load(deployed)
    query = "SELECT * FROM {top_journals_of_class}(@atc_class, NULL, NULL)"
    with pytest.raises(BadRequest, match=f"No drug is of ATC class {asked or ''}"):
        deployed.rows(query, atc_class=asked)
