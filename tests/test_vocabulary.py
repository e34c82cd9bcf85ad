"""The vocabulary: its order, its lookups, its digest, how it shows itself."""

from __future__ import annotations

import random
import re

import pyoxigraph as ox
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lithograph.errors import VocabularyError
from lithograph.resources import ontology
from lithograph.vocabulary import Concept, Vocabulary
from lithograph.vocabulary.hierarchy import arrange
from lithograph.vocabulary.lookup import fold
from vocabulary_texts import EX, PREFIXES, SCHEME, vocabulary

ND = "https://w3id.org/lithograph/notre-dame-alterations/"


@pytest.fixture(scope="module")
def notre_dame() -> Vocabulary:
    return Vocabulary.read(ontology("notre-dame-alterations"))


@pytest.fixture(scope="module")
def icomos() -> Vocabulary:
    return Vocabulary.read(ontology("icomos-stone-deterioration"))


# -- the hierarchy ---------------------------------------------------------------------------------


def test_families_and_leaves_of_the_data_set(notre_dame: Vocabulary) -> None:
    assert len(notre_dame) == 15
    assert [c.category_id for c in notre_dame.leaves] == [1, 8, 2, 5, 6, 3, 4, 7, 9]
    assert {c.slug for c in notre_dame.families} == {
        "chromatic-alteration-and-deposit",
        "material-loss",
        "detachment",
        "discontinuities",
        "biological-colonization",
    }
    assert notre_dame.askable == notre_dame.leaves
    assert notre_dame.background is not None
    assert notre_dame.background.slug == "sound-stone"
    assert notre_dame.background not in (*notre_dame.leaves, *notre_dame.families)


def test_paths_of_the_glossary(icomos: Vocabulary) -> None:
    path = icomos.path("flaking")
    assert [c.slug for c in path] == ["detachment", "scaling", "flaking"]
    assert icomos.top_ancestor("flaking").slug == "detachment"
    assert [c.slug for c in icomos.ancestors("flaking")] == ["scaling", "detachment"]
    assert [c.slug for c in icomos.descendants("scaling")] == ["flaking", "contour-scaling"]
    assert [c.slug for c in icomos.path("detachment")] == ["detachment"]


def test_concepts_between_family_and_leaf_are_asked_for(icomos: Vocabulary) -> None:
    assert len(icomos.askable) == 72
    assert icomos["crack"] in icomos.askable
    assert icomos["crack"] not in icomos.leaves
    assert icomos["crack and deformation"] not in icomos.askable


def test_concepts_stand_depth_first_by_category_number(icomos: Vocabulary) -> None:
    numbers = [c.category_id for c in icomos if c.category_id is not None]
    assert numbers == list(range(1, 73))


def test_a_family_without_concepts_below_is_asked_for() -> None:
    read = vocabulary(':a a skos:Concept ; skos:prefLabel "a"@en .')
    assert read.families == read.leaves == read.askable == read.concepts


def test_retired_concepts_are_neither_leaves_nor_families() -> None:
    read = vocabulary("""
    :a a skos:Concept ; skos:prefLabel "a"@en ; owl:deprecated true ; dcterms:isReplacedBy :b .
    :b a skos:Concept ; skos:prefLabel "b"@en .
    :c a skos:Concept ; skos:prefLabel "c"@en ; owl:deprecated "1"^^xsd:boolean ; skos:broader :b .
    :d a skos:Concept ; skos:prefLabel "d"@en ; owl:deprecated false .
    """)
    assert [c.slug for c in read.families] == [c.slug for c in read.leaves] == ["b", "d"]
    assert read["a"].deprecated
    assert read["a"].replaced_by == (f"{EX}b",)
    assert f"(retired, see <{EX}b>)" in read.tree()


def test_a_concept_of_another_vocabulary_is_refused(notre_dame: Vocabulary) -> None:
    with pytest.raises(VocabularyError, match="expected a concept of this scheme"):
        notre_dame.path(Concept("https://example.org/else"))


NAMES = st.sampled_from("abcdefgh")


@given(
    st.dictionaries(NAMES, st.frozensets(NAMES, max_size=3)),
    st.frozensets(NAMES, max_size=2),
    st.dictionaries(NAMES, st.integers(1, 9), max_size=4),
)
def test_any_hierarchy_can_be_walked(
    links: dict[str, frozenset[str]], tops: frozenset[str], weights: dict[str, int]
) -> None:
    """Orphans, cycles, self-links, several parents: every name has one finite path from a root."""
    broader = {name: sorted(links.get(name, set())) for name in "abcdefgh"}
    hierarchy = arrange(broader, tops, weights)
    assert sorted(hierarchy.order) == sorted(broader)
    for name in broader:
        seen = []
        at: str | None = name
        while at is not None:
            seen.append(at)
            at = hierarchy.via[at]
            assert at is None or at in broader[seen[-1]]
            assert len(seen) <= len(broader)
        assert seen[-1] in hierarchy.roots
        assert (name in hierarchy.roots) == (len(seen) == 1)
        for above in seen[1:]:
            assert name in _below(above, hierarchy.narrower)
    assert set(tops) <= set(hierarchy.roots)
    own_ancestors = {
        name for name in broader if any(name in _above(p, broader) for p in broader[name])
    }
    assert own_ancestors == {name for cycle in hierarchy.cycles for name in cycle}


