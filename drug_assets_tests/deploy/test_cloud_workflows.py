"""The workflows that start Cloud Run jobs: complete, and given by Terraform what they read.

Google has no emulator of Workflows, so the decision of `run.yaml`, who runs and who waits, is
played here step by step, as the file says it, against every mix of executions under way.
"""

from __future__ import annotations

import base64
import json
import re
from itertools import permutations
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from click.testing import CliRunner

from drug_assets import sources
from drug_assets.cli import main
from drug_assets.fetch import FetchError, FetchRequest, fetch
from drug_assets_tests.support.loopback_services import PATIENCE, LocalDestination, PubMed, Trials
from drug_assets_tests.support.registry import CLINICAL_TRIALS_GOV, PUBMED_SERVICE
from drug_assets_tests.support.services import DEPLOY
from drug_assets_tests.support.workflows import WorkflowError, play

if TYPE_CHECKING:
    from pathlib import Path

    from drug_assets.fetch.public_service import PublicService

MODULES = DEPLOY / "terraform" / "modules"
RUN = MODULES / "landing_trigger" / "run.yaml"
FETCH = MODULES / "api_pulls" / "fetch.yaml"

#: What Workflows sets itself.
BUILT_IN = {
    "GOOGLE_CLOUD_LOCATION",
    "GOOGLE_CLOUD_PROJECT_ID",
    "GOOGLE_CLOUD_WORKFLOW_EXECUTION_ID",
    "GOOGLE_CLOUD_WORKFLOW_ID",
}


def steps_of(block: Any) -> dict[str, Any]:
    """Steps by name, nested ones too; every name once, as Workflows demands."""
    found: dict[str, Any] = {}
    for step in block:
        ((name, body),) = step.items()
        inner = steps_of(body.get("for", {}).get("steps", []))
        assert not {name, *inner} & set(found), f"step {name} stands twice"
        found |= {name: body} | inner
    return found


def targets(body: Any) -> set[str]:
    choices = [body, *body.get("switch", [])]
    return {choice["next"] for choice in choices if "next" in choice} - {"continue", "end"}


@pytest.mark.parametrize("workflow", [RUN, FETCH], ids=lambda path: path.name)
def test_every_jump_has_a_target(workflow: Any) -> None:
    steps = steps_of(yaml.safe_load(workflow.read_text("utf-8"))["main"]["steps"])
    jumps = set().union(*(targets(body) for body in steps.values()))
    assert jumps
    assert jumps <= set(steps)


@pytest.mark.parametrize("workflow", [RUN, FETCH], ids=lambda path: path.name)
def test_the_environment_that_is_read_is_the_one_that_is_given(workflow: Any) -> None:
    read = set(re.findall(r'sys\.get_env\("(\w+)"\)', workflow.read_text("utf-8"))) - BUILT_IN
    declared = (workflow.parent / "main.tf").read_text("utf-8")
    given = re.search(r"user_env_vars = \{(.*?)\}", declared, re.DOTALL)
    assert given
    assert read == set(re.findall(r"^\s+(\w+)\s+=", given[1], re.MULTILINE))


def decision(own: str, active: list[str]) -> str:
    """What `run.yaml` lets an execution do, with those under way from the oldest to the newest."""
    steps = steps_of(yaml.safe_load(RUN.read_text("utf-8"))["main"]["steps"])
    order = {
        "createTime": active[0],
        "createTime desc": active[-1],
    }
    known = {"own_id": own}
    for asked in ("ask_for_the_oldest", "ask_for_the_newest"):
        args = steps[asked]["args"]
        assert args["filter"] == 'state="ACTIVE"'
        assert args["pageSize"] == 1
        known[steps[asked]["result"] + "_id"] = order[args["orderBy"]]
    for choice in steps["decide"]["switch"]:
        compared = re.fullmatch(r"\$\{(\w+) (==|!=) (\w+)\}", choice["condition"])
        assert compared
        left, operator, right = compared.groups()
        if (known[left] == known[right]) == (operator == "=="):
            return "run" if choice.get("next") == "run_the_job" else "end"
    assert steps["wait_for_a_turn"]["next"] == "ask_for_the_oldest"
    return "wait"


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_one_runs_one_waits_and_the_others_end(count: int) -> None:
    active = [f"execution-{number}" for number in range(count)]
    decisions = [decision(own, active) for own in active]
    assert decisions == (["run", *["end"] * (count - 2), "wait"] if count > 1 else ["run"])


