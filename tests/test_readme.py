"""The README stays short, and every link in it and in the reference leads somewhere."""

import re
from pathlib import Path

import pytest

HOME = Path(__file__).parents[1]
README = HOME / "README.md"
PAGES = [README, HOME / "tutorials" / "glossary.md", *sorted((HOME / "tutorials" / "reference").glob("*.md"))]


def anchors(path):
    """The anchors of a page's headings, as code hosts make them."""
    headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_readme_is_read_in_a_minute_and_has_six_ways_on():
    text = README.read_text(encoding="utf-8")
    assert len(text) < 6000
    assert len(re.findall(r"^- \[\*\*", text, re.MULTILINE)) == 6


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_every_link_of_a_page_leads_to_a_file_and_a_heading(page):
    text = re.sub(r"```.*?```|`[^`\n]*`", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)  # code has examples
    links = re.findall(r"\]\(([^)]+)\)", text)
    for link in (link for link in links if not link.startswith("https://")):
        name, _, anchor = link.partition("#")
        target = (page.parent / name) if name else page
        assert target.is_file(), f"{page.name} links to {link}"
        assert not anchor or anchor in anchors(target), f"{page.name} links to the heading {link}"


def test_every_page_of_the_reference_can_be_reached_from_the_readme():
    found, todo = set(), [README]
    while todo:
        page = todo.pop()
        found.add(page.resolve())
        for link in re.findall(r"\]\(([^)#]+\.md)", page.read_text(encoding="utf-8")):
            target = (page.parent / link).resolve()
            if target not in found and target.exists():
                todo.append(target)
    assert found == {page.resolve() for page in PAGES}
