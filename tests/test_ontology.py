"""The shipped vocabularies and terms: complete, in both languages, and no stronger than known."""

from __future__ import annotations

import itertools
import json
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pyoxigraph as ox
import pytest

from lithograph.resources import ontology
from lithograph.vocabulary import Concept, Vocabulary, assign_category_ids

SCHEMES = ["notre-dame-alterations", "icomos-stone-deterioration"]
FOLDER = ontology(SCHEMES[0]).parent
LG = "https://w3id.org/lithograph/ns#"
TH21 = "https://frollo.notre-dame.science/opentheso/th21/"
AAT = "http://vocab.getty.edu/aat/"
SKOS = "http://www.w3.org/2004/02/skos/core#"
RDFS = "http://www.w3.org/2000/01/rdf-schema#"

#: The AAT subjects whose existence and label were verified, and how strongly they may be matched.
AAT_CLOSE = frozenset(
    [
        "300214748",
        "300209168",
        "300387447",
        "300228345",
        "300054129",
        "300391208",
        "300054128",
        "300054127",
        "300054122",
        "300264844",
        "300214746",
        "300379824",
        "300386687",
        "300379826",
        "300053752",
        "300264843",
        "300054116",
        "300223447",
        "300054130",
        "300053077",
        "300380562",
        "300053045",
        "300053048",
        "300379828",
        "300379497",
        "300379469",
        "300065245",
        "300068676",
    ]
)
AAT_RELATED = AAT_CLOSE | frozenset(
    [
        "300054131",
        "300228340",
        "300053047",
        "300264846",
        "300220976",
        "300379825",
        "300011022",
        "300049017",
        "300379536",
        "300220162",
        "300379484",
        "300249626",
        "300265695",
        "300265698",
        "300252028",
        "300378932",
        "300132360",
        "300219639",
    ]
)
#: Words of labels that a visual description cannot do without.
STRUCTURAL = frozenset({"features", "induced", "part", "stone", "pierre", "area", "figures"})


def read(name: str) -> Vocabulary:
    return Vocabulary.read(ontology(name))


VOCABULARIES = {name: read(name) for name in SCHEMES}
CONCEPTS = [
    pytest.param(concept, id=f"{name.partition('-')[0]}-{concept.slug}")
    for name, vocabulary in VOCABULARIES.items()
    for concept in vocabulary
]


@pytest.fixture(params=SCHEMES)
def vocabulary(request: pytest.FixtureRequest) -> Vocabulary:
    return VOCABULARIES[request.param]


def stem(word: str) -> str:
    """A word without diacritics and endings, so that ``flakes`` is found for ``flaking``."""
    plain = unicodedata.normalize("NFKD", word.casefold())
    letters = "".join(c for c in plain if c.isalpha())
    return re.sub(r"(ation|age|ing|ion|ed|es|e|s)$", "", letters)


def words(text: str) -> set[str]:
    return {stem(word) for word in re.findall(r"[^\W\d_]{4,}", text) if word not in STRUCTURAL}


# -- the vocabularies ------------------------------------------------------------------------------


def test_nothing_is_odd_about_them(vocabulary: Vocabulary) -> None:
    """No cycle, no shared label, no dangling link, no missing language or translation."""
    assert vocabulary.check() == ()
    assert vocabulary.cycles == ()


def test_the_trees_are_whole() -> None:
    notre_dame, icomos = VOCABULARIES.values()
    assert (len(notre_dame.families), len(notre_dame.leaves)) == (5, 9)
    # 5 families and 72 patterns: the glossary's whole hierarchy, and the background.
    assert (len(icomos.families), len(icomos.askable), len(icomos)) == (5, 72, 78)
    assert all(len(concept.broader) <= 1 for concept in (*notre_dame, *icomos))
    assert max(len(icomos.path(concept)) for concept in icomos) == 4


def test_the_scheme_says_who_what_and_when(vocabulary: Vocabulary) -> None:
    said = {
        triple.predicate.value for triple in vocabulary.triples() if _is(triple, vocabulary.iri)
    }
    for term in ("title", "description", "license", "created", "modified", "source", "rights"):
        assert f"http://purl.org/dc/terms/{term}" in said
    assert "http://www.w3.org/2002/07/owl#versionInfo" in said
    assert set(vocabulary.title) == {"en", "fr"}