@pytest.mark.slow
def test_after_the_last_file_a_run_always_begins() -> None:
    # In whatever order waiting executions ask, one that began after the last file runs.
    for asking in permutations(range(4)):
        active = [f"execution-{number}" for number in range(4)]
        began_after_last_file = False
        for _ in range(3):
            for number in asking:
                own = f"execution-{number}"
                if own not in active:
                    continue
                decided = decision(own, active)
                if decided == "run":
                    began_after_last_file = own == "execution-3"
                if decided != "wait":
                    active.remove(own)
        assert active == []
        assert began_after_last_file


def event(name: str) -> dict[str, Any]:
    """The part of an event of Cloud Storage that the workflow reads."""
    return {"data": {"bucket": "landing", "name": name}}


#: The step that looks at the other executions: those that come to it may run the job.
LOOK = "read_environment"


def occasion(event: dict[str, Any]) -> str:
    """What `run.yaml` lets an execution do for an event, before it looks at others."""
    steps = steps_of(yaml.safe_load(RUN.read_text("utf-8"))["main"]["steps"])
    (scheduled,) = steps["tell_the_occasion"]["switch"]
    assert scheduled["condition"] == '${not("data" in event)}'
    if "data" not in event:
        return str(scheduled["next"])
    for choice in steps["tell_the_object"]["switch"]:
        asked = re.fullmatch(
            r'\$\{text\.match_regex\(event\.data\.name, "(.+)"\)\}', choice["condition"]
        )
        assert asked
        if re.search(asked[1], event["data"]["name"]):
            return str(choice.get("next") or choice["return"])
    assert LOOK in steps
    return LOOK


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "service"),
    [(Trials, CLINICAL_TRIALS_GOV), (PubMed, PUBMED_SERVICE)],
    ids=["clinical_trials", "pubmed"],
)
def test_the_files_of_a_pull_start_one_run(
    kind: type[Trials | PubMed], service: PublicService, tmp_path: Path
) -> None:
    with kind(7) as loopback:
        report = fetch(
            FetchRequest(service=service, query="aspirin, or its salts", page_size=2),
            LocalDestination(tmp_path),
            base_url=loopback.url,
            patience=PATIENCE,
            clock=loopback.clock,
        )
    written = [p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*") if p.is_file()]
    assert len(report.files) == 4
    assert len(written) > 2 * len(report.files)
    assert [n for n in written if occasion(event(n)) == LOOK] == [report.provenance]


@pytest.mark.parametrize(
    ("name", "runs"),
    [
        ("pubmed.csv", True),
        ("clinical_trials/2021/page_2.ndjson", True),
        ("pubmed_2026-01-02_aspirin.json.gz", True),
        ("fetch/provenance.json", True),
        (".fetch/x/plan.json", False),
        ("below/.hidden/pubmed.csv", False),
        ("below/.pubmed.csv", False),
    ],
)
def test_a_file_that_is_read_starts_a_run(name: str, runs: bool) -> None:
    assert (occasion(event(name)) == LOOK) is runs


def test_the_schedule_starts_a_run() -> None:
    declared = (RUN.parent / "main.tf").read_text("utf-8")
    assert 'jsonencode({ type = "schedule" })' in declared
    assert occasion({"type": "schedule"}) == LOOK


def asked(request: object) -> dict[str, Any]:
    """The event of a message that requests a pull."""
    data = base64.b64encode(json.dumps(request).encode()).decode()
    return {"data": {"message": {"data": data}}}


def started(request: object) -> list[str]:
    """The arguments with which `fetch.yaml` starts the job for a request."""
    called = play(
        yaml.safe_load(FETCH.read_text("utf-8")),
        asked(request),
        GOOGLE_CLOUD_PROJECT_ID="prj",
        GOOGLE_CLOUD_LOCATION="europe-west1",
        JOB="drug-assets-fetch",
        JOB_SECONDS="60",
    )
    assert called.function == "googleapis.run.v1.namespaces.jobs.run"
    assert called.args["name"] == "namespaces/prj/jobs/drug-assets-fetch"
    ((command,),) = (
        each.values() for each in called.args["body"]["overrides"]["containerOverrides"]
    )
    return [str(argument) for argument in command]


@pytest.mark.parametrize(
    ("request_", "command"),
    [
        (
            {"source": "clinical_trials", "query": "aspirin", "since": "2026-01-01"},
            ["fetch", "clinical-trials", "--query=aspirin", "--since=2026-01-01"],
        ),
        (
            {
                "page_size": 5000,
                "until": "2024-02-29",
                "since": "2024-02-29",
                "date_type": "mdat",
                "query": "aspirin or its salts",
                "source": "pubmed",
            },
            [
                *("fetch", "pubmed", "--query=aspirin or its salts", "--page-size=5000"),
                *("--until=2024-02-29", "--since=2024-02-29", "--date-type=mdat"),
            ],
        ),
    ],
)
def test_a_request_to_pull_becomes_a_command(
    request_: dict[str, object],
    command: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert started(request_) == ["drug-assets", *command]
    pulled: list[FetchRequest] = []

    def pull(request: FetchRequest, *_: object, **__: object) -> None:
        pulled.append(request)
        raise FetchError("nothing is pulled here")

    monkeypatch.setattr("drug_assets.fetch.fetch", pull)
    told = CliRunner().invoke(main, [*command, f"--landing={tmp_path}"])
    assert "nothing is pulled here" in told.output
    # The command line asks for what the message requested.
    (request,) = pulled
    assert {name: str(getattr(request, name)) for name in request_} == {
        name: str(value) for name, value in request_.items()
    }


#: Requests that can never succeed, with what is wrong.
HOPELESS = [
    ({"source": "pubmed", "query": "a", "since": "2026-13-01"}, "since is 2026-13-01"),
    ({"source": "pubmed", "query": "a", "since": "2026-02-30"}, "since is 2026-02-30"),
    ({"source": "pubmed", "query": "a", "until": "soon"}, "until is soon"),
    ({"source": "pubmed", "query": "a", "until": 20260101}, "until is 20260101"),
    (
        {"source": "pubmed", "query": "a", "since": "2026-02-01", "until": "2026-01-31"},
        "since is after until",
    ),
    ({"source": "pubmed", "query": "a", "page_size": 5001}, "page_size is 5001, not 1 to 5000"),
    ({"source": "clinical_trials", "query": "a", "page_size": 1001}, "not 1 to 1000"),
    ({"source": "pubmed", "query": "a", "page_size": 0}, "page_size is 0"),
    ({"source": "pubmed", "query": "a", "page_size": "many"}, "page_size is many"),
    ({"source": "pubmed", "query": "a", "date_type": "xdat"}, "date_type is xdat"),
    ({"source": "clinical_trials", "query": "a", "date_type": "edat"}, "date_type is edat"),
    ({"source": "pubmed", "query": "  "}, "query is missing or blank"),
    ({"source": "pubmed"}, "query is missing or blank"),
    ({"source": "pubmed", "query": "a", "untill": "2026-01-01"}, "unknown field untill"),
    ({"source": "pubmde", "query": "a"}, "unknown source in a request to pull - pubmde"),
    ({"query": "a"}, "unknown source in a request to pull - "),
]


@pytest.mark.parametrize(("request_", "fault"), HOPELESS, ids=lambda value: str(value)[-40:])
def test_a_request_that_can_never_succeed_starts_nothing(
    request_: dict[str, object], fault: str, tmp_path: Path
) -> None:
    with pytest.raises(WorkflowError, match=re.escape(fault)):
        started(request_)
    # The job would refuse it, too.
    options = [
        f"--{name.replace('_', '-')}={value}"
        for name, value in request_.items()
        if name != "source"
    ]
    source = str(request_.get("source", "")).replace("_", "-")
    command = ["fetch", source, *options, f"--landing={tmp_path}"]
    assert CliRunner().invoke(main, command).exit_code == 2


def test_all_faults_of_a_request_are_told_at_once() -> None:
    with pytest.raises(WorkflowError) as told:
        started({"source": "pubmed", "since": "soon", "page_size": 0, "colour": "red"})
    assert str(told.value) == (
        "not a request to pull; query is missing or blank"
        "; since is soon, no day such as 2026-01-31; page_size is 0, not 1 to 5000"
        "; unknown field colour"
    )


def test_the_workflow_knows_what_the_services_take() -> None:
    steps = steps_of(yaml.safe_load(FETCH.read_text("utf-8"))["main"]["steps"])
    assigned: dict[str, Any] = {}
    for assignment in steps["read_message"]["assign"]:
        assigned |= assignment
    services = {
        source.name: source.service() for source in sources.PUBLICATIONS if source.pulled_from
    }
    assert assigned["services"] == {
        name: {"largest_page": service.largest_page_size, "date_types": [*service.date_types]}
        for name, service in services.items()
    }
    fields = set(FetchRequest.__dataclass_fields__) - {"source", "query"}
    assert set(assigned["options"]) <= fields
