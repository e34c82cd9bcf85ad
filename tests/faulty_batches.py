"""Batches broken by chance, each from a number: the same number gives the same batch."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Final

from lithograph.rdf import PREFIXES, Quad
from lithograph.rdf.quads import datatype_of, iri_term, name, text_term, typed_term, value_of
from sound_batches import Written, from_files

Break = Callable[[list[Quad], random.Random], list[Quad]]

TYPE: Final = name("rdf:type")


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


CLASSES: Final = tuple(
    map(
        name,
        _words("""
    oa:Annotation oa:SpecificResource oa:FragmentSelector lg:PixelGeometry lg:Candidate lg:Region
    lg:Layer schema:ImageObject prov:Activity lg:ModelRun lg:ReviewRun lg:ExportRun mls:Run
    mls:Implementation mls:Model prov:Agent prov:Person prov:Entity skos:Concept skos:ConceptScheme
    lg:VocabularyVersion lg:Refusal lg:Tombstone lg:Prompt dcat:Dataset rdfs:Class rdfs:Resource
"""),
    )
)
PREDICATES: Final = tuple(
    map(
        name,
        _words("""
    oa:hasBody oa:hasTarget oa:hasSource oa:hasSelector rdf:value lg:x lg:area lg:mask lg:outline
    lg:status lg:rank lg:candidate lg:confidence lg:concept lg:region lg:layer lg:alternativeOf
    prov:wasRevisionOf prov:used prov:wasGeneratedBy prov:startedAtTime prov:endedAtTime schema:name
    schema:width schema:sha256 skos:broader skos:narrower skos:related skos:inScheme skos:notation
    skos:prefLabel skos:altLabel skos:hiddenLabel skos:note lg:backgroundConcept lg:promptTemplate
    dcterms:created rdfs:subClassOf rdfs:label
"""),
    )
)
DATATYPES: Final = _words("""
    xsd:string xsd:integer xsd:int xsd:decimal xsd:double xsd:float xsd:boolean xsd:dateTime
    xsd:date xsd:gYear xsd:anyURI rdf:JSON lg:pixelWkt lg:cocoRle lg:categoryId lg:noDatatype
""")
NUMBERS: Final = _words("""
    NaN INF -INF -1 -0.0 0 0.0 1e400 1.0000001 1 2.0 01 1e6 1000000.5 1e12 -1e-9
    99999999999999999999 1e-7 +5 .5 5.
