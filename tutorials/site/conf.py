"""The documentation site: `sphinx-build -W -n tutorials/site build/site`, after `pip install -e ".[docs]"`."""

import sys
from pathlib import Path

from docutils import nodes

sys.path.insert(0, str(Path(__file__).parent))

import assemble
import fp16sim

project = "fp16sim"
author = "The fp16sim authors"
version = release = fp16sim.__version__
extensions = ["myst_nb", "sphinx.ext.autodoc", "numpydoc", "sphinx_copybutton", "offline_search"]

# Pages: what is written here, and what `assemble` puts beside it. Notebooks are shown as they were committed.
nb_execution_mode = "off"
nb_merge_streams = True
myst_heading_anchors = 3
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

# The reference: `assemble` writes a page for each room. What its __all__ names stands in the order of the source.
autodoc_default_options = {"members": True, "imported-members": True, "member-order": "bysource"}
autodoc_preserve_defaults = True  # fmt=BINARY32, and not all its fields
autodoc_typehints = "none"  # the section Parameters says what is accepted, in words
default_role = "py:obj"  # docstrings write `names` between single backticks; see `plain_code`
numpydoc_show_class_members = False

html_theme = "pydata_sphinx_theme"
html_title = f"fp16sim {release}"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_extra_path = [assemble.EXTRA]
html_copy_source = False
html_theme_options = {
    "header_links_before_dropdown": 8,
    "navigation_with_keys": True,
    "secondary_sidebar_items": ["page-toc"],
    "show_prev_next": True,
    "footer_start": ["copyright"],
    "footer_end": [],
}
html_context = {"default_mode": "auto"}
html_sidebars = {page: [] for page in ("index", "start", "search", "genindex", "py-modindex")}
copyright = "The fp16sim authors, MIT licence"


def plain_code(app, env, node, content):
    """Between backticks stands code. A name that the reference explains becomes a link; the rest is no mistake."""
    if node.get("refdomain") == "py" and node.get("reftype") == "obj":
        return nodes.literal("", "", *content.children, classes=content.get("classes", []))
    return None


def setup(app):
    """What the build does beside the settings above."""
    assemble.write()  # now, because Sphinx looks for the folders above before it has a builder
    app.connect("missing-reference", plain_code)
