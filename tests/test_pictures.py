from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from lithograph.entities import Annotation, Box, Outline
from lithograph.masks import mask_box, mask_to_rle, rle_to_mask
from lithograph.pictures import (
    PALETTE,
    Drawn,
    Panel,
    annotation_picture,
    colour_of,
    draw_overlay,
    draw_panels,
)
from lithograph.pictures import panels as panels_module
from lithograph.pictures.lettering import draw_text, line_height, text_width
from lithograph.pictures.painting import edge_of, resized_mask, scaled_mask

RED, BLUE = (247, 26, 0), (25, 74, 255)
# Linear RGB as a dichromat sees it: Machado, Oliveira and Fernandes 2009, severity 1.
SEEN_BY = {
    "normal": np.eye(3),
    "protan": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deutan": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "tritan": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}


def stone(height: int = 80, width: int = 120) -> NDArray[np.uint8]:
    rng = np.random.default_rng(7)
    grain = rng.integers(-12, 13, (height, width, 1))
    return np.clip(np.array([168, 156, 138]) + grain, 0, 255).astype(np.uint8)


def disc_with_hole() -> NDArray[np.bool_]:
    ys, xs = np.mgrid[0:80, 0:120]
    away = np.hypot(ys - 40, xs - 60)
    return np.asarray((away < 30) & (away > 12), dtype=np.bool_)


def annotation(mask: NDArray[np.bool_]) -> Annotation:
    rle = mask_to_rle(mask)
    return Annotation(
        iri="https://data.example.org/annotation/1",
        image="https://data.example.org/image/1",
        concept="https://w3id.org/lithograph/notre-dame-alterations/lacuna",
        geometry=rle,
        box=mask_box(rle),
        area=float(mask.sum()),
        created="2026-01-01T00:00:00Z",
    )


# -- colours -------------------------------------------------------------------------------


def lab(colours: NDArray[np.float64], seen: NDArray[np.float64]) -> NDArray[np.float64]:
    """sRGB in [0, 1] → OKLab × 100 (Ottosson 2020), through somebody's eyes."""
    linear = np.where(colours <= 0.04045, colours / 12.92, ((colours + 0.055) / 1.055) ** 2.4)
    linear = np.clip(linear @ seen.T, 0, 1)
    cones = np.array(
        [
            [0.4122214708, 0.5363325363, 0.0514459929],
            [0.2119034982, 0.6806995451, 0.1073969566],
            [0.0883024619, 0.2817188376, 0.6299787005],
        ]
    )
    axes = np.array(
        [
            [0.2104542553, 0.7936177850, -0.0040720468],
            [1.9779984951, -2.4285922050, 0.4505937099],
            [0.0259040371, 0.7827717662, -0.8086757660],
        ]
    )
    return np.asarray(np.cbrt(linear @ cones.T) @ axes.T * 100, dtype=np.float64)


@pytest.mark.parametrize("eyes", SEEN_BY)
def test_the_nine_colours_are_told_apart(eyes: str) -> None:
    seen = lab(np.array(PALETTE[:9]) / 255, SEEN_BY[eyes])
    nearest = min(np.linalg.norm(a - b) for a, b in itertools.combinations(seen, 2))
    # A distance of 2 is about the smallest that is seen side by side.
    assert nearest > 8


@pytest.mark.parametrize("eyes", SEEN_BY)
def test_no_colour_looks_like_grey_stone(eyes: str) -> None:
    greys = np.repeat(np.linspace(0.3, 0.85, 12), 3).reshape(-1, 3)
    seen = lab(np.array(PALETTE[:9]) / 255, SEEN_BY[eyes])
    distances = np.linalg.norm(seen[:, None] - lab(greys, SEEN_BY[eyes])[None], axis=2)
    assert distances.min() > 4


def test_a_number_keeps_its_colour_and_an_iri_too() -> None:
    assert [colour_of(number) for number in range(1, 17)] == list(PALETTE)
    assert colour_of(17) == colour_of(1)
    crack = "https://w3id.org/lithograph/notre-dame-alterations/crack"
    assert colour_of(crack) == colour_of(crack)
    assert colour_of(crack) in PALETTE
    assert len({colour_of(f"{crack}-{number}") for number in range(200)}) == len(PALETTE)


def test_a_number_below_1_has_no_colour() -> None:
    with pytest.raises(ValueError, match="1 or more, found 0"):
        colour_of(0)


# -- painting ------------------------------------------------------------------------------


def test_holes_stay_unpainted_and_nothing_outside_changes() -> None:
    image, mask = stone(), disc_with_hole()
    drawn = draw_overlay(
        image, [Drawn(mask_to_rle(mask), "lacuna", RED)], legend=False, names=False
    )
    assert (drawn[~mask] == image[~mask]).all()
    assert (drawn[mask] != image[mask]).any(axis=1).all()


def test_an_outline_keeps_its_hole() -> None:
    image = stone()
    square = ((10.0, 10.0), (70.0, 10.0), (70.0, 70.0), (10.0, 70.0))
    hole = ((30.0, 30.0), (50.0, 30.0), (50.0, 50.0), (30.0, 50.0))
    drawn = draw_overlay(
        image, [Drawn(Outline(((square, hole),)), "erosion", RED)], legend=False, names=False
    )
    assert (drawn[32:48, 32:48] == image[32:48, 32:48]).all()
    assert (drawn[12:28, 12:68] != image[12:28, 12:68]).any()


def test_the_stone_shows_through_the_fill_and_the_edge_is_crisp() -> None:
    image, mask = stone(), disc_with_hole()
    drawn = draw_overlay(
        image, [Drawn(mask_to_rle(mask), "lacuna", RED)], legend=False, names=False
    )
    edge = edge_of(mask, 1)
    assert (drawn[edge] == RED).all()
    inside = mask & ~edge
    assert np.corrcoef(drawn[inside][:, 2], image[inside][:, 2])[0, 1] > 0.99
    assert len(np.unique(drawn[inside][:, 2])) > 10


@pytest.mark.parametrize("scale", [0.25, 0.37, 1.0, 1.5, 2.0, 2.6])
def test_a_crack_of_one_pixel_is_seen_whole_at_every_scale(scale: float) -> None:
    image = stone(160, 240)
    mask = np.zeros((160, 240), np.bool_)
    mask[np.arange(10, 150), np.arange(20, 160)] = True
    drawn = draw_overlay(
        image, [Drawn(mask_to_rle(mask), "crack", BLUE)], legend=False, names=False, scale=scale
    )
    blue = (drawn == BLUE).all(axis=2)
    crossed = np.flatnonzero(blue.any(axis=1))
    assert len(crossed) == crossed[-1] - crossed[0] + 1 >= 140 * scale - 1


def test_an_outline_thinner_than_a_pixel_is_seen() -> None:
    sliver = ((10.2, 10.2), (100.2, 10.2), (100.2, 10.3), (10.2, 10.3))
    drawn = draw_overlay(
        stone(), [Drawn(Outline(((sliver,),)), "crack", BLUE)], legend=False, names=False
    )
    assert (drawn == BLUE).all(axis=2).sum() >= 90


def test_a_small_thing_on_a_large_one_stays_on_top() -> None:
    large = np.zeros((80, 120), np.bool_)
    large[5:75, 5:115] = True
    small = np.zeros((80, 120), np.bool_)
    small[30:40, 50:60] = True
    items = [Drawn(mask_to_rle(small), "crack", BLUE), Drawn(mask_to_rle(large), "humidity", RED)]
    drawn = draw_overlay(stone(), items, legend=False, names=False)
    assert (drawn[edge_of(small, 1)] == BLUE).all()


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 60), st.integers(1, 60), st.data())
def test_a_mask_of_any_pixel_has_one_at_every_size(
    height: int, width: int, new_height: int, new_width: int, data: st.DataObject
) -> None:
    mask = np.zeros((height, width), np.bool_)
    mask[data.draw(st.integers(0, height - 1)), data.draw(st.integers(0, width - 1))] = True
    resized = resized_mask(mask, (new_height, new_width))
    assert resized.shape == (new_height, new_width)
    assert resized.any()
    assert (resized_mask(mask, (height, width)) == mask).all()


