"""What the documents say can be followed: links, commands, targets, variables, resources."""

from __future__ import annotations

import itertools
import re
from collections import UserDict
from typing import TYPE_CHECKING, Any

import click
import pytest

from docs.generate import WIDTH
from drug_assets import formats, sources
from drug_assets.cli import main
from drug_assets.settings import Settings
from drug_assets_tests.support import known_commands, runs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ROOT = runs.REPOSITORY
DOCUMENTS = sorted(
    path
    for pattern in ("*.md", "docs/*.md", "data/*.md", "drug_assets/*/*.md", "benchmarks/*.md")
    for path in ROOT.glob(pattern)
)
OPERATIONS = ROOT / "docs" / "operations.md"
DEPLOYMENT = (ROOT / "docs" / "deployment.md", OPERATIONS)
#: Written by a program, which does not break lines.
MEASURED = ROOT / "benchmarks" / "RESULTS.md"
TERRAFORM = ROOT / "deploy" / "terraform"

_FENCED = re.compile(r"^```.*?\n(.*?)^```$", re.DOTALL | re.MULTILINE)
#: A block of code, also in a list.
_ANY_FENCED = re.compile(r"^( *)```.*?^\1```$", re.DOTALL | re.MULTILINE)
_UNBREAKABLE = re.compile(r"\s*(?:\|.*|!?\[.*\]\(\S+\)|\S+)")
_INLINE = re.compile(r"`([^`]+)`")
_VARIABLE = re.compile(r"\b(?:DRUG_ASSETS|NCBI)_[A-Z_]*[A-Z]\b")

each_document = pytest.mark.parametrize(
    "document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix()
)


def prose(document: Path) -> str:
    """A document without its blocks of code."""
    return _FENCED.sub("", document.read_text(encoding="utf-8"))


def code(document: Path) -> list[str]:
    """Lines of code without comments, continued lines joined; each inline code is a line, too."""
    blocks = _FENCED.findall(document.read_text(encoding="utf-8"))
    lines = [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    inline = [" ".join(found.split()) for found in _INLINE.findall(prose(document))]
    return [re.sub(r"(^|\s)#\s.*", "", line) for line in lines] + inline


def anchors(document: Path) -> set[str]:
    """Anchors of the headings, as GitHub makes them; a heading that comes again is counted."""
    found: list[str] = []
    for heading in re.findall(r"^#{1,6}\s+(.+?)\s*$", prose(document), re.MULTILINE):
        text = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).lower()
        found.append(re.sub(r"[^\w\- ]", "", text).replace(" ", "-"))
    return {f"{a}-{n}" if (n := found[:i].count(a)) else a for i, a in enumerate(found)}


def links(document: Path) -> list[str]:
    """The targets of a document's links within the repository."""
    found = re.findall(r"\]\(([^)\s]+)\)", _INLINE.sub("", prose(document)))
    return [link for link in found if not re.match(r"[a-z]+:", link)]


def broken(document: Path) -> Iterator[str]:
    for link in links(document):
        path, _, anchor = link.partition("#")
        target = (document.parent / path).resolve() if path else document
        if not target.is_relative_to(ROOT) or not target.exists():
            yield f"{link}: there is no such file"
        elif anchor and (target.suffix != ".md" or anchor not in anchors(target)):
            yield f"{link}: there is no such heading"


def too_wide(document: Path) -> list[str]:
    """Lines of prose that are wider than documents are; tables and lone links cannot be broken."""
    return [
        line
        for line in _ANY_FENCED.sub("", document.read_text(encoding="utf-8")).splitlines()
        if len(line) > WIDTH and not _UNBREAKABLE.fullmatch(line) and document != MEASURED
    ]


