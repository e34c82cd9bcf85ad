"""Prompts come from RDF: editing the file changes what is asked, and no line of Python."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lithograph.resources import ontology
from lithograph.vocabulary import (
    FindingKind,
    Prompt,
    PromptKind,
    Severity,
    Vocabulary,
    fit_prompts,
)
from vocabulary_texts import EX, found, vocabulary

TURTLE = ontology("notre-dame-alterations").read_text(encoding="utf-8")


def texts(read: Vocabulary, *languages: str) -> set[str]:
    return {prompt.text for prompt in read.prompts(languages)}


@pytest.mark.parametrize(
    ("old", "new", "language"),
    [
        ('"crack"@en', '"rift"@en', "en"),
        ('"cleft"@en', '"chink"@en', "en"),
        ("aux deux lèvres légèrement écartées", "aux lèvres noires", "fr"),
        ("weathered masonry showing {label}", "an old wall showing {label}", "en"),
        ('"sound stone"@en', '"unaltered stone"@en', "en"),
    ],
    ids=["label", "alternative", "description", "template", "background"],
)
def test_editing_the_file_changes_the_prompts(old: str, new: str, language: str) -> None:
    assert old in TURTLE
    before = texts(Vocabulary.read(TURTLE), language)
    after = texts(Vocabulary.read(TURTLE.replace(old, new)), language)
    assert before - after
    assert after - before
    word = new.split('"')[1] if '"' in new else new.replace("{label}", "")
    assert all(word.strip() in text for text in after - before)


def test_the_prompts_of_one_concept() -> None:
    read = Vocabulary.read(TURTLE)
    prompts = read.prompts(("en", "fr"), ["crack"], background=False)
    labels = [p for p in prompts if p.kind is PromptKind.LABEL]
    assert [(p.language, p.text) for p in labels] == [
        ("en", "a close-up photograph of a stone surface with crack"),
        ("en", "a photograph of crack on a stone wall"),
        ("en", "weathered masonry showing crack"),
        ("fr", "gros plan sur une surface de pierre : fissure"),
        ("fr", "maçonnerie ancienne présentant fissure"),
        ("fr", "photographie d'un mur de pierre avec fissure"),
    ]
    assert {p.kind for p in prompts} == set(PromptKind)
    assert {p.concept for p in prompts} == {read["crack"].iri}
    bare = read.prompts(("en",), ["crack"], alternatives=False, descriptions=False)
    assert {p.kind for p in bare} == {PromptKind.LABEL}
    assert {p.concept for p in bare} == {read["crack"].iri, read["sound stone"].iri}


def test_every_leaf_and_one_background_are_asked() -> None:
    read = Vocabulary.read(TURTLE)
    asked = {prompt.concept for prompt in read.prompts()}
    assert asked == {c.iri for c in read.leaves} | {f"{read.iri}sound-stone"}


def test_hidden_labels_never_prompt() -> None:
    read = Vocabulary.read(TURTLE)
    asked = " ".join(texts(read, "en", "fr"))
    assert "SaltEfflorescence" not in asked
    assert "LeadDeposit" not in asked
    tagged = vocabulary(
        ':a a skos:Concept ; skos:prefLabel "crack"@en ; skos:hiddenLabel "CRK"@en , "X" .'
    )
    assert texts(tagged, "en") == {"crack"}


def test_rivals_are_the_concepts_confused_with_those_asked() -> None:
    read = Vocabulary.read(TURTLE)
    asked = {p.concept for p in read.prompts(("en",), [read["flake"]], rivals=True)}
    assert asked == {read[name].iri for name in ("flake", "scaling", "erosion", "sound-stone")}


def test_confusion_goes_both_ways() -> None:
    read = vocabulary("""
    :a a skos:Concept ; skos:prefLabel "a"@en ; lg:confusedWith :b , :a .
    :b a skos:Concept ; skos:prefLabel "b"@en .
    """)
    assert read["a"].confused_with == (f"{EX}b",)
    assert read["b"].confused_with == (f"{EX}a",)


def test_a_scheme_without_templates_asks_bare_labels_and_says_so() -> None:
    turtle = ':a a skos:Concept ; skos:prefLabel "crack"@en ; skos:altLabel "cleft"@en .'
    assert [p.text for p in vocabulary(turtle).prompts()] == ["crack", "cleft"]
    (finding,) = found(turtle, FindingKind.NO_TEMPLATE)
    assert finding.severity is Severity.INFO


def test_a_template_has_one_place_for_the_label() -> None:
    turtle = f"""
    <{EX}> lg:promptTemplate "no place"@en , "{{label}} and {{label}}"@en .
    <{EX}> lg:promptTemplate "of {{label}} {{x}}"@en .
    :a a skos:Concept ; skos:prefLabel "{{braces}} {{label}}"@en .
    """
    assert len(found(turtle, FindingKind.BAD_TEMPLATE)) == 2
    assert [p.text for p in vocabulary(turtle).prompts()] == ["of {braces} {label} {x}"]


def test_a_missing_template_language_is_told() -> None:
    turtle = f"""
    <{EX}> lg:promptTemplate "a {{label}}"@en .
    :a a skos:Concept ; skos:prefLabel "crack"@en-GB , "fissure"@fr .
    """
    (finding,) = found(turtle, FindingKind.NO_TEMPLATE)
    assert "'fr'" in finding.message
    assert [p.text for p in vocabulary(turtle).prompts(("fr",))] == ["fissure"]


def test_languages_and_their_fallbacks() -> None:
    read = vocabulary(f"""
    <{EX}> lg:promptTemplate "a {{label}}"@en , "un {{label}}"@fr .
    :a a skos:Concept ; skos:prefLabel "colour"@en-GB .
    :b a skos:Concept ; skos:prefLabel "plain" .
    :c a skos:Concept ; skos:prefLabel "Farbe"@de , "väri"@fi .
    :d a skos:Concept ; skos:prefLabel "couleur"@fr , "colour"@en .
    """)

    def asked(name: str, *languages: str) -> list[tuple[str | None, str]]:
        return [(p.language, p.text) for p in read.prompts(languages, [read[name]])]

    assert asked("a", "en") == [("en", "a colour")]
    assert asked("b", "en") == [(None, "a plain")]
    # Rather in another language than not at all.
    assert asked("c", "en", "fr") == [("de", "Farbe")]
    assert asked("d", "fr") == [("fr", "un couleur")]
    assert asked("d", "EN", "fr") == [("en", "a colour"), ("fr", "un couleur")]


def test_every_text_once_per_concept() -> None:
    read = vocabulary(':a a skos:Concept ; skos:prefLabel "film"@en , "film"@fr .')
    assert [(p.language, p.text) for p in read.prompts(("en", "fr"))] == [("en", "film")]


@pytest.mark.parametrize("languages", [(), "en", ("",), ["en", ""]])
def test_languages_are_tags(languages: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="languages: expected one tag or more"):
        Vocabulary.read(TURTLE).prompts(languages)


# -- fitting ---------------------------------------------------------------------------------------


def words(text: str) -> int:
    return len(text.split()) + 2


def prompt(text: str) -> Prompt:
    return Prompt(f"{EX}a", text, "en", PromptKind.DESCRIPTION)


@pytest.mark.parametrize(
    ("text", "limit", "kept"),
    [
        ("One two three.", 5, "One two three."),
        ("One two. Three four. Five six.", 6, "One two. Three four."),
        ("One two. Three four. Five six.", 5, "One two."),
        ("One two, three four; five six seven.", 7, "One two, three four"),
        ("One two three four five", 5, "One two three"),
        ("Two words. And then, a clause", 3, "Two"),
    ],
)
def test_a_long_prompt_is_cut_where_it_hurts_least(text: str, limit: int, kept: str) -> None:
    (fitted,), findings = fit_prompts([prompt(text)], words, limit)
    assert fitted.text == kept
    assert (fitted.concept, fitted.language, fitted.kind) == (f"{EX}a", "en", prompt("").kind)
    assert len(findings) == (kept != text)
    for finding in findings:
        assert finding.concept == f"{EX}a"
        assert finding.kind is FindingKind.PROMPT_CUT
        assert str(words(text)) in str(finding)
        assert repr(kept) in str(finding)


def test_a_word_that_does_not_fit_is_cut_too() -> None:
    (fitted,), _ = fit_prompts([prompt("écaillage")], len, 4)
    assert fitted.text == "écai"


def test_a_prompt_that_fits_nowhere_is_left_out_and_told() -> None:
    kept, (finding,) = fit_prompts([prompt("a"), prompt("b")], lambda text: 3 + (text == "a"), 3)
    assert [p.text for p in kept] == ["b"]
    assert "left out" in finding.message


@pytest.mark.parametrize("limit", [0, -1])
def test_a_limit_below_one_is_a_mistake(limit: int) -> None:
    with pytest.raises(ValueError, match="limit: expected at least 1"):
        fit_prompts([], words, limit)


@given(
    st.lists(st.text(alphabet="ab c.,;é。", max_size=60), max_size=4),
    st.integers(1, 30),
    st.sampled_from(
        [words, len, lambda text: len(text.encode()), lambda text: len(re.findall(r"\w|\S", text))]
    ),
)
def test_what_is_kept_fits_and_begins_as_before(
    sentences: list[str], limit: int, count: object
) -> None:
    assert callable(count)
    given_prompts = [prompt(text) for text in sentences]
    kept, findings = fit_prompts(given_prompts, count, limit)
    assert all(count(p.text) <= limit for p in kept)
    assert all(any(text.startswith(p.text) for text in sentences) for p in kept)
    assert len(findings) == sum(count(text) > limit for text in sentences)
    untouched = Counter(p for p in given_prompts if count(p.text) <= limit)
    assert untouched <= Counter(kept)