def test_an_outline_and_its_mask_are_drawn_alike() -> None:
    square = ((10.0, 10.0), (70.0, 10.0), (70.0, 60.0), (10.0, 60.0))
    outline = Outline(((square,),))
    pixels = np.zeros((80, 120), np.bool_)
    pixels[10:60, 10:70] = True
    for size in ((80, 120), (160, 240)):
        drawn = scaled_mask(outline, 80, 120, size)
        assert (drawn == scaled_mask(mask_to_rle(pixels), 80, 120, size)).all()


# -- names and legend ----------------------------------------------------------------------


def written(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The lines that the legend writes, as they are written."""
    lines: list[str] = []

    def keep(
        canvas: NDArray[np.uint8], x: int, y: int, text: str, *, size: int, colour: tuple[int, ...]
    ) -> None:
        lines.append(text)
        draw_text(canvas, x, y, text, size=size, colour=(int(colour[0]), colour[1], colour[2]))

    monkeypatch.setattr(panels_module, "draw_text", keep)
    return lines


def three_items() -> list[Drawn]:
    items = []
    for left, label, colour in ((5, "crack", BLUE), (45, "lacuna", RED), (85, "crack", BLUE)):
        mask = np.zeros((80, 120), np.bool_)
        mask[20:60, left : left + 25] = True
        gloss = "fissure" if label == "crack" else ""
        items.append(Drawn(mask_to_rle(mask), label, colour, "0.82", gloss))
    return items


def test_the_legend_lists_every_concept_once(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = written(monkeypatch)
    drawn = draw_overlay(stone(), three_items())
    assert lines == ["crack · fissure", "2", "lacuna", "1"]
    legend = drawn[:, 120:]
    assert (legend == BLUE).all(axis=2).any()
    assert (legend == RED).all(axis=2).any()


def test_the_legend_counts_each_panel(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = written(monkeypatch)
    panels = [Panel("truth", stone(), three_items()), Panel("model", stone(), three_items()[1:2])]
    draw_panels(panels)
    assert lines == ["truth", "model", "crack · fissure", "2 · 0", "lacuna", "1 · 1"]


def test_an_empty_overlay_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = written(monkeypatch)
    drawn = draw_overlay(stone(), [])
    assert lines == ["nothing"]
    assert (drawn[:80, :120] == stone()).all()


def test_names_lie_outside_what_they_name() -> None:
    image = stone(160, 240)
    mask = np.zeros((160, 240), np.bool_)
    mask[60:100, 60:160] = True
    item = Drawn(mask_to_rle(mask), "lacuna", RED)
    plain = draw_overlay(image, [item], legend=False, names=False)
    named = draw_overlay(image, [item], legend=False)
    changed = (plain != named).any(axis=2)
    assert changed.any()
    assert not (changed & mask).any()


def test_names_never_lie_over_each_other() -> None:
    image = stone(200, 300)
    items = []
    for row, column in itertools.product(range(3), range(4)):
        mask = np.zeros((200, 300), np.bool_)
        mask[30 + 55 * row : 50 + 55 * row, 20 + 68 * column : 50 + 68 * column] = True
        items.append(Drawn(mask_to_rle(mask), "salt", RED))
    drawn = draw_overlay(image, items, legend=False)
    without = draw_overlay(image, items, legend=False, names=False)
    one = draw_overlay(image, items[5:6], legend=False)
    alone = draw_overlay(image, items[5:6], legend=False, names=False)
    assert (drawn != without).any(axis=2).sum() >= 12 * (one != alone).any(axis=2).sum() * 0.95


def test_the_picture_keeps_its_height_and_gains_the_legend() -> None:
    drawn = draw_overlay(stone(300, 200), three_items()[:0], scale=1.5)
    assert drawn.shape[0] == 450
    assert drawn.shape[1] > 300
    assert drawn.dtype == np.uint8
    assert draw_overlay(stone(300, 200), [], legend=False, scale=0.5).shape == (150, 100, 3)


def test_the_same_arguments_give_the_same_pixels() -> None:
    first = draw_panels([Panel("vérité", stone(), three_items())], scale=1.4)
    second = draw_panels([Panel("vérité", stone(), three_items())], scale=1.4)
    assert first.tobytes() == second.tobytes()


def test_the_image_given_is_left_alone() -> None:
    image = stone()
    draw_overlay(image, three_items())
    assert (image == stone()).all()


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (stone().astype(np.float32), "uint8, found .*float32"),
        (stone()[..., 0], r"found \(80, 120\)"),
        (np.zeros((0, 4, 3), np.uint8), r"found \(0, 4, 3\)"),
    ],
)
def test_what_is_no_picture_is_refused(bad: NDArray[np.uint8], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        draw_overlay(bad, [])


def test_a_mask_of_another_image_is_refused() -> None:
    with pytest.raises(ValueError, match=r"expected the image's size 80 × 100, found 80 × 120"):
        draw_overlay(stone(80, 100), three_items())


@pytest.mark.parametrize("scale", [0.0, -1.0, 17.0, float("nan")])
def test_an_impossible_scale_is_refused(scale: float) -> None:
    with pytest.raises(ValueError, match="scale: expected"):
        draw_overlay(stone(), [], scale=scale)


def test_no_panel_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one, found none"):
        draw_panels([])


# -- letters -------------------------------------------------------------------------------


def ink_of(text: str, size: int = 28) -> NDArray[np.bool_]:
    canvas = np.full((line_height(size), text_width(text, size) + 4, 3), 255, np.uint8)
    draw_text(canvas, 0, 0, text, size=size, colour=(0, 0, 0))
    return np.asarray((canvas < 128).all(axis=2), dtype=np.bool_)


BOX = ink_of("\u4e00")


@pytest.mark.parametrize("letter", "éèêëàâäîïôöùûüÿçñÉÈÊËÀÂÎÏÔÙÛÜÇÑåőčžąş")
def test_accents_are_drawn_over_their_letters(letter: str) -> None:
    import unicodedata

    base, mark = list(unicodedata.normalize("NFD", letter))
    with_mark, without = ink_of(letter), ink_of(base)
    assert with_mark.shape == without.shape
    added = with_mark & ~without
    assert added.sum() >= 6
    rows = np.flatnonzero(added.any(axis=1))
    letter_rows = np.flatnonzero(without.any(axis=1))
    if unicodedata.combining(mark) in {202, 220}:
        assert rows.max() > letter_rows.max()
    else:
        assert rows.max() < letter_rows.max() - 0.5 * len(letter_rows)
    if base not in "ij":
        # The letter itself is whole.
        assert (without & ~with_mark).sum() == 0


def test_different_accents_look_different() -> None:
    drawn = [ink_of(letter) for letter in "éèêëē"]
    assert all((a != b).any() for a, b in itertools.combinations(drawn, 2))


@pytest.mark.parametrize(("text", "spelt"), [("œuvre", "oeuvre"), ("12 × 3", "12 x 3"), ("–", "-")])
def test_what_the_face_lacks_is_spelt_out(text: str, spelt: str) -> None:
    assert (ink_of(text) == ink_of(spelt)).all()


def test_an_i_with_a_mark_loses_its_dot() -> None:
    above = int(np.flatnonzero(ink_of("x").any(axis=1))[0]) - 2
    runs = np.diff(ink_of("ï")[:above].any(axis=0).astype(int), prepend=0) == 1
    assert runs.sum() == 2
    assert (np.diff(ink_of("i")[:above].any(axis=0).astype(int), prepend=0) == 1).sum() == 1


@pytest.mark.parametrize("at", [(-30, 4), (4, -12), (110, 4), (500, 500)])
def test_text_over_the_border_is_cut(at: tuple[int, int]) -> None:
    canvas = np.full((40, 120, 3), 255, np.uint8)
    draw_text(canvas, *at, "écaillage", size=14, colour=(0, 0, 0))
    assert canvas.shape == (40, 120, 3)


def test_letters_too_small_to_read_are_refused() -> None:
    with pytest.raises(ValueError, match="8 pixels or more, found 4"):
        text_width("crack", 4)


# -- one annotation ------------------------------------------------------------------------


def test_an_annotation_is_cut_out_with_its_surroundings() -> None:
    mask = disc_with_hole()
    picture = annotation_picture(annotation(mask), stone())
    assert max(picture.size) >= 200
    pixels = np.asarray(picture)
    colour = np.array(colour_of(annotation(mask).concept))
    painted = (pixels == colour).all(axis=2)
    assert 0 < painted.sum() < 0.2 * painted.size
    # The stone within the edge is as it was: the mean colour of the picture is the stone's.
    assert np.abs(pixels[~painted].mean(axis=0) - stone().reshape(-1, 3).mean(axis=0)).max() < 3


def test_an_annotation_at_the_border_and_one_larger_than_the_view() -> None:
    corner = np.zeros((80, 120), np.bool_)
    corner[:4, :4] = True
    assert annotation_picture(annotation(corner), stone()).size[0] > 0
    whole = np.ones((900, 1400), np.bool_)
    picture = annotation_picture(annotation(whole), stone(900, 1400))
    assert max(picture.size) == 480


def test_an_annotation_whose_box_leaves_the_image_is_drawn() -> None:
    ring = ((110.0, 70.0), (130.0, 70.0), (130.0, 90.0), (110.0, 90.0))
    given_ = annotation(disc_with_hole())
    outside = Annotation(
        iri=given_.iri,
        image=given_.image,
        concept=given_.concept,
        geometry=Outline(((ring,),)),
        box=Box(110, 70, 20, 20),
        area=400.0,
        created=given_.created,
    )
    assert annotation_picture(outside, stone()).size[0] > 0


def test_masks_pass_unchanged_through_run_lengths() -> None:
    mask = disc_with_hole()
    assert (rle_to_mask(mask_to_rle(mask)) == mask).all()
