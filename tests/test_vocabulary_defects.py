"""SKOS as it comes: every defect is read, reported, and repaired nowhere in silence."""

from __future__ import annotations

import pytest

from lithograph.errors import VocabularyError
from lithograph.vocabulary import FindingKind, Severity, Vocabulary
from vocabulary_texts import EX, PREFIXES, found, vocabulary


def test_two_preferred_labels_in_one_language() -> None:
    turtle = ':a a skos:Concept ; skos:prefLabel "Zeta"@fr , "Alpha"@fr , "One"@en .'
    (finding,) = found(turtle, FindingKind.TWO_PREFERRED)
    assert finding.severity is Severity.ERROR
    assert finding.concept == f"{EX}a"
    assert "'Alpha'" in finding.message
    assert "'Zeta'" in finding.message
    concept = vocabulary(turtle)["zeta"]
    assert concept.pref_labels["fr"] == ("Alpha", "Zeta")
    assert concept.label("fr") == "Alpha"


def test_one_label_on_two_concepts() -> None:
    turtle = """
    :flaking a skos:Concept ; skos:prefLabel "Écaillage"@fr , "Flaking"@en .
    :peeling a skos:Concept ; skos:prefLabel "Pelage"@fr , "Peeling"@en ;
      skos:altLabel "écaillage"@fr .
    """
    findings = found(turtle, FindingKind.SHARED_LABEL)
    assert {finding.concept for finding in findings} == {f"{EX}flaking", f"{EX}peeling"}
    assert {finding.severity for finding in findings} == {Severity.WARNING}
    with pytest.raises(VocabularyError, match="names 2") as error:
        vocabulary(turtle)["écaillage"]
    assert f"{EX}flaking" in str(error.value)
    assert f"{EX}peeling" in str(error.value)


def test_one_preferred_label_on_two_concepts_is_an_error() -> None:
    turtle = """
    :a a skos:Concept ; skos:prefLabel "Biological colonization"@en .
    :b a skos:Concept ; skos:prefLabel "biological colonization"@en .
    """
    findings = found(turtle, FindingKind.SHARED_LABEL)
    assert [finding.severity for finding in findings] == [Severity.ERROR] * 2


def test_one_word_in_two_languages_is_no_shared_label() -> None:
    turtle = """
    :a a skos:Concept ; skos:prefLabel "fissure"@fr , "crack"@en .
    :b a skos:Concept ; skos:prefLabel "fente"@fr , "fissure"@en .
    """
    assert found(turtle, FindingKind.SHARED_LABEL) == []
    with pytest.raises(VocabularyError, match="names 2"):
        vocabulary(turtle)["fissure"]


def test_narrower_without_broader_is_followed_and_reported() -> None:
    turtle = """
    :top a skos:Concept ; skos:prefLabel "top"@en ; skos:narrower :a , :b .
    :a a skos:Concept ; skos:prefLabel "a"@en .
    :b a skos:Concept ; skos:prefLabel "b"@en ; skos:broader :top .
    """
    (finding,) = found(turtle, FindingKind.NARROWER_ONLY)
    assert finding.concept == f"{EX}top"
    assert f"{EX}a" in finding.message
    assert vocabulary(turtle)["a"].broader == (f"{EX}top",)


@pytest.mark.parametrize(
    "link", ["skos:broader", "skos:narrower", "skos:related", "lg:confusedWith"]
)
def test_links_to_nothing(link: str) -> None:
    turtle = f':a a skos:Concept ; skos:prefLabel "a"@en ; {link} :nowhere .'
    (finding,) = found(turtle, FindingKind.DANGLING_LINK)
    assert finding.concept == f"{EX}a"
    assert f"{EX}nowhere" in finding.message
    concept = vocabulary(turtle)["a"]
    assert concept.broader == concept.narrower == concept.related == concept.confused_with == ()


def test_a_top_concept_that_is_described_nowhere() -> None:
    turtle = f'<{EX}> skos:hasTopConcept :gone . :a a skos:Concept ; skos:prefLabel "a"@en .'
    (finding,) = found(turtle, FindingKind.DANGLING_LINK)
    assert finding.concept == EX