def _above(name: str, broader: dict[str, list[str]]) -> set[str]:
    found, waiting = {name}, [name]
    while waiting:
        for parent in broader[waiting.pop()]:
            if parent not in found:
                found.add(parent)
                waiting.append(parent)
    return found


def _below(name: str, narrower: object) -> set[str]:
    assert isinstance(narrower, dict)
    found, waiting = {name}, [name]
    while waiting:
        for child in narrower[waiting.pop()]:
            if child not in found:
                found.add(child)
                waiting.append(child)
    return found


# -- lookups ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "salt-efflorescence",
        f"{ND}salt-efflorescence",
        "nd:salt-efflorescence",
        "SaltEfflorescence",
        "Salt Efflorescence",
        "salt_efflorescence",
        "efflorescence saline",
        "EFFLORESCENCE SALINE",
        "salpetre",
        "salpêtre",
    ],
)
def test_a_concept_is_found_by_whatever_names_it(name: str) -> None:
    turtle = ontology("notre-dame-alterations").read_text(encoding="utf-8")
    read = Vocabulary.read(turtle.replace("@prefix :  ", f"@prefix nd: <{ND}> .\n@prefix :  "))
    assert read[name].category_id == 5
    assert name in read
    assert read.get(name) == read[name]


def test_an_unknown_name_tells_the_nearest(notre_dame: Vocabulary) -> None:
    with pytest.raises(VocabularyError, match="no concept 'craks'; the nearest: crack") as error:
        notre_dame["craks"]
    assert error.value.subject == "craks"
    assert "craks" not in notre_dame
    assert notre_dame.get("craks") is None
    assert notre_dame.nearest("désquamations")[0].slug == "scaling"
    with pytest.raises(VocabularyError, match="it has 15 concepts, none near"):
        notre_dame["Zeppelin-Hindenburg-1937"]
    with pytest.raises(ValueError, match="at least 1"):
        notre_dame.nearest("crack", 0)


def test_membership(notre_dame: Vocabulary) -> None:
    assert notre_dame["crack"] in notre_dame
    assert 3 not in notre_dame
    assert Concept("https://example.org/else") not in notre_dame
    assert list(notre_dame) == list(notre_dame.concepts)


def test_hidden_labels_give_way_to_others() -> None:
    read = vocabulary("""
    :x1 a skos:Concept ; skos:prefLabel "plate"@en ; skos:hiddenLabel "scale"@en .
    :x2 a skos:Concept ; skos:prefLabel "scale"@en .
    """)
    assert read["scale"].slug == "x2"


def test_a_slug_goes_before_a_label() -> None:
    read = vocabulary("""
    :gap a skos:Concept ; skos:prefLabel "hole"@en .
    :hole a skos:Concept ; skos:prefLabel "gap"@en .
    """)
    assert read["gap"].label("en") == "hole"
    assert read["Gap"].label("en") == "gap"


@given(st.text(max_size=30))
def test_folding_is_stable(text: str) -> None:
    assert fold(fold(text)) == fold(text)
    assert fold(text.upper()) == fold(text.upper().lower())
    assert fold(f" {text} ") == fold(text)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ChromaticAlteration&Deposit", "chromatic alteration and deposit"),
        ("Œuvre érodée", "oeuvre erodee"),
        ("iron-rich patina", "Iron rich  patina"),
        ("STRASSE", "straße"),
    ],
)
def test_what_folds_alike(one: str, other: str) -> None:
    assert fold(one) == fold(other)


def test_of_labels_that_fold_alike_the_one_itself_is_meant() -> None:
    read = vocabulary("""
    :x1 a skos:Concept ; skos:prefLabel "C++"@en . :x2 a skos:Concept ; skos:prefLabel "C"@en .
    :x3 a skos:Concept ; skos:prefLabel "peche"@fr .
    :x4 a skos:Concept ; skos:prefLabel "pêche"@fr .
    """)
    assert [read[name].slug for name in ("c++", "c", "Peche", "PÊCHE")] == ["x1", "x2", "x3", "x4"]
    with pytest.raises(VocabularyError, match="names 2"):
        read["pé che"]


