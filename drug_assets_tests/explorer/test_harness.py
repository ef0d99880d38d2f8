"""The browser of these tests, tried on pages of a few lines: which it is, and what it notices."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from drug_assets_tests.support import browsers
from drug_assets_tests.support.missing import missing

if TYPE_CHECKING:
    from playwright.sync_api import Playwright

    from drug_assets_tests.support.browsers import Visitor

POLICY = "default-src 'none'; script-src 'unsafe-inline'; require-trusted-types-for 'script'"
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A page</title>
<meta http-equiv="Content-Security-Policy" content="{policy}"></head>
<body><main><h1>A page</h1>{body}</main></body></html>"""


def page(folder: Path, body: str, policy: str = POLICY) -> str:
    """The address of a page with this body."""
    path = folder / "page.html"
    path.write_text(PAGE.format(body=body, policy=policy), encoding="utf-8")
    return path.as_uri()


def nowhere(name: str) -> None:
    """Find nothing, as on a machine without programs."""


def test_the_users_browser_comes_before_the_systems(tmp_path: Path) -> None:
    chosen = {"DRUG_ASSETS_TEST_BROWSER": "/opt/chosen"}
    everywhere = "/usr/bin/{}".format
    assert browsers.installed(chosen, nowhere, tmp_path) == Path("/opt/chosen")
    assert browsers.installed({}, everywhere, tmp_path) == Path("/usr/bin/chromium")
    edge = {"microsoft-edge": "/usr/bin/microsoft-edge"}
    assert browsers.installed({}, edge.get, tmp_path) == Path("/usr/bin/microsoft-edge")


def test_without_a_system_browser_it_is_that_of_npm(tmp_path: Path) -> None:
    assert browsers.installed({}, nowhere, tmp_path) is None
    (tmp_path / "@sparticuz" / "chromium").mkdir(parents=True)
    (tmp_path / ".chromium").mkdir()
    assert browsers.installed({}, nowhere, tmp_path) == tmp_path / ".chromium" / "chromium"


def test_without_a_browser_tests_are_skipped_by_name_but_fail_in_ci(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="apt-get install chromium"):
        missing(browsers.CURE)
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="DRUG_ASSETS_TEST_BROWSER"):
        missing(browsers.CURE)


@pytest.mark.browser
def test_the_browser_of_npm_opens_a_page(playwright: Playwright, tmp_path: Path) -> None:
    """It is used where there is no other, so it is tried where there are others, too."""
    program = browsers.installed({}, nowhere)
    if program is None:
        pytest.skip("npm has not installed @sparticuz/chromium: make explorer")
    started = browsers.start(playwright, program)
    opened = browsers.Visitor(started).open(page(tmp_path, "<p>Here.</p>"))
    expect(opened.page.get_by_text("Here.")).to_be_visible()
    started.close()


def test_a_page_is_opened_from_a_disk(visitor: Visitor, tmp_path: Path) -> None:
    address = page(tmp_path, "<p>Here.</p><script>document.title = 'Ran'</script>")
    opened = visitor.open(address)
    expect(opened.page.get_by_text("Here.")).to_be_visible()
    expect(opened.page).to_have_title("Ran")
    assert opened.evaluate("Promise.resolve({two: 1 + 1})") == {"two": 2}
    assert opened.requests == [address]
    assert opened.told == []


@pytest.mark.parametrize(
    ("body", "policy", "fault"),
    [
        ("<script>console.log('a word')</script>", POLICY, "a word"),
        ("<script>throw new Error('a fault')</script>", POLICY, "a fault"),
        ("<img src='https://example.org/' alt=''>", POLICY, r"https://example\.org/"),
        ("<img src='https://example.org/' alt=''>", "img-src *", r"https://example\.org/"),
        ("<script>document.body.innerHTML = '<b>'</script>", POLICY, "TrustedHTML"),
    ],
    ids=["console", "error", "refused", "request", "trusted types"],
)
def test_a_page_that_is_not_quiet_is_noticed(
    visitor: Visitor, tmp_path: Path, body: str, policy: str, fault: str
) -> None:
    opened = visitor.open(page(tmp_path, body + "<p>End.</p>", policy))
    expect(opened.page.get_by_text("End.")).to_be_visible()
    with pytest.raises(AssertionError, match=fault):
        visitor.close()


def test_axe_runs_under_the_policy_of_a_page_and_finds_faults(
    visitor: Visitor, tmp_path: Path
) -> None:
    sound = visitor.open(page(tmp_path, "<p>A text.</p>"))
    assert sound.axe() == []
    faulty = visitor.open(page(tmp_path, "<button></button>"))
    (found,) = faulty.axe()
    assert found.startswith("button-name (critical): <button>")