def wrong_use(words: list[str]) -> str | None:
    """What is wrong with the words that follow `drug-assets`, if anything."""
    command: click.Command = main
    path = "drug-assets"
    # With the group's own settings: a command keeps the help option that it is first asked for.
    context = click.Context(main, **main.context_settings)
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        path += f" {words[0]}"
        found = command.get_command(context, words.pop(0))
        if found is None:
            return f"{path}: no such command"
        command = found
    known = {option for parameter in command.get_params(context) for option in parameter.opts}
    known |= {"--help"}
    # A hyphen alone is a value: the standard output.
    unknown = [o for word in words if (o := word.partition("=")[0]).startswith("-") and o != "-"]
    return next((f"{path} {o}: no such option" for o in unknown if o not in known), None)


def uses(document: Path) -> Iterator[list[str]]:
    """The words after each `drug-assets` that is run, up to where a shell would end the command.

    gcloud takes a command as one word with commas.
    """
    for line in code(document):
        found = re.findall(r"(?:^|[\s/])drug-assets ([^|;&<>]*)", line)
        found += [words.replace(",", " ") for words in re.findall(r"=drug-assets,(\S+)", line)]
        for rest in found:
            words = re.sub(r"[][…]", " ", rest).split()
            if words and re.fullmatch(r"--?[a-z].*|[a-z][a-z-]*", words[0]):
                yield words


class Asked(UserDict[str, str]):
    """An environment without variables that keeps what it was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def __contains__(self, name: object) -> bool:
        self.names.add(str(name))
        return super().__contains__(name)

    def get(self, name: str, default: Any = None) -> Any:
        self.names.add(name)
        return super().get(name, default)


def variables_read() -> set[str]:
    asked = Asked()
    Settings.of(asked)
    return asked.names


def variables_of_deployment() -> set[str]:
    """What `deploy/*.yaml` take from the environment: read by Dagster, not by settings."""
    files = (ROOT / "deploy").glob("*.yaml")
    return {
        name
        for file in files
        for name in re.findall(r"\benv: (\w+)", file.read_text(encoding="utf-8"))
    }


def variables_of_tests() -> set[str]:
    """What tests take from the environment."""
    return {
        name
        for file in (ROOT / "drug_assets_tests").rglob("*.py")
        for name in re.findall(r'environ\S*"(DRUG_ASSETS_\w+)"', file.read_text(encoding="utf-8"))
    }


def terraform_text(folder: Path = TERRAFORM, pattern: str = "**/*.tf") -> str:
    """Terraform's code without its comments."""
    text = "\n".join(
        path.read_text(encoding="utf-8")
        for path in sorted(folder.glob(pattern))
        if ".terraform" not in path.parts
    )
    return re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE)


def declared_in(folder: Path, kind: str) -> set[str]:
    """The names of what a configuration of Terraform declares itself: variable, output, module."""
    return set(re.findall(rf'^{kind} "(\w+)"', terraform_text(folder, "*.tf"), re.MULTILINE))


def missing_in_terraform(document: Path) -> Iterator[str]:
    """What commands of a document say to Terraform that the named configuration does not have."""
    for program, words in known_commands.typed(code(document)):
        if program != "terraform":
            continue
        options = dict(word.partition("=")[::2] for word in words if word.startswith("-"))
        folder = ROOT / options.get("-chdir", "")
        verb, *rest = [word for word in words if not word.startswith("-")]
        said = {
            "variable": [w.split("=")[1] for w in words if w.startswith("-var=")],
            "module": re.findall(r"-target=module\.(\w+)", " ".join(words)),
            "output": [name for name in rest if verb == "output" and "$" not in name],
        }
        for kind, names in said.items():
            yield from (
                f"{folder}: {kind} {n}" for n in names if n not in declared_in(folder, kind)
            )
    # The documents define a shell function `output` for the outputs of the deployment.
    shown = set(re.findall(r"\$\(output (\w+)\)", " ".join(code(document))))
    yield from (f"{TERRAFORM}: output {n}" for n in shown - declared_in(TERRAFORM, "output"))


def attributes_of_variables() -> dict[str, set[str]]:
    """Each variable of the deployment, with the attributes of those that are objects."""
    blocks = re.findall(
        r'^variable "(\w+)" \{(.*?)^\}', terraform_text(TERRAFORM, "*.tf"), re.MULTILINE | re.DOTALL
    )
    return {
        name: set(
            re.findall(r"^ +(\w+) += (?:optional|string|number|bool|object)", body, re.MULTILINE)
        )
        for name, body in blocks
    }