CYCLE = """
:top a skos:Concept ; skos:prefLabel "top"@en .
:a a skos:Concept ; skos:prefLabel "a"@en ; skos:broader :b .
:b a skos:Concept ; skos:prefLabel "b"@en ; skos:broader :c , :top .
:c a skos:Concept ; skos:prefLabel "c"@en ; skos:broader :a .
"""


def test_a_cycle_is_reported_and_hangs_nothing() -> None:
    findings = found(CYCLE, FindingKind.CYCLE)
    assert {finding.concept for finding in findings} == {f"{EX}a", f"{EX}b", f"{EX}c"}
    read = vocabulary(CYCLE)
    assert {c.slug for c in read.ancestors("a")} == {"b", "c", "top"}
    assert {c.slug for c in read.descendants("a")} == {"b", "c"}
    assert [c.slug for c in read.path("c")] == ["top", "b", "a", "c"]
    assert read.top_ancestor("c").slug == "top"
    assert [c.slug for c in read.families] == ["top"]
    assert "c" in read.tree()
    assert "c" in read._repr_html_()


def test_a_cycle_that_hangs_from_nothing_has_its_first_concept_on_top() -> None:
    turtle = """
    :m a skos:Concept ; skos:prefLabel "m"@en ; skos:broader :n .
    :n a skos:Concept ; skos:prefLabel "n"@en ; skos:broader :m .
    :below a skos:Concept ; skos:prefLabel "below"@en ; skos:broader :n .
    :self a skos:Concept ; skos:prefLabel "self"@en ; skos:broader :self .
    """
    read = vocabulary(turtle)
    assert [c.slug for c in read.families] == ["m", "self"]
    assert [c.slug for c in read.path("below")] == ["m", "n", "below"]
    assert read.ancestors("self") == ()
    assert [c.slug for c in read.leaves] == ["below", "self"]
    assert len(found(turtle, FindingKind.CYCLE)) == 3


def test_several_parents() -> None:
    turtle = """
    :one a skos:Concept ; skos:prefLabel "one"@en .
    :two a skos:Concept ; skos:prefLabel "two"@en .
    :mid a skos:Concept ; skos:prefLabel "mid"@en ; skos:broader :one .
    :both a skos:Concept ; skos:prefLabel "both"@en ; skos:broader :mid , :two .
    """
    (finding,) = found(turtle, FindingKind.SEVERAL_PARENTS)
    assert finding.concept == f"{EX}both"
    read = vocabulary(turtle)
    assert {c.slug for c in read.ancestors("both")} == {"one", "two", "mid"}
    # The shortest way up decides which parent counts for the top.
    assert read.top_ancestor("both").slug == "two"
    assert read.tree().count("both") == 2
    assert "→ two" in read.tree()


def test_labels_without_language() -> None:
    turtle = """
    :a a skos:Concept ; skos:prefLabel "crack" ; skos:altLabel "cleft" ; skos:hiddenLabel "CRK" .
    """
    findings = found(turtle, FindingKind.MISSING_LANGUAGE)
    # A hidden label is a code as often as a word: it needs no language.
    assert len(findings) == 2
    assert [p.language for p in vocabulary(turtle).prompts()] == [None, None]


def test_skos_xl_labels_are_read() -> None:
    turtle = """
    :a a skos:Concept ; skosxl:prefLabel :l1 ; skosxl:altLabel :l2 ; skosxl:hiddenLabel :l3 .
    :l1 skosxl:literalForm "crack"@en . :l2 skosxl:literalForm "fente"@fr .
    :l3 skosxl:literalForm "CRK" .
    """
    concept = vocabulary(turtle)["crack"]
    assert concept.pref_labels == {"en": ("crack",)}
    assert concept.alt_labels == {"fr": ("fente",)}
    assert concept.hidden_labels == {"": ("CRK",)}


@pytest.mark.parametrize("kind", ["Generic", "Partitive", "Instantial"])
def test_opentheso_hierarchy_is_folded(kind: str) -> None:
    turtle = f"""
    :top a skos:Concept ; skos:prefLabel "top"@en ; iso-thes:narrower{kind} :b .
    :a a skos:Concept ; skos:prefLabel "a"@en ; iso-thes:broader{kind} :top .
    :b a skos:Concept ; skos:prefLabel "b"@en .
    """
    assert len(found(turtle, FindingKind.FOLDED_HIERARCHY)) == 2
    assert [c.slug for c in vocabulary(turtle).descendants("top")] == ["a", "b"]


