"""A SKOS scheme from the categories of a COCO file."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable

import pyoxigraph as ox

from lithograph.errors import VocabularyError
from lithograph.vocabulary import terms as t
from lithograph.vocabulary.lookup import plain
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
    ``lg:categoryId``. A supercategory becomes the concept above: the category of that name where
    there is one, else a concept of its own. A category that is its own supercategory is a top
    concept. The same categories in any order give the same triples.

    Raises VocabularyError where there is no category, where two have one id, or one name below one
    supercategory, where a name is empty, or an id is negative or has more than 15 digits;
    ValueError for a scheme name or a base IRI that makes no IRI.
    """
    scheme = _scheme_iri(name, base_iri)
    listed = sorted(_checked(categories, name))
    counts = Counter(plain(label) for _, label, _ in listed)
    # What a name means as a supercategory: the one category that has it, if there is just one.
    owner = {plain(label): number for number, label, _ in listed if counts[plain(label)] == 1}

    def parent_of(number: int, above: str | None) -> int | str | None:
        key = plain(above or "")
        parent = None if key in _NO_SUPERCATEGORY else owner.get(key, key)
        return None if parent == number else parent

    labels: dict[int | str, str] = {number: label for number, label, _ in listed}
    for number, _, above in listed:
        parent = parent_of(number, above)
        if above is not None and isinstance(parent, str):
            labels[parent] = min(above, labels.get(parent, above))
    nodes = _nodes(scheme.value, labels)
    triples = [
        _triple(scheme, t.TYPE, ox.NamedNode(t.SCHEME)),
        _triple(scheme, f"{t.DCTERMS}title", ox.Literal(name)),
    ]
    for key, node in nodes.items():
        triples += [
            _triple(node, t.TYPE, ox.NamedNode(f"{t.SKOS}Concept")),
            _triple(node, t.IN_SCHEME, scheme),
            _triple(node, t.PREF_LABEL, ox.Literal(labels[key])),
        ]
        if (words := _words(labels[key])) != labels[key]:
            triples.append(_triple(node, t.ALT_LABEL, ox.Literal(words)))
    tops = set(nodes.values())
    for number, _, above in listed:
        node, parent = nodes[number], parent_of(number, above)
        datatype = ox.NamedNode(t.CATEGORY_ID)
        triples.append(_triple(node, t.NOTATION, ox.Literal(str(number), datatype=datatype)))
        if parent is not None:
            triples.append(_triple(node, t.BROADER, nodes[parent]))
            tops.discard(node)
    for node in tops:
        triples += [_triple(node, t.TOP_OF, scheme), _triple(scheme, t.HAS_TOP, node)]
    return Vocabulary.from_triples(triples, scheme=scheme.value)


def _scheme_iri(name: str, base_iri: str) -> ox.NamedNode:
    try:
        if name.strip() and base_iri.endswith(("/", "#")):
            return ox.NamedNode(f"{base_iri}scheme/{_slug(name)}/")
        reason = "no name" if base_iri.endswith(("/", "#")) else "no '/' or '#' at its end"
    except ValueError as error:
        reason = str(error)
    raise ValueError(
        f"expected a scheme name and a base IRI, found {name!r} and {base_iri!r} ({reason})"
    )


def _checked(
    categories: Iterable[tuple[int, str, str | None]], scheme: str
) -> list[tuple[int, str, str | None]]:
    checked: list[tuple[int, str, str | None]] = []
    taken: dict[object, str] = {}
    for number, name, parent in categories:
        label = " ".join(name.split())
        above = " ".join((parent or "").split())
        if not label or isinstance(number, bool) or not 0 <= number < 10**15:
            raise VocabularyError(
                f"{scheme}: expected categories with a name and an id of 0 or more and at most 15 "
                f"digits, found id {number} and name {name!r}",
                subject=name,
            )
        for key in (number, (plain(label), plain(above))):
            if key in taken:
                raise VocabularyError(
                    f"{scheme}: expected categories with ids and names of their own, found "
                    f"{label!r} (id {number}) beside {taken[key]}",
                    subject=name,
                )
            taken[key] = f"{label!r} (id {number})"
        checked.append((number, label, above or None))
    if not checked:
        raise VocabularyError(
            f"{scheme}: expected at least one category, found none", subject=scheme
        )
    return checked


def _nodes(scheme: str, labels: dict[int | str, str]) -> dict[int | str, ox.NamedNode]:
    """An IRI for each label's key, all different; of labels that make one slug the first has it."""
    nodes: dict[int | str, ox.NamedNode] = {}
    taken: set[str] = set()
    for key in sorted(labels, key=lambda key: (labels[key], isinstance(key, str), key)):
        slug = first = _slug(labels[key])
        number = 2
        while slug in taken:
            slug, number = f"{first}-{number}", number + 1
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
