"""The parts of a COCO export: terms in columns, outlines at once, what a query chooses."""

from __future__ import annotations

import math
from pathlib import Path

import orjson
import pyoxigraph as ox
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from coco_export_graphs import (
    ALL,
    ND,
    RUN,
    everything,
    graph_of,
    image,
    quads_of,
)
from lithograph import queries
from lithograph.entities import Image, Outline
from lithograph.errors import QueryError
from lithograph.formats.coco_chosen import only, read_chosen, write_chosen
from lithograph.formats.coco_segmentation import (
    on_image,
    polygons_at_once,
    polygons_from_wkt,
    segmentation_of,
    short,
    shorten,
)
from lithograph.gate import Shapes
from lithograph.graph import Graph
from lithograph.graph.columns import (
    count_of,
    numbers_of,
    read_columns,
    text_of,
    unescaped,
    write_columns,
)
from lithograph.masks import flat_polygons, outline_from_wkt, wkt_from_outline
from lithograph.queries import Query
from lithograph.rdf import Iris, iri_of, n_quads
from lithograph.rdf.quads import name, text_term

IRIS = Iris("https://data.example.org/ca19/")
texts = st.text(st.characters(exclude_categories=["Cs"]))
datatypes = st.sampled_from(
    ["string", "integer", "double", "decimal", "boolean", "dateTime", "any"]
)
literals = st.builds(
    lambda text, kind: ox.Literal(
        text, datatype=ox.NamedNode(f"http://www.w3.org/2001/XMLSchema#{kind}")
    ),
    texts | st.sampled_from(["1", "01", "-0", "1.50", "true", "1", "INF", "NaN", "1e300"]),
    datatypes,
)
tagged = st.builds(lambda text: ox.Literal(text, language="fr"), texts)
named = st.builds(
    lambda text: ox.NamedNode("https://example.org/" + text),
    st.text(st.sampled_from("abcé漢😀,;'()*!$&?=~@-._/")),
)


def graph_with(terms: list[ox.Literal | ox.NamedNode], predicate: str) -> tuple[Graph, set[str]]:
    """A graph in which one node each has one of these terms, and what the graph says they are."""
    store = ox.Store()
    node = ox.NamedNode(name(predicate)[1:-1])
    for number, term in enumerate(terms):
        store.add(
            ox.Quad(ox.NamedNode(f"urn:node:{number}"), node, term, ox.NamedNode("urn:graph"))
        )
    quads = store.quads_for_pattern(None, node, None)
    said = {f"{iri_of(quad.subject)} {iri_of(quad.object)}" for quad in quads}
    return Graph(store, IRIS, Shapes.read), said


@given(st.lists(literals | tagged | named, min_size=1, max_size=6))
def test_terms_come_out_of_a_column_as_they_are(
    tmp_path_factory: pytest.TempPathFactory, terms: list[ox.Literal | ox.NamedNode]
) -> None:
    graph, said = graph_with(terms, "lg:sourceId")
    path = tmp_path_factory.mktemp("column") / "column.tsv"
    write_columns(graph, ["lg:sourceId"], path)
    found = {
        f"{text_of(subject)} {text_of(term)}"
        for subjects, (objects,) in read_columns(path, 1)
        for subject, term in zip(subjects, objects, strict=True)
    }
    assert found == said
    for datatype in ("xsd:string", "xsd:double", "lg:pixelWkt"):
        forms = {
            f"{text_of(subject)} {unescaped(form)}"
            for subjects, (objects,) in read_columns(path, 1, datatype)
            for subject, form in zip(subjects, objects, strict=True)
        }
        assert forms == said