def test_signs_and_scripts_are_not_folded_away() -> None:
    assert fold("#") != fold("+")
    assert fold("कि") != fold("का")
    assert fold("ガ") != fold("カ")


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_every_label_finds_its_concept_however_written(data: st.DataObject) -> None:
    read = _SHARED_READ[data.draw(st.sampled_from(["notre-dame-alterations", "icomos"]))]
    concept = data.draw(st.sampled_from(read.concepts))
    _, _, label = data.draw(st.sampled_from(list(concept.labels())))
    written = data.draw(
        st.sampled_from(
            [str.upper, str.lower, str.title, lambda s: s.replace(" ", ""), lambda s: f"  {s} "]
        )
    )(label)
    assert read[written] == concept


_SHARED_READ = {
    "notre-dame-alterations": Vocabulary.read(ontology("notre-dame-alterations")),
    "icomos": Vocabulary.read(ontology("icomos-stone-deterioration")),
}


# -- categories of foreign files -------------------------------------------------------------------


def test_the_data_sets_own_categories_are_matched(notre_dame: Vocabulary) -> None:
    for concept in notre_dame.leaves:
        (name,) = concept.hidden_labels[""]
        (family,) = notre_dame.top_ancestor(concept).hidden_labels[""]
        match = notre_dame.match_category(name, concept.category_id, family)
        assert match.concept == concept
        assert not match.ambiguous


def test_a_number_never_decides_against_a_name(notre_dame: Vocabulary) -> None:
    match = notre_dame.match_category("person", 1, "person")
    assert match.concept is None
    match = notre_dame.match_category("Cracks", 8)
    assert match.concept is None
    assert match.candidates[0].slug == "crack"
    assert notre_dame.match_category("Crack", 8).concept == notre_dame["crack"]


def test_a_category_without_a_name_is_matched_by_number(notre_dame: Vocabulary) -> None:
    assert notre_dame.match_category("", 8).concept == notre_dame["lacuna"]
    assert notre_dame.match_category(" ", 99).concept is None
    assert notre_dame.match_category("").candidates == ()


def test_a_category_is_matched_by_iri(notre_dame: Vocabulary) -> None:
    assert notre_dame.match_category(f"{ND}crack", 1).concept == notre_dame["crack"]


SHARED_NAME = """
:wall a skos:Concept ; skos:prefLabel "wall"@en . :roof a skos:Concept ; skos:prefLabel "Roof"@en .
:c1 a skos:Concept ; skos:prefLabel "crack"@en ; skos:broader :wall ;
  skos:notation "4"^^lg:categoryId .
:c2 a skos:Concept ; skos:prefLabel "crack"@en ; skos:broader :roof ;
  skos:notation "5"^^lg:categoryId .
"""


def test_a_supercategory_then_a_number_tell_concepts_of_one_name_apart() -> None:
    read = vocabulary(SHARED_NAME)
    match = read.match_category("Crack")
    assert match.ambiguous
    assert {c.slug for c in match.candidates} == {"c1", "c2"}
    above = read.match_category("Crack", 4, "ROOF").concept
    number = read.match_category("Crack", 4, "Cellar").concept
    assert (above and above.slug, number and number.slug) == ("c2", "c1")


def test_a_retired_concept_gives_way_to_a_living_one() -> None:
    read = vocabulary(SHARED_NAME + ":c1 owl:deprecated true .")
    match = read.match_category("Crack")
    assert match.concept
    assert match.concept.slug == "c2"


# -- digest and triples ----------------------------------------------------------------------------

WITH_BLANKS = """
:a a skos:Concept ; skos:prefLabel "a"@en-GB ;
  skos:definition [ rdf:value "note"@en ; dcterms:source [ rdf:value "x" ] ] .
:b a skos:Concept ; skos:prefLabel "b"@en ;
  skos:definition [ rdf:value "note"@en ; dcterms:source [ rdf:value "y" ] ] .
:list a skos:OrderedCollection ; skos:memberList ( :b :a :b ) .
:ring dcterms:relation _:x . _:x dcterms:relation _:y . _:y dcterms:relation _:x ; rdf:value "end" .
"""


@settings(max_examples=20, deadline=None)
@given(st.randoms(use_true_random=False), st.booleans())
def test_the_digest_depends_on_what_is_said_alone(order: random.Random, shipped: bool) -> None:
    """Not on the order, the prefixes, the format, or the blank nodes' names."""
    text = PREFIXES + SCHEME + WITH_BLANKS
    read = _SHARED_READ["notre-dame-alterations"] if shipped else Vocabulary.read(text)
    lines = [f"{triple} ." for triple in read.triples()]
    order.shuffle(lines)
    blanks = sorted(set(re.findall(r"_:\S+", "\n".join(lines))))
    order.shuffle(blanks)
    names = {name: f"_:n{number}" for number, name in enumerate(blanks)}
    shuffled = re.sub(r"_:\S+", lambda found: names[found[0]], "\n".join(lines))
    again = Vocabulary.read(shuffled + "\n" + shuffled.splitlines()[0])
    assert again.digest == read.digest
    assert again.triples() == read.triples()
    assert again == read
    xml = ox.serialize(read.triples(), format=ox.RdfFormat.RDF_XML)
    assert xml is not None
    assert Vocabulary.read(xml).digest == read.digest


