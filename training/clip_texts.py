"""The texts of the ten concepts, from the vocabulary and of our own, and the tokenizer."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import rdflib
from rdflib.namespace import SKOS

from lithograph import resources
from training.clip_crops import CONCEPTS

LANGUAGES = ("en", "fr")
LG = rdflib.Namespace("https://w3id.org/lithograph/ns#")
START, END = "<|startoftext|>", "<|endoftext|>"


@dataclass(frozen=True)
class ConceptTexts:
    """What the vocabulary says of one concept in one language."""

    label: str
    other_labels: tuple[str, ...]
    descriptions: tuple[str, ...]
    definitions: tuple[str, ...]


@dataclass(frozen=True)
class Texts:
    """All texts by language: of the concepts (in the order of `CONCEPTS`), of the families with the
    indices of those below each, and the templates, `{label}` in which stands for a label."""

    concepts: Mapping[str, tuple[ConceptTexts, ...]]
    families: Mapping[str, tuple[tuple[tuple[str, ...], tuple[int, ...]], ...]]
    templates: Mapping[str, tuple[str, ...]]
    paraphrases: Mapping[str, tuple[tuple[str, ...], ...]]
    own_templates: Mapping[str, tuple[str, ...]]
    held_out: Mapping[str, tuple[tuple[str, ...], ...]]
    held_out_templates: Mapping[str, tuple[str, ...]]

    def phrases(self, language: str, index: int) -> tuple[list[str], list[str]]:
        """Of one concept, labels, which templates take, and sentences, which stand alone."""
        concept = self.concepts[language][index]
        return (
            [concept.label, *concept.other_labels, *self.paraphrases[language][index]],
            [*concept.descriptions, *concept.definitions],
        )

    def everything(self) -> list[str]:
        """Every text to train on, once, sorted: what the tokenizer learns from."""
        texts: set[str] = set()
        for language in LANGUAGES:
            templates = [*self.templates[language], *self.own_templates[language]]
            texts.update(template.replace("{label}", "") for template in templates)
            for index in range(len(CONCEPTS)):
                labels, sentences = self.phrases(language, index)
                texts.update(labels, sentences)
            for names, _ in self.families[language]:
                texts.update(names)
        return sorted(texts)


def read_texts() -> Texts:
    """Read the shipped vocabulary and the paraphrases beside this file."""
    graph = rdflib.Graph().parse(resources.ontology("notre-dame-alterations"), format="turtle")
    scheme = next(graph.subjects(rdflib.RDF.type, SKOS.ConceptScheme))
    own: dict[str, Any] = tomllib.loads(
        Path(__file__).with_name("clip_paraphrases.toml").read_text("utf-8")
    )
    by_slug = {str(node).rsplit("/", 1)[1]: node for node in graph.subjects(SKOS.inScheme, scheme)}

    def strings(node: rdflib.term.Node, predicate: rdflib.URIRef, language: str) -> tuple[str, ...]:
        return tuple(
            sorted(
                str(value)
                for value in graph.objects(node, predicate)
                if isinstance(value, rdflib.Literal) and value.language == language
            )
        )

    def concept(slug: str, language: str) -> ConceptTexts:
        node = by_slug[slug]
        return ConceptTexts(
            strings(node, SKOS.prefLabel, language)[0],
            strings(node, SKOS.altLabel, language),
            strings(node, LG.visualDescription, language),
            strings(node, SKOS.definition, language),
        )

    def families(language: str) -> tuple[tuple[tuple[str, ...], tuple[int, ...]], ...]:
        found = []
        for family in sorted(graph.objects(scheme, SKOS.hasTopConcept), key=str):
            below = tuple(
                index
                for index, slug in enumerate(CONCEPTS)
                if (by_slug[slug], SKOS.broader, family) in graph
            )
            labels = (
                *strings(family, SKOS.prefLabel, language),
                *strings(family, SKOS.altLabel, language),
                *strings(family, LG.visualDescription, language),
            )
            found.append((labels, below))
        return tuple(found)

    return Texts(
        concepts={lang: tuple(concept(slug, lang) for slug in CONCEPTS) for lang in LANGUAGES},
        families={lang: families(lang) for lang in LANGUAGES},
        templates={lang: strings(scheme, LG.promptTemplate, lang) for lang in LANGUAGES},
        paraphrases={
            lang: tuple(tuple(own[slug][lang]) for slug in CONCEPTS) for lang in LANGUAGES
        },
        own_templates={lang: _own_templates(own, lang) for lang in LANGUAGES},
        held_out={
            lang: tuple(tuple(own[slug][f"held_out_{lang}"]) for slug in CONCEPTS)
            for lang in LANGUAGES
        },
        held_out_templates={lang: tuple(own[f"held_out_templates_{lang}"]) for lang in LANGUAGES},
    )


def _own_templates(own: Mapping[str, Any], language: str) -> tuple[str, ...]:
    """Those written out, and every opening with every ending."""
    openings, endings = own[f"openings_{language}"], own[f"endings_{language}"]
    joined = (f"{opening}{{label}}{ending}" for opening in openings for ending in endings)
    return (*own[f"templates_{language}"], *joined)


def fill(template: str, label: str) -> str:
    """The template with the label in its place."""
    return template.replace("{label}", label)


def train_tokenizer(
    texts: Iterable[str], merges: int
) -> tuple[dict[str, int], list[tuple[str, str]]]:
    """Vocabulary and merges of a byte-pair encoding with CLIP's normaliser and pre-tokeniser.

    The vocabulary holds every byte and every byte with `</w>`, so that no text is unknown, then the
    merges' results in their order, then the start and end tokens. Pairs are merged by frequency,
    ties in alphabetical order (Sennrich et al., 2016).
    """
    from tokenizers import pre_tokenizers
    from transformers import CLIPTokenizer

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    alphabet = [*letters, *(letter + "</w>" for letter in letters)]
    blank = CLIPTokenizer(
        vocab={token: i for i, token in enumerate([*alphabet, START, END])}, merges=[]
    )
    backend = blank.backend_tokenizer
    words: Counter[tuple[str, ...]] = Counter()
    for text in texts:
        normal = backend.normalizer.normalize_str(text)
        for word, _ in backend.pre_tokenizer.pre_tokenize_str(normal):
            words[(*word[:-1], word[-1] + "</w>")] += 1
    learnt: list[tuple[str, str]] = []
    while len(learnt) < merges:
        pairs: Counter[tuple[str, str]] = Counter()
        for word, count in words.items():
            for pair in pairwise(word):
                pairs[pair] += count
        if not pairs:
            break
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        if pairs[best] < 2:
            break
        learnt.append(best)
        merged: Counter[tuple[str, ...]] = Counter()
        for word, count in words.items():
            merged[_merge(word, best)] += count
        words = merged
    tokens = [*alphabet]
    known = set(tokens)
    for first, second in learnt:
        if first + second not in known:
            known.add(first + second)
            tokens.append(first + second)
    tokens += [START, END]
    return {token: index for index, token in enumerate(tokens)}, learnt


def _merge(word: Sequence[str], pair: tuple[str, str]) -> tuple[str, ...]:
    merged: list[str] = []
    for symbol in word:
        if merged and (merged[-1], symbol) == pair:
            merged[-1] = pair[0] + pair[1]
        else:
            merged.append(symbol)
    return tuple(merged)
