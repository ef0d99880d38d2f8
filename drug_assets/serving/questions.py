"""The questions that are answered over HTTP: their parameters, and how each is answered as JSON.

A question is declared once; its route, the check of its parameters and its description follow. What
it answers is what the command line answers with `--json`, but that lists are bounded.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from drug_assets.answers import DRUG_ORDERS, JOURNAL_ORDERS
from drug_assets.answers.finding import UnknownNameError
from drug_assets.answers.mentions import list_mentions
from drug_assets.answers.names import find_named_drugs
from drug_assets.answers.overviews import list_drugs, list_journals
from drug_assets.answers.rejections import list_rejected
from drug_assets.answers.tracing import NoMentionError, trace_mention
from drug_assets.document import RELATED_ORDERS
from drug_assets.document.questions import (
    Index,
    UnknownClassError,
    UnknownDrugError,
)
from drug_assets.errors import DrugAssetsError
from drug_assets.periods import Period, PeriodError
from drug_assets.sources import PUBLICATIONS
from drug_assets.wording import printable_json

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from drug_assets.answers.forms import Answer
    from drug_assets.serving.current import ServedRelease

#: How many rows an answer lists if nobody says how many, and at most.
LISTED, MOST_LISTED = 100, 1000
#: The longest text of a parameter: names are compared letter by letter with what is given.
MOST_CHARACTERS = 200

#: What a question does not know, or nobody can mean: not found.
UNKNOWN = (UnknownNameError, UnknownDrugError, UnknownClassError, NoMentionError)


class ParameterError(DrugAssetsError):
    """A parameter is missing, is not known, or has a value that it cannot have."""


@dataclass(frozen=True)
class Parameter:
    """A parameter of a question."""

    name: str
    description: str
    required: bool = False
    #: The values that it may have; any text if none are given.
    choices: tuple[str, ...] = ()
    #: `string`, `boolean` or `integer`.
    type: str = "string"
    #: Of an integer, the highest value.
    maximum: int | None = None
    default: str | bool | int | None = None

    def read(self, given: str) -> str | bool | int:
        """The value of a text.

        Raises:
            ParameterError: the parameter cannot have this value.
        """
        if self.type == "integer":
            most = self.maximum or 0
            if re.fullmatch(r"[0-9]{1,9}", given) and int(given) <= most:
                return int(given)
            raise ParameterError(f"{self.name} is a whole number from 0 to {most}")
        choices = ("true", "false") if self.type == "boolean" else self.choices
        if choices and given not in choices:
            raise ParameterError(f"{self.name} is one of {', '.join(choices)}")
        if len(given) > MOST_CHARACTERS:
            raise ParameterError(f"{self.name} has more than {MOST_CHARACTERS} characters")
        return given == "true" if self.type == "boolean" else given.strip()


#: The values of the parameters that were given, and the defaults of the others.
Given = dict[str, Any]


@dataclass(frozen=True)
class Question:
    """A question: `GET /api/NAME?PARAMETER=VALUE&…`."""

    name: str
    summary: str
    parameters: tuple[Parameter, ...]
    #: Answers it, as JSON.
    answer: Callable[[ServedRelease, Given], bytes]

    def read(self, given: Mapping[str, list[str]]) -> Given:
        """The values of the parameters of a request.

        Args:
            given: the values of each parameter of the request.

        Raises:
            ParameterError: one is not known, is given twice, is missing or has a wrong value.
        """
        known = {parameter.name: parameter for parameter in self.parameters}
        for name, values in given.items():
            if name not in known:
                raise ParameterError(
                    f"{self.name} has no parameter {name[:MOST_CHARACTERS]}: it has "
                    + (", ".join(known) or "none")
                )
            if len(values) > 1:
                raise ParameterError(f"{name} is given {len(values)} times")
        read = {name: known[name].read(texts[0]) for name, texts in given.items()}
        for parameter in self.parameters:
            if parameter.required and not read.get(parameter.name):
                raise ParameterError(f"{self.name} needs the parameter {parameter.name}")
        return {name: read.get(name, known[name].default) for name in known}


def _read_period(given: Given) -> Period | None:
    """The period of a question.

    Raises:
        ParameterError: it is none.
    """
    try:
        return Period.parse(given["since"], given["until"])
    except PeriodError as error:
        raise ParameterError(str(error)) from error


def _as_bytes(answer: Answer) -> bytes:
    return "\n".join(answer.json_lines()).encode()


def _encode(answer: object) -> bytes:
    return printable_json(json.dumps(answer, ensure_ascii=False)).encode()


def _answer_mentions(served: ServedRelease, given: Given) -> bytes:
    answer = list_mentions(
        given["drug"],
        served.tables,
        period=_read_period(given),
        journal=given["journal"],
        source=given["source"],
        limit=given["limit"],
    )
    return _as_bytes(answer.as_answer())


def _answer_drugs(served: ServedRelease, given: Given) -> bytes:
    return _as_bytes(list_drugs(served.tables, given["sort"], given["limit"]).as_answer())


def _answer_journals(served: ServedRelease, given: Given) -> bytes:
    return _as_bytes(list_journals(served.tables, given["sort"], given["limit"]).as_answer())


def _answer_names(served: ServedRelease, given: Given) -> bytes:
    found = find_named_drugs(given["drug"], served.tables)
    return _encode([drug.as_object() for drug in found])


def _answer_rejected(served: ServedRelease, given: Given) -> bytes:
    return _as_bytes(list_rejected(served.tables, given["file"], given["limit"]).as_answer())


def _answer_trace(served: ServedRelease, given: Given) -> bytes:
    trace = trace_mention(given["drug"], given["source"], given["id"], served.tables)
    return _as_bytes(trace.as_answer())


def _index_of(served: ServedRelease, given: Given) -> Index:
    """The index that answers a question; one of a period is made for it alone."""
    with_trial_results = given["with_trial_results"]
    period = _read_period(given)
    if period is None:
        return served.index(with_trial_results=with_trial_results)
    return Index(
        served.graph(), served.find_names, with_trial_results=with_trial_results, period=period
    )


def _answer_top_journal(served: ServedRelease, given: Given) -> bytes:
    answers = _index_of(served, given).top_journals(
        given["class"], exclude_retracted=given["exclude_retracted"]
    )
    return _encode([answer.as_object() for answer in answers])


def _answer_related_drugs(served: ServedRelease, given: Given) -> bytes:
    answer = _index_of(served, given).related_drugs(
        given["drug"],
        exclude_trial_journals=given["exclude_trial_journals"],
        exclude_retracted=given["exclude_retracted"],
        order=given["sort"],
    )
    related = [
        {
            **drug.as_object(),
            "journals": drug.journals[:LISTED],
            "journal_count": len(drug.journals),
        }
        for drug in answer.related[: given["limit"]]
    ]
    return _encode({**answer.as_object(), "related": related, "total": len(answer.related)})


_DRUG = Parameter(
    "drug", "Any name, code or id of a drug, or the code of an ATC class.", required=True
)
_PERIOD = (
    Parameter("since", "From this day, month or year on: 2003-05-12, 2003-05, 2003."),
    Parameter("until", "To the end of this day, month or year."),
)
_LIMIT = Parameter(
    "limit",
    "How many rows are listed, 0 for none; all are counted.",
    type="integer",
    maximum=MOST_LISTED,
    default=LISTED,
)
_SOURCES = tuple(source.name for source in PUBLICATIONS)
_RETRACTED = Parameter(
    "exclude_retracted", "Leave out retracted publications.", type="boolean", default=False
)
_RESULTS = Parameter(
    "with_trial_results",
    "Count publications that report the results of a trial for the drugs that it names.",
    type="boolean",
    default=False,
)

QUESTIONS = (
    Question(
        "mentions",
        "The publications whose titles name a drug, the newest first.",
        (
            _DRUG,
            *_PERIOD,
            Parameter("journal", "Only in this journal: any name or id of it."),
            Parameter("source", "Only by publications of this source.", choices=_SOURCES),
            _LIMIT,
        ),
        _answer_mentions,
    ),
    Question(
        "drugs",
        "The drugs of the list: how often, where and since when titles name each.",
        (Parameter("sort", "By what.", choices=DRUG_ORDERS, default=DRUG_ORDERS[0]), _LIMIT),
        _answer_drugs,
    ),
    Question(
        "journals",
        "The journals: how many drugs each mentions, how often, since when.",
        (Parameter("sort", "By what.", choices=JOURNAL_ORDERS, default=JOURNAL_ORDERS[0]), _LIMIT),
        _answer_journals,
    ),
    Question(
        "top-journal",
        "The journals that mention the most different drugs.",
        (
            Parameter("class", "Count only drugs of this ATC class."),
            *_PERIOD,
            _RETRACTED,
            _RESULTS,
        ),
        _answer_top_journal,
    ),
    Question(
        "related-drugs",
        "Drugs that share a PubMed journal with a drug, or with those of a class.",
        (
            Parameter(
                "drug",
                "Any name of a drug, or the code of an ATC class.",
                required=True,
            ),
            *_PERIOD,
            Parameter("sort", "By what.", choices=RELATED_ORDERS, default=RELATED_ORDERS[0]),
            Parameter(
                "exclude_trial_journals",
                "Leave out the journals that mention the drug in a clinical trial.",
                type="boolean",
                default=False,
            ),
            _RETRACTED,
            _RESULTS,
            _LIMIT,
        ),
        _answer_related_drugs,
    ),
    Question(
        "names",
        "The names of a drug that titles are searched for, by list, and why others are not.",
        (Parameter("drug", "Any name, code or id of a drug.", required=True),),
        _answer_names,
    ),
    Question(
        "rejected",
        "The raw rows that were rejected, with the reasons.",
        (Parameter("file", "Only of this file below the landing zone."), _LIMIT),
        _answer_rejected,
    ),
    Question(
        "trace",
        "The landed rows behind the mention of a drug by a publication.",
        (
            _DRUG,
            Parameter("source", "The source of the publication.", True, _SOURCES),
            Parameter("id", "The id of the publication.", required=True),
        ),
        _answer_trace,
    ),
)
