"""Three lines of user code name the cause of each case from the field, and the page of the manual quotes them."""

import pytest

from .field_cases import CASES, FAULTS, PAGE, page, squeezed

pytestmark = pytest.mark.usefixtures("quiet")

ROWS = [pytest.param(case, id=case.title, marks=pytest.mark.exhaustive if case.slow else ()) for case in CASES]


@pytest.mark.parametrize("case", ROWS)
def test_three_lines_print_the_cause_of_a_case(case):
    assert len(case.lines.splitlines()) <= 3
    assert squeezed(case.cause) in squeezed(case.output())


def test_the_page_of_the_manual_is_made_of_the_table():
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m tests.field_cases"
    assert len({case.title for case in CASES}) == len(CASES)
    assert len(CASES) + len(FAULTS) == 34
