"""The explorer: one HTML file that shows every bit and every step, in any browser, without a network.

Its sources are in this folder: `explorer.html`, style sheets, and ES modules, of which `main.js` imports the others.
`assemble` makes one file of them.
"""

from __future__ import annotations

import html

from ..wording import quoted
from .address import check_address
from .assemble import assemble

__all__ = ["Explorer", "build", "show"]


def build(state: str = "") -> str:
    """The explorer as the text of one self-contained HTML file; its answers are those of `fp16sim.exact`.

    Parameters
    ----------
    state : str
        Where it opens: the part after "#" in the explorer's address, such as "number?x=0.1&format=bfloat16".

    Returns
    -------
    str
        Less than 400 KB; it loads nothing over a network.

    Raises
    ------
    ValueError
        If the state names a view or a key that does not exist. A value that the page does not know is told there.

    Examples
    --------
    >>> import fp16sim as fs
    >>> page = fs.page.build("arithmetic?op=add&a=2048&b=1")
    >>> page[:15], len(page) < 400_000
    ('<!doctype html>', True)
    """
    if not isinstance(state, str):
        raise TypeError(f"state={quoted(state)} must be a string; give the part after # in the explorer's address")
    check_address(state.removeprefix("#"))
    return assemble(state.removeprefix("#"))


class Explorer:
    """An object that Jupyter shows as the explorer, in a frame."""

    def __init__(self, state: str = "", height: int = 900) -> None:
        self.state, self.height = state, height
        self._page = build(state)

    def __repr__(self) -> str:
        return f"Explorer(state={self.state!r}, height={self.height})"

    def _repr_html_(self) -> str:
        # The frame may run scripts and copy a link. It has no access to the notebook or its storage.
        return (
            f'<iframe srcdoc="{html.escape(self._page)}" title="fp16sim explorer" sandbox="allow-scripts allow-modals" '
            f'allow="clipboard-write" style="width: 100%; height: {self.height}px; border: 0"></iframe>'
        )


def show(state: str = "", *, height: int = 900) -> Explorer:
    """The explorer inside a notebook: the same page as `build` returns, in a frame.

    Parameters
    ----------
    state : str
        Where it opens, as for `build`.
    height : int
        The height of the frame in pixels.

    Returns
    -------
    Explorer
        A cell that ends with it shows it.

    Examples
    --------
    >>> import fp16sim as fs
    >>> fs.page.show("number?x=1/3&beside=bfloat16", height=600)
    Explorer(state='number?x=1/3&beside=bfloat16', height=600)
    """
    if isinstance(height, bool) or not isinstance(height, int) or height < 1:
        raise ValueError(f"height={quoted(height)} is not a number of pixels; use for example 900")
    return Explorer(state, height)
