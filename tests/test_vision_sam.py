"""The SAM family: our prompts, logits and masks are those of the packages' own interfaces."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from lithograph.errors import ModelError
from lithograph.vision import load_segmenter
from lithograph.vision.protocols import Segmenter
from tiny_segmenters import SAM_SHAPE

pytest_plugins = ["tiny_models"]

Image = NDArray[np.uint8]
Tiny = Callable[[str], Path]

POINTS = np.array([[[10.0, 20.0], [70.0, 8.0]], [[42.0, 30.0], [5.0, 66.0]]])
LABELS = np.array([[1, 0], [1, 1]])
BOXES = np.array([[4.0, 6.0, 50.0, 60.0], [30.0, 10.0, 95.0, 71.0]])


def load(tiny: Tiny, family: str) -> Segmenter:
    segmenter = load_segmenter(str(tiny(family)), "cpu")
    assert isinstance(segmenter, Segmenter)
    return segmenter


def test_a_pth_file_and_transformers_give_equal_logits(tiny: Tiny) -> None:
    """The same weights in both forms; an image of the model's own size needs no resizing."""
    image = np.random.default_rng(1).integers(0, 255, (48, 64, 3), dtype=np.uint8)
    both = [load(tiny, "segment-anything"), load(tiny, "sam")]
    for prompts in (
        {"points": POINTS[:, :1] / 2},
        {"points": POINTS / 2, "point_labels": LABELS},
        {"boxes": BOXES / 2},
        {"points": POINTS / 2, "point_labels": LABELS, "boxes": BOXES / 2},
    ):
        first, second = (each.masks(each.encode(image), **prompts) for each in both)
        np.testing.assert_allclose(first.logits, second.logits, atol=2e-4)
        np.testing.assert_allclose(first.quality, second.quality, atol=2e-4)
        assert first.logits.std() > 0.02


def test_a_pth_file_in_half_precision_loads(tiny: Tiny, tmp_path: Path, stone: Image) -> None:
    import torch

    path = tiny("segment-anything")
    state = torch.load(path, weights_only=True)
    torch.save({key: value.half() for key, value in state.items()}, tmp_path / "half.pth")
    (tmp_path / "half.json").write_text(json.dumps(SAM_SHAPE))
    half = load_segmenter(str(tmp_path / "half.pth"), "cpu")
    assert isinstance(half, Segmenter)
    full = load(tiny, "segment-anything")
    first = half.masks(half.encode(stone), boxes=BOXES)
    second = full.masks(full.encode(stone), boxes=BOXES)
    np.testing.assert_allclose(first.logits, second.logits, atol=0.02)


def test_segment_anything_agrees_with_its_own_predictor(tiny: Tiny, stone: Image) -> None:
    import torch
    from segment_anything import SamPredictor

    segmenter: Any = load(tiny, "segment-anything")
    predictor = SamPredictor(segmenter._model)
    predictor.set_image(stone)
    embedding = segmenter.encode(stone)
    ours = segmenter.masks(embedding, points=POINTS, point_labels=LABELS, boxes=BOXES)
    single = segmenter.masks(embedding, points=POINTS[:, :1])
    for number in range(2):
        for prompts, found, several in (
            ({"point_coords": POINTS[number], "point_labels": LABELS[number]}, ours, False),
            ({"point_coords": POINTS[number, :1], "point_labels": np.ones(1)}, single, True),
        ):
            box = None if several else BOXES[number]
            with torch.inference_mode():
                masks, quality, logits = predictor.predict(
                    **prompts, box=box, multimask_output=several
                )
            chosen = slice(None) if several else slice(0, 1)
            np.testing.assert_allclose(found.logits[number, chosen], logits, atol=1e-5)
            np.testing.assert_allclose(found.quality[number, chosen], quality, atol=1e-5)
            upscaled = segmenter.upscale(embedding, found.logits[number, chosen])
            assert (upscaled == masks).mean() > 0.999


