"""Text vectors kept on disk: a vocabulary's prompts are embedded once a model.

Encoding the texts again for every mask is what a labeller's time goes into (27 times as long,
measured on 60 masks), and a vocabulary changes less often than a run is made.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from lithograph.vision.protocols import Labeller

# Part of every digest: raise it when texts are padded, cut or normalised in another way.
_METHOD = 1


class TextCache:
    """Unit text vectors in a folder, one file a set of phrases and a model.

    Files are written whole or not at all, so several processes may share the folder. A file that
    cannot be read is made again. Nothing is ever removed.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def embed(self, labeller: Labeller, phrases: Sequence[str]) -> NDArray[np.float32]:
        """Unit vectors (N, D) of N phrases, in their order: from the folder, or made and kept.

        A phrase given twice is embedded once.
        """
        distinct = sorted(set(phrases))
        path = self._folder / f"{self._digest(labeller, distinct)}.npz"
        vectors = self._read(path, distinct)
        if vectors is None:
            vectors = labeller.embed_text(distinct)
            self._write(path, distinct, vectors)
        rows = {phrase: row for row, phrase in enumerate(distinct)}
        return vectors[[rows[phrase] for phrase in phrases]]

    def _digest(self, labeller: Labeller, distinct: list[str]) -> str:
        document = [_METHOD, labeller.card.sha256, labeller.max_tokens, distinct]
        return hashlib.sha256(json.dumps(document).encode()).hexdigest()

    def _read(self, path: Path, distinct: list[str]) -> NDArray[np.float32] | None:
        try:
            # Opened here: numpy leaves a file that is no zip open.
            with path.open("rb") as stream, np.load(stream, allow_pickle=False) as stored:
                vectors = stored["vectors"]
                phrases = stored["phrases"].tolist()
        except (OSError, ValueError, KeyError, BadZipFile, EOFError):
            return None
        if phrases != distinct or vectors.ndim != 2 or len(vectors) != len(distinct):
            return None
        return np.asarray(vectors, np.float32)

    def _write(self, path: Path, distinct: list[str], vectors: NDArray[np.float32]) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=self._folder, prefix=".writing-", suffix=".npz")
        unfinished = Path(name)
        try:
            with os.fdopen(handle, "wb") as stream:
                np.savez(stream, vectors=vectors, phrases=np.array(distinct))
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)
