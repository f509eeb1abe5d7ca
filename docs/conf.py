"""How `make docs` builds the pages: Sphinx with MyST, over the Markdown as it lies in the checkout. Every warning is an error, a broken link too.

The pages stay plain Markdown that reads as well in a checkout. What a contents page links to, `docs/index.md` or a folder's README, is what the
navigation shows, so each page is listed once. The kit's own reference comes from its docstrings.
"""

import re
import site
import sys
import sysconfig
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx

ROOT = Path(__file__).parents[1]
# Sphinx lives in an environment of its own and finds here the kit that it documents.
sys.path.append(str(ROOT / "tests/conformance/support"))  # the walk of the conformance suite
site.addsitedir(sysconfig.get_path("purelib", vars={"base": str(ROOT / ".venv"), "platbase": str(ROOT / ".venv")}))

project = "Tailrace"
html_title = "Tailrace"
root_doc = "docs/index"
include_patterns = ["docs/**", "README.md", "CONTRIBUTING.md", "libs/*/README.md"]
exclude_patterns = [".*", "dist", "deploy", "services", "tests", "demo", "contracts", "libs/*/src", "**/__pycache__"]

extensions = ["myst_parser", "sphinx.ext.autodoc"]
myst_heading_anchors = 4
autodoc_member_order = "bysource"
autodoc_default_options = {"members": True, "exclude-members": "model_config"}
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
python_use_unqualified_type_names = True
default_role = "literal"
toc_object_entries = False

html_theme = "furo"
html_theme_options = {
    "navigation_with_keys": True,
    "light_css_variables": {"color-brand-primary": "#0f766e", "color-brand-content": "#0f766e"},
    "dark_css_variables": {"color-brand-primary": "#2dd4bf", "color-brand-content": "#2dd4bf"},
}
html_static_path = ["static"]
html_css_files = ["pages.css"]
html_favicon = "../services/gateway/src/gateway/static/icon.svg"
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False
templates_path = ["templates"]
html_additional_pages = {"index": "index.html"}
pygments_style = "friendly"
pygments_dark_style = "github-dark"

_SECTION = re.compile(r"^## (.+?)$(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
_PAGE = re.compile(r"^- \[([^]]+)\]\(([\w./-]+)\.md\)", re.MULTILINE)


def setup(app: Sphinx) -> None:
    app.connect("source-read", add_navigation)
    app.connect("doctree-read", drop_aliases)


def add_navigation(app: Sphinx, page: str, source: list[str]) -> None:
    """Turn the lists of a contents page into the navigation, without writing it there."""
    if page == root_doc:
        source[0] += "".join(_contents(text, caption) for caption, text in _SECTION.findall(source[0]))
    elif page.startswith("docs/") and page.endswith("/README"):
        source[0] += _contents(source[0])


def _contents(text: str, caption: str | None = None) -> str:
    pages = "\n".join(f"{title} <{page}>" for title, page in _PAGE.findall(text))
    options = ":hidden:" if caption is None else f":hidden:\n:caption: {caption}"
    return f"\n\n```{{toctree}}\n{options}\n\n{pages}\n```\n" if pages else ""


def drop_aliases(app: Sphinx, tree: nodes.document) -> None:
    """What an annotated type is an alias of fills lines and tells nobody anything."""
    for paragraph in list(tree.findall(nodes.paragraph)):
        if paragraph.astext().startswith("alias of "):
            paragraph.parent.remove(paragraph)