def _is(triple: ox.Triple, iri: str) -> bool:
    return isinstance(triple.subject, ox.NamedNode) and triple.subject.value == iri


@pytest.mark.parametrize("concept", CONCEPTS)
def test_every_concept_is_named_and_defined_in_both_languages(concept: Concept) -> None:
    assert set(concept.pref_labels) == {"en", "fr"}
    assert all(len(texts) == 1 for texts in concept.pref_labels.values())
    for texts in (concept.definitions, concept.visual_descriptions):
        assert set(texts) == {"en", "fr"}
        for (text,) in texts.values():
            assert len(text) > 15
    for language, (definition,) in concept.definitions.items():
        assert definition.endswith(".")
        assert definition[0].isupper()
        assert definition not in concept.visual_descriptions[language]
    assert set(concept.scope_notes) in (set(), {"en", "fr"})
    label = concept.label("en")
    assert label == label.lower()


@pytest.mark.parametrize("concept", CONCEPTS)
def test_visual_descriptions_do_not_say_the_word(concept: Concept) -> None:
    for language, (description,) in concept.visual_descriptions.items():
        for label in concept.pref_labels[language]:
            assert not words(label) & words(description), (label, description)


def test_stems_catch_the_forms_of_a_word() -> None:
    assert words("flaking") & words("small flakes")
    assert words("desquamation") & words("une desquamation")
    assert words("colonization") & words("colonized by")
    assert not words("crack") & words("a narrow dark line")


def test_visual_descriptions_are_all_different(vocabulary: Vocabulary) -> None:
    texts = Counter(
        t for c in vocabulary for found in c.visual_descriptions.values() for t in found
    )
    assert set(texts.values()) == {1}


def test_the_data_sets_names_and_numbers() -> None:
    notre_dame = VOCABULARIES[SCHEMES[0]]
    names = {c.category_id: c.hidden_labels[""][0] for c in notre_dame.leaves}
    assert names == {
        1: "Erosion",
        2: "Bleaching",
        3: "Crack",
        4: "Humidity",
        5: "SaltEfflorescence",
        6: "LeadDeposit",
        7: "Scaling",
        8: "Lacuna",
        9: "Flake",
    }
    assert {c.hidden_labels[""][0] for c in notre_dame.families} == {
        "ChromaticAlteration&Deposit",
        "MaterialLoss",
        "Detachment",
        "Discontinuities",
        "BiologicalColonization",
    }


def test_the_published_file_is_understood(shared_data: Path) -> None:
    notre_dame = VOCABULARIES[SCHEMES[0]]
    published = json.loads((shared_data / "aioli-coco-excerpt.json").read_text(encoding="utf-8"))
    for category in published["categories"]:
        match = notre_dame.match_category(category["name"])
        assert match.concept is not None
        assert match.concept.category_id == category["id"]
        assert category["supercategory"] in {
            text for _, _, text in notre_dame.top_ancestor(match.concept).labels()
        }


def test_category_numbers(vocabulary: Vocabulary) -> None:
    stated = [c.category_id for c in vocabulary.askable]
    assert sorted(filter(None, stated)) == list(range(1, len(stated) + 1))
    assert all(family.category_id is None for family in vocabulary.families)
    assert len(assign_category_ids(vocabulary, {})) == len(vocabulary) - 1


def test_general_terms_are_in_no_scheme(vocabulary: Vocabulary) -> None:
    general = ["alteration", "weathering", "degradation", "decay", "deterioration", "damage"]
    assert not any(vocabulary.get(term) for term in general)


def test_the_background(vocabulary: Vocabulary) -> None:
    background = vocabulary.background
    assert background is not None
    assert background.slug == "sound-stone"
    assert background.category_id is None
    assert background.mappings == {}
    assert background.broader == background.narrower == ()


