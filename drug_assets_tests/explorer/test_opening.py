"""The explorer as a file, alone or with files beside it: it opens without any other request."""

from __future__ import annotations

import base64
import gzip
import json
import re
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from drug_assets.documents import EXPLORER
from drug_assets.explorer import FILE, FOLDER, page
from drug_assets_tests.explorer import expected
from drug_assets_tests.explorer.views import Explorer, address
from drug_assets_tests.support import runs

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from drug_assets_tests.explorer.conftest import Open
    from drug_assets_tests.support.browsers import Visitor
    from drug_assets_tests.support.runs import Run

#: Hosts in XML namespaces, which are never requested: of SVG, and of the parts of a spreadsheet.
NAMESPACES = ("www.w3.org", "schemas.openxmlformats.org")
#: What would run or be fetched, if the policy of the page let it.
INJECTED = {
    "script": "<script>window.ran = 1</script>",
    "event": "<button onclick='window.ran = 1' id=pressed>x</button>",
    "image": "<img src='https://example.org/x.png' alt=''>",
    "file": "<img src='x.png' alt=''>",
    "style": "<link rel='stylesheet' href='https://example.org/x.css'>",
    "frame": "<iframe src='https://example.org/' title='x'></iframe>",
    "object": "<object data='https://example.org/x.svg'></object>",
    "loaded script": "<script src='https://example.org/x.js'></script>",
    "base": "<base href='https://example.org/'>",
}
#: Expressions by which a page could request something by itself; each says how that ended.
ASKED = {
    "fetch": "fetch('https://example.org/').then(() => 'sent', () => 'refused')",
    "request": """new Promise(done => { const r = new XMLHttpRequest();
        r.onerror = () => done('refused'); r.onload = () => done('sent');
        r.open('GET', 'https://example.org/'); r.send(); })""",
    "image": """new Promise(done => { const i = new Image();
        i.onerror = () => done('refused'); i.onload = () => done('sent');
        i.src = 'https://example.org/x.png'; })""",
    "socket": """new Promise(done => { try { const s = new WebSocket('wss://example.org/');
        s.onerror = () => done('refused'); s.onopen = () => done('sent');
        } catch { done('refused') } })""",
    # It does not say itself whether it was sent.
    "beacon": """new Promise(done => {
        addEventListener('securitypolicyviolation', () => done('refused'));
        setTimeout(done, 60_000, 'sent'); navigator.sendBeacon('https://example.org/', 'x'); })""",
    "text as html": """(() => { try { document.body.insertAdjacentHTML('beforeend', '<b>x</b>');
        return 'sent' } catch { return 'refused' } })()""",
    "text as code": "(() => { try { new Function('return 1')(); return 'sent' } "
    "catch { return 'refused' } })()",
}


def made(run: Run, folder: Path, most_bytes: int = page.MOST_BYTES) -> Path:
    """The page of a run, made again; with files beside it if it would have more bytes."""
    tables: dict[str, Any] = {name: run.table(name).lazy() for name in EXPLORER.tables}

    def put(name: str, lines: Iterable[str]) -> Path:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        return path

    lines = page.write_page(beside=put, most_bytes=most_bytes, shard_bytes=1, **tables)
    return put(FILE, lines)


def test_it_opens_from_a_disk_with_one_request_and_says_nothing(
    sample_run: Run, explore: Open
) -> None:
    explorer = explore()
    mentions = sample_run.table("mentions")
    expect(explorer.page).to_have_title("Drug mentions")
    expect(explorer.page.locator("main")).to_contain_text(f"{mentions.height} mentions")
    expect(explorer.page.locator("main")).to_contain_text(
        f"{mentions['journal_id'].drop_nulls().n_unique()} journals"
    )
    explorer.show_drug("digoxin", "digoxin")
    expect(explorer.page.locator("ul.related > li").first).to_be_visible()
    assert explorer.opened.requests == [explorer.page.url.partition("#")[0]]
    assert explorer.opened.told == []


@pytest.mark.parametrize("injected", INJECTED)
def test_nothing_that_is_injected_runs_or_is_fetched(
    sample_run: Run, visitor: Visitor, tmp_path: Path, injected: str
) -> None:
    path = tmp_path / FILE
    text = (runs.current(sample_run.store) / FILE).read_text(encoding="utf-8")
    assert text.count("<body>") == 1
    path.write_text(text.replace("<body>", f"<body>{INJECTED[injected]}"), encoding="utf-8")
    (tmp_path / "x.png").write_bytes(b"x")
    opened = visitor.open(path.as_uri() + "#drug=digoxin", quiet=False)
    explorer = Explorer(opened)
    expect(explorer.heading).to_have_text("digoxin")
    expect(explorer.rows.first).to_be_visible()
    if injected == "event":
        opened.page.locator("#pressed").click()
    assert opened.evaluate("window.ran ?? null") is None
    assert opened.sent == [path.as_uri()]
    assert opened.told
    assert all("Content Security Policy" in told for told in opened.told)


