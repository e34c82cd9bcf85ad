"""The demo from end to end, by the same public functions as the command line."""

from __future__ import annotations

import json
import tomllib
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from lithograph import __version__
from lithograph.config import FILE_NAME
from lithograph.demo.aioli_export import aioli_coco
from lithograph.demo.asking import FIRST_MASKS, ask, questions_for
from lithograph.demo.destination import prepare
from lithograph.demo.drawing import Drawing
from lithograph.demo.outcome import BASE_IRI, SCORE_COLUMNS, Outcome, score_row, three_digits
from lithograph.demo.photographs import FIRST_SEED, Photograph, take_facades, take_walls
from lithograph.demo.reviewing import REVIEWER, Review, review_as_marie
from lithograph.demo.scoring import perfect, score_export
from lithograph.demo.steps import Step, Steps, text_table
from lithograph.demo.truth import prompts_of, truth_coco
from lithograph.entities import Admission, Annotation, Refusal
from lithograph.formats.coco_evaluation import evaluate_coco
from lithograph.workspace import Workspace

SEGMENTER, LABELLER = "tiny-sam", "tiny-clip"

POINTS_PER_SIDE, TILE_OVERLAP = 10, 0.15
"""Points along a side of a tile, and the share that tiles have in common; the defaults, 32 and
0.25, are for a real SAM. Tiles are the tiny SAM's own 256 pixels: at half its size a facade loses
its cracks. On five facades that are not the demo's, 16 and 0.25 took three times as long for the
same average precision."""

AUTOMATIC, FROM_BOXES = "automatic", "from boxes"
_REVIEWED = 12


def run_demo(
    folder: Path,
    say: Callable[[str], None],
    *,
    facades: int = 12,
    walls: int = 2,
    views: int = 3,
) -> Outcome:
    """Walk the whole road, and leave everything under ``folder`` (see :mod:`destination`).

    ``say`` is told a line for each step as it is done, then the table of figures. The pictures,
    the masks and the decisions are the same each time; times are not. Raises LithographError where
    the folder is somebody else's, and ModelMissing where the ``vision`` extra is not installed.
    """
    prepare(folder)
    demo = _Demo(folder, say, facades=facades, walls=walls, views=views)
    demo.walk()
    return demo.outcome


