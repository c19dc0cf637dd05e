"""A real browser for the tests of the page. Where there is none, or no Playwright, they skip and say so."""

import shutil

import pytest

from fp16sim import page as explorer

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
FOLLOW = """(hash) => new Promise((done) => {
  addEventListener("hashchange", () => setTimeout(done), { once: true });
  location.hash = hash;
})"""
"""JavaScript that opens a state in the page, as a link would, and waits until it is shown."""
INSIDE = ("file:", "data:", "about:", "blob:")


@pytest.fixture(scope="session")
def browser():
    """Debian's chromium (or another one on the PATH), without a window."""
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is missing: pip install playwright")
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        pytest.skip("no chromium on the PATH: apt install chromium")
    with playwright.sync_playwright() as running:
        opened = running.chromium.launch(executable_path=path, args=QUIET)
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def explorer_file(tmp_path_factory):
    """The page as a file, as a user has it."""
    path = tmp_path_factory.mktemp("page") / "explorer.html"
    path.write_text(explorer.build(), encoding="utf-8")
    return path


@pytest.fixture
def open_page(browser, explorer_file):
    """`open_page(hash, **context options)`; at the end: nothing on the console, and no request left the file."""
    contexts, complaints, requests = [], [], []

    def opened(state="", url=None, **options):
        context = browser.new_context(**({"viewport": {"width": 1200, "height": 900}} | options))
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: requests.append(request.url))
        page.goto((url or explorer_file.as_uri()) + (f"#{state}" if state else ""))
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not complaints
    assert requests
    assert not [url for url in requests if not url.startswith(INSIDE)]


@pytest.fixture(scope="session")
def core(browser, explorer_file):
    """A page whose arithmetic is called: `core.evaluate(javascript, argument)`."""
    page = browser.new_page()
    page.goto(explorer_file.as_uri())
    yield page
    page.close()
