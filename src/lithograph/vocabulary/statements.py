"""Triples by subject and predicate, as Python strings: what reading a vocabulary asks for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from pyoxigraph import BlankNode, Literal, NamedNode, Triple

from lithograph.vocabulary import terms as t


class Text(NamedTuple):
    """A literal: its lexical form, its language in lower case ("" for none), its datatype's IRI."""

    value: str
    language: str
    datatype: str


#: A node by its IRI, a blank node by ``_:`` and its name, a literal as a Text.
Value = str | Text


class Statements:
    """An index of triples. Answers are sorted: they do not depend on the order read."""

    def __init__(self, triples: Iterable[Triple]) -> None:
        self._by_subject: dict[str, dict[str, list[Value]]] = {}
        self.fake_languages = 0
        for triple in triples:
            subject, object_ = _name(triple.subject), triple.object
            value: Value
            if isinstance(object_, Literal):
                language = (object_.language or "").lower()
                if language in t.FAKE_LANGUAGES:
                    self.fake_languages += 1
                    continue
                value = Text(object_.value, language, object_.datatype.value)
            else:
                value = _name(object_)
            said = self._by_subject.get(subject)
            if said is None:
                said = self._by_subject[subject] = {}
            said.setdefault(triple.predicate.value, []).append(value)

    def subjects(self) -> list[str]:
        """Every subject, sorted."""
        return sorted(self._by_subject)

    def nodes(self, subject: str, *predicates: str) -> list[str]:
        """The nodes that a subject points at, each once."""
        # Most questions have no answer: an early end is most of a large thesaurus' reading time.
        said = self._by_subject.get(subject)
        if said is None:
            return []
        found = [v for p in predicates if p in said for v in said[p] if isinstance(v, str)]
        return sorted(set(found)) if len(found) > 1 else found

    def texts(self, subject: str, predicate: str) -> list[Text]:
        """The literals that a subject has."""
        values = self._by_subject.get(subject, {}).get(predicate)
        return sorted({v for v in values if isinstance(v, Text)}) if values else []

    def notes(self, subject: str, predicate: str) -> list[Text]:
        """The literals of a note, and those of the nodes that stand for notes (``rdf:value``)."""
        found = self.texts(subject, predicate)
        for node in self.nodes(subject, predicate):
            found += self.texts(node, t.VALUE)
        return found

    def links(self, *predicates: str) -> Iterator[tuple[str, str, str]]:
        """Subject, predicate and node of every triple with one of the predicates."""
        for subject, said in self._by_subject.items():
            for predicate in predicates:
                for value in said.get(predicate, ()):
                    if isinstance(value, str):
                        yield subject, predicate, value

    def list_items(self, head: str) -> list[str]:
        """The nodes of an RDF list, in its order; a list that bites its tail ends there."""
        items: list[str] = []
        seen: set[str] = set()
        while head not in seen and head in self._by_subject:
            seen.add(head)
            items += self.nodes(head, t.FIRST)[:1]
            head = next(iter(self.nodes(head, t.REST)), "")
        return items


def _name(node: NamedNode | BlankNode | Triple) -> str:
    if isinstance(node, NamedNode):
        return node.value
    if isinstance(node, BlankNode):
        return f"_:{node.value}"
    raise ValueError(f"expected a plain term, found the triple term {node}")
