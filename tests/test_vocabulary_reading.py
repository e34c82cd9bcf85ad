"""Reading: every RDF format, content that is not what it says, and content that means harm."""

from __future__ import annotations

import time
from pathlib import Path

import pyoxigraph as ox
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lithograph.errors import VocabularyError
from lithograph.resources import ontology
from lithograph.vocabulary import FindingKind, Vocabulary
from lithograph.vocabulary import parsing as limits
from vocabulary_texts import EX, PREFIXES, SCHEME

SKOS = "http://www.w3.org/2004/02/skos/core#"
SHARED = Path(__file__).resolve().parents[2] / "shared" / "data" / "skos"
NOTRE_DAME = ontology("notre-dame-alterations")
#: What each format is called by people, by its extension and by its media type.
FORMATS = {
    ox.RdfFormat.TURTLE: ("turtle", "ttl", "text/turtle"),
    ox.RdfFormat.TRIG: ("trig", "trig", "application/trig"),
    ox.RdfFormat.N_TRIPLES: ("n-triples", "nt", "application/n-triples"),
    ox.RdfFormat.N_QUADS: ("n-quads", ".nq", "application/n-quads"),
    ox.RdfFormat.RDF_XML: ("rdf/xml", "rdf", "application/rdf+xml"),
    ox.RdfFormat.JSON_LD: ("JSON-LD", "jsonld", "application/ld+json"),
}
RDF_XML = (
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" '
    'xmlns:skos="http://www.w3.org/2004/02/skos/core#">{}</rdf:RDF>'
)
CONCEPT_XML = (
    '<skos:Concept rdf:about="http://example.org/a">'
    '<skos:prefLabel xml:lang="fr">{}</skos:prefLabel></skos:Concept>'
)


def shared_files() -> list[Path]:
    if not SHARED.is_dir():
        return []
    return sorted(
        path
        for path in SHARED.rglob("*")
        if path.suffix in {".ttl", ".rdf", ".xml", ".mrcx", ".csv"}
    )


def read_or_refused(source: Path | bytes) -> Vocabulary | VocabularyError:
    """Anything else that is raised fails the test."""
    try:
        return Vocabulary.read(source)
    except VocabularyError as refusal:
        return refusal


@pytest.mark.parametrize("path", shared_files(), ids=lambda path: path.name)
def test_real_vocabularies_are_read_or_refused_with_a_reason(path: Path) -> None:
    read = read_or_refused(path)
    if isinstance(read, VocabularyError):
        assert read.subject == str(path)
        assert "expected" in str(read)
        assert path.suffix in {".csv", ".mrcx"} or "skos:Concept" in str(read)
        return
    assert len(read) > 0
    assert all(finding.message for finding in read.check())
    families = {family.iri for family in read.families}
    for concept in read:
        top = read.top_ancestor(concept)
        assert top.iri in families or top.deprecated or top.is_background
    assert {prompt.concept for prompt in read.prompts()} <= {concept.iri for concept in read}


def test_most_of_the_real_vocabularies_are_read(shared_data: Path) -> None:
    files = [path for path in (shared_data / "skos").rglob("*") if path.suffix in {".ttl", ".rdf"}]
    refused = {p.name: r for p in files if isinstance(r := read_or_refused(p), VocabularyError)}
    assert set(refused) == {"default_graph.ttl", "myns-ontology.ttl", "test-marc.ttl"}
    assert all("at least one skos:Concept" in str(refusal) for refusal in refused.values())
    assert len(files) > 30


def test_the_same_vocabulary_in_two_formats_is_the_same(shared_data: Path) -> None:
    folder = shared_data / "skos/yso_archaeology/tests/corpora/archaeology"
    turtle = Vocabulary.read(folder / "yso-archaeology.ttl")
    xml = Vocabulary.read(folder / "yso-archaeology.rdf")
    assert len(turtle) == len(xml) == 130
    assert [c.iri for c in turtle] == [c.iri for c in xml]
    assert turtle.prompts(("en", "fi")) == xml.prompts(("en", "fi"))


