"""The questions that the demo puts to its graph, each with its answer as a CSV file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lithograph.graph import Table
from lithograph.workspace import Workspace

FIRST_MASKS = """\
# title: Annotations that one run brought, the best mask of each prompt alone
# description: A query of the workspace's own: the shipped by-run gives the alternatives too.
# parameter: run iri – the run
# column: annotation – the annotation
# column: concept – the concept
# column: confidence – of the label

PREFIX lg: <https://w3id.org/lithograph/ns#>
PREFIX oa: <http://www.w3.org/ns/oa#>

SELECT ?annotation ?concept ?confidence WHERE {
  GRAPH ?run {
    ?annotation a oa:Annotation ; oa:hasBody ?concept ; lg:confidence ?confidence .
    FILTER NOT EXISTS { ?annotation lg:alternativeOf ?preferred }
  }
} ORDER BY ?annotation
"""
"""A query that the demo puts into its workspace's ``queries`` folder."""


@dataclass(frozen=True, slots=True)
class Question:
    """A query by name with its parameters, and why it is asked, in English and French."""

    query: str
    english: str
    french: str
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a question gave; ``path`` is the CSV file with all of it."""

    question: Question
    title: str
    table: Table
    path: Path


def ask(workspace: Workspace, questions: list[Question], folder: Path) -> list[Answer]:
    """Ask every question, and write each answer into a CSV file of the folder."""
    folder.mkdir(exist_ok=True)
    answers = []
    for question in questions:
        query = workspace.query(question.query)
        table = workspace.graph.query(query, workspace.resolve(query, question.parameters))
        suffix = "".join(f"-{value}" for value in question.parameters.values() if "/" not in value)
        path = folder / f"{question.query}{suffix}.csv"
        path.write_text(table.to_csv(), encoding="utf-8", newline="")
        answers.append(Answer(question, query.title, table, path))
    return answers


def questions_for(workspace: Workspace, reviewed: str | None) -> list[Question]:
    """The demo's questions; ``reviewed`` is an annotation that a person decided on, if any."""
    questions = [
        Question(
            "by-concept",
            "Every crack, wherever it came from: a model, an import or a person.",
            "Toutes les fissures, quelle que soit leur origine.",
            {"concept": "fissure"},
        ),
        Question(
            "regions",
            "Places on the stone that several photographs show.",
            "Lieux de la pierre vus sur plusieurs photographies.",
        ),
        Question(
            "area-per-concept",
            "How much of the pictures each alteration covers, with French labels.",
            "Surface couverte par chaque altération, en pixels.",
            {"language": "fr"},
        ),
        Question(
            "concept-usage",
            "How often each concept is used, the unused ones too.",
            "Fréquence d'emploi de chaque concept.",
        ),
        Question(
            "disagreement",
            "Where a person named something else than the model did.",
            "Désaccords entre le modèle et la personne.",
        ),
        Question(
            "low-confidence",
            "Labels of which the model is least sure.",
            "Étiquettes dont le modèle est le moins sûr.",
            {"max_confidence": "0.8"},
        ),
        Question(
            "co-occurrence",
            "Alterations that are seen on the same photograph.",
            "Altérations visibles sur une même photographie.",
        ),
        Question(
            "by-model",
            "What each checkpoint made, and what became of it.",
            "Ce que chaque modèle a produit, et ce qui en a été retenu.",
        ),
        Question(
            "refused",
            "What was kept out of the graph, with the reason and the record, whole.",
            "Ce qui a été refusé, avec la raison.",
        ),
        Question(
            "runs",
            "Every activity so far, in order.",
            "Toutes les activités, dans l'ordre.",
        ),
    ]
    shared = workspace.graph.query("regions")
    if len(shared):
        region = str(max(shared, key=lambda row: (row["images"], row["region"]))["region"])
        questions.insert(
            2,
            Question(
                "by-region",
                "One place on the stone, as each photograph shows it.",
                "Un même lieu de la pierre, photographie par photographie.",
                {"region": region},
            ),
        )
    if reviewed is not None:
        questions.append(
            Question(
                "provenance",
                "Where one reviewed annotation comes from: run, agent, models, vocabulary.",
                "D'où vient une annotation relue : activité, agent, modèles, vocabulaire.",
                {"annotation": reviewed},
            )
        )
    return questions
