"""The documentation site: `sphinx-build -W -n tutorials/site build/site`, after `pip install -e ".[docs]"`."""

import fp16sim

project = "fp16sim"
author = "The fp16sim authors"
version = release = fp16sim.__version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "numpydoc"]

# The reference: a page for each room that people import, with what its __all__ names, in the order of the source.
autodoc_default_options = {"members": True, "imported-members": True, "member-order": "bysource"}
autodoc_typehints = "none"  # the section Parameters says what is accepted, in words
default_role = "code"  # docstrings write `names` between single backticks
numpydoc_show_class_members = False

html_theme = "pydata_sphinx_theme"
html_title = f"fp16sim {release}"
html_theme_options = {"navigation_with_keys": True, "secondary_sidebar_items": ["page-toc"]}
html_show_sourcelink = False
