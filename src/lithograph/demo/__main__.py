"""``python -m lithograph.demo DEST``."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from lithograph.errors import LithographError


def main(arguments: list[str]) -> int:
    """Run the demo into the folder given; 0 well, 1 where it cannot, 2 misuse."""
    if len(arguments) != 1 or arguments[0].startswith("-"):
        sys.stderr.write("usage: python -m lithograph.demo DEST\n")
        return 2
    # Read by torch when it is imported: the models are too small for more threads to help.
    os.environ.setdefault("OMP_NUM_THREADS", "2")
    _quiet_loading()
    from lithograph.demo.road import run_demo

    try:
        run_demo(Path(arguments[0]), _say)
    except LithographError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _quiet_loading() -> None:
    """No progress bars of the model library between our lines."""
    import contextlib

    with contextlib.suppress(ImportError):
        from transformers.utils import logging

        logging.disable_progress_bar()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