@given(st.lists(st.floats() | st.integers(-(10**25), 10**25), min_size=1, max_size=5))
@example([-0.0, 1e16, 1e-7, 5e-324, 1.7976931348623157e308])
def test_doubles_come_out_of_a_column_to_the_last_digit(
    tmp_path_factory: pytest.TempPathFactory, numbers: list[float]
) -> None:
    double = ox.NamedNode("http://www.w3.org/2001/XMLSchema#double")
    # What the engine itself reads of the text: it is not always what was written.
    kept = [ox.Literal(repr(float(number)), datatype=double) for number in numbers]
    graph, said = graph_with(list(kept), "lg:x")
    path = tmp_path_factory.mktemp("column") / "column.tsv"
    write_columns(graph, ["lg:x"], path)
    expected = {line.split()[0]: float(line.split()[1]) for line in said}
    for subjects, (objects,) in read_columns(path, 1, "xsd:double"):
        for subject, number in zip(subjects, numbers_of(objects), strict=True):
            wanted = expected[text_of(subject)]
            if math.isnan(wanted):
                assert math.isnan(number)
            else:
                assert (number, math.copysign(1, number)) == (wanted, math.copysign(1, wanted))


def test_several_predicates_make_one_row(tmp_path: Path) -> None:
    images, made = everything()
    graph = graph_of(quads_of(images, made))
    predicates = ["lg:x", "lg:y", "lg:width"]
    rows = []
    for join in ("look up", "tables"):
        path = tmp_path / f"{join}.tsv"
        write_columns(graph, predicates, path, join)
        found = {
            (text_of(subject), *map(float, numbers))
            for subjects, columns in read_columns(path, 3, "xsd:double")
            for subject, *numbers in zip(subjects, *columns, strict=True)
        }
        rows.append(found)
    expected = {(f"{a.iri}#geometry", a.box.x + 0.0, a.box.y + 0.0, a.box.width) for a in made}
    assert rows == [expected, expected]
    assert count_of(graph, "oa:Annotation") == len(made)


# -- outlines ----------------------------------------------------------------------------------

coordinates = (
    st.floats(-100, 10000).map(lambda value: round(value, 3))
    | st.integers(0, 200).map(float)
    | st.floats(-1e18, 1e18)
    | st.sampled_from([-0.0, 1e15, 9999999999999998.0, 1e16, 1e17, 1e-4, 1e-5, 0.1 + 0.2])
)
rings = st.lists(st.tuples(coordinates, coordinates), min_size=3, max_size=7).map(tuple)
outlines = st.lists(st.lists(rings, min_size=1, max_size=2).map(tuple), min_size=1, max_size=2).map(
    lambda polygons: Outline(tuple(polygons))
)
simple = rings.map(lambda ring: Outline(((ring,),)))


@given(st.lists(simple | outlines, max_size=5))
def test_many_outlines_at_once_are_what_each_is_by_itself(made: list[Outline]) -> None:
    on = image(1)
    found = polygons_at_once([wkt_from_outline(each).encode() for each in made])
    assert len(found) == len(made)
    for outline, segmentation in zip(made, found, strict=True):
        if segmentation:
            assert segmentation == segmentation_of(outline, on, crowd=False)
            assert len(outline.polygons) == len(outline.polygons[0]) == 1


def test_our_own_outlines_are_written_at_once() -> None:
    """Else the one before would hold whatever was made of them."""
    outline = Outline(((((0.5, 1.0), (1000.0, 2.25), (-3.125, 4.0)),),))
    holed = Outline(((outline.polygons[0][0], outline.polygons[0][0]),))
    written = [wkt_from_outline(each).encode() for each in (outline, holed, outline)]
    whole = b"[[0.5,1,1000,2.25,-3.125,4]]"
    assert polygons_at_once(written) == [whole, b"", whole]
    assert polygons_at_once([]) == []


@given(outlines)
def test_an_outlines_text_is_read_to_the_last_digit(outline: Outline) -> None:
    assert polygons_from_wkt(wkt_from_outline(outline)) == flat_polygons(outline)


