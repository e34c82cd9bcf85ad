"""RDF text of any format → triples, with a guard on what comes from outside.

Everything is parsed by pyoxigraph, which opens neither network nor files. What it does not guard
itself is guarded here: XML entities that multiply, nesting that exhausts time or stack.
"""

from __future__ import annotations

import codecs
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from xml.parsers import expat

import pyoxigraph as ox

from lithograph.errors import VocabularyError
from lithograph.vocabulary.findings import (
    Finding,
    FindingKind,
    Severity,
    fake_language_finding,
)
from lithograph.vocabulary.terms import FAKE_LANGUAGES

#: Largest file or text that is read, in bytes. The whole AAT of 2014 fits, as N-Triples without
#: its notes; a SKOS file of 40,000 concepts takes about 30 MB.
MAX_BYTES = 256 * 1024 * 1024
#: Most characters that XML entities may grow to. Namespaces of a large OWL file take a third of it.
MAX_ENTITY_TEXT = 64 * 1024 * 1024
#: Deepest nesting of XML elements: RDF/XML needs two per node, and parsing is quadratic in it.
MAX_XML_DEPTH = 500
#: Deepest nesting of RDF 1.2 triple terms: the parser recurses and would exhaust the stack.
MAX_TRIPLE_DEPTH = 16

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_XML_DECLARATION = re.compile(r"^\s*<\?xml\b[^>]*\?>", re.ASCII)
_XML_ENCODING = re.compile(rb"^\s*<\?xml\b[^>]*?encoding\s*=\s*[\"']([A-Za-z0-9._-]+)[\"']")
_LOOKS_LIKE_XML = re.compile(r"\s*<(\?xml\b|!doctype\b|!--|([\w.-]+:)?RDF[\s>/]|html\b)", re.I)
_LOOKS_LIKE_HTML = re.compile(r"<(!doctype\s+html|html)\b", re.I)
_RDF_JSON = re.compile(r'\s*\{\s*"[^"]+"\s*:\s*\{\s*"[^"]+"\s*:\s*\[\s*\{\s*"(?:type|value|lang)"')
#: Strings, IRIs and comments of Turtle and its kin: where ``<<`` means nothing.
_TURTLE_TEXT = re.compile(
    r'"""(?:[^"\\]|\\.|"(?!""))*"""'
    r"|'''(?:[^'\\]|\\.|'(?!''))*'''"
    r'|"(?:[^"\\\n]|\\.)*"'
    r"|'(?:[^'\\\n]|\\.)*'"
    r"|<[^<>\s]*>"
    r"|\#[^\n]*",
    re.S,
)
_MEANT_AS_TEXT = re.compile(r"\s*([<{\[@#]|_:|prefix\s+[\w.-]*:|base\s*<)", re.I)