def test_getty_parents_are_found_past_guide_terms() -> None:
    turtle = """
    :top a gvp:Concept ; skos:prefLabel "conditions"@en .
    :guide a gvp:GuideTerm ; skos:prefLabel "<conditions by form>"@en ; gvp:broaderPreferred :top .
    :deeper a gvp:GuideTerm ; skos:prefLabel "<more>"@en ; gvp:broaderPreferred :guide .
    :a a gvp:Concept ; skos:prefLabel "cracks"@en ; gvp:broaderPreferred :deeper .
    :b a gvp:Concept ; skos:prefLabel "pits"@en ; gvp:broaderNonPreferred :top .
    :old a gvp:ObsoleteSubject ; skos:prefLabel "splits"@en ; dcterms:isReplacedBy :a .
    """
    read = vocabulary(turtle)
    assert [c.slug for c in read.descendants("top")] == ["a", "b"]
    assert [g.iri for g in read.groupings] == [f"{EX}deeper", f"{EX}guide"]
    assert read["splits"].deprecated
    assert read["splits"].replaced_by == (f"{EX}a",)


@pytest.mark.parametrize(
    ("value", "datatype", "is_fault"),
    [
        ("2023-09-22 13:56:24.233548+02", "date", True),
        ("2023-02-30", "date", True),
        ("2024-02-29", "date", False),
        ("2023-09-22Z", "date", False),
        ("2023-09-22", "dateTime", True),
        ("2023-09-22T25:00:00", "dateTime", True),
        ("2023-09-22T13:56:24.2+02:00", "dateTime", False),
        ("2023", "gYear", False),
        ("summer 2023", "gYear", True),
        ("summer 2023", "string", False),
    ],
)
def test_ill_typed_dates(value: str, datatype: str, is_fault: bool) -> None:
    turtle = (
        f':a a skos:Concept ; skos:prefLabel "a"@en ; dcterms:created "{value}"^^xsd:{datatype} .'
    )
    assert bool(found(turtle, FindingKind.ILL_TYPED_DATE)) is is_fault


def test_id_paths_are_no_descriptions() -> None:
    turtle = """
    :a a skos:Concept ; skos:prefLabel "a"@en ; dcterms:description "1027236##1027237" .
    :b a skos:Concept ; skos:prefLabel "b"@en ; dcterms:description "1027236" .
    :c a skos:Concept ; skos:prefLabel "c"@en ; dcterms:description "A real one ## really" .
    """
    (finding,) = found(turtle, FindingKind.ID_PATH)
    assert finding.message.startswith("2 concepts")
    assert vocabulary(turtle)["a"].definitions == {}


def test_votes_and_discussions_are_no_texts() -> None:
    turtle = """
    :a a skos:Concept ; skos:prefLabel "a"@en ;
      skos:note "1##2##yes"@status , "1##2##no"@vote , "hello##you"@message ;
      skos:definition "1##2"@status , "a word"@en .
    """
    (finding,) = found(turtle, FindingKind.FAKE_LANGUAGE)
    assert finding.message.startswith("4 texts")
    assert vocabulary(turtle)["a"].definitions == {"en": ("a word",)}


def test_votes_as_opentheso_writes_them_in_rdf_xml() -> None:
    xml = """<?xml version="1.0" encoding="UTF-8"?>
    <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
             xmlns:skos="http://www.w3.org/2004/02/skos/core#">
      <skos:Concept rdf:about="http://h/?idc=32565&amp;idt=th21">
        <skos:prefLabel xml:lang="fr">Fissure</skos:prefLabel>
        <skos:note xml:lang="@vote">1##2</skos:note>
      </skos:Concept>
    </rdf:RDF>"""
    read = Vocabulary.read(xml)
    assert read["32565"].label("fr") == "Fissure"
    assert FindingKind.FAKE_LANGUAGE in {finding.kind for finding in read.check()}
    assert "vote" not in "".join(map(str, read.triples()))