@pytest.mark.parametrize("family", ["sam", "sam-hq", "sam2", "sam3-tracker"])
def test_transformers_agrees_with_its_own_processor(tiny: Tiny, stone: Image, family: str) -> None:
    """Points and boxes reach the model as the saved processor would have scaled them."""
    import torch
    from transformers import AutoModelForMaskGeneration, AutoProcessor

    folder = tiny(family)
    segmenter = load(tiny, family)
    processor = AutoProcessor.from_pretrained(folder)
    model = AutoModelForMaskGeneration.from_pretrained(folder).eval()
    embedding = segmenter.encode(stone)
    inputs = processor(
        images=stone,
        input_points=[POINTS.tolist()],
        input_labels=[LABELS.tolist()],
        return_tensors="pt",
    )
    boxed = processor(images=stone, input_boxes=[BOXES.tolist()], return_tensors="pt")
    sizes = [inputs.pop("original_sizes"), inputs.pop("reshaped_input_sizes", None)]
    for name in ("original_sizes", "reshaped_input_sizes"):
        boxed.pop(name, None)
    sized = [size for size in sizes if size is not None]
    of_points = segmenter.masks(embedding, points=POINTS, point_labels=LABELS)
    of_boxes = segmenter.masks(embedding, boxes=BOXES)
    for given, found in ((inputs, of_points), (boxed, of_boxes)):
        given = {
            name: value.float() if value.dtype == torch.float64 else value
            for name, value in given.items()
        }
        for several, chosen in ((False, slice(0, 1)), (True, slice(1, None))):
            with torch.inference_mode():
                output = model(**given, multimask_output=several)
            logits = output.pred_masks[0].numpy()
            np.testing.assert_allclose(found.logits[:, chosen], logits, atol=2e-4, rtol=1e-3)
            np.testing.assert_allclose(
                found.quality[:, chosen], output.iou_scores[0].numpy(), atol=2e-4
            )
            official = processor.post_process_masks([output.pred_masks[0]], *sized)[0].numpy()
            ours = segmenter.upscale(embedding, np.ascontiguousarray(logits[0]))
            assert (ours == official[0]).mean() > 0.999


def test_upscaling_holds_few_masks_at_once(tiny: Tiny) -> None:
    """Many masks on a large image cost their own bytes, and not a float of each beside them."""
    import tracemalloc

    from lithograph.vision import upscaling

    segmenter = load(tiny, "sam2")
    embedding = segmenter.encode(np.zeros((1500, 2000, 3), np.uint8))
    logits = np.random.default_rng(0).normal(size=(40, 16, 16)).astype(np.float32)
    tracemalloc.start()
    try:
        masks = segmenter.upscale(embedding, logits)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert masks.shape == (40, 1500, 2000)
    # torch's own memory is not traced; numpy's is: the answer, and one batch of bools.
    batch = upscaling._PIXELS_AT_ONCE
    assert peak < masks.nbytes + 2 * batch


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"patch_sise": 8}, "patch_sise, which no SAM has"),
        ({"patch_size": None}, "lacks patch_size"),
        ({"image_size": 60}, r"image_size \(60\) must be a multiple of patch_size \(8\)"),
        ({"num_heads": 5}, "multiple of num_heads"),
        ({"out_chans": 32}, "must equal prompt_embed_dim"),
        ({"prompt_embed_dim": 12, "out_chans": 12}, "multiple of 8"),
        ({"decoder_num_heads": 3}, "decoder_num_heads"),
        ({"global_attn_indexes": [2]}, "below depth"),
        ({"global_attn_indexes": 1}, "must be a list of whole numbers, not 1"),
        ({"global_attn_indexes": [0.5]}, "must be a list of whole numbers"),
        ({"window_size": 0}, "window_size must not be 0"),
        ({"depth": -1}, "must be a whole number above 0, not -1"),
        ({"depth": True}, "must be a whole number, not True"),
        ({"depth": 2.0}, "must be a whole number"),
        ({"use_rel_pos": 1}, "must be true or false, not 1"),
        ({"mlp_ratio": "2"}, "must be a number, not '2'"),
        ({"pixel_mean": [1.0]}, "three numbers"),
        ({"mask_in_chans": 6}, "multiple of 4"),
    ],
)
def test_a_wrong_shape_is_refused_by_its_key(
    tiny: Tiny, tmp_path: Path, change: dict[str, object], says: str
) -> None:
    shape = {**SAM_SHAPE, **change}
    shape = {name: value for name, value in shape.items() if value is not None}
    (tmp_path / "wrong.pth").write_bytes(tiny("segment-anything").read_bytes())
    (tmp_path / "wrong.json").write_text(json.dumps(shape))
    with pytest.raises(ModelError, match=says) as caught:
        load_segmenter(str(tmp_path / "wrong.pth"), "cpu")
    assert caught.value.subject == "wrong.json"