def test_confusion_is_said_in_a_note_too(vocabulary: Vocabulary) -> None:
    """What is easily confused is a hard negative for models and a warning for people."""
    for concept in vocabulary:
        if concept.confused_with:
            assert set(concept.scope_notes) == {"en", "fr"}
        for other in concept.confused_with:
            assert concept.iri in vocabulary[other].confused_with


# -- prompts ---------------------------------------------------------------------------------------


def tokens(text: str) -> int:
    """An upper estimate of CLIP's tokens: one per three letters begun, one per sign, two ends."""
    parts = re.findall(r"[^\W\d_]+|\S", text)
    return 2 + sum(math.ceil(len(part) / 3) for part in parts)


def test_every_prompt_fits_clips_context(vocabulary: Vocabulary) -> None:
    prompts = vocabulary.prompts(("en", "fr"), vocabulary.concepts)
    assert {prompt.concept for prompt in prompts} == {concept.iri for concept in vocabulary}
    assert max(tokens(prompt.text) for prompt in prompts) <= 77


def test_no_two_concepts_share_a_prompt(vocabulary: Vocabulary) -> None:
    prompts = vocabulary.prompts(("en", "fr"), vocabulary.concepts)
    assert len({prompt.text for prompt in prompts}) == len(prompts)


def test_there_are_templates_in_both_languages(vocabulary: Vocabulary) -> None:
    assert {k: len(v) for k, v in vocabulary.prompt_templates.items()} == {"en": 3, "fr": 3}


# -- alignments ------------------------------------------------------------------------------------


def mappings(vocabulary: Vocabulary) -> Iterator[tuple[str, str, str]]:
    for concept in vocabulary:
        for relation, targets in concept.mappings.items():
            for target in targets:
                yield concept.iri, relation, target


def test_the_thesaurus_of_art_is_never_matched_exactly(vocabulary: Vocabulary) -> None:
    allowed = {"closeMatch": AAT_CLOSE, "relatedMatch": AAT_RELATED}
    found = [(relation, t) for _, relation, t in mappings(vocabulary) if t.startswith(AAT)]
    assert len(found) > 5
    for relation, target in found:
        assert target.removeprefix(AAT) in allowed.get(relation, ()), (relation, target)


def test_what_looks_alike_but_is_another_thing_is_not_matched(vocabulary: Vocabulary) -> None:
    """AAT's ornament, image and material of those names, and the damp of the air."""
    for target in ("300010142", "300412133", "300014649", "300055370"):
        assert AAT + target not in {t for _, _, t in mappings(vocabulary)}


def test_only_known_vocabularies_are_matched(vocabulary: Vocabulary) -> None:
    known = (TH21, AAT, *(v.iri for v in VOCABULARIES.values()))
    for _, _, target in mappings(vocabulary):
        assert target.startswith(known)


def test_every_pattern_of_the_glossary_has_its_concept_in_the_thesaurus() -> None:
    icomos = VOCABULARIES[SCHEMES[1]]
    targets: list[str] = []
    for concept in icomos:
        own = [t for t in concept.mappings.get("exactMatch", ()) if t.startswith(TH21)]
        assert len(own) == (not concept.is_background)
        targets += own
    assert len(set(targets)) == len(targets) == 77


def test_the_two_schemes_are_aligned_both_ways() -> None:
    inverse = {
        "exactMatch": "exactMatch",
        "closeMatch": "closeMatch",
        "relatedMatch": "relatedMatch",
        "broadMatch": "narrowMatch",
        "narrowMatch": "broadMatch",
    }
    one, other = (
        {
            (source, relation, target)
            for source, relation, target in mappings(vocabulary)
            if target.startswith("https://w3id.org/lithograph/")
        }
        for vocabulary in VOCABULARIES.values()
    )
    assert {(target, inverse[relation], source) for source, relation, target in one} == other
    by_iri = {c.iri for vocabulary in VOCABULARIES.values() for c in vocabulary}
    assert {target for _, _, target in one | other} <= by_iri


