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
DESK = {"width": 1200, "height": 900}
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


@pytest.fixture(scope="session")
def desk(browser):
    """One window of a desktop, used again and again: a new one takes longer than a new page in it."""
    context = browser.new_context(viewport=DESK)
    yield context.new_page()
    context.close()


@pytest.fixture
def open_page(browser, explorer_file, request):
    """`open_page(hash, **context options)`; at the end: nothing on the console, and no request left the file."""
    contexts, complaints, requests, used = [], [], [], {}
    listeners = {
        "console": lambda message: complaints.append(message.text),
        "pageerror": lambda error: complaints.append(str(error)),
        "request": lambda asked: requests.append(asked.url),
    }

    def window(options):
        if not options and "desk" not in used:
            used["desk"] = request.getfixturevalue("desk")
            used["desk"].goto("about:blank")
            return used["desk"]
        contexts.append(browser.new_context(**({"viewport": DESK} | options)))
        return contexts[-1].new_page()

    def opened(state="", url=None, **options):
        page = window(options)
        for event, listener in listeners.items():
            page.on(event, listener)
        page.goto((url or explorer_file.as_uri()) + (f"#{state}" if state else ""))
        return page

    yield opened
    if "desk" in used:
        for event, listener in listeners.items():
            used["desk"].remove_listener(event, listener)
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
