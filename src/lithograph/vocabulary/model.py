"""The vocabulary: one SKOS scheme, read once, frozen."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from lithograph.errors import VocabularyError
from lithograph.vocabulary.blank_nodes import canonical_triples
from lithograph.vocabulary.concepts import Concept, Grouping, Texts, in_language
from lithograph.vocabulary.findings import Finding, sorted_findings
from lithograph.vocabulary.lookup import CategoryMatch, LabelIndex, match_category
from lithograph.vocabulary.parsing import load, named_format, parse
from lithograph.vocabulary.prompts import Prompt, make_prompts
from lithograph.vocabulary.reading import Contents, read_contents

if TYPE_CHECKING:
    from pyoxigraph import Triple


class Vocabulary:
    """One SKOS concept scheme: its hierarchy, its labels, the prompts it gives. It never changes.

    Two vocabularies are equal where their triples are (see :attr:`digest`). Concepts are given as
    :class:`Concept` or by anything that ``vocabulary[...]`` finds.

    A concept may have several parents, none, or itself as an ancestor. All answers are well defined
    all the same: :attr:`families` are the roots, and every concept has one path from its nearest
    root; where a cycle hangs from no root, its first concept is one.
    """

    def __init__(
        self,
        contents: Contents,
        triples: Iterable[Triple],
        *,
        prefixes: Mapping[str, str] | None = None,
        findings: Iterable[Finding] = (),
    ) -> None:
        self._contents = contents
        self._read = tuple(triples)
        self._prefixes = dict(prefixes or {})
        self._reading_findings = (*contents.findings, *findings)
        self._by_iri = {concept.iri: concept for concept in contents.concepts}

    # -- reading ---------------------------------------------------------------------------

    @classmethod
    def read(
        cls,
        source: Path | str | bytes,
        *,
        format: str | None = None,  # noqa: A002 - the word that people know it by
        scheme: str | None = None,
        base_iri: str | None = None,
    ) -> Vocabulary:
        """Read a SKOS file, or RDF text: Turtle, TriG, RDF/XML, JSON-LD, N-Triples, N-Quads.

        ``source`` is a path, or the content itself (bytes, or a string that holds a line break or
        begins as RDF does). The format is told from the content, never from the name, unless
        ``format`` names it (``turtle``, ``ttl``, ``text/turtle``). ``scheme`` chooses among several
        schemes: without it the one with most concepts is read. ``base_iri`` resolves relative IRIs.
        Neither the network nor any other file is opened.

        Whatever can drive prompts is read, and what is odd about it reported by :meth:`check`.
        Raises VocabularyError where the file cannot be read, is not RDF of a single graph, is
        hostile, or holds no concept, no label or not the scheme asked for; ValueError for an
        unknown format.
        """
        text, name = load(source)
        parsed = parse(
            text, name, rdf_format=named_format(format) if format else None, base_iri=base_iri
        )
        try:
            contents = read_contents(parsed.triples, scheme, name)
        except VocabularyError as error:
            if parsed.findings:
                # What was left out may be why nothing is left: relative IRIs, above all.
                raise VocabularyError(
                    f"{error}; {parsed.findings[0].message}", subject=error.subject
                ) from error
            raise
        return cls(contents, parsed.triples, prefixes=parsed.prefixes, findings=parsed.findings)

    @classmethod
    def from_triples(cls, triples: Iterable[Triple], *, scheme: str | None = None) -> Vocabulary:
        """A vocabulary from triples at hand; ``scheme`` and errors as for :meth:`read`."""
        held = tuple(triples)
        return cls(read_contents(held, scheme, scheme or "the given triples"), held)

    # -- what it holds ---------------------------------------------------------------------

    @property
    def iri(self) -> str:
        """The scheme's IRI."""
        return self._contents.iri

    @property
    def title(self) -> Mapping[str, str]:
        """The scheme's title by language tag ("" for none)."""
        return self._contents.title

    @property
    def concepts(self) -> tuple[Concept, ...]:
        """Every concept, the background and retired ones too, depth first.

        Siblings stand by the smallest category number below them, then by IRI.
        """
        return self._contents.concepts

    @property
    def groupings(self) -> tuple[Grouping, ...]:
        """Collections and thesaurus arrays, by IRI."""
        return self._contents.groupings

    @property
    def prompt_templates(self) -> Texts:
        """The scheme's templates by language tag, as they are written, the unusable ones too."""
        return self._contents.templates

    @cached_property
    def languages(self) -> tuple[str, ...]:
        """The language tags of preferred labels, the most used first ("" for none)."""
        counts: dict[str, int] = {}
        for concept in self.concepts:
            for language in concept.pref_labels:
                counts[language] = counts.get(language, 0) + 1
        return tuple(sorted(counts, key=lambda language: (-counts[language], language)))

    @cached_property
    def background(self) -> Concept | None:
        """The concept for what shows none of the others, where the scheme names one."""
        return next((concept for concept in self.concepts if concept.is_background), None)

    @cached_property
    def families(self) -> tuple[Concept, ...]:
        """The top concepts, without the background and retired ones."""
        return self._live(self._contents.hierarchy.roots)

    @cached_property
    def leaves(self) -> tuple[Concept, ...]:
        """The concepts with no living concept below, without the background and retired ones."""
        return tuple(
            concept
            for concept in self._live(self._by_iri)
            if all(
                self._by_iri[child].deprecated for child in concept.narrower if child != concept.iri
            )
        )

    @cached_property
    def askable(self) -> tuple[Concept, ...]:
        """The concepts that models are asked for: all living ones but families with others below.

        A family says too little to be asked for; a concept between family and leaf (a crack, of
        which there are star cracks and hair cracks) is an answer of its own.
        """
        roots = set(self._contents.hierarchy.roots)
        leaves = {concept.iri for concept in self.leaves}
        return tuple(
            concept
            for concept in self._live(self._by_iri)
            if concept.iri not in roots or concept.iri in leaves
        )

    def _live(self, iris: Iterable[str]) -> tuple[Concept, ...]:
        found = (self._by_iri[iri] for iri in iris)
        return tuple(c for c in found if not c.is_background and not c.deprecated)

    # -- the hierarchy ---------------------------------------------------------------------

    def ancestors(self, concept: Concept | str) -> tuple[Concept, ...]:
        """Every concept above, each once, nearest first; never the concept itself."""
        return self._reachable(self._iri(concept), lambda one: one.broader)

    def descendants(self, concept: Concept | str) -> tuple[Concept, ...]:
        """Every concept below, each once, nearest first; never the concept itself."""
        return self._reachable(self._iri(concept), lambda one: one.narrower)

    def path(self, concept: Concept | str) -> tuple[Concept, ...]:
        """The concepts from the nearest top concept down to this one, both included.

        Among several ways down the shortest counts, then the vocabulary's order.
        """
        path: list[Concept] = []
        iri: str | None = self._iri(concept)
        while iri is not None:
            path.append(self._by_iri[iri])
            iri = self._contents.hierarchy.via[iri]
        return tuple(reversed(path))

    def main_parent(self, concept: Concept | str) -> Concept | None:
        """The parent that :meth:`path` goes through; None at the top."""
        iri = self._contents.hierarchy.via[self._iri(concept)]
        return None if iri is None else self._by_iri[iri]

    def top_ancestor(self, concept: Concept | str) -> Concept:
        """The first of :meth:`path`: the concept itself where it is at the top."""
        return self.path(concept)[0]

    @property
    def cycles(self) -> tuple[tuple[Concept, ...], ...]:
        """The groups of concepts that are their own ancestors."""
        return tuple(
            tuple(self._by_iri[iri] for iri in cycle) for cycle in self._contents.hierarchy.cycles
        )

    def _reachable(
        self, start: str, step: Callable[[Concept], tuple[str, ...]]
    ) -> tuple[Concept, ...]:
        found: dict[str, None] = {start: None}
        level = [start]
        while level:
            following = dict.fromkeys(
                iri for at in level for iri in step(self._by_iri[at]) if iri not in found
            )
            found |= following
            level = list(following)
        return tuple(self._by_iri[iri] for iri in list(found)[1:])

    def _iri(self, concept: Concept | str) -> str:
        if isinstance(concept, str):
            return self[concept].iri
        if concept.iri not in self._by_iri:
            raise VocabularyError(
                f"{self.iri}: expected a concept of this scheme, found {concept.iri}",
                subject=concept.iri,
            )
        return concept.iri

    # -- finding ---------------------------------------------------------------------------

    def __getitem__(self, name: str) -> Concept:
        """The concept of that IRI, prefixed name, slug or label.

        Labels count in every language and every kind, whatever their case, spaces, hyphens,
        CamelCase and diacritics; hidden labels only where no other fits. Raises VocabularyError
        where no concept is meant, naming the nearest, or several are, naming them all.
        """
        if name in self._by_iri:
            return self._by_iri[name]
        prefix, colon, local = name.partition(":")
        if colon and (expanded := self._prefixes.get(prefix, "") + local) in self._by_iri:
            return self._by_iri[expanded]
        found = self._index.find(name)
        if len(found) == 1:
            return found[0]
        if found:
            raise VocabularyError(
                f"{self.iri}: expected one concept, {name!r} names {len(found)}: {_listed(found)}",
                subject=name,
            )
        near = self._index.nearest(name)
        raise VocabularyError(
            f"{self.iri}: no concept {name!r}; "
            + (
                f"the nearest: {_listed(near)}"
                if near
                else f"it has {len(self)} concepts, none near"
            ),
            subject=name,
        )

    def get(self, name: str) -> Concept | None:
        """As ``vocabulary[name]``, but None where no concept or several are meant."""
        try:
            return self[name]
        except VocabularyError:
            return None

    def nearest(self, name: str, limit: int = 3) -> tuple[Concept, ...]:
        """The concepts whose labels are nearest to a name, nearest first; may be none."""
        if limit < 1:
            raise ValueError(f"limit: expected at least 1, found {limit}")
        return self._index.nearest(name, limit)

    def match_category(
        self, name: str, number: int | None = None, supercategory: str | None = None
    ) -> CategoryMatch:
        """The concept that a category of a foreign file names.

        By IRI, else by label. Where several concepts share the label, those below a concept that
        the supercategory names are kept, then the one with the category number, then those that
        are not retired. The number alone never decides, unless the category has no name: numbers
        start at 1 in every file and mean something else in each.
        """
        return match_category(self, self._index, name, number, supercategory)

    @cached_property
    def _index(self) -> LabelIndex:
        return LabelIndex(self.concepts)

    def __contains__(self, key: object) -> bool:
        """Whether a concept, or what names exactly one, is in the vocabulary."""
        if isinstance(key, Concept):
            return key.iri in self._by_iri
        return isinstance(key, str) and self.get(key) is not None

    def __iter__(self) -> Iterator[Concept]:
        return iter(self.concepts)

    def __len__(self) -> int:
        return len(self.concepts)

    # -- prompts and findings --------------------------------------------------------------

    def prompts(
        self,
        languages: Sequence[str] = ("en",),
        concepts: Iterable[Concept | str] | None = None,
        *,
        alternatives: bool = True,
        descriptions: bool = True,
        background: bool = True,
        rivals: bool = False,
    ) -> tuple[Prompt, ...]:
        """The sentences that a text encoder is asked for each concept, all from the scheme.

        Each preferred label, and with ``alternatives`` each alternative one, in each template of
        its language; with ``descriptions`` each visual description as it stands. A scheme without
        templates gives the bare labels. Hidden labels never prompt.

        ``languages`` are tags in order; ``en`` takes ``en-gb`` where there is no plain ``en``. A
        concept with no label in any of them is asked in no language, else in its first.
        ``concepts`` are :attr:`askable` by default. With ``background`` the background concept is
        asked too; with ``rivals`` also the concepts that those asked are confused with
        (``lg:confusedWith``), so that a model asked for one of them alone has the others to choose.
        """
        asked = (
            self.askable
            if concepts is None
            else tuple(self._by_iri[self._iri(c)] for c in concepts)
        )
        everyone = {concept.iri: concept for concept in asked}
        if rivals:
            for concept in asked:
                everyone |= {iri: self._by_iri[iri] for iri in concept.confused_with}
        if background and self.background is not None:
            everyone[self.background.iri] = self.background
        return make_prompts(
            self, languages, everyone.values(), alternatives=alternatives, descriptions=descriptions
        )

    def check(self) -> tuple[Finding, ...]:
        """Everything odd or wrong, errors first. Nothing was repaired without being said here."""
        from lithograph.vocabulary.checks import check_concepts

        return sorted_findings([*self._reading_findings, *check_concepts(self)])

    # -- as RDF and as text ----------------------------------------------------------------

    @cached_property
    def _canonical(self) -> tuple[Triple, ...]:
        return canonical_triples(self._read)

    def triples(self) -> tuple[Triple, ...]:
        """The triples read, all schemes and all other content of the file, in canonical order.

        Blank nodes are named after what is said of them, so that equal files give equal triples.
        """
        return self._canonical

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the canonical N-Triples, in hex: independent of order, format and prefixes."""
        digest = hashlib.sha256()
        for triple in self._canonical:
            digest.update(f"{triple} .\n".encode())
        return digest.hexdigest()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Vocabulary):
            return NotImplemented
        return self.iri == other.iri and self.digest == other.digest

    def __hash__(self) -> int:
        return hash((self.iri, self.digest))

    def tree(self, languages: Sequence[str] = ("en", "fr")) -> str:
        """The hierarchy as text: labels in the languages, category numbers, retired concepts."""
        from lithograph.vocabulary.show import tree_text

        return tree_text(self, languages)

    def _repr_html_(self) -> str:
        from lithograph.vocabulary.show import tree_html

        return tree_html(self)

    def __repr__(self) -> str:
        return f"<Vocabulary {self.iri} of {len(self)} concepts>"

    def title_in(self, *languages: str) -> str:
        """The title in the first of the languages that has one, else any, else the IRI."""
        titles = {language: (text,) for language, text in self.title.items()}
        for language in (*languages, "en", "", *sorted(titles)):
            if found := in_language(titles, language):
                return found[0]
        return self.iri


def _listed(concepts: Iterable[Concept]) -> str:
    return ", ".join(map(str, concepts))