def test_the_data_sets_alignment() -> None:
    notre_dame = VOCABULARIES[SCHEMES[0]]
    found = {
        (c.slug, relation): {t.removeprefix(TH21) for t in targets if t.startswith(TH21)}
        for c in notre_dame
        for relation, targets in c.mappings.items()
    }
    assert {key: ids for key, ids in found.items() if ids} == {
        ("bleaching", "exactMatch"): {"32523"},
        ("salt-efflorescence", "exactMatch"): {"32526"},
        ("lead-deposit", "broadMatch"): {"32522"},
        ("lead-deposit", "relatedMatch"): {"32534"},
        ("erosion", "exactMatch"): {"32538"},
        ("lacuna", "exactMatch"): {"32550"},
        ("scaling", "exactMatch"): {"32494"},
        ("flake", "closeMatch"): {"32483"},
        ("crack", "exactMatch"): {"32565"},
        ("humidity", "closeMatch"): {"32486"},
        ("chromatic-alteration-and-deposit", "exactMatch"): {"discoloration_and_deposit"},
        ("material-loss", "exactMatch"): {"features_material_loss"},
        ("detachment", "exactMatch"): {"detachment"},
        ("discontinuities", "broadMatch"): {"crack_and_deformation"},
        ("biological-colonization", "closeMatch"): {"biological_colonization"},
    }


# -- our own terms ---------------------------------------------------------------------------------

TERMS = ontology("lithograph")
DECLARED = [*ox.parse(path=TERMS)]
OWL = "http://www.w3.org/2002/07/owl#"


def iris_of(quads: list[ox.Quad]) -> set[str]:
    """Every IRI that the quads name, as a subject, predicate, object or datatype."""
    nodes = itertools.chain.from_iterable((q.subject, q.predicate, q.object) for q in quads)
    return {
        node.datatype.value if isinstance(node, ox.Literal) else node.value
        for node in nodes
        if isinstance(node, ox.NamedNode | ox.Literal)
    }


def objects(subject: str, predicate: str) -> list[ox.NamedNode | ox.Literal]:
    return [
        quad.object
        for quad in DECLARED
        if isinstance(quad.subject, ox.NamedNode)
        and (quad.subject.value, quad.predicate.value) == (subject, predicate)
        and isinstance(quad.object, ox.NamedNode | ox.Literal)
    ]


def own_terms() -> list[str]:
    subjects = {q.subject.value for q in DECLARED if isinstance(q.subject, ox.NamedNode)}
    return sorted(term for term in subjects if term.startswith(LG))


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.ttl")), ids=lambda path: path.stem)
def test_every_term_of_ours_that_is_used_is_declared(path: Path) -> None:
    used = {iri for iri in iris_of([*ox.parse(path=path)]) if iri.startswith(LG)} - {LG}
    assert used
    assert used <= set(own_terms())


@pytest.mark.parametrize("term", own_terms(), ids=lambda term: term.removeprefix(LG))
def test_every_term_is_documented(term: str) -> None:
    for predicate in ("label", "comment"):
        texts = objects(term, RDFS + predicate)
        languages = [text.language for text in texts if isinstance(text, ox.Literal)]
        assert sorted(str(language) for language in languages) == ["en", "fr"]
    assert [node.value for node in objects(term, f"{RDFS}isDefinedBy")] == [LG.rstrip("#")]
    (kind, *_) = objects(term, "http://www.w3.org/1999/02/22-rdf-syntax-ns#type")
    name = term.removeprefix(LG)
    is_class = kind.value == f"{OWL}Class"
    assert name[0].isupper() == is_class


@pytest.mark.parametrize("relation", ["domain", "range", "subClassOf"])
def test_domains_and_ranges_are_terms_that_exist(relation: str) -> None:
    found = [node.value for term in own_terms() for node in objects(term, RDFS + relation)]
    assert found
    known = {
        "http://www.w3.org/ns/oa#Annotation",
        "http://www.w3.org/ns/oa#Selector",
        "http://www.w3.org/ns/prov#Activity",
        "http://www.w3.org/ns/prov#Entity",
        f"{SKOS}Concept",
        f"{SKOS}ConceptScheme",
        "http://www.w3.org/1999/02/22-rdf-syntax-ns#JSON",
        *(f"http://www.w3.org/2001/XMLSchema#{name}" for name in ("string", "integer", "boolean")),
    }
    for iri in found:
        assert iri in known or iri in own_terms()