@pytest.mark.parametrize("text", ["[]", "{", '{"mlp_ratio": NaN}'])
def test_a_shape_must_be_a_json_object(tiny: Tiny, tmp_path: Path, text: str) -> None:
    (tmp_path / "wrong.pth").write_bytes(tiny("segment-anything").read_bytes())
    (tmp_path / "wrong.json").write_text(text)
    with pytest.raises(ModelError, match=r"wrong\.json"):
        load_segmenter(str(tmp_path / "wrong.pth"), "cpu")


def test_a_shape_may_say_where_the_weights_come_from(tiny: Tiny, tmp_path: Path) -> None:
    (tmp_path / "noted.pth").write_bytes(tiny("segment-anything").read_bytes())
    noted = {**SAM_SHAPE, "license": "apache-2.0", "description": "random weights"}
    (tmp_path / "noted.json").write_text(json.dumps(noted))
    assert load_segmenter(str(tmp_path / "noted.pth"), "cpu").card.name == "noted.pth"


def test_weights_that_do_not_fit_the_shape_are_refused(tiny: Tiny, tmp_path: Path) -> None:
    (tmp_path / "deep.pth").write_bytes(tiny("segment-anything").read_bytes())
    (tmp_path / "deep.json").write_text(json.dumps({**SAM_SHAPE, "depth": 3}))
    with pytest.raises(ModelError, match=r"does not fit its shape: \d+ weights lack"):
        load_segmenter(str(tmp_path / "deep.pth"), "cpu")
    (tmp_path / "deep.json").write_text(json.dumps({**SAM_SHAPE, "embed_dim": 64}))
    with pytest.raises(ModelError, match=r"deep\.pth cannot be loaded"):
        load_segmenter(str(tmp_path / "deep.pth"), "cpu")


def test_a_small_sam_without_its_json_is_refused(tiny: Tiny, tmp_path: Path) -> None:
    (tmp_path / "alone.pth").write_bytes(tiny("segment-anything").read_bytes())
    with pytest.raises(ModelError, match=r"must be said in alone\.json"):
        load_segmenter(str(tmp_path / "alone.pth"), "cpu")


def test_a_pickle_is_never_run(tmp_path: Path) -> None:
    """A file that is no plain set of tensors is refused before anything in it is called."""
    import pickle

    class Trap:
        def __reduce__(self) -> tuple[Any, ...]:
            return Path.touch, (tmp_path / "sprung",)

    (tmp_path / "trap.pth").write_bytes(pickle.dumps(Trap()))
    with pytest.raises(ModelError, match=r"trap\.pth cannot be loaded"):
        load_segmenter(str(tmp_path / "trap.pth"), "cpu")
    assert not (tmp_path / "sprung").exists()


def test_something_else_in_a_pth_is_refused(tmp_path: Path) -> None:
    import torch

    torch.save([1, 2], tmp_path / "list.pth")
    with pytest.raises(ModelError, match="does not hold a SAM's weights"):
        load_segmenter(str(tmp_path / "list.pth"), "cpu")


@pytest.mark.parametrize(
    ("width", "depth", "heads", "known"),
    [(768, 12, 12, True), (1024, 24, 16, True), (1280, 32, 16, True), (768, 11, 0, False)],
)
def test_published_sams_are_known_by_their_widths(
    width: int, depth: int, heads: int, known: bool
) -> None:
    import torch

    from lithograph.vision.sam_shape import published_shape

    state = {"image_encoder.patch_embed.proj.weight": torch.empty(width, 3, 16, 16, device="meta")}
    for block in range(depth):
        key = f"image_encoder.blocks.{block}.norm1.weight"
        state[key] = torch.empty(width, device="meta")
    shape = published_shape(state)
    assert (shape is not None) == known
    if shape is not None:
        assert (shape.embed_dim, shape.depth, shape.num_heads) == (width, depth, heads)
        assert max(shape.global_attn_indexes) == depth - 1


def test_the_published_shape_is_that_of_the_packages_builder() -> None:
    """Weights of a vit_b made by segment-anything's registry fit what we build for it."""
    import torch
    from segment_anything import sam_model_registry

    from lithograph.vision.sam_shape import published_shape
    from lithograph.vision.segment_anything_sam import build_sam

    with torch.device("meta"):
        theirs = sam_model_registry["vit_b"]().state_dict()
        shape = published_shape(theirs)
        assert shape is not None
        ours = build_sam(shape).state_dict()
    assert {key: value.shape for key, value in ours.items()} == {
        key: value.shape for key, value in theirs.items()
    }