@pytest.mark.parametrize("rdf_format", FORMATS, ids=lambda rdf_format: rdf_format.file_extension)
def test_every_format_is_told_from_its_content(rdf_format: ox.RdfFormat, tmp_path: Path) -> None:
    turtle = Vocabulary.read(NOTRE_DAME)
    content = ox.serialize(turtle.triples(), format=rdf_format)
    assert content is not None
    # The suffix lies.
    path = tmp_path / "vocabulary.txt"
    path.write_bytes(content)
    for read in (
        Vocabulary.read(path),
        Vocabulary.read(str(path)),
        Vocabulary.read(content),
        Vocabulary.read(content.decode()),
        *(Vocabulary.read(path, format=name) for name in FORMATS[rdf_format]),
    ):
        assert read == turtle
        assert hash(read) == hash(turtle)
        assert read.check() == turtle.check() == ()


def test_a_format_that_is_named_is_not_guessed_again(tmp_path: Path) -> None:
    with pytest.raises(VocabularyError, match="expected RDF"):
        Vocabulary.read(NOTRE_DAME, format="n-triples")
    with pytest.raises(ValueError, match="format: expected one of turtle"):
        Vocabulary.read(NOTRE_DAME, format="powerpoint")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "iso-8859-1"])
def test_encodings_of_xml(encoding: str) -> None:
    declared = encoding.removesuffix("-sig")
    xml = f'<?xml version="1.0" encoding="{declared}"?>' + RDF_XML.format(
        CONCEPT_XML.format("érosion")
    )
    assert Vocabulary.read(xml.encode(encoding))["erosion"].label("fr") == "érosion"


def test_a_byte_order_mark_before_turtle() -> None:
    assert (
        len(
            Vocabulary.read(
                ("\ufeff" + PREFIXES + ':a a skos:Concept ; skos:prefLabel "a" .').encode()
            )
        )
        == 1
    )


def test_a_named_graph_is_read_and_two_are_refused() -> None:
    one = PREFIXES + 'GRAPH :g { :a a skos:Concept ; skos:prefLabel "a"@en . }'
    assert len(Vocabulary.read(one)) == 1
    with pytest.raises(VocabularyError, match="expected one graph, found 2"):
        Vocabulary.read(one + ' GRAPH :h { :b a skos:Concept ; skos:prefLabel "b"@en . }')


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "at least one skos:Concept"),
        (PREFIXES + SCHEME, "at least one skos:Concept"),
        (PREFIXES + ":a a skos:Concept .", "one concept with a label"),
        (PREFIXES + ':a a skos:Concept ; skos:hiddenLabel "x" .', "one concept with a label"),
        ("<!DOCTYPE html>\n<html><body>Not found</body></html>", "found an HTML page"),
        ('{"http://a":{"http://p":[{"type":"literal","value":"x"}]}}\n', "found RDF/JSON"),
        ("URI,prefLabel\nhttp://a,crack\n", "expected RDF"),
        ("<a><b></a>\n", "expected RDF"),
        (b"\x89PNG\r\n\x1a\n\x00\xff", "expected text in utf-8"),
        (b'<?xml version="1.0" encoding="no-such-code"?>\n<x/>', "expected text in no-such-code"),
        ("<x:RDF xmlns:x='http://x'><unclosed>\n", "expected RDF/XML"),
    ],
    ids=[
        "empty",
        "no-concept",
        "no-label",
        "hidden-label-only",
        "html",
        "rdf-json",
        "csv",
        "broken-xml",
        "binary",
        "unknown-encoding",
        "unclosed-xml",
    ],
)
def test_what_cannot_drive_prompts_is_refused(content: str | bytes, reason: str) -> None:
    source = content if isinstance(content, bytes) else content.encode()
    with pytest.raises(VocabularyError, match=reason):
        Vocabulary.read(source)


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    for source in (tmp_path / "none.ttl", tmp_path, str(tmp_path / "none.ttl"), "a\0b"):
        with pytest.raises(VocabularyError, match="expected a file") as error:
            Vocabulary.read(source)
        assert error.value.subject == str(source)
    with pytest.raises(VocabularyError, match="found an address; download it first"):
        Vocabulary.read("https://example.org/vocabulary.ttl")