def test_query_string_iris_and_arks_are_concepts() -> None:
    turtle = """
    <http://h/opentheso/?idc=32565&idt=th21> a skos:Concept ; skos:prefLabel "Fissure"@fr .
    <http://h/api/ark:/66666/thesc094> a skos:Concept ; skos:prefLabel "Lieux"@fr .
    """
    read = vocabulary(turtle)
    assert read["32565"].label() == "Fissure"
    assert read["thesc094"].label() == "Lieux"
    assert read["http://h/opentheso/?idc=32565&idt=th21"].slug == "32565"


def test_collections_and_arrays_are_groupings() -> None:
    turtle = """
    :a a skos:Concept ; skos:prefLabel "a"@en .
    :b a skos:Concept ; skos:prefLabel "b"@en .
    :plain a skos:Collection ; skos:prefLabel "plain"@en ; skos:member :a , :array .
    :array a iso-thes:ThesaurusArray , skos:Collection ; skos:member :b ;
      iso-thes:superOrdinate :a .
    :ordered a skos:OrderedCollection ; skos:memberList ( :b :a ) .
    """
    read = vocabulary(turtle)
    assert [c.slug for c in read.concepts] == ["a", "b"]
    groupings = {g.iri.removeprefix(EX): (g.kind, g.members) for g in read.groupings}
    assert groupings == {
        "array": ("array", (f"{EX}b",)),
        "ordered": ("collection", (f"{EX}b", f"{EX}a")),
        "plain": ("collection", (f"{EX}a", f"{EX}array")),
    }


def test_a_concept_that_is_a_collection_too_stays_a_concept() -> None:
    turtle = ':a a skos:Concept , skos:Collection ; skos:prefLabel "a"@en .'
    assert len(found(turtle, FindingKind.CONCEPT_AND_GROUPING)) == 1
    assert len(vocabulary(turtle)) == 1


def test_a_node_that_behaves_as_a_concept_is_one() -> None:
    turtle = ':a skos:prefLabel "a"@en ; skos:topConceptOf <https://example.org/v/> .'
    assert len(found(turtle, FindingKind.UNTYPED_CONCEPT)) == 1


def test_a_blank_concept_is_left_out() -> None:
    turtle = (
        '[] a skos:Concept ; skos:prefLabel "x"@en . :a a skos:Concept ; skos:prefLabel "a"@en .'
    )
    (finding,) = found(turtle, FindingKind.BLANK_CONCEPT)
    assert finding.severity is Severity.ERROR
    assert [c.slug for c in vocabulary(turtle)] == ["a"]


def test_empty_and_untrimmed_labels() -> None:
    turtle = ':a a skos:Concept ; skos:prefLabel "  salt   crust "@en , " "@fr .'
    assert len(found(turtle, FindingKind.EMPTY_LABEL)) == 1
    assert len(found(turtle, FindingKind.UNTRIMMED_LABEL)) == 1
    assert vocabulary(turtle)["salt crust"].pref_labels == {"en": ("salt crust",)}


def test_one_text_as_two_kinds_of_label() -> None:
    turtle = ':a a skos:Concept ; skos:prefLabel "a"@en ; skos:altLabel "a"@en .'
    assert len(found(turtle, FindingKind.LABEL_TWICE)) == 1


def test_a_concept_without_label_is_an_error_and_shows_its_slug() -> None:
    turtle = ':a a skos:Concept . :b a skos:Concept ; skos:prefLabel "b"@en .'
    (finding,) = found(turtle, FindingKind.NO_LABEL)
    assert finding.severity is Severity.ERROR
    assert vocabulary(turtle)["a"].label() == "a"


def test_mappings_that_skos_holds_apart() -> None:
    turtle = ':a a skos:Concept ; skos:prefLabel "a"@en ; skos:exactMatch :x ; skos:broadMatch :x .'
    assert len(found(turtle, FindingKind.MAPPING_CLASH)) == 1


