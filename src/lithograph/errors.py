"""The errors Lithograph raises.

Every error carries ``subject``: the IRI, the path or the row at fault. The message names the
thing, what was expected and what was found. The command line prints it on one line and exits 1.
Wrong arguments to a function are ``ValueError`` as everywhere in Python.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lithograph.entities import Admission


class LithographError(Exception):
    """Anything that goes wrong with what a user gave us.

    ``subject`` is the IRI, path or row at fault, or an empty string where there is none.
    """

    def __init__(self, message: str, *, subject: object = "") -> None:
        super().__init__(message)
        self.subject = str(subject)


class SettingsError(LithographError):
    """``lithograph.toml`` is missing, unreadable, or says something we do not know."""


class VocabularyError(LithographError):
    """The scheme cannot drive prompts, or a concept asked for is not in it."""


class ImageError(LithographError):
    """An image is unreadable, too large, or has changed since it was digested."""


class FormatError(LithographError):
    """A foreign file is not what its format says: where, what was expected, what was found."""


class ModelError(LithographError):
    """A model cannot do what was asked."""


class ModelMissing(ModelError):
    """A model or an extra is not installed: says which, and how to point to a local copy."""


class ShapesError(LithographError):
    """The SHACL shapes themselves are at fault; nothing was checked with them."""


class AdmissionError(LithographError):
    """Some annotations were refused by the gate; carries ``admission``."""

    def __init__(self, message: str, *, admission: Admission, subject: object = "") -> None:
        super().__init__(message, subject=subject)
        self.admission = admission


class GraphError(LithographError):
    """The graph cannot do what was asked: a locked store, an unknown run, a closed run."""


class QueryError(LithographError):
    """A query is unknown, ill-formed, not allowed, or lacks a parameter."""


class ExportError(LithographError):
    """An export cannot be made from what the query gave."""


class RemoteError(LithographError):
    """A remote triple store failed."""


class RemoteUnavailable(RemoteError):
    """A remote triple store does not answer."""


class RemoteRefused(RemoteError):
    """A remote triple store answered and said no."""


class Conflict(RemoteError):
    """Both sides changed the same thing."""