def table(document: Path, heading: str, *columns: str) -> list[list[str]]:
    """The cells of the table with these first columns, under a heading of a document."""
    section = document.read_text(encoding="utf-8").split(f"\n{heading}\n", 1)[1]
    lines = section.partition("\n## ")[0].splitlines()
    head = next(i for i, line in enumerate(lines) if line.startswith(f"| {' | '.join(columns)} |"))
    rows = itertools.takewhile(lambda line: line.startswith("|"), lines[head + 2 :])
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


#: What a role is granted on, by the type of Terraform's resource that grants it.
GRANTED_ON = {
    "google_artifact_registry_repository": "registry",
    "google_bigquery_dataset": "dataset",
    "google_cloud_run_v2_job": "job",
    "google_cloud_run_v2_service": "service",
    "google_iap_web_cloud_run_service": "log-in",
    "google_project": "project",
    "google_pubsub_subscription": "subscription",
    "google_pubsub_topic": "topic",
    "google_secret_manager_secret": "secret",
    "google_service_account": "account",
    "google_storage_bucket": "bucket",
}


def granted() -> set[tuple[str, str]]:
    """Each role that Terraform grants, and what on.

    Where a grant looks its role up, it may be any that its file names outside of resources.
    """
    resource = re.compile(r'^resource "(\w+)" "\w+" \{(.*?)^\}', re.MULTILINE | re.DOTALL)
    role = re.compile(r'\brole += "roles/([\w.]+)"')
    found = set()
    for path in TERRAFORM.rglob("*.tf"):
        text = path.read_text(encoding="utf-8")
        for kind, body in resource.findall(text):
            if kind.endswith("_iam_member"):
                named = role.findall(body) or role.findall(resource.sub("", text))
                found |= {(name, GRANTED_ON[kind.removesuffix("_iam_member")]) for name in named}
    return found


def targets_named(document: Path) -> set[str]:
    """The targets of make that a document tells people to run."""
    setting = r'[A-Z]+=(?:"[^"]*"|\S+)'
    run = re.compile(rf"(?:^|[;&|(]\s*)make((?:\s+{setting}|\s+[a-z][\w-]*)+)")
    return {
        word
        for line in code(document)
        for words in run.findall(line)
        for word in re.sub(setting, "", words).split()
    }


def made_by_commands(document: Path) -> set[str]:
    """Names of what commands of a document make by hand."""
    words = " ".join(code(document))
    return set(re.findall(r"pubsub subscriptions create ([\w-]+)", words)) | set(
        re.findall(r"-backend-config=prefix=([\w-]+)", words)
    )


def test_there_is_something_to_check() -> None:
    assert set(DEPLOYMENT) < set(DOCUMENTS)
    assert variables_read() > {"DRUG_ASSETS_ENV", "NCBI_API_KEY"}
    assert variables_of_deployment() > {"DAGSTER_POSTGRES_URL", "DRUG_ASSETS_CODE_SERVER_HOST"}
    assert any(links(document) for document in DOCUMENTS)
    assert any(words[0] == "related-drugs" for words in uses(ROOT / "README.md"))
    assert targets_named(ROOT / "CONTRIBUTING.md") > {"quick", "test", "fuzz"}
    assert "DRUG_ASSETS_STORE" in _VARIABLE.findall(OPERATIONS.read_text(encoding="utf-8"))
    typed = "".join(_FENCED.findall(DEPLOYMENT[0].read_text(encoding="utf-8")))
    assert "application-default login" in typed
    assert "read -r" in typed


@each_document
def test_links_lead_to_files_and_headings(document: Path) -> None:
    assert list(broken(document)) == []


@each_document
def test_prose_is_in_lines_of_the_width_of_documents(document: Path) -> None:
    assert too_wide(document) == []