def test_related_to_an_ancestor() -> None:
    turtle = """
    :top a skos:Concept ; skos:prefLabel "top"@en .
    :a a skos:Concept ; skos:prefLabel "a"@en ; skos:broader :top ; skos:related :top .
    """
    assert [f.concept for f in found(turtle, FindingKind.RELATED_ANCESTOR)] == [f"{EX}a"]


def test_an_orphan_is_a_top_concept_nobody_named() -> None:
    turtle = f"""
    <{EX}> skos:hasTopConcept :top .
    :top a skos:Concept ; skos:prefLabel "top"@en .
    :a a skos:Concept ; skos:prefLabel "a"@en .
    """
    assert [f.concept for f in found(turtle, FindingKind.ORPHAN)] == [f"{EX}a"]
    assert [c.slug for c in vocabulary(turtle).families] == ["a", "top"]


@pytest.mark.parametrize("value", ['"-3"', '"three"', '"3.0"', '"٣"', '"12345678901234567"'])
def test_category_numbers_are_digits(value: str) -> None:
    turtle = f':a a skos:Concept ; skos:prefLabel "a"@en ; skos:notation {value}^^lg:categoryId .'
    (finding,) = found(turtle, FindingKind.BAD_CATEGORY_ID)
    assert finding.severity is Severity.ERROR
    assert vocabulary(turtle)["a"].category_id is None


def test_category_numbers_are_ones_own() -> None:
    turtle = """
    :a a skos:Concept ; skos:prefLabel "a"@en ; skos:notation "1"^^lg:categoryId .
    :b a skos:Concept ; skos:prefLabel "b"@en ; skos:notation "1"^^lg:categoryId , "B" .
    :c a skos:Concept ; skos:prefLabel "c"@en ;
      skos:notation "4"^^lg:categoryId , "2"^^lg:categoryId .
    """
    assert [f.concept for f in found(turtle, FindingKind.BAD_CATEGORY_ID)] == [f"{EX}a", f"{EX}c"]
    assert vocabulary(turtle)["c"].category_id == 2


def test_several_schemes() -> None:
    turtle = """
    <https://example.org/w> a skos:ConceptScheme .
    :a a skos:Concept ; skos:prefLabel "a"@en ; skos:inScheme <https://example.org/v/> .
    :b a skos:Concept ; skos:prefLabel "b"@en ; skos:inScheme <https://example.org/w> .
    :c a skos:Concept ; skos:prefLabel "c"@en ; skos:topConceptOf <https://example.org/w> ;
      skos:related :a .
    """
    (finding,) = found(turtle, FindingKind.SEVERAL_SCHEMES)
    assert finding.concept == "https://example.org/w"
    read = vocabulary(turtle)
    assert [c.slug for c in read] == ["b", "c"]
    assert FindingKind.OUTSIDE_SCHEME in {f.kind for f in read.check()}
    chosen = vocabulary(turtle, scheme=EX)
    assert [c.slug for c in chosen] == ["a"]
    assert FindingKind.SEVERAL_SCHEMES not in {f.kind for f in chosen.check()}
    with pytest.raises(VocabularyError, match=r"expected the scheme https://example\.org/none"):
        vocabulary(turtle, scheme="https://example.org/none")


def test_no_scheme_at_all() -> None:
    read = Vocabulary.read(PREFIXES + ':a a skos:Concept ; skos:prefLabel "a"@en .')
    assert read.iri == EX
    assert FindingKind.NO_SCHEME in {finding.kind for finding in read.check()}


def test_a_missing_translation() -> None:
    turtle = """
    :a a skos:Concept ; skos:prefLabel "a"@en , "a"@fr .
    :b a skos:Concept ; skos:prefLabel "b"@en , "b"@fr .
    :c a skos:Concept ; skos:prefLabel "c"@en , "c"@de .
    """
    (finding,) = found(turtle, FindingKind.MISSING_TRANSLATION)
    assert finding.concept == f"{EX}c"
    assert "'fr'" in finding.message


def test_errors_come_first() -> None:
    turtle = ':a a skos:Concept ; skos:prefLabel "a" , "b" ; dcterms:created "x"^^xsd:date .'
    order = [finding.severity for finding in vocabulary(turtle).check()]
    assert order == sorted(order, key=list(Severity).index)
    assert order[0] is Severity.ERROR
