"""Command line of the training: `python -m training.sam <step>`."""

from __future__ import annotations

import argparse
import json
from functools import partial
from pathlib import Path

from training.sam.cache import fill
from training.sam.processes import Group, together
from training.sam.train import Plan, train_decoder, train_encoder, train_joint

CHECKPOINT = Path("src/lithograph/checkpoints/tiny-sam")


def main() -> None:
    """Run one step; the model card names the order and the seconds of each."""
    parser = argparse.ArgumentParser(prog="python -m training.sam", description=main.__doc__)
    parser.add_argument("--work", type=Path, default=Path("build/tiny-sam"), help="working folder")
    parser.add_argument("--slots", type=int, default=9000, help="training facades")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--processes", type=int, default=2, help="of one thread each")
    steps = parser.add_subparsers(dest="step", required=True)
    render = steps.add_parser("render", help="fill the cache of facades")
    render.add_argument("--passes", type=int, default=1)
    for name, rate in (("decoder", 2e-3), ("encoder", 2e-3), ("joint", 1.5e-3)):
        stage = steps.add_parser(name, help=f"train: {name}")
        stage.add_argument("--seconds", type=float, required=True)
        stage.add_argument("--rate", type=float, default=rate)
    export = steps.add_parser("export", help="write the checkpoint from the joint stage's average")
    export.add_argument("--to", type=Path, default=CHECKPOINT)
    evaluate = steps.add_parser("evaluate", help="figures of an exported checkpoint, as a table")
    evaluate.add_argument("--checkpoint", type=Path, default=CHECKPOINT)
    evaluate.add_argument("--seeds", choices=["test", "validation"], default="test")
    evaluate.add_argument("--images", type=int, default=300)
    evaluate.add_argument("--own-size", action="store_true", help="sizes drawn from the seed")
    evaluate.add_argument("--pictures", type=Path, help="also write masks as a PNG here")
    options = parser.parse_args()

    if options.step == "render":
        work = partial(_render, options.work / "cache", options.slots, options.passes)
        together(work, options.processes)
    elif options.step == "export":
        from training.sam.export import export_checkpoint

        export_checkpoint(options.work / "joint.pt", options.to)
    elif options.step == "evaluate":
        from training.sam.evaluate import evaluate_checkpoint

        figures = evaluate_checkpoint(
            options.checkpoint,
            seeds=options.seeds,
            images=options.images,
            own_size=options.own_size,
            pictures=options.pictures,
        )
        print(figures.table())
        print(json.dumps(figures.counts))
    else:
        plan = Plan(options.work, options.slots, options.seconds, options.rate, options.seed)
        stages = {"decoder": train_decoder, "encoder": train_encoder, "joint": train_joint}
        # The decoder's first stage needs no images and is too small to share.
        count = 1 if options.step == "decoder" else options.processes
        together(partial(stages[options.step], plan), count)


def _render(folder: Path, slots: int, passes: int, group: Group) -> None:
    fill(folder, slots, start=group.rank, stride=group.count, passes=passes)


if __name__ == "__main__":
    main()
