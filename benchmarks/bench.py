"""One run of the benchmarks: its plan, its results, and the files that its parts share."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any, ParamSpec

from benchmarks.coco_files import write_coco
from benchmarks.plans import Plan
from benchmarks.processes import TaskFailed, run_task
from benchmarks.results import Measurement, Peer, Results

P = ParamSpec("P")

#: Never resolved: IRIs of a graph that lives for one run.
BASE_IRI = "https://data.example.org/benchmark/"


class Bench:
    """Measures tasks and remembers what it found; files are made when first asked for.

    A task that fails is told and noted in the results; whatever does not need it goes on.
    """

    def __init__(self, plan: Plan, scratch: Path, results: Results, say: Callable[[str], None]):
        self.plan, self.scratch, self.results, self.say = plan, scratch, results, say
        self._workspaces: dict[int, Path] = {}

    def measure(
        self,
        name: str,
        annotations: int,
        task: str,
        arguments: Mapping[str, object],
        *,
        repeats: int | None = None,
        **options: Any,
    ) -> Measurement:
        """Run a task several times, as often as the plan says; keep and return what it took.

        The task tells its ``seconds``: a number, or a list of numbers where it repeats itself.
        ``options`` are those of :func:`~benchmarks.processes.run_task`. Raises TaskFailed.
        """
        times = self.plan.repeats_at(annotations) if repeats is None else repeats
        return self.keep(
            [self.once(name, annotations, task, arguments, **options) for _ in range(times)]
        )

    def once(
        self,
        name: str,
        annotations: int,
        task: str,
        arguments: Mapping[str, object],
        **options: Any,
    ) -> Measurement:
        """Run a task one time, without keeping what it took. Raises TaskFailed."""
        answer = run_task(task, arguments, **options)
        took, peak = answer.pop("seconds"), answer.pop("peak_bytes")
        seconds = tuple(took) if isinstance(took, list) else (took,)
        return Measurement(name, annotations, seconds, (peak,), answer)

    def keep(self, repeats: Sequence[Measurement]) -> Measurement:
        """Join the repeats of one measurement, add it to the results and say it."""
        measurement = replace(
            repeats[-1],
            seconds=tuple(chain.from_iterable(each.seconds for each in repeats)),
            peak_bytes=tuple(chain.from_iterable(each.peak_bytes for each in repeats)),
        )
        self.results.measurements.append(measurement)
        self.say(
            f"  {measurement.name}, {measurement.annotations:,}: {measurement.median:.3g} s "
            f"(of {len(measurement.seconds)}), {measurement.peak / 1e6:.0f} MB"
        )
        return measurement

    def found(self, name: str, annotations: int) -> Measurement:
        """What was measured before. Raises TaskFailed where it failed."""
        try:
            return self.results.named(name)[annotations]
        except KeyError:
            raise TaskFailed(f"it needs {name} of {annotations:,}, which failed") from None

    def expected_peak(self, name: str, annotations: int) -> float:
        """Bytes that a task would take if its memory grew from the last size on as its input."""
        smaller = [each for size, each in self.results.named(name).items() if size < annotations]
        return smaller[-1].peak * annotations / smaller[-1].annotations if smaller else 0

    def prepare(self, task: str, arguments: Mapping[str, object]) -> dict[str, Any]:
        """Run a task that only makes something ready. Raises TaskFailed."""
        return run_task(task, arguments)

    def attempt(
        self, what: str, work: Callable[P, object], *args: P.args, **kwargs: P.kwargs
    ) -> bool:
        """Do a piece of work; where a task of it fails, note why. Returns whether it was done."""
        try:
            work(*args, **kwargs)
        except TaskFailed as failure:
            self.results.failures.append(f"{what}: {failure}")
            self.say(f"  {what}: {failure}")
            return False
        return True

    def note(self, peer: Peer) -> None:
        """Remember what became of a peer; one that failed once does not count as having run."""
        others = [known for known in self.results.peers if known.name != peer.name]
        before = [known for known in self.results.peers if known.name == peer.name]
        failed = [known for known in before if known.reason]
        self.results.peers[:] = [*others, failed[0] if failed else peer]
        if peer.reason:
            self.say(f"  {peer.name} {peer.state}: {peer.reason}")

    # -- files -----------------------------------------------------------------------------

    def coco(self, annotations: int, *, faulty: float = 0.0) -> Path:
        """A COCO file of this size and share of faulty records."""
        path = self.scratch / f"facades-{annotations}-{faulty:g}.json"
        if not path.exists():
            write_coco(path, annotations, faulty=faulty)
        return path

    def workspace(self, annotations: int) -> Path:
        """A workspace that holds the COCO file of this size; it was imported once."""
        if annotations not in self._workspaces:
            folder = self.new_folder(f"workspace-{annotations}")
            coco = str(self.coco(annotations))
            self.prepare("benchmarks.ingest:ingest", {"coco": coco, "folder": str(folder)})
            self._workspaces[annotations] = folder
        return self._workspaces[annotations]

    def hand_in(self, annotations: int, folder: Path) -> None:
        """Use this workspace from now on as the one of its size."""
        self._workspaces[annotations] = folder

    def nquads(self, annotations: int) -> Path:
        """All quads of the graph that the COCO file of this size gives."""
        path = self.scratch / f"graph-{annotations}.nq"
        if not path.exists():
            folder = self.workspace(annotations)
            self.prepare("benchmarks.ingest:dump", {"folder": str(folder), "nquads": str(path)})
        return path

    def new_folder(self, name: str) -> Path:
        """A path in the scratch folder where nothing lies."""
        path = self.scratch / name
        shutil.rmtree(path, ignore_errors=True)
        return path
