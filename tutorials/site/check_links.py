"""Check every link of a built site: `python tutorials/site/check_links.py build/site`.

Each `href` and `src` of each page, however it was written, must lead to a file of the site, and to an id in it if it has
a part after `#`. What a page loads by itself (scripts, styles, pictures, fonts) must be in the site too, so that it reads
the same without a network. Links to other sites are counted and not visited.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LOADED = {
    "script": "src",
    "img": "src",
    "source": "src",
    "iframe": "src",
    "link": "href",
    "video": "src",
    "audio": "src",
}
"""What a browser fetches unasked, and the attribute that says where."""

NOT_FETCHED = {"canonical", "prev", "next", "index", "search", "author", "license", "copyright"}
"""Relations of a `link` element that only tell something."""


@dataclass
class Page(HTMLParser):
    """What a page refers to, and what can be referred to in it."""

    path: Path
    links: list[tuple[int, str, bool]] = field(default_factory=list)
    """(line, address, whether it is fetched unasked)."""
    ids: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        super().__init__()
        self.feed(self.path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep the ids and the addresses of an element."""
        given = {name: value or "" for name, value in attrs}
        self.ids |= {given[name] for name in ("id", "name") if name in given and (name == "id" or tag == "a")}
        address = given.get(LOADED.get(tag, "href"))
        if address is not None:
            fetched = tag in LOADED and not set(given.get("rel", "").split()) & NOT_FETCHED
            self.links.append((self.getpos()[0], address, fetched))


@dataclass
class Checked:
    """What was found: a sentence for each fault, and how many links there were."""

    faults: list[str]
    pages: int
    internal: int
    external: int


def check(site: Path) -> Checked:
    """Check all pages of a folder, and the addresses in its style sheets."""
    pages = {path.resolve(): Page(path) for path in sorted(site.rglob("*.html")) if "_static" not in path.parts}
    found = Checked([], len(pages), 0, 0)
    for page in pages.values():
        for line, address, fetched in page.links:
            where = f"{page.path.relative_to(site).as_posix()}:{line}"
            if urlsplit(address).scheme or address.startswith("//"):
                found.external += 1
                if fetched and not address.startswith("data:"):
                    found.faults.append(f"{where} loads {address}, which needs a network")
            else:
                found.internal += 1
                found.faults += [f"{where} {fault}" for fault in _broken(address, page, pages)]
    for sheet in sorted(site.rglob("*.css")):
        found.faults += _of_style(sheet, site)
    return found


def _broken(address: str, page: Page, pages: dict[Path, Page]) -> list[str]:
    parts = urlsplit(address)
    target = (page.path.parent / unquote(parts.path)).resolve() if parts.path else page.path.resolve()
    if not target.is_file():
        return [f"leads to {address}, which is {'a folder' if target.is_dir() else 'missing'}"]
    own_address = target.name == "explorer.html"  # what stands after # is a view, which it reads itself
    if parts.fragment and target in pages and not own_address and unquote(parts.fragment) not in pages[target].ids:
        return [f"leads to {address}, where nothing has that id"]
    return []


def _of_style(sheet: Path, site: Path) -> list[str]:
    where, faults = sheet.relative_to(site).as_posix(), []
    text = re.sub(r"/\*.*?\*/", "", sheet.read_text(encoding="utf-8"), flags=re.DOTALL)
    for address in re.findall(r"url\(\s*[\"']?([^\"')]+)", text):
        if re.match(r"(https?:)?//", address):
            faults.append(f"{where} loads {address}, which needs a network")
        elif not re.match(r"data:|#", address) and not (sheet.parent / unquote(urlsplit(address).path)).is_file():
            faults.append(f"{where} loads {address}, which is missing")
    return faults


def main(arguments: list[str]) -> int:
    """Check a built site; 1 if something is broken, 2 if there is no site."""
    if len(arguments) != 1 or not (Path(arguments[0]) / "index.html").is_file():
        print("usage: check_links.py FOLDER, where FOLDER has the index.html of a built site", file=sys.stderr)
        return 2
    found = check(Path(arguments[0]))
    print(*found.faults, sep="\n", end="\n" if found.faults else "")
    print(
        f"{found.pages} pages, {found.internal:,} internal links, {found.external:,} to other sites; {len(found.faults)} faults"
    )
    return 1 if found.faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
