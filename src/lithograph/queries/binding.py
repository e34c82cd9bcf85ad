"""Values into a query: as whole terms, in the place of whole tokens.

The engine's own substitution (SPARQL-dev SEP-0007) asks that the variable be projected, and leaves
sub-queries, BIND and aggregates as they are; remote stores have none. So a parameter's tokens are
replaced by its term, which the engine itself writes and escapes. A value never meets the text as
text: what stands in a comment, a string or an IRI is another token.
"""

from __future__ import annotations

from collections.abc import Mapping

import pyoxigraph as ox

from lithograph.queries.tokens import tokenize

Term = ox.NamedNode | ox.Literal


def bind_terms(text: str, terms: Mapping[str, Term]) -> str:
    """The query with the variables of these names replaced by terms (``$name`` is ``?name``)."""
    parts: list[str] = []
    position = 0
    for token in tokenize(text):
        if token.kind == "variable" and token.text[1:] in terms:
            # Spaces on both sides: a term must not grow together with what stands beside it.
            parts += [text[position : token.start], f" {terms[token.text[1:]]} "]
            position = token.start + len(token.text)
    return "".join([*parts, text[position:]])