def test_of_wide_lines_only_prose_is_found(tmp_path: Path) -> None:
    wide = "word " * 30
    document = tmp_path / "document.md"
    code = f"```\n{wide}\n```\n\n- Item:\n\n  ```\n  {wide}\n  ```\n"
    link = f"[![{wide}](picture.png)](page.html)\n"
    document.write_text(f"{code}| {wide} |\n{link}\n- {wide}\n{wide}\n", "utf-8")
    assert too_wide(document) == [f"- {wide}", wide]
    document.write_text("é" * WIDTH, "utf-8")
    assert too_wide(document) == []


@each_document
def test_targets_of_make_are_in_the_makefile(document: Path) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z][\w-]*):", makefile, re.MULTILINE))
    assert targets_named(document) <= targets


@each_document
def test_commands_and_their_options_are_those_of_the_command_line(document: Path) -> None:
    assert [wrong for words in uses(document) if (wrong := wrong_use(words))] == []


def test_a_command_or_option_that_is_not_there_is_found() -> None:
    assert wrong_use(["publish"]) == "drug-assets publish: no such command"
    assert wrong_use(["fetch", "arxiv"]) == "drug-assets fetch arxiv: no such command"
    assert wrong_use(["run", "--quiet"]) == "drug-assets run --quiet: no such option"
    assert wrong_use(["fetch", "pubmed", "--query=aspirin"]) is None


@each_document
def test_commands_of_other_programs_are_ones_that_they_know(document: Path) -> None:
    known = known_commands.load()
    used = known_commands.typed(code(document))
    assert [
        wrong
        for program, words in used
        if (wrong := known_commands.wrong_use(program, words, known))
    ] == []


def test_a_command_or_option_that_another_program_does_not_know_is_found() -> None:
    known = known_commands.load()
    lines = [
        "gcloud run jobs execute NAME --region=R --waits && bq rm -t drug_assets.table",
        'gh variable set NAME --env production --body "$(terraform outputs -raw name)"',
        "gcloud run job execute NAME",
    ]
    wrong = [
        known_commands.wrong_use(program, words, known)
        for program, words in known_commands.typed(lines)
    ]
    assert wrong == [
        "gcloud run jobs execute --waits: no such option",
        None,
        None,
        "terraform outputs -raw name: not in known_commands.json",
        "gcloud run job execute NAME: not in known_commands.json",
    ]


@each_document
def test_what_is_said_to_terraform_is_declared(document: Path) -> None:
    assert list(missing_in_terraform(document)) == []


def test_what_is_not_declared_is_found(tmp_path: Path) -> None:
    document = tmp_path / "document.md"
    document.write_text(
        "```sh\nterraform -chdir=deploy/terraform apply -var=regio=x -target=module.bucket\n"
        "terraform -chdir=deploy/terraform/datadog output -raw landing\n```\n",
        "utf-8",
    )
    assert [line.rpartition(": ")[2] for line in missing_in_terraform(document)] == [
        "variable regio",
        "module bucket",
        "output landing",
    ]


@pytest.mark.parametrize("document", DEPLOYMENT, ids=lambda path: path.name)
def test_variables_of_the_deployment_are_declared(document: Path) -> None:
    known = attributes_of_variables()
    assert known["warehouse"] > {"location", "sales_from"}
    inline = _INLINE.findall(prose(document))
    dotted = {tuple(word.split(".")) for word in inline if re.fullmatch(r"[a-z_]+\.[a-z_]+", word)}
    named = {(name, attribute) for name, attribute in dotted if name in known}
    assert named
    unknown = {(name, of) for name, of in named if of not in known[name] | {"yaml"}}
    assert unknown == set()
    given = {name for text in inline for name in re.findall(r"^([a-z_]+) = ", text)}
    assert given <= set(known).union(*known.values())


@each_document
def test_variables_are_read_by_something(document: Path) -> None:
    named = set(_VARIABLE.findall(document.read_text(encoding="utf-8")))
    assert named <= variables_read() | variables_of_deployment() | variables_of_tests()


def test_variables_that_are_read_are_documented() -> None:
    documented = set(_INLINE.findall(prose(OPERATIONS)))
    assert variables_read() | variables_of_deployment() <= documented


