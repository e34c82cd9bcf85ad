"""A vocabulary for people: as text in a terminal, as a tree in a notebook."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from typing import TYPE_CHECKING

from lithograph.vocabulary.concepts import Concept, in_language

if TYPE_CHECKING:
    from lithograph.vocabulary.model import Vocabulary

#: A notebook shows at most this many concepts; the text shows all.
_SHOWN_IN_HTML = 500


def tree_text(vocabulary: Vocabulary, languages: Sequence[str]) -> str:
    """One line a concept, below its path's parent; other parents name it with an arrow."""
    lines = [f"{vocabulary.title_in(*languages)}  <{vocabulary.iri}>"]
    for root in _roots(vocabulary):
        lines.append(_line(root, languages))
        waiting = [("", entry) for entry in reversed(list(_children(vocabulary, root)))]
        while waiting:
            indent, (child, is_last, is_here) = waiting.pop()
            branch, below = ("└─ ", "   ") if is_last else ("├─ ", "│  ")
            elsewhere = None if is_here else vocabulary.main_parent(child) or child
            where = f"  → {elsewhere.label(*languages)}" if elsewhere else ""
            lines.append(f"{indent}{branch}{_line(child, languages)}{where}")
            if is_here:
                entries = list(_children(vocabulary, child))
                waiting += [(indent + below, entry) for entry in reversed(entries)]
    return "\n".join(lines)


def _roots(vocabulary: Vocabulary) -> list[Concept]:
    """Families first, then what else stands at the top: retired concepts, the background."""
    roots = [concept for concept in vocabulary.concepts if vocabulary.main_parent(concept) is None]
    return sorted(roots, key=lambda concept: (concept.is_background, concept.deprecated))


def _children(vocabulary: Vocabulary, concept: Concept) -> Iterator[tuple[Concept, bool, bool]]:
    """Each child, whether it is the last, and whether its own children are to be shown here."""
    for place, iri in enumerate(concept.narrower, start=1):
        child = vocabulary[iri]
        yield child, place == len(concept.narrower), vocabulary.main_parent(child) == concept


def _line(concept: Concept, languages: Sequence[str]) -> str:
    found = [in_language(concept.pref_labels, language) for language in languages]
    labels = list(dict.fromkeys(texts[0] for texts in found if texts))
    parts = [" · ".join(labels) or concept.label(*languages)]
    if concept.category_id is not None:
        parts.append(f"[{concept.category_id}]")
    if concept.is_background:
        parts.append("(background)")
    if concept.deprecated:
        parts.append("(retired" + "".join(f", see <{iri}>" for iri in concept.replaced_by) + ")")
    return " ".join(parts)


def tree_html(vocabulary: Vocabulary, languages: Sequence[str] = ("en", "fr")) -> str:
    """A nested list that folds; a concept's definition shows when the mouse rests on it."""
    title = escape(vocabulary.title_in(*languages))
    count = f"{len(vocabulary)} concepts"
    pieces = [f"<div><strong>{title}</strong> <code>{escape(vocabulary.iri)}</code> · {count}<ul>"]
    shown = 0
    # What is still to be written, the next on top: text, or a concept and whether to go below it.
    waiting: list[str | tuple[Concept, bool]] = [
        (root, True) for root in reversed(_roots(vocabulary))
    ]
    while waiting:
        entry = waiting.pop()
        if isinstance(entry, str):
            pieces.append(entry)
            continue
        if shown == _SHOWN_IN_HTML:
            continue
        shown += 1
        concept, is_here = entry
        below = (
            [(child, here) for child, _, here in _children(vocabulary, concept)] if is_here else []
        )
        text = _html_line(concept, languages)
        if below:
            pieces.append(f"<li><details open><summary>{text}</summary><ul>")
            waiting.append("</ul></details></li>")
            waiting.extend(reversed(below))
        else:
            pieces.append(f"<li>{text}</li>")
    left = len(vocabulary) - shown
    more = f"<p>… and {left} more</p>" if shown == _SHOWN_IN_HTML and left > 0 else ""
    return "".join(pieces) + f"</ul>{more}</div>"


def _html_line(concept: Concept, languages: Sequence[str]) -> str:
    definition = next(
        (found[0] for tag in languages if (found := in_language(concept.definitions, tag))), ""
    )
    return f'<span title="{escape(definition)}">{escape(_line(concept, languages))}</span>'
