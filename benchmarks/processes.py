"""A measurement in a process of its own: ``python -m benchmarks.processes TASK ARGUMENTS ANSWER``.

Only the standard library is used here, so that the peers' own environments can run it. A task is
``module:function``; its arguments and what it returns are JSON objects. What it returns gains
``peak_bytes``, the most memory that the process ever held.
"""

from __future__ import annotations

import importlib
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
#: What a path of one machine looks like; results are kept, and no such path may be in them.
_PATH = re.compile(r"(?<![\w.])/(?:[\w.@+-]+/)+([\w.@+-]+)")


class TaskFailed(Exception):
    """A measurement that ended without an answer, and why in one line."""


class TaskTooLong(TaskFailed):
    """A measurement that was stopped at its time limit."""


def run_task(
    task: str,
    arguments: Mapping[str, object],
    *,
    python: Path | str = sys.executable,
    limit_s: float = 3600,
    environment: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Run a task in a new process of ``python`` and return its answer.

    Raises TaskFailed where it fails, TaskTooLong where it takes longer than ``limit_s`` seconds.
    """
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder) / "answer.json"
        command = [str(python), "-m", "benchmarks.processes", task, json.dumps(arguments)]
        try:
            done = subprocess.run(
                [*command, str(answer)],
                cwd=ROOT,
                env={**os.environ, **(environment or {})},
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
                timeout=limit_s,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise TaskTooLong(f"took longer than {limit_s:g} s") from error
        if done.returncode != 0 or not answer.exists():
            raise TaskFailed(last_words(done.stderr, done.returncode))
        result: dict[str, Any] = json.loads(answer.read_text(encoding="utf-8"))
        return result


def last_words(text: str, code: int) -> str:
    """The last line of what a process said, without paths of this machine."""
    lines = [line for line in text.splitlines() if line.strip()]
    said = without_paths(lines[-1].strip())[:300] if lines else "it said nothing"
    return f"{said} (exit status {code})"


def without_paths(text: str) -> str:
    """The text with only the last part left of every absolute path."""
    return _PATH.sub(r"\1", text)


@contextmanager
def timed(seconds: list[float]) -> Iterator[None]:
    """Append the wall-clock seconds that the block takes."""
    started = time.perf_counter()
    yield
    seconds.append(time.perf_counter() - started)


def tally(coco: Path) -> dict[str, int]:
    """How many annotations a COCO file has, and how many of them are run lengths."""
    records = json.loads(coco.read_bytes())["annotations"]
    masks = sum(isinstance(record.get("segmentation"), dict) for record in records)
    return {"annotations": len(records), "masks": masks}


def peak_bytes() -> int:
    """The most memory that this process held (peak resident set), in bytes.

    On Linux from ``VmHWM``: ``getrusage`` there starts a child with its parent's peak.
    """
    status = Path("/proc/self/status")
    if status.exists():
        found = re.search(r"VmHWM:\s*(\d+) kB", status.read_text(encoding="ascii"))
        if found:
            return int(found[1]) * 1024
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def main(task: str, arguments: str, answer: str) -> None:
    """Run one task here and write its answer."""
    module, _, function = task.partition(":")
    result = getattr(importlib.import_module(module), function)(**json.loads(arguments))
    result["peak_bytes"] = peak_bytes()
    Path(answer).write_text(json.dumps(result), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