def test_a_path_may_be_called_as_turtle_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("prefix.ttl", "base.ttl", "prefix of mine.ttl"):
        Path(name).write_text(PREFIXES + ':a a skos:Concept ; skos:prefLabel "a"@en .')
        assert len(Vocabulary.read(name)) == 1
    assert len(Vocabulary.read(f'PREFIX s: <{SKOS}> s:x a s:Concept ; s:prefLabel "x"@en .')) == 1


def test_a_file_that_is_too_large_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MAX_BYTES", 1000)
    with pytest.raises(VocabularyError, match="expected at most 1000 bytes"):
        Vocabulary.read(NOTRE_DAME)
    with pytest.raises(VocabularyError, match="expected at most 1000 bytes"):
        Vocabulary.read("# " + "x" * 2000 + "\n")


def test_relative_iris_need_a_base() -> None:
    turtle = PREFIXES + '<#a> a skos:Concept ; skos:prefLabel "a"@en .'
    with pytest.raises(VocabularyError, match="statements are left out"):
        Vocabulary.read(turtle)
    read = Vocabulary.read(turtle, base_iri="https://example.org/base")
    assert read["a"].iri == "https://example.org/base#a"


def test_statements_with_invalid_iris_are_left_out_and_reported() -> None:
    turtle = (
        PREFIXES
        + SCHEME
        + (
            ':a a skos:Concept ; skos:prefLabel "a"@en ; skos:exactMatch <http://x/a b> .\n'
            '<http://x/c d> a skos:Concept ; skos:prefLabel "c"@en .\n'
        )
    )
    read = Vocabulary.read(turtle)
    assert [c.slug for c in read] == ["a"]
    faults = [f for f in read.check() if f.kind is FindingKind.MALFORMED_TERM]
    assert len(faults) == 2
    assert "a b" not in "".join(map(str, read.triples()))


# -- harm ------------------------------------------------------------------------------------------


def test_entities_that_shorten_namespaces_pass() -> None:
    xml = '<!DOCTYPE rdf:RDF [<!ENTITY ex "http://example.org/">]>' + RDF_XML.format(
        '<skos:Concept rdf:about="&ex;a"><skos:prefLabel>&lt;a&gt; &amp; b</skos:prefLabel>'
        "</skos:Concept>"
    )
    concept = Vocabulary.read(xml)["http://example.org/a"]
    assert concept.label() == "<a> & b"


BOMB = "".join(
    f'<!ENTITY e{i} "{f"&e{i - 1};" * 10}">' if i else '<!ENTITY e0 "aaaaaaaaaa">'
    for i in range(10)
)


@pytest.mark.parametrize(
    ("declarations", "text"),
    [
        (BOMB, "&e9;"),
        ('<!ENTITY x SYSTEM "file:///etc/passwd">', "&x;"),
        ('<!ENTITY x PUBLIC "p" "http://example.org/x">', "&x;"),
        ('<!ENTITY % p "x">', "a"),
    ],
    ids=["billion-laughs", "file", "network", "parameter"],
)
def test_entities_that_mean_harm_are_refused(declarations: str, text: str) -> None:
    started = time.process_time()
    xml = f"<!DOCTYPE rdf:RDF [{declarations}]>" + RDF_XML.format(CONCEPT_XML.format(text))
    with pytest.raises(VocabularyError, match="expected plain XML entities"):
        Vocabulary.read(xml)
    assert time.process_time() - started < 1


def test_an_entity_that_is_written_too_often_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    xml = f'<!DOCTYPE rdf:RDF [<!ENTITY x "{"a" * 1000}">]>' + RDF_XML.format(
        CONCEPT_XML.format("&x;" * 1000)
    )
    assert len(Vocabulary.read(xml)) == 1
    monkeypatch.setattr(limits, "MAX_ENTITY_TEXT", 999_999)
    with pytest.raises(VocabularyError, match="found 1000000"):
        Vocabulary.read(xml)


