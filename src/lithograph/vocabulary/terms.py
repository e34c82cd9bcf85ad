"""The terms that vocabularies are written with, as IRI strings."""

from __future__ import annotations

from typing import Final

SKOS: Final = "http://www.w3.org/2004/02/skos/core#"
SKOSXL: Final = "http://www.w3.org/2008/05/skos-xl#"
LG: Final = "https://w3id.org/lithograph/ns#"
DCTERMS: Final = "http://purl.org/dc/terms/"
DC: Final = "http://purl.org/dc/elements/1.1/"
OWL: Final = "http://www.w3.org/2002/07/owl#"
RDF: Final = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
RDFS: Final = "http://www.w3.org/2000/01/rdf-schema#"
XSD: Final = "http://www.w3.org/2001/XMLSchema#"
#: The SKOS extension of ISO 25964, which Opentheso writes in place of plain SKOS links.
ISO_THES: Final = "http://purl.org/iso25964/skos-thes#"
#: The Getty vocabularies' own ontology.
GVP: Final = "http://vocab.getty.edu/ontology#"

TYPE: Final = f"{RDF}type"
VALUE: Final = f"{RDF}value"
FIRST: Final = f"{RDF}first"
REST: Final = f"{RDF}rest"

SCHEME: Final = f"{SKOS}ConceptScheme"
CONCEPTS: Final = frozenset({f"{SKOS}Concept", f"{GVP}Concept"})
OBSOLETE: Final = f"{GVP}ObsoleteSubject"
COLLECTIONS: Final = frozenset({f"{SKOS}Collection", f"{SKOS}OrderedCollection"})
GROUPINGS: Final = COLLECTIONS | {
    f"{ISO_THES}ThesaurusArray",
    f"{ISO_THES}ConceptGroup",
    f"{GVP}GuideTerm",
    f"{GVP}Hierarchy",
    f"{GVP}Facet",
}

IN_SCHEME: Final = f"{SKOS}inScheme"
TOP_OF: Final = f"{SKOS}topConceptOf"
HAS_TOP: Final = f"{SKOS}hasTopConcept"

BROADER: Final = f"{SKOS}broader"
NARROWER: Final = f"{SKOS}narrower"
#: Every way of naming a parent. Getty's ``…Extended`` and ``…Transitive`` are inferred from these.
PARENT_LINKS: Final = (
    BROADER,
    f"{ISO_THES}broaderGeneric",
    f"{ISO_THES}broaderPartitive",
    f"{ISO_THES}broaderInstantial",
    f"{GVP}broader",
    f"{GVP}broaderPreferred",
    f"{GVP}broaderNonPreferred",
    f"{GVP}broaderGeneric",
    f"{GVP}broaderPartitive",
    f"{GVP}broaderInstantial",
)
CHILD_LINKS: Final = (
    NARROWER,
    f"{ISO_THES}narrowerGeneric",
    f"{ISO_THES}narrowerPartitive",
    f"{ISO_THES}narrowerInstantial",
)
RELATED: Final = f"{SKOS}related"
MEMBER: Final = f"{SKOS}member"
MEMBER_LIST: Final = f"{SKOS}memberList"
SUPER_ORDINATE: Final = f"{ISO_THES}superOrdinate"
SUBORDINATE_ARRAY: Final = f"{ISO_THES}subordinateArray"

PREF_LABEL: Final = f"{SKOS}prefLabel"
ALT_LABEL: Final = f"{SKOS}altLabel"
HIDDEN_LABEL: Final = f"{SKOS}hiddenLabel"
#: Each kind of label and the SKOS-XL property that says the same through a label node.
XL_LABELS: Final = {
    PREF_LABEL: f"{SKOSXL}prefLabel",
    ALT_LABEL: f"{SKOSXL}altLabel",
    HIDDEN_LABEL: f"{SKOSXL}hiddenLabel",
}
LITERAL_FORM: Final = f"{SKOSXL}literalForm"
DEFINITION: Final = f"{SKOS}definition"
SCOPE_NOTE: Final = f"{SKOS}scopeNote"
NOTES: Final = (
    f"{SKOS}note",
    f"{SKOS}changeNote",
    f"{SKOS}editorialNote",
    f"{SKOS}example",
    f"{SKOS}historyNote",
)
NOTATION: Final = f"{SKOS}notation"
MAPPINGS: Final = ("exactMatch", "closeMatch", "broadMatch", "narrowMatch", "relatedMatch")

TITLES: Final = (f"{DCTERMS}title", f"{DC}title", PREF_LABEL, f"{RDFS}label")
DESCRIPTION: Final = f"{DCTERMS}description"
DATES: Final = (f"{DCTERMS}created", f"{DCTERMS}modified", f"{DCTERMS}issued", f"{DCTERMS}date")
REPLACED_BY: Final = f"{DCTERMS}isReplacedBy"
DEPRECATED: Final = f"{OWL}deprecated"

CATEGORY_ID: Final = f"{LG}categoryId"
VISUAL_DESCRIPTION: Final = f"{LG}visualDescription"
PROMPT_TEMPLATE: Final = f"{LG}promptTemplate"
BACKGROUND: Final = f"{LG}backgroundConcept"
CONFUSED_WITH: Final = f"{LG}confusedWith"

#: Language tags under which Opentheso hides candidates' states, votes and discussions.
FAKE_LANGUAGES: Final = frozenset({"status", "vote", "message"})
