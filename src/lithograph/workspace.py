"""A workspace: a folder with its settings, its vocabulary, its graph and its caches."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from lithograph import __version__, config, resources
from lithograph.config import Settings
from lithograph.entities import (
    Admission,
    Agent,
    Batch,
    Image,
    Run,
    RunKind,
    Status,
)
from lithograph.errors import ImageError, SettingsError
from lithograph.graph import Graph, now
from lithograph.rdf.iris import Iris, digest

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from lithograph.formats.categories import Level
    from lithograph.formats.coco_reading import CocoReader
    from lithograph.formats.coco_writing import Export
    from lithograph.gate import Shapes
    from lithograph.images import AddedImages
    from lithograph.queries import Query
    from lithograph.vocabulary import Vocabulary

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Workspace:
    """A folder that holds a project: ``lithograph.toml``, the vocabulary, the graph, the caches."""

    folder: Path
    settings: Settings

    @classmethod
    def create(cls, folder: Path, base_iri: str, *, vocabulary: Path | None = None) -> Workspace:
        """Make a workspace: its settings and its own copy of a vocabulary, to be edited freely.

        Raises SettingsError where the folder already is one, ValueError for a bad base IRI.
        """
        Iris(base_iri)
        if (folder / config.FILE_NAME).exists():
            raise SettingsError(f"{folder}: is a workspace already", subject=folder)
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(
            vocabulary or resources.ontology("notre-dame-alterations"), folder / "vocabulary.ttl"
        )
        (folder / "queries").mkdir(exist_ok=True)
        config.write_new(folder, base_iri)
        return cls.open(folder)

    @classmethod
    def open(cls, folder: Path | str = ".") -> Workspace:
        """Open the workspace in ``folder``. SettingsError where there is none."""
        folder = Path(folder)
        return cls(folder, Settings.read(folder))

    @cached_property
    def iris(self) -> Iris:
        """The IRIs of this workspace."""
        try:
            return Iris(self.settings.base_iri)
        except ValueError as error:
            raise SettingsError(str(error), subject=self.settings.base_iri) from error

    @cached_property
    def graph(self) -> Graph:
        """The knowledge graph, opened when first needed."""
        return Graph.open(self.folder / self.settings.graph, self.iris, shapes=self._shapes)

    def _shapes(self) -> Shapes:
        from lithograph.gate import Shapes

        own = self.settings.shapes
        return Shapes.read(self.folder / own if own else None)

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """The workspace's vocabulary, as its file says now."""
        from lithograph.vocabulary import Vocabulary

        return Vocabulary.read(self.folder / self.settings.vocabulary)

    @property
    def agent(self) -> Agent:
        """Who acts here, unless someone else is named."""
        name = self.settings.agent
        return Agent(name, "software" if name == "lithograph" else "person")

    @property
    def cache(self) -> Path:
        """The folder of what can be made again: embeddings."""
        return self.folder / "cache"

    # -- images ----------------------------------------------------------------------------

    @property
    def _catalogue_path(self) -> Path:
        return self.folder / "images.json"

    def image_paths(self) -> dict[str, Path]:
        """Image IRI → where its file lies on this machine. This never enters the graph."""
        if not self._catalogue_path.exists():
            return {}
        try:
            entries = orjson.loads(self._catalogue_path.read_bytes())
            return {str(iri): self.folder / str(path) for iri, path in entries.items()}
        except (OSError, ValueError, AttributeError) as error:
            raise SettingsError(
                f"{self._catalogue_path}: expected a JSON object, found {error}; "
                "remove it and add the images again",
                subject=self._catalogue_path,
            ) from error

    def _remember(self, paths: Mapping[str, Path]) -> None:
        entries = self.image_paths() | {iri: path.resolve() for iri, path in paths.items()}
        text = orjson.dumps(
            {iri: str(path) for iri, path in entries.items()},
            option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS,
        )
        part = self._catalogue_path.with_suffix(".part")
        part.write_bytes(text)
        part.replace(self._catalogue_path)

    def add_images(
        self,
        paths: Sequence[Path | str] | Path | str,
        *,
        project: str | None = None,
        progress: Progress | None = None,
    ) -> tuple[AddedImages, Admission]:
        """Add photographs from files and folders: digest, upright size, capture date.

        Files that cannot be used are refused by name, the rest go on. A file that matches an
        imported image by name within its project completes it.
        """
        from lithograph.images import add_images

        given = [paths] if isinstance(paths, str | Path) else list(paths)
        added = add_images(
            [Path(path) for path in given],
            self.graph.images(),
            self.iris,
            project=project,
            limits=self.settings.images,
            progress=progress,
        )
        key = digest(sorted((image.iri, image.sha256) for image in added.images), length=16)
        run = self._run(RunKind.IMPORT, f"images-{key}", name="images")
        admission = self.graph.admit(Batch(run, images=added.images, refusals=added.refusals))
        self._remember(added.paths)
        return added, admission

    def _run(self, kind: RunKind, key: str, *, name: str, **fields: object) -> Run:
        run = Run(
            iri=self.iris.run(kind, key),
            kind=kind,
            agent=self.agent,
            started=now(),
            name=name,
            software=(f"lithograph {__version__}",),
        )
        return replace(run, **fields)  # type: ignore[arg-type]

    # -- vocabulary ------------------------------------------------------------------------

    def load_vocabulary(self) -> str:
        """Make the vocabulary file's content the current version in the graph; returns its IRI."""
        return self.graph.load_vocabulary(self.vocabulary)

    # -- in and out ------------------------------------------------------------------------

    def import_coco(
        self,
        path: Path | str,
        *,
        project: str | None = None,
        status: Status | None = None,
        new_scheme: str | None = None,
        progress: Progress | None = None,
    ) -> tuple[CocoReader, Admission]:
        """Import a COCO file, or an Aïoli COCO export, into one run.

        Categories are matched to the concepts of the workspace's vocabulary; with ``new_scheme``
        the file's own categories become a SKOS scheme of that name. What cannot be imported is
        refused with its path in the file and kept in the run's quarantine. Importing the same file
        twice adds nothing; an import that was stopped goes on where it stopped. Memory grows with
        the images and ids of the file, not with its outlines. The reader that is returned says what
        the file was and what was found in it.
        """
        from lithograph.formats.coco_importing import import_into, import_key, parameters_of
        from lithograph.formats.coco_reading import CocoReader, coco_categories
        from lithograph.vocabulary import scheme_from_categories

        path = Path(path)
        if new_scheme is None:
            vocabulary = self.vocabulary
        else:
            vocabulary = scheme_from_categories(
                new_scheme, self.settings.base_iri, coco_categories(path)
            )
        version = self.graph.load_vocabulary(vocabulary)
        known = self.graph.images()
        reader = CocoReader(
            path,
            vocabulary=vocabulary,
            iris=self.iris,
            project=project,
            created=now(),
            status=status,
            known_images=known,
        )
        run = self._run(
            RunKind.IMPORT,
            import_key(reader, known, version, new_scheme),
            name=path.name,
            agent=Agent(path.name, "file"),
            parameters=parameters_of(reader, new_scheme),
            vocabulary_versions=(version,),
        )
        return reader, import_into(self.graph, reader, run, progress=progress)

    def query(self, name: str) -> Query:
        """A query by name: the workspace's own ``queries`` folder first, then the shipped ones.

        A path of a ``.rq`` file does too. Raises QueryError where there is none.
        """
        from lithograph import queries

        return queries.find(name, [self.folder / self.settings.queries])

    def queries(self) -> tuple[Query, ...]:
        """Every query there is: the workspace's own, then the shipped ones, by name."""
        from lithograph import queries

        own = sorted((self.folder / self.settings.queries).glob("*.rq"))
        found = {**queries.shipped(), **{path.stem: queries.Query.read(path) for path in own}}
        return tuple(found[name] for name in sorted(found))

    def resolve(self, query: Query, parameters: Mapping[str, str]) -> dict[str, str]:
        """Parameters as people give them → as the query takes them: concepts by any label."""
        concepts = {declared.name for declared in query.parameters if declared.type == "concept"}
        return {
            name: self.vocabulary[value].iri if name in concepts and "://" not in value else value
            for name, value in parameters.items()
        }

    def export_coco(
        self,
        path: Path | str,
        *,
        query: Query | str = "accepted-or-confident",
        parameters: Mapping[str, str] | None = None,
        level: Level = "leaves",
        language: str = "en",
        every_image: bool = False,
        progress: Progress | None = None,
    ) -> Export:
        """Write the annotations of a query as a COCO file (see formats.coco_writing)."""
        from lithograph.formats.coco_writing import export_coco

        return export_coco(
            self.graph,
            Path(path),
            self.query(query) if isinstance(query, str) else query,
            parameters,
            level=level,
            language=language,
            every_image=every_image,
            progress=progress,
        )

    # -- models ----------------------------------------------------------------------------

    def annotate(
        self,
        images: Sequence[str] | None = None,
        *,
        segmenter: str | None = None,
        labeller: str | None = None,
        detector: str | None = None,
        prompts: Path | str | None = None,
        device: str | None = None,
        again: bool = False,
        progress: Progress | None = None,
        say: Callable[[str], None] | None = None,
    ) -> Admission:
        """Outline and label images with models: all of the workspace's, or those named.

        Models left out are those of the settings. ``prompts`` is a JSON file of points and boxes
        (see :func:`lithograph.annotate.read_prompts`); only images that it names are annotated.
        Images that the same models, settings and words have seen are left out, unless ``again``.
        """
        from lithograph.annotate import Models, Road, read_prompts
        from lithograph.annotate.into_graph import annotate_into
        from lithograph.images import load_upright

        given = self.settings.annotate
        outline = segmenter or given.segmenter
        if outline is None:
            raise SettingsError(
                "segmenter: expected a model id or path (--segmenter, or annotate.segmenter in "
                f"{config.FILE_NAME}), found none",
                subject="segmenter",
            )
        asked = read_prompts(Path(prompts)) if prompts is not None else {}
        by_iri = {self.image_of(name).iri: found for name, found in asked.items()}
        chosen = [self.image_of(name) for name in images] if images else self.graph.images()
        paths = self.image_paths()
        version = self.load_vocabulary()
        models = Models.load(
            outline,
            labeller or given.labeller,
            detector or given.detector,
            device=device or given.device,
            detector_threshold=given.detector_threshold,
        )
        road = Road(self.vocabulary, models, self.iris, given, cache=self.cache / "text", say=say)

        def pixels_of(image: Image) -> NDArray[np.uint8]:
            if image.iri not in paths:
                raise ImageError(
                    f"{image.name}: its file is not here; add it with `lithograph images add`",
                    subject=image.iri,
                )
            return load_upright(paths[image.iri], image.sha256, self.settings.images)

        return annotate_into(
            self.graph,
            [image for image in chosen if not asked or image.iri in by_iri],
            pixels_of,
            road,
            agent=Agent("lithograph"),
            vocabulary_version=version,
            prompts=by_iri or None,
            again=again,
            progress=progress,
        )

    # -- people ----------------------------------------------------------------------------

    def review(
        self,
        annotations: Sequence[str],
        status: Status,
        *,
        concept: str | None = None,
        agent: str | None = None,
    ) -> Admission:
        """Accept or reject annotations, or give them another concept, in one review run.

        Each becomes a new annotation that revises the old one: nothing is overwritten. The run's
        key is what was decided by whom, so saying the same twice adds nothing.
        """
        agent_name = agent or self.settings.agent
        decided = concept and self.vocabulary[concept].iri
        version = self.load_vocabulary()
        key = digest(sorted(annotations), str(status), decided, agent_name, length=16)
        run = self._run(
            RunKind.REVIEW,
            key,
            name="review",
            agent=Agent(agent_name, "person" if agent_name != "lithograph" else "software"),
            vocabulary_versions=(version,),
        )
        revisions = []
        for iri in annotations:
            old = self.graph.annotation(iri)
            chosen = decided or old.concept
            revisions.append(
                replace(
                    old,
                    iri=self.iris.annotation(
                        key, old.image, old.geometry, chosen, revision_of=old.iri
                    ),
                    concept=chosen,
                    status=status,
                    confidence=old.confidence if chosen == old.concept else None,
                    candidates=old.candidates if chosen == old.concept else (),
                    created=run.started,
                    alternative_of=None,
                    revision_of=old.iri,
                )
            )
        return self.graph.admit(Batch(run, annotations=tuple(revisions)))

    def undo(self, run: str, *, agent: str | None = None) -> int:
        """Take a run out of the graph; a tombstone stays. Returns the triples that went."""
        name = agent or self.settings.agent
        return self.graph.undo(run, agent=Agent(name, self.agent.kind if not agent else "person"))

    def image_of(self, name: str) -> Image:
        """An image by its IRI, its key or its file name. ImageError where none or several match."""
        from lithograph.rdf.iris import key_of

        found = [
            image
            for image in self.graph.images()
            if name in {image.iri, key_of(image.iri), image.name}
        ]
        if len(found) != 1:
            raise ImageError(
                f"{name}: expected one image of the graph, found {len(found)}", subject=name
            )
        return found[0]