class _Demo:
    """The state of one demo; :meth:`walk` is the road."""

    def __init__(
        self, folder: Path, say: Callable[[str], None], *, facades: int, walls: int, views: int
    ) -> None:
        self.folder, self.say = folder, say
        self.counts = facades, walls, views
        self.steps = Steps(say)
        self.outcome = Outcome(folder)

    def walk(self) -> None:
        """Every step, in order."""
        self.say(f"Lithograph {__version__}: the whole road on procedural photographs, offline")
        self.say("The pictures are drawn by rule and the models are tiny: nothing here is about")
        self.say("real stone. The models were trained on other drawings of the same program.")
        self.say("")
        self.make_workspace()
        self.take_photographs()
        self.import_aioli()
        self.annotate_everything()
        self.annotate_boxes()
        self.check()
        self.score()
        self.review()
        self.export()
        self.draw()
        self.ask()
        self.write_page()
        self.tell()

    # -- in --------------------------------------------------------------------------------

    def make_workspace(self) -> None:
        """A workspace with the shipped vocabulary, fewer points, and one query of its own."""
        with self.steps.step("make a workspace") as step:
            self.workspace = _workspace(self.folder / "workspace")
            vocabulary = self.workspace.vocabulary
            self.outcome.tree = vocabulary.tree(("en", "fr"))
            (self.folder / "vocabulary.txt").write_text(self.outcome.tree + "\n", "utf-8")
            step.result = (
                f"{len(vocabulary.families)} families, {len(vocabulary.leaves)} concepts, "
                f"{len(vocabulary.prompts(('en',)))} English prompts"
            )

    def take_photographs(self) -> None:
        """Draw and photograph facades and walls, write the truth, add the images."""
        facades, walls, views = self.counts
        folder = self.folder / "photographs"
        with self.steps.step("take photographs") as step:
            self.facades = take_facades(folder / "facades", facades)
            self.walls = take_walls(folder / "walls", walls, views=views)
            self.photographs = self.outcome.photographs = self.facades + self.walls
            self.truth = truth_coco(self.photographs, self.workspace.vocabulary)
            _write_json(self.folder / "truth.json", self.truth)
            self.outcome.truth_ap = evaluate_coco(self.truth, perfect(self.truth))["AP"]
            turned = sum(photograph.orientation != 1 for photograph in self.photographs)
            step.result = (
                f"{facades} facades, {walls} walls from {views} places each; "
                f"{turned} with the camera turned; {len(self.truth['annotations'])} alterations"
            )
            step.notes.append(f"seeds from {FIRST_SEED:,} on: no training or test has seen them")
        with self.steps.step("add the images") as step:
            added, admission = self.workspace.add_images(folder)
            step.result = f"{len(added.images)} images, {admission.triples_added} triples"
            self._note_refusals(step, admission.refusals)

    def import_aioli(self) -> None:
        """Import the walls' outlines as Aïoli exports them."""
        with self.steps.step("import an Aïoli COCO export") as step:
            path = self.folder / "aioli-coco.json"
            _write_json(path, aioli_coco(self.walls))
            reader, admission = self.workspace.import_coco(path)
            self.imported = tuple(map(self.workspace.graph.annotation, admission.admitted))
            step.result = (
                f"{len(admission.admitted)} annotations of {len(reader.regions)} regions "
                f"on {len(reader.images)} images; {len(admission.refusals)} refused"
            )
            self._note_refusals(step, admission.refusals)

    # -- models ----------------------------------------------------------------------------

    def annotate_everything(self) -> None:
        """Search every image with the tiny models."""
        with self.steps.step(f"annotate, {AUTOMATIC}") as step:
            admission = self.workspace.annotate(
                segmenter=SEGMENTER, labeller=LABELLER, device="cpu"
            )
            self._note_run(step, AUTOMATIC, admission, self.photographs)

    def annotate_boxes(self) -> None:
        """Outline and name what stands in the truth's boxes of the facades."""
        with self.steps.step(f"annotate, {FROM_BOXES}") as step:
            names = [photograph.path.name for photograph in self.facades]
            path = self.folder / "prompts.json"
            prompts = prompts_of(self.truth, names)
            _write_json(path, prompts)
            admission = self.workspace.annotate(
                segmenter=SEGMENTER, labeller=LABELLER, device="cpu", prompts=path
            )
            self._note_run(step, FROM_BOXES, admission, self.facades)
            step.notes.append(f"the {len(prompts)} boxes are the truth's own: only outlines and")
            step.notes.append("names are the models'; each box gives alternatives, kept beside")

    def check(self) -> None:
        """Hold the whole graph against the shapes."""
        with self.steps.step("check the graph") as step:
            found = self.workspace.graph.check()
            faults = sum(violation.severity == "Violation" for violation in found)
            step.result = (
                f"{len(self.workspace.graph)} triples, {faults} violations, "
                f"{len(found) - faults} warnings and remarks"
            )

    # -- measured --------------------------------------------------------------------------

    def score(self) -> None:
        """Export both model runs at both levels, and hold them against the truth."""
        names = {photograph.path.name for photograph in self.facades}
        with self.steps.step("export and score both runs") as step:
            for what in (AUTOMATIC, FROM_BOXES):
                for level in ("leaves", "families"):
                    self._score(what, level, names)
            step.result = f"{len(self.outcome.scores)} scores on {len(names)} facades by COCOeval"

    def _score(self, what: str, level: Any, names: Collection[str]) -> None:
        path = self._export_path(f"{what.replace(' ', '-')}-{level}")
        self.workspace.export_coco(
            path,
            query="first-masks",
            parameters={"run": self.outcome.runs[what]},
            level=level,
            every_image=True,
        )
        export = json.loads(path.read_bytes())
        vocabulary = self.workspace.vocabulary
        self.outcome.scores += score_export(
            self.truth, export, vocabulary, what=what, level=level, names=names
        )

    def review(self) -> None:
        """Marie decides on what the model is least sure of."""
        with self.steps.step(f"review, as {REVIEWER}") as step:
            self.reviewed: Review = review_as_marie(
                self.workspace,
                self.photographs,
                self.outcome.runs[AUTOMATIC],
                at_most=_REVIEWED,
            )
            step.result = ", ".join(
                f"{self.reviewed.count(verdict)} {verdict}"
                for verdict in ("accepted", "corrected", "rejected")
            )
            step.notes.append("no person is asked: her decisions are read from the truth")
            for admission in self.reviewed.admissions:
                self._note_refusals(step, admission.refusals)

    def export(self) -> None:
        """The data set as it stands now: accepted, or proposed with confidence."""
        with self.steps.step("export the data set") as step:
            made = [
                self.workspace.export_coco(self._export_path("dataset-leaves"), level="leaves"),
                self.workspace.export_coco(self._export_path("dataset-families"), level="families"),
            ]
            step.result = "; ".join(
                f"{export.annotations} annotations in {export.categories} categories"
                for export in made
            )

    # -- shown -----------------------------------------------------------------------------

    def draw(self) -> None:
        """Truth and annotations side by side, the walls, and what was reviewed."""
        with self.steps.step("draw overlays") as step:
            drawing = Drawing(self.workspace, self.folder / "overlays")
            found = {what: self._by_name(what) for what in (AUTOMATIC, FROM_BOXES)}
            for photograph in self.facades:
                name = photograph.path.name
                groups = {what: found[what][name] for what in found}
                self.outcome.facades.append(drawing.facade(photograph, groups))
            imported = self._grouped(self.imported)
            for wall in sorted({photograph.wall for photograph in self.walls}):
                views = [(one, imported[one.path.name]) for one in self.walls if one.wall == wall]
                self.outcome.walls.append(drawing.wall(views))
            by_name = {photograph.path.name: photograph for photograph in self.photographs}
            names = {image.iri: image.name for image in self.workspace.graph.images()}
            for number, decision in enumerate(self.reviewed.decisions, start=1):
                photograph = by_name[names[decision.proposal.image]]
                picture = drawing.decision(decision, photograph, number)
                self.outcome.reviewed.append((decision.verdict, picture))
            vocabulary = self.workspace.vocabulary
            self.outcome.concepts = [
                (concept.label("en"), concept.label("fr"), drawing.colour(concept.iri))
                for concept in (*vocabulary.leaves, *vocabulary.families)
            ]
            step.result = f"{len(list((self.folder / 'overlays').glob('*.png')))} pictures"

    def ask(self) -> None:
        """Put the questions, and keep the answers."""
        with self.steps.step("ask the graph") as step:
            decided = self.workspace.graph.query("disagreement").column("annotation")
            if not decided:
                decided = self.workspace.graph.query("accepted").column("annotation")
            questions = questions_for(self.workspace, decided[0] if decided else None)
            self.outcome.answers = ask(self.workspace, questions, self.folder / "queries")
            rows = sum(len(answer.table) for answer in self.outcome.answers)
            step.result = f"{len(questions)} queries, {rows} rows"

    def write_page(self) -> None:
        """The page that shows all of it."""
        from lithograph.demo.page import write_page

        self.outcome.triples = len(self.workspace.graph)
        with self.steps.step("write summary.html") as step:
            self.outcome.steps = self.steps.done
            write_page(self.outcome, self.folder / "summary.html")
            step.result = "open it in a browser"

    def tell(self) -> None:
        """The table of figures."""
        rows = [score_row(score) for score in self.outcome.scores]
        self.say("")
        for line in text_table(SCORE_COLUMNS, rows):
            self.say(line)
        self.say("")
        self.say("AP and AP50 ask for the right category too, the last two for the place alone.")
        self.say("From boxes, the boxes were the truth's: its bbox rows say little.")
        measured = three_digits(self.outcome.truth_ap)
        self.say(f"The truth against itself, as a check of the measure: AP {measured}.")
        self.say(f"{self.steps.seconds:.0f} seconds. Open {self.folder / 'summary.html'}")

    # -- inside ----------------------------------------------------------------------------

    def _note_run(
        self,
        step: Step,
        what: str,
        admission: Admission,
        photographs: Sequence[Photograph],
    ) -> None:
        self.outcome.runs[what] = admission.run
        step.result = (
            f"{len(admission.admitted)} annotations on {len(photographs)} images, "
            f"{len(admission.refusals)} refused"
        )
        self._note_refusals(step, admission.refusals)

    def _note_refusals(self, step: Step, refusals: Sequence[Refusal]) -> None:
        self.outcome.refusals += tuple(refusals)
        step.notes += [f"refused: {refusal.path}: {refusal.reason}" for refusal in refusals]

    def _export_path(self, name: str) -> Path:
        folder = self.folder / "exports"
        folder.mkdir(exist_ok=True)
        return folder / f"{name}.json"

    def _by_name(self, what: str) -> Mapping[str, list[Annotation]]:
        query = self.workspace.query("first-masks")
        table = self.workspace.graph.query(query, run=self.outcome.runs[what])
        return self._grouped(
            [self.workspace.graph.annotation(iri) for iri in table.column("annotation")]
        )

    def _grouped(self, annotations: Sequence[Annotation]) -> Mapping[str, list[Annotation]]:
        """Annotations by the file name of their image."""
        names = {image.iri: image.name for image in self.workspace.graph.images()}
        grouped: dict[str, list[Annotation]] = defaultdict(list)
        for annotation in annotations:
            grouped[names[annotation.image]].append(annotation)
        return grouped


def _workspace(folder: Path) -> Workspace:
    """A workspace with the demo's settings."""
    import tomli_w

    Workspace.create(folder, BASE_IRI)
    path = folder / FILE_NAME
    settings = tomllib.loads(path.read_text(encoding="utf-8"))
    settings["annotate"] |= {
        "segmenter": SEGMENTER,
        "labeller": LABELLER,
        "points_per_side": POINTS_PER_SIDE,
        "tile_overlap": TILE_OVERLAP,
    }
    path.write_text(tomli_w.dumps(settings), encoding="utf-8")
    (folder / "queries" / "first-masks.rq").write_text(FIRST_MASKS, encoding="utf-8")
    return Workspace.open(folder)


def _write_json(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