@given(
    outlines.map(wkt_from_outline),
    st.lists(
        st.tuples(
            st.integers(0, 400), st.integers(0, 3), st.sampled_from([*" ,().-+e0159[]\nZ", ""])
        ),
        min_size=1,
        max_size=3,
    ),
)
@example("MULTIPOLYGON (((1.0, 2.0 3.0 4.0, 5.0 6.0, 1.0, 2.0 3.0 4.0)))", [(0, 0, "")])
@example("MULTIPOLYGON (((1 2, 3 4, 5 6, 1 2)))", [(0, 0, "")])
@example("MULTIPOLYGON (((01.0 2.0, 3.0 4.0, 5.0 6.0, 01.0 2.0)))", [(0, 0, "")])
def test_a_text_that_is_spoilt_is_read_or_refused_as_ever(
    text: str, changes: list[tuple[int, int, str]]
) -> None:
    for place, length, inserted in changes:
        text = text[:place] + inserted + text[place + length :]
    try:
        expected = flat_polygons(outline_from_wkt(text))
    except ValueError:
        expected = None
    (at_once,) = polygons_at_once([text_term(text)[1:-1].encode()])
    if expected is None:
        with pytest.raises(ValueError):  # noqa: PT011 - shapely's words are its own
            polygons_from_wkt(text)
        assert not at_once
    else:
        assert polygons_from_wkt(text) == expected
        if at_once:
            assert at_once == orjson.dumps([[short(value) for value in expected[0][0]]])


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1))
@example([1e15, 9999999999999998.0, 1e16, 1.5e16, -1e16, 1e22, 100.0, 0.0, 1e-7])
def test_lists_are_shortened_as_their_numbers_are(numbers: list[float]) -> None:
    numbers = [number + 0.0 for number in numbers]
    assert shorten(orjson.dumps(numbers)) == orjson.dumps(list(map(short, numbers)))


# -- what is chosen ----------------------------------------------------------------------------


def chosen(graph: Graph, query: Query, path: Path) -> list[str]:
    write_chosen(graph, query, {}, path)
    return [iri.decode() for iri in read_chosen(path)]


PREFIXED = "PREFIX oa: <http://www.w3.org/ns/oa#>\n"
PATTERN = "{ GRAPH ?run { ?annotation a oa:Annotation ; oa:hasBody ?concept } }"


@pytest.mark.parametrize(
    ("text", "shorter"),
    [
        (f"SELECT ?annotation ?concept WHERE {PATTERN} ORDER BY DESC(?concept)", True),
        (f"SELECT * {PATTERN}", True),
        (f"SELECT DISTINCT $concept $annotation {PATTERN} # ORDER BY", False),
        (f"select distinct $concept $annotation where{PATTERN}order by ?concept", True),
        (f"SELECT ?concept ?annotation {PATTERN} ORDER BY ?annotation LIMIT 3", False),
        (f"SELECT ?concept ?annotation {PATTERN} ORDER BY ?annotation OFFSET 3", False),
        (f"SELECT DISTINCT ?annotation {PATTERN} LIMIT 4 VALUES ?x {{ 1 }}", False),
        (f"SELECT ?annotation {PATTERN} VALUES ?concept {{ <{ND}crack> }}", False),
        (f"SELECT ?concept (SAMPLE(?a) AS ?annotation) {PATTERN} GROUP BY ?concept", False),
        (f"SELECT ?annotation {PATTERN} GROUP BY ?annotation HAVING (COUNT(*) > 0)", False),
        (f"SELECT (?annotation AS ?x) ?annotation {PATTERN}", False),
        (
            "SELECT ?annotation { { SELECT ?annotation "
            + PATTERN
            + " ORDER BY ?annotation LIMIT 2 } }",
            True,
        ),
        (f"SELECT ?annotation {PATTERN} ORDER BY (EXISTS {{ ?s ?p ?o }}) ?annotation", False),
        (f'SELECT ?annotation ?x {{ {PATTERN} BIND ("}} LIMIT 1 {{" AS ?x) }} ORDER BY ?x', True),
    ],
)
def test_an_order_and_other_columns_are_left_out_where_nothing_depends_on_them(
    text: str, shorter: bool, tmp_path: Path
) -> None:
    graph = graph_of(quads_of(*everything()))
    query = Query.parse(PREFIXED + text)
    asked = only(query.text, "annotation")
    assert (asked != query.text) is shorter
    if shorter:
        assert len(asked) < len(query.text) + len("?annotation WHERE ")
        assert Query.parse(asked).variables == ("annotation",)
    expected = {iri for iri in graph.query(query).column("annotation") if iri is not None}
    assert chosen(graph, query, tmp_path / "chosen.tsv") == sorted(expected)