""")
# fmt: off
ILL_FORMED: Final = (
    "", " ", "x", "1e", "maybe", "2026-13-45T10:00:00Z", "2026-02-30", "1_000", " 1 ", "--1", "١",
    "0x10", "1,5", "{", "2026-01-05 10:00", "TRUE", "P1D", "{x}", "\n",
)
TEXTS: Final = (
    "", "a", "crack", "Crack", "a@b.org", "/path", "00ff" * 16, "##", "{label}", "é", "\U0001f3db",
    '"', "\\", "a\nb", "xywh=pixel:0,0,2,3", "xywh=pixel:0,0,0,3", "80 100 03mX90", "POLYGON",
    "MULTIPOLYGON (((0 0, 1 1, 0 1, 0 0)))", "1.0 2.0 3.0", "application/json", "\\g<1>",
)
# fmt: on
LANGUAGES: Final = (None, "en", "fr", "en-GB", "status", "vote")
IRIS: Final = ("https://example.org/other", "urn:x", "https:///x", "mailto:a@b.org", "file:///x")


def faulty(number: int) -> tuple[list[Quad], list[Quad]]:
    """A batch and its context: a sound graph broken in one to four ways, and split by chance."""
    chance = random.Random(number)
    if chance.random() < 0.15:
        whole = chance.choice(list(from_files()))
    else:
        quads, context = Written(chance).batch()
        whole = [*quads, *context]
    for _ in range(chance.randint(1, 4)):
        whole = chance.choice(BREAKS)(whole, chance)
    return _split(whole, chance)


def _split(quads: list[Quad], chance: random.Random) -> tuple[list[Quad], list[Quad]]:
    """Batch and context: all of it, some nodes, or some statements; never an empty batch."""
    way = chance.random()
    if way < 0.4:
        return quads, []
    if way < 0.9:
        nodes = sorted({value_of(quad[0]).partition("#")[0] for quad in quads})
        here = set(chance.sample(nodes, chance.randint(1, len(nodes))))
        inside = [value_of(quad[0]).partition("#")[0] in here for quad in quads]
    else:
        inside = [chance.random() < 0.7 for _ in quads]
        inside[0] = True
    batch = [quad for quad, chosen in zip(quads, inside, strict=True) if chosen]
    return batch, [quad for quad, chosen in zip(quads, inside, strict=True) if not chosen]


# --- terms ----------------------------------------------------------------------------------------


def _subject(quads: list[Quad], chance: random.Random) -> str:
    return chance.choice(sorted({quad[0] for quad in quads}))


def _iri(quads: list[Quad], chance: random.Random) -> str:
    if chance.random() < 0.3:
        return iri_term(chance.choice(IRIS))
    return chance.choice(sorted({t for quad in quads for t in (quad[0], quad[2]) if t[0] == "<"}))


def _literal(quads: list[Quad], chance: random.Random) -> str:
    way = chance.random()
    if way < 0.2:
        return chance.choice(sorted({quad[2] for quad in quads if quad[2][0] == '"'}) or ['""'])
    if way < 0.5:
        return text_term(chance.choice(TEXTS), language=chance.choice(LANGUAGES))
    texts = NUMBERS if chance.random() < 0.6 else ILL_FORMED
    return _typed(chance.choice(texts), chance.choice(DATATYPES))


def _typed(text: str, datatype: str) -> str:
    return text_term(text) if datatype == "xsd:string" else typed_term(text, datatype)


def _term(quads: list[Quad], chance: random.Random) -> str:
    way = chance.random()
    return "_:b1" if way < 0.03 else (_iri if way < 0.5 else _literal)(quads, chance)


def _replaced(quads: list[Quad], old: Quad, new: Quad) -> list[Quad]:
    return [new if quad is old else quad for quad in quads]


def _with_object(kind: str, quads: list[Quad], chance: random.Random) -> Quad | None:
    """A quad whose object begins so: an IRI or a literal."""
    found = [quad for quad in quads if quad[2][0] == kind]
    return chance.choice(found) if found else None


def _text(term: str) -> tuple[str, str]:
    """A literal's lexical form and its datatype, as shapes and writers name it."""
    datatype = datatype_of(term) or ""
    for prefix, namespace in PREFIXES.items():
        if datatype.startswith(namespace):
            return value_of(term), f"{prefix}:{datatype.removeprefix(namespace)}"
    return value_of(term), "xsd:string"


# --- ways to break a batch ------------------------------------------------------------------------


def drop(quads: list[Quad], chance: random.Random) -> list[Quad]:
    """A statement is missing."""
    lost = chance.choice(quads)
    return [quad for quad in quads if quad is not lost] or quads


def drop_node(quads: list[Quad], chance: random.Random) -> list[Quad]:
    """Everything that is said of a node is missing."""
    node = _subject(quads, chance)
    return [quad for quad in quads if quad[0] != node] or quads


def double(quads: list[Quad], chance: random.Random) -> list[Quad]:
    """A second value."""
    subject, predicate, _, graph = chance.choice(quads)
    return [*quads, (subject, predicate, _term(quads, chance), graph)]


def say_again(quads: list[Quad], chance: random.Random) -> list[Quad]:
    """The same, said in another graph too."""
    said = [chance.choice(quads)[:3] for _ in range(3)]
    return [*quads, *((*each, "<https://data.example.org/ca19/run/other>") for each in said)]


def retype(quads: list[Quad], chance: random.Random) -> list[Quad]:
    """Another class, or one more."""
    typed = [quad for quad in quads if quad[1] == TYPE]
    if not typed:
        return quads
    old = chance.choice(typed)
    new = (*old[:2], chance.choice(CLASSES), old[3])
    return [*quads, new] if chance.random() < 0.5 else _replaced(quads, old, new)


def change_datatype(quads: list[Quad], chance: random.Random) -> list[Quad]:
    """The lexical form stays, the datatype does not."""
    old = _with_object('"', quads, chance)
    if old is None:
        return quads
    text, _ = _text(old[2])
    return _replaced(quads, old, (*old[:2], _typed(text, chance.choice(DATATYPES)), old[3]))


