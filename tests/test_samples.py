"""Procedural facades, their views, and the tiny CLIP that was trained on them."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from lithograph import resources
from lithograph.samples import SLUGS, Facade, render_facade, render_views
from lithograph.samples.facade import SMALLEST_MASK, _sound_image

seeds = st.integers(0, 10_000)


def altered(facade: Facade) -> np.ndarray:
    total = np.zeros(facade.image.shape[:2], np.bool_)
    for alteration in facade.alterations:
        total |= alteration.mask
    return total


def difference(facade: Facade) -> np.ndarray:
    height, width = facade.image.shape[:2]
    sound = _sound_image(facade.seed, height=height, width=width)
    return np.asarray(np.abs(facade.image.astype(int) - sound.astype(int)).max(axis=2))


def test_slugs_stand_in_the_order_of_their_category_numbers() -> None:
    import rdflib

    graph = rdflib.Graph().parse(resources.ontology("notre-dame-alterations"))
    numbers = {
        int(str(number)): str(concept).rsplit("/", 1)[1]
        for concept, number in graph.subject_objects(rdflib.SKOS.notation)
    }
    assert tuple(numbers[number] for number in range(1, 10)) == SLUGS


@settings(max_examples=8, deadline=None)
@given(seeds)
def test_a_seed_gives_the_same_facade_each_time(seed: int) -> None:
    first, second = (
        render_facade(seed, height=128, width=160),
        render_facade(seed, height=128, width=160),
    )
    np.testing.assert_array_equal(first.image, second.image)
    assert [a.concept for a in first.alterations] == [a.concept for a in second.alterations]
    for one, other in zip(first.alterations, second.alterations, strict=True):
        np.testing.assert_array_equal(one.mask, other.mask)


def test_other_seeds_give_other_facades() -> None:
    images = {render_facade(seed, height=96, width=96).image.tobytes() for seed in range(6)}
    assert len(images) == 6


def test_sizes_are_drawn_from_256_to_512_unless_given() -> None:
    sizes = {render_facade(seed).image.shape for seed in range(6)}
    assert len(sizes) == 6
    assert all(256 <= side <= 512 for shape in sizes for side in shape[:2])
    assert all(shape[2] == 3 for shape in sizes)
    assert render_facade(1, height=97, width=301).image.shape == (97, 301, 3)
    assert render_facade(1, height=97).image.shape[0] == 97


@settings(max_examples=12, deadline=None)
@given(seeds)
def test_the_image_is_changed_inside_the_masks_and_nowhere_else(seed: int) -> None:
    facade = render_facade(seed, height=200, width=232)
    changed = difference(facade)
    inside = altered(facade)
    rim = ndimage.binary_dilation(inside, np.ones((3, 3), np.bool_))
    assert changed[~rim].max() == 0
    assert np.count_nonzero(changed[~inside] > 12) <= 0.25 * np.count_nonzero(inside)
    # Seen alone, hardly a pixel of a mask keeps its value.
    if inside.any():
        assert np.mean(changed[inside] > 2) > 0.85


@pytest.mark.parametrize("slug", SLUGS)
def test_each_concept_is_painted_where_its_mask_says(slug: str) -> None:
    painted = 0
    for seed in range(4):
        facade = render_facade(seed, height=256, width=256, concepts=[slug])
        assert [a.concept for a in facade.alterations] == [slug]
        (alteration,) = facade.alterations
        assert alteration.mask.shape == (256, 256)
        assert alteration.mask.dtype == np.bool_
        _, parts = ndimage.label(alteration.mask, np.ones((3, 3)))
        assert parts == 1
        change = difference(facade)
        assert np.mean(change[alteration.mask] > 4) > 0.7
        painted += int(np.median(change[alteration.mask]) > 10)
    assert painted >= 3


def test_concepts_differ_in_what_they_do_to_the_light() -> None:
    def median_ratio(slug: str) -> float:
        ratios = []
        for seed in range(8):
            facade = render_facade(seed, height=256, width=256, concepts=[slug])
            mask = facade.alterations[0].mask
            sound = _sound_image(seed, height=256, width=256)
            ratios.append(facade.image[mask].mean() / sound[mask].mean())
        return float(np.median(ratios))

    assert median_ratio("bleaching") > 1.08
    assert median_ratio("salt-efflorescence") > 1.15
    assert median_ratio("lacuna") < 0.5
    assert median_ratio("crack") < 0.6
    assert median_ratio("humidity") < 0.85
    assert median_ratio("lead-deposit") < 0.75


def test_cracks_are_lines_of_a_few_pixels() -> None:
    for seed in range(6):
        (crack,) = render_facade(seed, height=256, width=256, concepts=["crack"]).alterations
        depth = ndimage.distance_transform_edt(crack.mask)
        ridge = depth[(depth == ndimage.maximum_filter(depth, 5)) & crack.mask]
        assert 0.9 <= np.median(ridge) <= 4.0


def test_masks_are_disjoint_large_enough_and_leave_sound_stone() -> None:
    for seed in range(20, 40):
        facade = render_facade(seed, height=224, width=224)
        total = np.sum([a.mask for a in facade.alterations], axis=0)
        assert total.max() == 1
        assert all(np.count_nonzero(a.mask) >= SMALLEST_MASK for a in facade.alterations)
        assert 1 <= len(facade.alterations) <= 6
        assert np.mean(total == 0) >= 1 / 3


def test_given_concepts_are_painted_in_their_order() -> None:
    asked = ["humidity", "crack", "flake"]
    for seed in range(5):
        facade = render_facade(seed, height=320, width=320, concepts=asked)
        assert [a.concept for a in facade.alterations] == asked
    assert render_facade(3, height=128, width=128, concepts=[]).alterations == ()


def test_all_nine_concepts_occur() -> None:
    found = {
        a.concept
        for seed in range(30)
        for a in render_facade(seed, height=192, width=192).alterations
    }
    assert found == set(SLUGS)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"seed": -1}, "seed: expected an integer of 0 or more, found -1"),
        ({"seed": 0, "height": 20}, "height: expected 96 pixels or more, found 20"),
        ({"seed": 0, "width": 95}, "width: expected 96 pixels or more, found 95"),
        ({"seed": 0, "concepts": ["moss"]}, "found 'moss'"),
    ],
)
def test_bad_arguments_are_named(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        render_facade(**arguments)  # type: ignore[arg-type]


def test_drawing_needs_no_torch() -> None:
    script = (
        "import sys, lithograph.samples as s; s.render_facade(0, height=96, width=96);"
        "sys.exit('torch' in sys.modules or 'transformers' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


@settings(max_examples=8, deadline=None)
@given(seeds)
def test_views_show_the_facade_through_their_homography(seed: int) -> None:
    facade = render_facade(seed % 50, height=200, width=240)
    for view in render_views(facade, 2, seed=seed):
        height, width = view.image.shape[:2]
        assert view.image.dtype == np.uint8
        assert 0.74 * 200 <= height <= 200
        assert 0.74 * 240 <= width <= 240
        rows, columns = np.mgrid[0:height, 0:width]
        points = np.stack([columns, rows, np.ones_like(rows)]).reshape(3, -1)
        x, y, w = np.linalg.inv(view.homography) @ points
        x, y = np.rint(x / w).astype(int), np.rint(y / w).astype(int)
        # A view never looks past the wall's border.
        assert x.min() >= 0
        assert y.min() >= 0
        assert x.max() < 240
        assert y.max() < 200
        shown = []
        for index, source in enumerate(view.source):
            alteration = view.alterations[index]
            assert alteration.concept == facade.alterations[source].concept
            expected = facade.alterations[source].mask[y, x].reshape(height, width)
            np.testing.assert_array_equal(alteration.mask, expected)
            assert alteration.mask.any()
            shown.append(source)
        assert shown == sorted(set(shown))
        for source in set(range(len(facade.alterations))) - set(shown):
            assert not facade.alterations[source].mask[y, x].any()
        # The image is the wall's, but for exposure: brightness goes with brightness.
        there = facade.image[y, x].astype(float).mean(axis=1)
        here = view.image.reshape(-1, 3).astype(float).mean(axis=1)
        assert np.corrcoef(there, here)[0, 1] > 0.9


def test_views_are_the_same_for_the_same_seed_and_differ_from_each_other() -> None:
    facade = render_facade(5, height=160, width=160)
    first, again = render_views(facade, 3, seed=1), render_views(facade, 3, seed=1)
    for one, other in zip(first, again, strict=True):
        np.testing.assert_array_equal(one.image, other.image)
        np.testing.assert_array_equal(one.homography, other.homography)
    assert len({view.image.tobytes() for view in first}) == 3
    assert render_views(facade, 1, seed=2)[0].image.tobytes() != first[0].image.tobytes()


def test_an_alteration_is_seen_in_several_views() -> None:
    facade = render_facade(11, height=256, width=256)
    views = render_views(facade, 4, seed=0)
    seen = [source for view in views for source in view.source]
    assert max(seen.count(source) for source in seen) >= 3


@pytest.mark.parametrize(("count", "seed"), [(0, 1), (1, -1)])
def test_bad_view_arguments_are_refused(count: int, seed: int) -> None:
    with pytest.raises(ValueError, match="expected"):
        render_views(render_facade(0, height=96, width=96), count, seed=seed)
