"""A SKOS scheme from the categories of a COCO file."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

import pyoxigraph as ox

from lithograph.errors import VocabularyError
from lithograph.vocabulary import terms as t
from lithograph.vocabulary.lookup import fold
from lithograph.vocabulary.model import Vocabulary

#: What files write where a category has no supercategory.
_NO_SUPERCATEGORY = frozenset({"", "none", "null"})


def scheme_from_categories(
    name: str, base_iri: str, categories: Iterable[tuple[int, str, str | None]]
) -> Vocabulary:
    """A scheme from categories given as ``(id, name, supercategory)``.

    The scheme is ``<base_iri>scheme/<name as slug>/``, and ``base_iri`` ends in ``/`` or ``#``. A
    category becomes a concept with its name as the preferred label (without language: the file
    says none), the words of a CamelCase name as an alternative one, and its id as
    ``lg:categoryId``. A supercategory becomes the concept above, the same one where a category has
    that name; a category that is its own supercategory is a top concept. The same categories in
    any order give the same triples.

    Raises VocabularyError where there is no category, or two have one id or one name, or a name is
    empty or an id below 0; ValueError for a base IRI or a scheme name that makes no IRI.
    """
    if not base_iri.endswith(("/", "#")) or not name.strip():
        raise ValueError(
            "expected a scheme name and a base IRI that ends in '/' or '#', "
            f"found {name!r} and {base_iri!r}"
        )
    scheme = ox.NamedNode(f"{base_iri}scheme/{_slug(name)}/")
    listed = sorted(_checked(categories, name))
    above = {
        fold(parent): parent
        for _, _, parent in reversed(listed)
        if parent and fold(parent) not in _NO_SUPERCATEGORY
    }
    names = {**above, **{fold(label): label for _, label, _ in listed}}
    nodes = _nodes(scheme.value, names)
    triples = [
        _triple(scheme, t.TYPE, ox.NamedNode(t.SCHEME)),
        _triple(scheme, f"{t.DCTERMS}title", ox.Literal(name)),
    ]
    for key, node in nodes.items():
        triples += [
            _triple(node, t.TYPE, ox.NamedNode(f"{t.SKOS}Concept")),
            _triple(node, t.IN_SCHEME, scheme),
            _triple(node, t.PREF_LABEL, ox.Literal(names[key])),
        ]
        if (words := _words(names[key])) != names[key]:
            triples.append(_triple(node, t.ALT_LABEL, ox.Literal(words)))
    for number, label, parent in listed:
        node = nodes[fold(label)]
        datatype = ox.NamedNode(t.CATEGORY_ID)
        triples.append(_triple(node, t.NOTATION, ox.Literal(str(number), datatype=datatype)))
        key = fold(parent) if parent else ""
        if key in above and key != fold(label):
            triples.append(_triple(node, t.BROADER, nodes[key]))
    below = {triple.subject for triple in triples if triple.predicate.value == t.BROADER}
    for node in nodes.values():
        if node not in below:
            triples.append(_triple(node, t.TOP_OF, scheme))
            triples.append(_triple(scheme, t.HAS_TOP, node))
    return Vocabulary.from_triples(triples, scheme=scheme.value)


def _checked(
    categories: Iterable[tuple[int, str, str | None]], scheme: str
) -> list[tuple[int, str, str | None]]:
    checked: list[tuple[int, str, str | None]] = []
    ids: dict[int, str] = {}
    names: dict[str, str] = {}
    for number, name, parent in categories:
        label = " ".join(name.split())
        if not label or isinstance(number, bool) or number < 0:
            raise VocabularyError(
                f"{scheme}: expected categories with a name and an id of 0 or more, "
                f"found id {number} and name {name!r}",
                subject=name,
            )
        if number in ids or fold(label) in names:
            other = ids.get(number, names.get(fold(label)))
            raise VocabularyError(
                f"{scheme}: expected categories with ids and names of their own, found {label!r} "
                f"(id {number}) beside {other!r}",
                subject=name,
            )
        ids[number] = names[fold(label)] = label
        checked.append((number, label, " ".join(parent.split()) if parent else None))
    if not checked:
        raise VocabularyError(
            f"{scheme}: expected at least one category, found none", subject=scheme
        )
    return checked


def _nodes(scheme: str, names: dict[str, str]) -> dict[str, ox.NamedNode]:
    """An IRI for each folded name, all different."""
    nodes: dict[str, ox.NamedNode] = {}
    taken: set[str] = set()
    for key in sorted(names):
        slug = plain = _slug(names[key])
        number = 2
        while slug in taken:
            slug, number = f"{plain}-{number}", number + 1
        taken.add(slug)
        nodes[key] = ox.NamedNode(scheme + slug)
    return nodes


def _triple(subject: ox.NamedNode, predicate: str, value: ox.NamedNode | ox.Literal) -> ox.Triple:
    return ox.Triple(subject, ox.NamedNode(predicate), value)


def _words(name: str) -> str:
    """A CamelCase or snake_case name as the words that it runs together, in lower case."""
    parted = re.sub(r"(?<=[a-zà-ÿ0-9])(?=[A-ZÀ-Þ])|(?<=[A-ZÀ-Þ])(?=[A-ZÀ-Þ][a-zà-ÿ])", " ", name)
    parted = parted.replace("&", " and ").replace("_", " ")
    words = " ".join(parted.split())
    return words.lower() if words != name else name


def _slug(name: str) -> str:
    plain = unicodedata.normalize("NFKD", _words(name)).encode("ascii", "ignore").decode("ascii")
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-") or "category"