def test_alerts_link_to_headings_of_the_operations() -> None:
    signals = (TERRAFORM / "modules" / "signals" / "main.tf").read_text(encoding="utf-8")
    alerts = signals.partition("  alerts = {\n")[2].partition("\n  }\n")[0]
    texts = re.findall(r"^ +text += (.*)$", alerts, re.MULTILINE)
    assert texts
    assert len(texts) == len(re.findall(r"^ +severity ", alerts, re.MULTILINE))
    shared = dict(re.findall(r'^  (\w+) = (".*")$', signals, re.MULTILINE))
    linked = [
        re.findall(r"\$\{var\.runbook\}#([\w-]+)", shared.get(text.removeprefix("local."), text))
        for text in texts
    ]
    assert all(len(anchor) == 1 for anchor in linked)
    assert {anchor for (anchor,) in linked} <= anchors(OPERATIONS)


#: The names of agents that are not the names of their services.
_AGENTS = {"dataprocrm": "dataprocrmnode"}


def test_googles_agents_that_are_granted_roles_are_made_before() -> None:
    # Google makes most of them late, and a role for an agent that is not there is refused.
    granted = set(re.findall(r"@(gcp-sa-[a-z]+|gs-project-accounts)\.iam\.", terraform_text()))
    commands = "\n".join(code(DEPLOYMENT[0]))
    services = re.findall(r"identity create --service=([a-z]+)\.googleapis\.com", commands)
    made = {f"gcp-sa-{_AGENTS.get(service, service)}" for service in services}
    made |= {"gs-project-accounts"} if "gcloud storage service-agent" in commands else set()
    assert granted
    assert granted <= made


def test_every_role_that_is_granted_is_explained() -> None:
    rows = table(DEPLOYMENT[0], "## Roles", "role", "on", "who")
    assert len(rows) > 20
    explained = [(role.strip("`"), on) for role, on, *_ in rows]
    assert sorted(explained) == sorted(granted())
    assert all(who and what_for for _, _, who, what_for in rows)


def test_roles_on_the_project_are_those_of_the_accounts() -> None:
    text = terraform_text(TERRAFORM, "accounts.tf")
    declared = set(re.findall(r'account = "(\w+)", role = "roles/([\w.]+)"', text))
    rows = table(DEPLOYMENT[0], "## Roles", "role", "on", "who")
    told = {
        (account, role.strip("`"))
        for role, on, who, _ in rows
        if on == "project"
        for account in _INLINE.findall(who)
    }
    with_dagster = {(account, "cloudsql.client") for account in ("runner", "dagster")}
    assert told == declared | with_dagster


def test_every_account_is_explained_and_has_a_role() -> None:
    accounts = terraform_text(TERRAFORM, "accounts.tf").partition("  accounts = merge(")[2]
    made = set(re.findall(r'(\w+) += "[A-Z]', accounts.partition("\n  )\n")[0]))
    told = {_INLINE.findall(row[0])[0] for row in table(DEPLOYMENT[0], "## Roles", "account")}
    assert made == told
    who = " ".join(row[2] for row in table(DEPLOYMENT[0], "## Roles", "role", "on", "who"))
    assert made <= set(_INLINE.findall(who))


@each_document
def test_the_project_is_set_before_terraform_logs_in(document: Path) -> None:
    # The log-in stores the project that is set at that moment as the quota project of its calls.
    lines = [line for block in _FENCED.findall(document.read_text()) for line in block.splitlines()]
    logs_in = [n for n, line in enumerate(lines) if "application-default login" in line]
    sets = [n for n, line in enumerate(lines) if "gcloud config set project" in line]
    assert all(any(before < login for before in sets) for login in logs_in)


def test_a_service_is_enabled_before_its_agent_is_made() -> None:
    enabled: set[str] = set()
    agents = []
    for program, words in known_commands.typed(code(DEPLOYMENT[0])):
        line = " ".join([program, *words])
        if line.startswith("gcloud services enable"):
            enabled |= set(words[2:])
        if made := re.search(r"identity create --service=(\S+)", line):
            agents.append(made[1])
            assert made[1] in enabled
    assert agents