#: Formats by the names that people give them.
FORMATS = {
    "turtle": ox.RdfFormat.TURTLE,
    "trig": ox.RdfFormat.TRIG,
    "n-triples": ox.RdfFormat.N_TRIPLES,
    "n-quads": ox.RdfFormat.N_QUADS,
    "rdf/xml": ox.RdfFormat.RDF_XML,
    "json-ld": ox.RdfFormat.JSON_LD,
}


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a file holds: its triples, its prefixes, and what had to be left out of it."""

    triples: tuple[ox.Triple, ...]
    prefixes: dict[str, str]
    findings: tuple[Finding, ...]


def named_format(name: str) -> ox.RdfFormat:
    """A format by its name (``turtle``), extension (``ttl``) or media type (``text/turtle``)."""
    plain = name.strip().lower()
    found = (
        FORMATS.get(plain)
        or ox.RdfFormat.from_media_type(plain)
        or ox.RdfFormat.from_extension(plain.lstrip("."))
    )
    if found is None:
        raise ValueError(f"format: expected one of {', '.join(FORMATS)}, found {name!r}")
    return found


def load(source: Path | str | bytes) -> tuple[str, str]:
    """The text of a file, or the text given, with a name for it in messages.

    A ``Path`` is a file; bytes are content; a ``str`` is content where it holds a line break or
    begins as RDF does, else a path. Nothing is fetched. Raises VocabularyError where there is no
    such file, or where it is too large or no text.
    """
    if isinstance(source, bytes):
        return _decoded(source, "the given text"), "the given text"
    if isinstance(source, str) and ("\n" in source or _MEANT_AS_TEXT.match(source)):
        _check_size(len(source.encode("utf-8", "surrogatepass")), "the given text")
        return source, "the given text"
    if isinstance(source, str) and re.match(r"[a-z][a-z0-9+.-]+://", source, re.I):
        raise VocabularyError(
            f"{source}: expected a file or RDF text, found an address; download it first",
            subject=source,
        )
    path = Path(source)
    try:
        if path.exists() and not path.is_file():
            raise VocabularyError(f"{path}: expected a file, found something else", subject=path)
        _check_size(path.stat().st_size, str(path))
        content = path.read_bytes()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise VocabularyError(f"{path}: expected a file, found: {reason}", subject=path) from error
    return _decoded(content, str(path)), str(path)


def parse(
    text: str, name: str, *, rdf_format: ox.RdfFormat | None = None, base_iri: str | None = None
) -> Parsed:
    """RDF text → its triples. The format is told from the content where none is given.

    Statements whose IRIs or language tags are not valid are left out and reported. Raises
    VocabularyError where the text is not RDF, holds several graphs, or is hostile: entities that
    multiply, nesting too deep.
    """
    text = text.removeprefix("\ufeff")
    if _LOOKS_LIKE_XML.match(text) and _LOOKS_LIKE_HTML.search(text, 0, 1000):
        raise VocabularyError(f"{name}: expected RDF, found an HTML page", subject=name)
    if rdf_format is None and _RDF_JSON.match(text):
        raise VocabularyError(
            f"{name}: expected RDF, found RDF/JSON; ask the server for JSON-LD or RDF/XML",
            subject=name,
        )
    first_error: SyntaxError | None = None
    for candidate in [rdf_format] if rdf_format else _likely_formats(text):
        body = _guarded(text, candidate, name)
        for lenient in (False, True):
            parser = ox.parse(body, candidate, base_iri=base_iri, lenient=lenient)
            try:
                quads = list(parser)
            except SyntaxError as error:
                first_error = first_error or error
            else:
                triples, findings = _checked(quads, name, lenient=lenient)
                return Parsed(triples, dict(parser.prefixes), findings)
    raise VocabularyError(
        f"{name}: expected RDF (Turtle, RDF/XML, JSON-LD, N-Triples), found: {first_error}",
        subject=name,
    ) from first_error


def _likely_formats(text: str) -> list[ox.RdfFormat]:
    if _LOOKS_LIKE_XML.match(text):
        return [ox.RdfFormat.RDF_XML]
    # TriG reads Turtle and N-Triples too.
    turtle_kin = [ox.RdfFormat.TRIG, ox.RdfFormat.N_QUADS]
    return [ox.RdfFormat.JSON_LD, *turtle_kin] if text.lstrip()[:1] in {"{", "["} else turtle_kin


def _check_size(size: int, name: str) -> None:
    if size > MAX_BYTES:
        raise VocabularyError(
            f"{name}: expected at most {MAX_BYTES} bytes, found {size}", subject=name
        )


def _decoded(content: bytes, name: str) -> str:
    _check_size(len(content), name)
    encoding = next((label for bom, label in _BOMS if content.startswith(bom)), None)
    if encoding is None:
        declared = _XML_ENCODING.match(content)
        encoding = declared[1].decode("ascii") if declared else "utf-8"
    # MARC exports say "utf8" and mean it; anything unknown or binary is refused.
    try:
        return content.decode(encoding)
    except (LookupError, UnicodeDecodeError) as error:
        raise VocabularyError(
            f"{name}: expected text in {encoding}, found: {error}", subject=name
        ) from error


def _guarded(text: str, rdf_format: ox.RdfFormat, name: str) -> str:
    """The text, safe to hand to the parser."""
    if rdf_format == ox.RdfFormat.RDF_XML:
        # Already decoded: the declaration's encoding no longer holds.
        body = _XML_DECLARATION.sub("", text, count=1)
        _check_xml(body, name)
        return body
    if rdf_format != ox.RdfFormat.JSON_LD and text.count("<<") > MAX_TRIPLE_DEPTH:
        depth = deepest = 0
        for mark in re.findall(r"<<|>>", _TURTLE_TEXT.sub(" ", text)):
            depth = depth + 1 if mark == "<<" else max(depth - 1, 0)
            deepest = max(deepest, depth)
        if deepest > MAX_TRIPLE_DEPTH:
            raise VocabularyError(
                f"{name}: expected triple terms nested at most {MAX_TRIPLE_DEPTH} deep, "
                f"found {deepest}",
                subject=name,
            )
    return text


def _check_xml(text: str, name: str) -> None:
    """Refuse external, parameter and nested entities, those that multiply, and deep nesting.

    Plain entities that shorten namespaces, as OWL editors write them, pass.
    """
    depth = 0
    lengths: dict[str, int] = {}

    def refuse(expected: str, found: str) -> VocabularyError:
        return VocabularyError(f"{name}: expected {expected}, found {found}", subject=name)

    def declared(entity: str, is_parameter: int, value: str | None, *_rest: str | None) -> None:
        if is_parameter or value is None or "&" in value:
            raise refuse("plain XML entities", f"the entity {entity!r}")
        lengths[entity] = len(value)

    def opened(_element: str, _attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > MAX_XML_DEPTH:
            raise refuse(f"XML elements nested at most {MAX_XML_DEPTH} deep", "deeper ones")

    def closed(_element: str) -> None:
        nonlocal depth
        depth -= 1

    parser = expat.ParserCreate(encoding="utf-8")
    parser.EntityDeclHandler = declared
    parser.StartElementHandler = opened
    parser.EndElementHandler = closed
    try:
        parser.Parse(text.encode("utf-8", "surrogatepass"), True)
    except expat.ExpatError as error:
        raise refuse("RDF/XML", str(error)) from error
    grown = sum(length * text.count(f"&{entity};") for entity, length in lengths.items())
    if grown > MAX_ENTITY_TEXT:
        raise refuse(f"XML entities of at most {MAX_ENTITY_TEXT} characters in all", str(grown))


def _checked(
    quads: Iterable[ox.Quad], name: str, *, lenient: bool
) -> tuple[tuple[ox.Triple, ...], tuple[Finding, ...]]:
    """The triples of valid terms, and a finding for every term that is not."""
    triples: list[ox.Triple] = []
    graphs = set()
    faults: Counter[str] = Counter()
    fake_languages = 0
    for quad in quads:
        graphs.add(quad.graph_name)
        triple = quad.triple
        object_ = triple.object
        # A strict parser has checked all but triple terms, which no vocabulary needs.
        if not lenient and not isinstance(object_, ox.Triple):
            triples.append(triple)
        elif isinstance(object_, ox.Literal) and _is_fake(object_.language):
            fake_languages += 1
        elif fault := next(
            filter(None, map(_fault, (triple.subject, triple.predicate, object_))), None
        ):
            faults[fault] += 1
        else:
            triples.append(triple)
    if len(graphs) > 1:
        raise VocabularyError(
            f"{name}: expected one graph, found {len(graphs)}: "
            + ", ".join(sorted(str(graph) for graph in graphs)[:5]),
            subject=name,
        )
    findings = [
        Finding(
            FindingKind.MALFORMED_TERM,
            Severity.WARNING,
            None,
            f"expected valid RDF terms, found {fault}: {count} statements are left out",
        )
        for fault, count in sorted(faults.items())
    ]
    if fake_languages:
        findings.append(fake_language_finding(fake_languages))
    return tuple(triples), tuple(findings)


def _is_fake(language: str | None) -> bool:
    """Whether a language tag is one of Opentheso's that say what else a text is."""
    return (language or "").lstrip("@").lower() in FAKE_LANGUAGES


def _fault(node: ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple) -> str | None:
    """What is wrong with a term that a lenient parser let through."""
    try:
        if isinstance(node, ox.NamedNode):
            ox.NamedNode(node.value)
        elif isinstance(node, ox.Literal) and node.language is not None:
            ox.Literal(node.value, language=node.language)
    except ValueError as error:
        return f"{str(node)[:120]} ({error})"
    return f"the triple term {node}"[:120] if isinstance(node, ox.Triple) else None