@pytest.mark.parametrize(
    "query",
    [q for q in queries.shipped().values() if "annotation" in q.variables],
    ids=lambda query: query.name,
)
def test_shipped_queries_choose_what_they_answer(query: Query, tmp_path: Path) -> None:
    graph = graph_of(quads_of(*everything()))
    made = everything()[1]
    given = {
        "concept": f"{ND}crack",
        "image": image(1).iri,
        "run": RUN,
        "preferred": made[0].iri,
        "region": "019934d94efb39fa",
        "since": "2020-01-01",
    }
    parameters = {
        parameter.name: given[parameter.name]
        for parameter in query.parameters
        if parameter.default is None
    }
    write_chosen(graph, query, parameters, tmp_path / "chosen.tsv")
    found = graph.query(query, parameters).column("annotation")
    assert [iri.decode() for iri in read_chosen(tmp_path / "chosen.tsv")] == sorted(set(found))


def test_what_is_chosen_is_sorted_by_code_points_and_each_once(tmp_path: Path) -> None:
    iris = [
        f"https://example.org/{key}" for key in ("b", "a", "a/b", "a#x", "é", "漢", "😀", "\uffee")
    ]
    values = " ".join(f"<{iri}>" for iri in [*iris, *iris]) + ' UNDEF "text\\n\\"" 12'
    query = Query.parse(
        f"SELECT ?x ?annotation {{ VALUES (?annotation) {{ {values} }} }}".replace(
            "VALUES (?annotation)", "VALUES ?annotation"
        )
    )
    found = chosen(graph_of([]), query, tmp_path / "chosen.tsv")
    assert found == sorted([*iris, 'text\n"', "12"])


def test_a_query_that_may_not_run_or_that_fails_is_told(tmp_path: Path) -> None:
    graph = graph_of([])
    with pytest.raises(QueryError, match="annotation"):
        write_chosen(graph, Query.parse("SELECT ?x { ?x ?p ?o }"), {}, tmp_path / "x")
    query = Query("mine", "SELECT ?annotation { SERVICE <urn:x> { ?annotation ?p ?o } }")
    with pytest.raises(QueryError, match="SERVICE"):
        write_chosen(graph, query, {}, tmp_path / "x")
    with pytest.raises(QueryError, match="no parameter"):
        write_chosen(graph, ALL, {"nobody": "1"}, tmp_path / "x")


def test_an_empty_column_has_no_rows(tmp_path: Path) -> None:
    graph = graph_of([])
    graph.store.bulk_load(n_quads([]), format=ox.RdfFormat.N_QUADS)
    write_columns(graph, ["lg:x"], tmp_path / "x.tsv")
    assert list(read_columns(tmp_path / "x.tsv", 1, "xsd:double")) == []


def test_rings_of_a_segmentation_are_parts_and_never_holes() -> None:
    """A crowd is drawn from the polygons that the columns gave: one ring within another too."""
    image = Image("https://data.example.org/image/1", "wall.jpg", 60, 40)
    around = ((2.0, 2.0), (40.0, 2.0), (40.0, 30.0), (2.0, 30.0))
    within = ((10.0, 10.0), (20.0, 10.0), (20.0, 20.0), (10.0, 20.0))
    outline = Outline(((around,), (within,)))
    polygons = segmentation_of(outline, image, crowd=False)
    assert len(orjson.loads(polygons)) == 2
    drawn = on_image(polygons, image, crowd=True)
    assert drawn == segmentation_of(outline, image, crowd=True)
    assert drawn == segmentation_of(Outline(((around,),)), image, crowd=True)
