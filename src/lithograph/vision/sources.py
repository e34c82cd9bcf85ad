"""Where a model lies, and which one it is: names to folders, digests, licences, plain errors.

A name is a path, the short name of a checkpoint that we ship (``tiny-sam``, ``tiny-sam.pth``,
``tiny-clip``), or a model id of the Hugging Face hub, tried in that order.
"""

from __future__ import annotations

import hashlib
import importlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from lithograph import resources
from lithograph.errors import LithographError, ModelError, ModelMissing
from lithograph.vision.protocols import ModelCard

_EXTRA = 'pip install "lithograph[vision]"'
_OFFLINE = (
    "Where there is no network (as on most compute nodes), download it elsewhere with "
    "`hf download {name}` and give the folder's path in place of the id, or point HF_HOME to the "
    "cache that holds it and set HF_HUB_OFFLINE=1"
)


@dataclass(frozen=True)
class Source:
    """A model's place: ``path`` on this machine, or None for a hub id, which is ``name``.

    ``name`` is what a card may show: a local path is cut down to its last part.
    """

    name: str
    path: Path | None

    @property
    def location(self) -> str:
        """What ``from_pretrained`` takes."""
        return self.name if self.path is None else str(self.path)


def find_model(name: str) -> Source:
    """Find out what a name stands for; ModelMissing for a path at which nothing lies.

    A hub id is not looked up here: it is fetched, or missed, when the model is loaded.
    """
    if not name.strip():
        raise ValueError("a model's name must not be empty")
    path = Path(name).expanduser()
    if path.exists():
        return Source(name=path.resolve().name, path=path.resolve())
    shipped = resources.checkpoint(name)
    if shipped is not None:
        return Source(name=name, path=shipped)
    if path.suffix in {".pth", ".pt"} or path.is_absolute() or name[0] in "~." or "\\" in name:
        raise ModelMissing(
            f"no model lies at {name}: expected a folder with a config.json, or a segment-anything "
            "checkpoint (.pth)",
            subject=name,
        )
    return Source(name=name, path=None)


def require(*modules: str, subject: str) -> None:
    """Import what a model needs; ModelMissing says which extra to install.

    torch and torchvision from two different builds import with a RuntimeError: that is said too.
    """
    for module in modules:
        try:
            importlib.import_module(module)
        except ImportError as error:
            package = module.replace("_", "-")
            raise ModelMissing(
                f"{subject} needs {package}, which is not installed: {_EXTRA}", subject=subject
            ) from error
        except RuntimeError as error:
            raise ModelError(
                f"{module} cannot be imported ({error}): torch and torchvision must come from the "
                "same package index, as a pair",
                subject=subject,
            ) from error


@contextmanager
def loading(source: Source) -> Iterator[None]:
    """Turn what goes wrong while a model loads into ModelMissing or ModelError, with its name."""
    try:
        yield
    except LithographError:
        raise
    except ImportError as error:
        raise ModelMissing(
            f"{source.name} needs a package that is not installed: {_first_line(error)} "
            f"(most come with {_EXTRA})",
            subject=source.name,
        ) from error
    except OSError as error:
        if source.path is not None:
            raise ModelError(
                f"{source.name} cannot be read: {_first_line(error)}", subject=source.name
            ) from error
        raise ModelMissing(
            f"{source.name} is not a path, a shipped checkpoint or a model in the local cache, and "
            f"it could not be fetched ({_first_line(error)}). {_OFFLINE.format(name=source.name)}",
            subject=source.name,
        ) from error
    except Exception as error:
        raise ModelError(
            f"{source.name} cannot be loaded: {_first_line(error)}", subject=source.name
        ) from error


@contextmanager
def running(card: ModelCard, what: str) -> Iterator[None]:
    """Turn a failure inside a model (out of memory, a missing kernel) into ModelError.

    ValueError passes: the arguments are at fault then, and say so themselves.
    """
    try:
        yield
    except RuntimeError as error:
        raise ModelError(
            f"{card.name} failed on {card.device} while it {what}: {_first_line(error)}",
            subject=card.name,
        ) from error


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def make_card(
    source: Source, *, family: str, device: str, package: str, weights: list[Path]
) -> ModelCard:
    """Describe a loaded model: digest its weight files and read its licence beside them."""
    return ModelCard(
        name=source.name,
        family=family,
        sha256=digest_files(weights),
        licence=read_licence(weights[0].parent),
        device=device,
        package=package,
        package_version=metadata.version(package),
    )


def digest_files(paths: list[Path]) -> str:
    """SHA-256 of one file; of several, that of the lines ``name digest``, in name order."""
    digests = []
    for path in sorted(paths, key=lambda each: each.name):
        with path.open("rb") as stream:
            digests.append((path.name, hashlib.file_digest(stream, "sha256").hexdigest()))
    if len(digests) == 1:
        return digests[0][1]
    listing = "".join(f"{name} {digest}\n" for name, digest in digests)
    return hashlib.sha256(listing.encode()).hexdigest()


def read_licence(folder: Path) -> str | None:
    """Licence named in the front matter of the README.md beside the weights, None without one."""
    readme = folder / "README.md"
    if not readme.is_file():
        return None
    lines = readme.read_text(encoding="utf-8", errors="replace").splitlines()
    if not lines or lines[0].strip() != "---":
        return None
    for line in lines[1:]:
        if line.strip() == "---":
            break
        key, _, value = line.partition(":")
        if key in {"license", "licence"} and value.strip():
            return value.strip().strip("\"'")
    return None


def weight_files(source: Source) -> list[Path]:
    """Weight files of a transformers model, in its folder or in the hub's cache.

    ModelError where none is found: a card without a digest would name no model.
    """
    for folder in _snapshots(source):
        for stem in ("model.safetensors", "pytorch_model.bin"):
            if (folder / stem).is_file():
                return [folder / stem]
            index = folder / f"{stem}.index.json"
            if index.is_file():
                shards = json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()
                return [folder / shard for shard in sorted(set(shards))]
    raise ModelError(
        f"{source.name} has no model.safetensors and no pytorch_model.bin", subject=source.name
    )


def _snapshots(source: Source) -> list[Path]:
    """Folders that may hold the weights; converted ones lie in another revision of the cache."""
    if source.path is not None:
        return [source.path]
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(source.name, "config.json")
    if not isinstance(found, str):
        return []
    folder = Path(found).parent
    return [folder, *sorted(each for each in folder.parent.iterdir() if each != folder)]
