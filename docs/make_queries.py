"""Writes docs/queries.md from the headers of the shipped queries."""

from __future__ import annotations

from pathlib import Path

from lithograph.queries import Query, shipped

HEAD = """# Queries

`lithograph query` lists them, `lithograph query NAME --param NAME=VALUE` asks one. A concept may be
given by a label in any language. `lithograph query FILE.rq` and `… query /dev/stdin` ask one of
yours; a `.rq` file in the workspace's `queries/` folder can be asked by its name. Any SELECT that
binds `?annotation` can be exported: `lithograph export coco FILE --query NAME`.

This page is made from the queries' own headers by `python docs/make_queries.py`.
"""


def page() -> str:
    """The page as it should be."""
    return "\n".join([HEAD, *(section(query) for query in shipped().values())])


def section(query: Query) -> str:
    """One query."""
    lines = [f"## {query.name}", "", f"{query.title}. {query.description}", ""]
    for parameter in query.parameters:
        default = "" if parameter.default is None else f", default {parameter.default}"
        lines.append(
            f"- parameter `{parameter.name}` ({parameter.type}{default}): {parameter.text}"
        )
    lines += [f"- column `{column.name}`: {column.text}" for column in query.columns]
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    Path(__file__).with_name("queries.md").write_text(page(), encoding="utf-8")