def ill_form(quads: list[Quad], chance: random.Random) -> list[Quad]:
    """The datatype stays, the lexical form is none of it."""
    old = _with_object('"', quads, chance)
    if old is None:
        return quads
    _, datatype = _text(old[2])
    new = _typed(chance.choice(ILL_FORMED), "xsd:string" if "lang" in datatype else datatype)
    return _replaced(quads, old, (*old[:2], new, old[3]))


def change_number(quads: list[Quad], chance: random.Random) -> list[Quad]:
    """A number out of range, none, or written in another way."""
    numbers = [quad for quad in quads if '"^^' in quad[2] and quad[2][1] in "0123456789-+."]
    if not numbers:
        return quads
    old = chance.choice(numbers)
    new = _typed(chance.choice(NUMBERS), _text(old[2])[1])
    return _replaced(quads, old, (*old[:2], new, old[3]))


def change_text(quads: list[Quad], chance: random.Random) -> list[Quad]:
    """Another text, in another language, or none."""
    old = _with_object('"', quads, chance)
    if old is None:
        return quads
    text = value_of(old[2]) if chance.random() < 0.5 else chance.choice(TEXTS)
    new = text_term(text, language=chance.choice(LANGUAGES))
    return _replaced(quads, old, (*old[:2], new, old[3]))


def point_elsewhere(quads: list[Quad], chance: random.Random) -> list[Quad]:
    """A link to another node."""
    old = _with_object("<", quads, chance)
    return _replaced(quads, old, (*old[:2], _iri(quads, chance), old[3])) if old else quads


def change_object(quads: list[Quad], chance: random.Random) -> list[Quad]:
    """Anything in the place of anything."""
    old = chance.choice(quads)
    return _replaced(quads, old, (*old[:2], _term(quads, chance), old[3]))


def change_subject(quads: list[Quad], chance: random.Random) -> list[Quad]:
    """Said of another node."""
    old = chance.choice(quads)
    node = "_:b2" if chance.random() < 0.03 else _subject(quads, chance)
    return _replaced(quads, old, (node, *old[1:]))


def change_predicate(quads: list[Quad], chance: random.Random) -> list[Quad]:
    """Said with another predicate."""
    old = chance.choice(quads)
    return _replaced(quads, old, (old[0], chance.choice(PREDICATES), *old[2:]))


def add(quads: list[Quad], chance: random.Random) -> list[Quad]:
    """A statement that nobody asked for."""
    graph = chance.choice(quads)[3]
    predicate = chance.choice([*PREDICATES, "<https://example.org/unknown>"])
    return [*quads, (_subject(quads, chance), predicate, _term(quads, chance), graph)]


def say_of_two(quads: list[Quad], chance: random.Random) -> list[Quad]:
    """What is said of one node is said of another too: a part of two annotations, a shared name."""
    old = chance.choice(quads)
    return [*quads, (_subject(quads, chance), *old[1:])]


def close_circle(quads: list[Quad], chance: random.Random) -> list[Quad]:
    """One to three nodes that revise, or are broader than, each other."""
    links = ("prov:wasRevisionOf", "lg:alternativeOf", "skos:broader", "skos:related")
    predicate, graph = name(chance.choice(links)), quads[0][3]
    nodes = [_subject(quads, chance) for _ in range(chance.randint(1, 3))]
    around = zip(nodes, [*nodes[1:], nodes[0]], strict=True)
    return [*quads, *((node, predicate, other, graph) for node, other in around)]


def rename(quads: list[Quad], chance: random.Random) -> list[Quad]:
    """A node has another name, everywhere: another's, a part's, its own and a letter, or none."""
    old = _subject(quads, chance)
    whole = old.partition("#")[0].rstrip(">")
    names = [f"{old[:-1]}x>", f"{whole}#box>", _subject(quads, chance), "_:b3"]
    new = chance.choice(names) if old[0] == "<" else _subject(quads, chance)
    return [
        (new if s == old else s, predicate, new if o == old else o, graph)
        for s, predicate, o, graph in quads
    ]


BREAKS: Final[tuple[Break, ...]] = (
    *(drop, drop_node, double, double, say_again, retype, change_datatype, change_datatype),
    *(ill_form, ill_form, change_number, change_number, change_text, point_elsewhere),
    *(change_object, change_subject, change_predicate, add, say_of_two, close_circle, rename),
)
