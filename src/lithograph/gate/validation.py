"""A batch against the shapes."""

from __future__ import annotations

from collections.abc import Iterable

from lithograph.entities import Violation
from lithograph.gate import reference
from lithograph.gate.data import Data
from lithograph.gate.evaluation import Evaluation
from lithograph.gate.shapes import Shapes
from lithograph.rdf import Quad


def validate(
    quads: Iterable[Quad], shapes: Shapes, *, context: Iterable[Quad] = ()
) -> tuple[Violation, ...]:
    """What the shapes say of a batch of quads, graph names aside, in a fixed order.

    ``context`` is what else is known of the nodes that the batch points at; it is there to be
    looked at, and complaints about its nodes are not reported. Nothing is inferred or fetched. The
    time is in proportion to the batch and its context. Shapes that are outside of what is asked of
    a whole batch at once (``shapes.plan.outside``) are left to pySHACL, and cost what that costs.
    Raises ShapesError where the shapes cannot be applied, TypeError for quads that are not text.
    """
    batch, around = list(quads), list(context)
    if not batch:
        return ()
    _check_text(batch[0])
    try:
        found = set(Evaluation(shapes.plan, Data(batch, around)).violations())
    except ValueError as error:
        raise reference.failed(error) from error
    if shapes.left_over is not None:
        found |= set(reference.validate(batch, shapes.left_over, context=around))
    return reference.ordered(found)


def _check_text(quad: object) -> None:
    """Raise TypeError for a quad of pyoxigraph: no shape would find anything in it."""
    if not isinstance(quad, tuple):
        raise TypeError(f"expected a quad of four terms as text, found {quad!r}: see quad_of")