@pytest.mark.parametrize("asked", ASKED)
def test_the_page_can_ask_for_nothing(sample_run: Run, visitor: Visitor, asked: str) -> None:
    path = runs.current(sample_run.store) / FILE
    opened = visitor.open(path.as_uri(), quiet=False)
    expect(opened.page.get_by_role("combobox")).to_be_visible()
    assert opened.evaluate(ASKED[asked]) == "refused"
    assert opened.sent == [path.as_uri()]


@pytest.mark.slow
def test_addresses_occur_only_as_targets_of_links(sample_run: Run) -> None:
    """The page and its blocks name no addresses but those of services and XML namespaces."""
    text = (runs.current(sample_run.store) / FILE).read_text(encoding="utf-8")
    blocks = re.findall(r'<script type="text/plain" id="\w+">([^<]*)</script>', text)
    assert blocks
    for packed in blocks:
        text += gzip.decompress(base64.b64decode(packed)).decode()
    named = set(re.findall(r"https?://([\w.-]+)", text))
    assert "pubmed.ncbi.nlm.nih.gov" in named
    assert named <= {*NAMESPACES, "pubmed.ncbi.nlm.nih.gov", "clinicaltrials.gov"}
    assert not re.search(r"""(src|href)\s*=\s*["']?(https?:)?//""", text)


def test_what_it_shows_without_scripts_is_its_first_view(sample_run: Run, explore: Open) -> None:
    explorer = explore(java_script_enabled=False)
    main = explorer.page.locator("main")
    expect(main).to_contain_text(f"{sample_run.table('mentions').height} mentions")
    for drug in expected.drugs(sample_run):
        expect(main.get_by_text(f"{drug.name}:").first).to_be_visible()


@pytest.fixture(scope="module")
def sharded(sample_run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of the sample with files beside it."""
    folder = tmp_path_factory.mktemp("sharded")
    path = made(sample_run, folder, most_bytes=0)
    assert len(list((folder / FOLDER).iterdir())) > 2
    return path


def test_with_files_beside_it_the_page_shows_the_same(
    sample_run: Run, sharded: Path, visitor: Visitor
) -> None:
    opened = visitor.open(sharded.as_uri())
    explorer = Explorer(opened)
    for drug in expected.drugs(sample_run):
        explorer.show_drug(drug.id, drug.name)
        expect(explorer.lead).to_have_text(expected.since_when(drug.mentions))
        assert explorer.evidence(drug.mentions.height) == expected.marked(drug.mentions)
    beside = [asked for asked in opened.requests if f"/{FOLDER}/" in asked]
    assert len(set(beside)) == len(beside) > 0  # none is asked for twice


@pytest.mark.parametrize("view", ["", address(drug="digoxin")], ids=["home", "drug"])
def test_a_missing_folder_is_said_in_words(
    sharded: Path, visitor: Visitor, tmp_path: Path, view: str
) -> None:
    shutil.copy(sharded, tmp_path)
    opened = visitor.open((tmp_path / FILE).as_uri() + view, quiet=False)
    explorer = Explorer(opened)
    expect(explorer.heading).to_be_visible()
    if view:
        alert = opened.page.get_by_role("alert").first
        expect(alert).to_contain_text(FOLDER)
        expect(alert).to_contain_text("folder that lies beside it")
        expect(explorer.lead).to_contain_text("journals mention it since")


def test_a_file_beside_it_that_is_another_one_runs_nothing(
    sharded: Path, visitor: Visitor, tmp_path: Path
) -> None:
    """A page trusts its folder, but takes only blocks from there, and reports damaged ones."""
    shutil.copy(sharded, tmp_path)
    shutil.copytree(sharded.parent / FOLDER, tmp_path / FOLDER)
    for path in (tmp_path / FOLDER).iterdir():
        blocks = json.loads(path.read_text(encoding="utf-8").strip()[len("explorerShard(") : -1])
        damaged = {name: text[: len(text) // 2] for name, text in blocks.items()}
        path.write_text(f"explorerShard({json.dumps(damaged)})\n", encoding="utf-8")
    opened = visitor.open((tmp_path / FILE).as_uri() + "#drug=digoxin", quiet=False)
    expect(Explorer(opened).heading).to_have_text("digoxin")
    expect(opened.page.get_by_role("alert").first).to_be_visible()


@pytest.mark.slow
def test_the_same_landing_zone_in_another_order_gives_the_same_bytes(
    sample_run: Run, tmp_path: Path
) -> None:
    for path in sorted(runs.SAMPLE.rglob("*"), reverse=True):
        if path.is_file():
            target = tmp_path / "landing" / path.relative_to(runs.SAMPLE)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    again = runs.run(tmp_path / "landing", tmp_path / "store")
    one, other = (runs.current(run.store) / FILE for run in (sample_run, again))
    assert one.read_bytes() == other.read_bytes()
