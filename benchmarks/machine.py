"""What the figures were measured on, without names or paths of the machine."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import subprocess
from pathlib import Path
from typing import Final

from benchmarks.processes import ROOT

_PACKAGES: Final = (
    "lithograph",
    "pyoxigraph",
    "orjson",
    "numpy",
    "pycocotools",
    "shapely",
    "rdflib",
    "pyshacl",
)


def machine() -> dict[str, str]:
    """Processor, cores, memory, operating system, and how busy it was before the first figure."""
    return {
        "processor": _processor(),
        "cores": str(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else ""),
        "memory": f"{total_memory() / 1e9:.0f} GB",
        "load": f"{os.getloadavg()[0]:.1f}",
        "system": f"{platform.system()} {platform.release().partition('-')[0]}",
    }


def total_memory() -> int:
    """Memory of the machine, in bytes."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def versions() -> dict[str, str]:
    """Python, the packages that the figures depend on, and our own commit."""
    found = {"python": platform.python_version()}
    for name in _PACKAGES:
        found[name] = importlib.metadata.version(name)
    commit = _commit()
    return {**found, "commit": commit} if commit else found


def _processor() -> str:
    listed = Path("/proc/cpuinfo")
    if listed.exists():
        named = re.search(r"model name\s*:\s*(.+)", listed.read_text(encoding="utf-8"))
        if named:
            return named[1].strip()
    return platform.processor() or platform.machine()


def _commit() -> str:
    """The commit, marked where files differ from it; empty outside of a checkout."""
    try:
        done = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=10"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError:
        return ""
    return done.stdout.strip()
