"""Sphinx's configuration; the sources are what `python -m sitegen` wrote."""

from __future__ import annotations

from typing import Protocol

from pygments.lexer import RegexLexer
from pygments.token import Comment, Keyword, Name, Number, Operator, Punctuation, String, Text

import vtac

project = "vtac"
author = "the authors of vtac"
version = release = vtac.__version__
extensions = ["myst_parser"]
exclude_patterns: list[str] = []
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 4
nitpicky = True
nitpick_ignore_regex = [("py:.*", r".*")]
html_theme = "furo"
html_title = "vtac"
html_show_sphinx = False
html_show_copyright = False
html_copy_source = False
html_show_sourcelink = False
html_show_search_summary = False
html_extra_path: list[str] = []
html_static_path: list[str] = ["static"]
html_css_files = ["site.css"]
html_theme_options = {"navigation_with_keys": True}
pygments_style = "default"


class MlirLexer(RegexLexer):
    """Colours for MLIR text, so far as reading it asks for."""

    name = "MLIR"
    aliases = ("mlir",)
    tokens = {  # noqa: RUF012 - as Pygments declares it
        "root": [
            (r"//.*?$", Comment.Single),
            (r'"(\\.|[^"\\])*"', String),
            (r"%[\w.$-]+(:\d+)?(#\d+)?", Name.Variable),
            (r"@[\w.$-]+", Name.Function),
            (r"\^\w+", Name.Label),
            (r"[#!][\w.$-]+", Name.Class),
            (r"-?\d+\.\d+([eE][+-]?\d+)?|-?\b\d+\b|\b0x[\da-fA-F]+\b", Number),
            (r"\b(index|none|i\d+|f\d+|bf16|tensor|memref|vector)\b", Keyword.Type),
            (r"\b(ins|outs|to|step|reads|writes|init|where|kind|attributes|affine_map|true|false)\b", Keyword),
            (r"[A-Za-z_][\w]*(\.[\w.]+)", Name.Builtin),
            (r"[A-Za-z_][\w$]*", Name),
            (r"->|[=*+\-:<>?/]", Operator),
            (r"[()\[\]{},.|&;'~^!@#$%]", Punctuation),
            (r"\s+", Text),
            (r".", Text),
        ]
    }


class _Application(Protocol):
    def add_lexer(self, alias: str, lexer: type[RegexLexer]) -> None: ...


def setup(app: _Application) -> None:
    """Sphinx calls this with the application."""
    app.add_lexer("mlir", MlirLexer)