def unset(lines: list[str]) -> list[str]:
    """Variables of the shell that a line uses, and no line up to it sets."""
    sets = re.compile(r"\b([A-Z][A-Z_]*)=|\bread -rs? ([A-Z][A-Z_]*)")
    known: set[str] = set()
    missing = []
    for line in lines:
        found = set(re.findall(r"\$\{?([A-Z][A-Z_]*)", line))
        typed = {name for pair in sets.findall(line) for name in pair if name}
        missing += sorted(found - known - typed)
        known |= typed
    return missing


def test_what_the_shell_is_to_fill_in_is_set_before() -> None:
    blocks = _FENCED.findall(DEPLOYMENT[0].read_text(encoding="utf-8"))
    assert unset([line for block in blocks for line in block.splitlines()]) == []


def test_a_variable_that_nothing_sets_before_is_found() -> None:
    lines = ["export A=1 B=$A", 'printf %s "$KEY"', "read -rs KEY && echo $KEY", 'echo "${LATER}"']
    assert unset([*lines, "LATER=2"]) == ["KEY", "LATER"]


@each_document
def test_whoever_pastes_commands_is_not_asked_in_the_middle(document: Path) -> None:
    # What is pasted after `read` would be the answer.
    blocks = _FENCED.findall(document.read_text(encoding="utf-8"))
    asking = [lines for block in blocks if "read -r" in block for lines in [block.splitlines()]]
    assert [line for lines in asking for line in lines[:-1] if "read -r" in line] == []


def test_an_upgrade_applies_again_when_the_tables_have_their_new_columns() -> None:
    # BigQuery refuses a view on a column that is not there, and only a run gives it to a table.
    upgrade = DEPLOYMENT[0].read_text("utf-8").split("\n## Upgrade\n")[1].split("\n## ")[0]
    steps = re.findall(r"gcloud workflows run|terraform -chdir=\S+ apply", upgrade)
    assert steps == [
        "terraform -chdir=deploy/terraform apply",
        "gcloud workflows run",
        "terraform -chdir=deploy/terraform apply",
    ]


@pytest.mark.parametrize("document", DEPLOYMENT, ids=lambda path: path.name)
def test_names_of_resources_are_those_of_terraform(document: Path) -> None:
    declared = terraform_text()
    text = document.read_text(encoding="utf-8")
    by_hand = made_by_commands(DEPLOYMENT[0])
    forms = [
        (r"\bdrug-assets-[a-z][a-z-]*[a-z]\b", r"{}(?![\w-])"),
        (r"\bdrug_assets_([a-z_]+)\b", r"(?m)^\s+{}\s+= "),
    ]
    used = [
        (name, declares.format(name))
        for form, declares in forms
        for name in sorted(set(re.findall(form, text)) - by_hand)
    ]
    assert used
    assert [name for name, declares in used if not re.search(declares, declared)] == []


def test_the_formats_that_can_land_are_those_that_are_read() -> None:
    """`docs/data.md` lists each format with its extensions and the sources that deliver it."""
    text = (ROOT / "docs" / "data.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| (`\..*?) \| (.*?) \|$", text, re.MULTILINE)
    listed = {name: (set(_INLINE.findall(ends)), set(of.split(", "))) for name, ends, of in rows}
    assert listed == {
        known.name: (
            set(known.extensions),
            {source.name for source in sources.ALL if known.name in source.formats},
        )
        for known in formats.FORMATS
    }


def test_every_vocabulary_has_its_credit_line() -> None:
    section = (ROOT / "docs" / "data.md").read_text().split("### Vocabularies", 1)[1]
    table = section.split("\n\n")[2].splitlines()[2:]
    vocabularies = {line.split("|")[1].partition(",")[0].strip() for line in table}
    credited = re.findall(r"^- ([^:]+):", (ROOT / "NOTICE").read_text(), re.MULTILINE)
    assert {"MeSH", "BDPM"} <= vocabularies
    for name in vocabularies:
        assert any(name in credit for credit in credited), name
