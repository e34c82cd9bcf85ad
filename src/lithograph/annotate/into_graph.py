"""A model run into the graph, one transaction an image: what stops goes on where it stopped."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from lithograph.annotate.prompts_file import Prompt
from lithograph.annotate.road import Road, annotate
from lithograph.entities import Admission, Agent, Batch, Image, Run, RunKind
from lithograph.graph import Graph, now
from lithograph.rdf.iris import digest


def annotate_into(
    graph: Graph,
    images: Sequence[Image],
    pixels_of: Callable[[Image], NDArray[np.uint8]],
    road: Road,
    *,
    agent: Agent,
    vocabulary_version: str,
    prompts: Mapping[str, Sequence[Prompt]] | None = None,
    again: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Admission:
    """Annotate images with one recipe and admit what comes, image by image.

    Images that a run of the same recipe (and the same prompts) has seen are left out, unless
    ``again``. An open run of the recipe is gone on with; it is closed at the end, so that an
    interrupted one stays open. Returns the sum of the admissions.
    """
    asked = _digest_of(prompts)
    former = [
        run
        for run in graph.runs()
        if run.kind is RunKind.MODEL
        and run.parameters.get("recipe") == road.recipe
        and run.parameters.get("asked") == asked
    ]
    seen = {iri for run in former for iri in run.images if not (again and run.ended)}
    waiting = [image for image in images if image.iri not in seen]
    unfinished = next((run for run in former if run.ended is None), None)
    if not waiting:
        if unfinished is not None:
            graph.close(unfinished.iri)
        last = former[-1].iri if former else ""
        return Admission(unfinished.iri if unfinished else last)
    run = _run(road, waiting, unfinished, len(former), asked, agent, vocabulary_version)
    total = Admission(run.iri)

    def admit(batch: Batch) -> None:
        nonlocal total
        total += graph.admit(batch)

    annotate(waiting, pixels_of, road, run, prompts=prompts, admit=admit, progress=progress)
    graph.close(run.iri)
    return total


def _run(
    road: Road,
    images: Sequence[Image],
    unfinished: Run | None,
    number: int,
    asked: str | None,
    agent: Agent,
    vocabulary_version: str,
) -> Run:
    """The run to write into: the unfinished one under its own name, or a new one.

    A new one's key holds how many there were, so that images which failed can be tried again.
    """
    key = digest(road.recipe, asked, sorted(image.iri for image in images), number, length=16)
    run = road.run(key, started=now(), agent=agent, vocabulary_version=vocabulary_version)
    if unfinished is not None:
        run = replace(run, iri=unfinished.iri, started=unfinished.started)
    return replace(run, parameters={**run.parameters, "asked": asked})


def _digest_of(prompts: Mapping[str, Sequence[Prompt]] | None) -> str | None:
    """What a person pointed at, as a key; None where nobody did."""
    if not prompts:
        return None
    return digest(
        [
            [image, [[p.box and list(p.box), p.points, p.labels] for p in asked]]
            for image, asked in sorted(prompts.items())
        ]
    )