def test_deep_nesting_is_refused_before_it_costs() -> None:
    started = time.process_time()
    deep = 100_000
    with pytest.raises(VocabularyError, match="nested at most 500 deep"):
        Vocabulary.read(
            RDF_XML.format(
                "<rdf:Description><rdf:value>" * deep + "</rdf:value></rdf:Description>" * deep
            )
        )
    with pytest.raises(VocabularyError, match="nested at most 16 deep"):
        Vocabulary.read("<x:a> <x:b> " + "<<( <x:a> <x:b> " * deep + "1" + " )>>" * deep + " .\n")
    assert time.process_time() - started < 10


def test_french_quotation_marks_are_no_triple_terms() -> None:
    quoted = " , ".join(f'"<< note {i} <<"@fr' for i in range(40))
    turtle = f"""{PREFIXES}# << << <<
    :a a skos:Concept ; skos:prefLabel "a"@en ; skos:definition {quoted} ;
      skos:note '''<< "<<" ''' .
    """
    assert len(Vocabulary.read(turtle)["a"].definitions["fr"]) == 40


def test_triple_terms_are_left_out() -> None:
    turtle = PREFIXES + ':a a skos:Concept ; skos:prefLabel "a"@en ; skos:note <<( :a :b :c )>> .'
    read = Vocabulary.read(turtle)
    assert FindingKind.MALFORMED_TERM in {finding.kind for finding in read.check()}
    assert len(read.triples()) == 2


@pytest.mark.parametrize("context", ["file:///etc/hostname", "http://127.0.0.1:9/context"])
def test_a_remote_context_is_not_opened(context: str) -> None:
    json = f'{{"@context": "{context}", "@id": "{EX}a"}}\n'
    with pytest.raises(VocabularyError, match="LoadDocumentCallback"):
        Vocabulary.read(json)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.one_of(st.binary(max_size=300), st.text(max_size=300).map(lambda t: t.encode("utf-8"))))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    assert isinstance(read_or_refused(content), Vocabulary | VocabularyError)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_damaged_file_is_read_or_refused(data: st.DataObject) -> None:
    content = bytearray(NOTRE_DAME.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(content) - 1))
        content[place : place + data.draw(st.integers(0, 40))] = data.draw(st.binary(max_size=4))
    read = read_or_refused(bytes(content))
    if isinstance(read, Vocabulary):
        assert len(read.digest) == 64
        assert isinstance(read.check(), tuple)
    else:
        assert "expected" in str(read)


@pytest.mark.slow
def test_a_thesaurus_of_forty_thousand_concepts_takes_seconds() -> None:
    """As large as the AAT. Quadratic work anywhere would take hours."""
    count = 40_000
    lines = [PREFIXES, f"<{EX}> a skos:ConceptScheme ; skos:hasTopConcept :c0 ."]
    for number in range(count):
        parent = f"; skos:broader :c{(number - 1) // 7}" if number else ""
        lines.append(
            f":c{number} a skos:Concept ; skos:inScheme <{EX}> {parent} ; "
            f'skos:prefLabel "concept {number}"@en , "notion {number}"@fr ; '
            f'skos:altLabel "thing {number}"@en ; skos:definition "words for {number}"@en .'
        )
    started = time.process_time()
    read = Vocabulary.read("\n".join(lines))
    assert time.process_time() - started < 30
    assert len(read) == count
    assert len(read.digest) == 64
    assert read["Notion 39999"].slug == "c39999"
    assert all(read.top_ancestor(concept).slug == "c0" for concept in read)
    assert len(read.prompts(("en", "fr"))) == 3 * (count - 1)
    assert len(read.check()) == 2
    assert len(read.tree().splitlines()) == count + 1
    assert time.process_time() - started < 90
