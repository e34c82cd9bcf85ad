"""SKOS → :class:`Vocabulary`: hierarchy, prompts by language, category numbers that only grow."""

from lithograph.vocabulary.categories import scheme_from_categories
from lithograph.vocabulary.concepts import Concept, Grouping
from lithograph.vocabulary.findings import Finding, FindingKind, Severity
from lithograph.vocabulary.lookup import CategoryMatch
from lithograph.vocabulary.model import Vocabulary
from lithograph.vocabulary.numbers import assign_category_ids
from lithograph.vocabulary.prompts import Prompt, PromptKind, fit_prompts

__all__ = [
    "CategoryMatch",
    "Concept",
    "Finding",
    "FindingKind",
    "Grouping",
    "Prompt",
    "PromptKind",
    "Severity",
    "Vocabulary",
    "assign_category_ids",
    "fit_prompts",
    "scheme_from_categories",
]