def test_the_digest_changes_with_any_word(notre_dame: Vocabulary) -> None:
    turtle = ontology("notre-dame-alterations").read_text(encoding="utf-8")
    changed = Vocabulary.read(turtle.replace('"flaking"@en', '"flakes"@en'))
    assert changed.digest != notre_dame.digest
    assert changed != notre_dame
    assert notre_dame != turtle


def test_blank_nodes_are_told_apart_by_what_points_at_them() -> None:
    read = vocabulary("""
    :a a skos:Concept ; skos:prefLabel "a"@en ; skos:definition [ rdf:value "x" ] .
    :b a skos:Concept ; skos:prefLabel "b"@en ; skos:definition [ rdf:value "x" ] .
    """)
    blanks = {str(t.subject) for t in read.triples() if isinstance(t.subject, ox.BlankNode)}
    assert len(blanks) == 2
    assert len(read.triples()) == 9


def test_long_lists_and_rings_of_blank_nodes_take_no_time() -> None:
    items = " ".join(f":c{i}" for i in range(3000))
    ring = " ".join(f"_:r{i} dcterms:relation _:r{(i + 1) % 500} ." for i in range(500))
    read = vocabulary(
        f'{ring} :c0 a skos:Concept ; skos:prefLabel "c"@en . '
        f":o a skos:OrderedCollection ; skos:memberList ( {items} ) ."
    )
    assert len(read.digest) == 64
    assert len(read.triples()) == 3 + 500 + 6000 + 2


def test_a_vocabulary_from_its_own_triples_is_the_same(notre_dame: Vocabulary) -> None:
    again = Vocabulary.from_triples(notre_dame.triples(), scheme=notre_dame.iri)
    assert again == notre_dame
    assert again.prompts(("en", "fr")) == notre_dame.prompts(("en", "fr"))
    with pytest.raises(VocabularyError, match="expected at least one"):
        Vocabulary.from_triples([])


# -- showing ---------------------------------------------------------------------------------------


def test_the_tree(notre_dame: Vocabulary) -> None:
    lines = notre_dame.tree(("fr",)).splitlines()
    assert lines[0] == f"Altérations de Notre-Dame  <{ND}>"
    assert lines[1:4] == ["perte de matière", "├─ érosion [1]", "└─ lacune [8]"]
    assert lines[-1] == "pierre saine (background)"
    assert len(lines) == 1 + len(notre_dame)


def test_the_notebook_escapes_and_stops() -> None:
    concepts = "".join(
        f':c{i:04} a skos:Concept ; skos:prefLabel "<b>{i}"@en .\n' for i in range(600)
    )
    html = vocabulary(concepts)._repr_html_()
    assert "<b>" not in html
    assert "&lt;b&gt;499" in html
    assert "and 100 more" in html
    assert html.count("<ul>") == html.count("</ul>")


def test_deep_thesauri_are_shown() -> None:
    links = "".join(
        f':c{i} a skos:Concept ; skos:prefLabel "c{i}"@en ; skos:narrower :c{i + 1} .\n'
        for i in range(3000)
    )
    read = vocabulary(f'{links} :c3000 a skos:Concept ; skos:prefLabel "end"@en .')
    assert len(read.tree().splitlines()) == 3002
    assert len(read.path("end")) == 3001
    assert "more" in read._repr_html_()


def test_labels_fall_back() -> None:
    read = vocabulary("""
    :a a skos:Concept ; skos:prefLabel "kaksi"@fi , "zwei"@de ; skos:altLabel "two"@en .
    :b a skos:Concept ; skos:prefLabel "colour"@en-GB , "couleur"@fr .
    :c a skos:Concept ; skos:altLabel "other"@en .
    """)
    assert read["a"].label("fr", "fi") == "kaksi"
    assert read["a"].label() == "zwei"
    assert read["b"].label("de") == read["b"].label("en") == "colour"
    assert read["c"].label() == "other"
    assert str(read["c"]) == f"other <{EX}c>"
    assert repr(read) == f"<Vocabulary {EX} of 3 concepts>"
    assert read.languages == ("de", "en-gb", "fi", "fr")
    assert read.title_in("en") == EX
