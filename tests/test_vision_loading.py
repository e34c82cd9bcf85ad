"""Models by name: what is found, what is missing, and what the card says."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from lithograph.errors import ModelError, ModelMissing
from lithograph.vision import load_detector, load_labeller, load_segmenter
from lithograph.vision.devices import choose_device
from lithograph.vision.sources import (
    Source,
    digest_files,
    find_model,
    loading,
    read_licence,
    require,
    running,
    weight_files,
)

pytest_plugins = ["tiny_models"]

Tiny = Callable[[str], Path]
Loader = Callable[[str, str], object]

LOADERS: list[Loader] = [load_segmenter, load_detector, load_labeller]


def test_importing_vision_loads_no_model_library() -> None:
    code = (
        "import sys, lithograph.vision\n"
        "print([m for m in ('torch', 'transformers', 'PIL', 'scipy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("load", LOADERS)
def test_an_unknown_id_says_how_to_get_it(tiny: Tiny, load: Loader) -> None:
    with pytest.raises(ModelMissing, match="hf download nobody/no-such-model") as caught:
        load("nobody/no-such-model", "cpu")
    assert caught.value.subject == "nobody/no-such-model"
    message = str(caught.value)
    assert "HF_HOME" in message
    assert "HF_HUB_OFFLINE=1" in message
    assert "\n" not in message


@pytest.mark.parametrize("load", LOADERS)
@pytest.mark.parametrize("name", ["./nowhere", "~/nowhere-at-all", "/no/such/model", "sam_x.pth"])
def test_a_path_at_which_nothing_lies_is_missing(load: Loader, name: str) -> None:
    with pytest.raises(ModelMissing, match="no model lies at") as caught:
        load(name, "cpu")
    assert caught.value.subject == name


@pytest.mark.parametrize("load", LOADERS)
def test_a_name_must_not_be_empty(load: Loader) -> None:
    with pytest.raises(ValueError, match="must not be empty"):
        load(" ", "cpu")


@pytest.mark.parametrize("load", LOADERS)
def test_a_folder_without_a_configuration_is_no_model(load: Loader, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"there is no config\.json"):
        load(str(tmp_path), "cpu")


@pytest.mark.parametrize("load", LOADERS)
def test_a_broken_configuration_is_told(load: Loader, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(ModelError) as caught:
        load(str(tmp_path), "cpu")
    assert not isinstance(caught.value, ModelMissing)
    assert caught.value.subject == tmp_path.name


@pytest.mark.parametrize(
    ("load", "family", "says"),
    [
        (load_segmenter, "clip", "type clip, which is no segmenter"),
        (load_detector, "sam", "type sam, which is no detector"),
        (load_labeller, "dinov2", "type dinov2, which is no labeller"),
    ],
)
def test_a_model_of_another_kind_is_refused(
    tiny: Tiny, load: Loader, family: str, says: str
) -> None:
    with pytest.raises(ModelError, match=says) as caught:
        load(str(tiny(family)), "cpu")
    assert "known types" in str(caught.value)


@pytest.mark.parametrize("load", [load_detector, load_labeller])
def test_a_file_is_no_detector_and_no_labeller(tiny: Tiny, load: Loader) -> None:
    with pytest.raises(ModelError, match="is a file: expected a folder"):
        load(str(tiny("segment-anything")), "cpu")


def test_a_threshold_is_for_phrases_only(tiny: Tiny) -> None:
    for family in ("sam", "segment-anything"):
        with pytest.raises(ValueError, match="SAM 3 only"):
            load_segmenter(str(tiny(family)), "cpu", threshold=0.5)
    with pytest.raises(ValueError, match="between 0 and 1"):
        load_segmenter(str(tiny("sam3")), "cpu", threshold=2.0)


def copied(source: Path, target: Path) -> Path:
    shutil.copytree(source, target)
    return target


def test_missing_weights_are_never_made_up(tiny: Tiny, tmp_path: Path) -> None:
    """transformers fills what lacks with random numbers and logs it; that is refused."""
    from safetensors.torch import load_file, save_file

    folder = copied(tiny("clip"), tmp_path / "partial")
    weights = load_file(folder / "model.safetensors")
    weights.pop("visual_projection.weight")
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match=r"lacks 1 of its weights.*visual_projection"):
        load_labeller(str(folder), "cpu")


def test_weights_of_another_shape_are_refused(tiny: Tiny, tmp_path: Path) -> None:
    folder = copied(tiny("dinov2"), tmp_path / "other")
    configuration = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**configuration, "hidden_size": 48}))
    with pytest.raises(ModelError, match="other"):
        load_detector(str(folder), "cpu")


def test_no_weights_at_all_is_told(tiny: Tiny, tmp_path: Path) -> None:
    folder = copied(tiny("sam2"), tmp_path / "bare")
    (folder / "model.safetensors").unlink()
    with pytest.raises(ModelError, match="bare cannot be read"):
        load_segmenter(str(folder), "cpu")


def test_edgetam_says_which_package_it_needs(tiny: Tiny, tmp_path: Path) -> None:
    try:
        import timm  # type: ignore[import-not-found]  # noqa: F401
    except ImportError:
        pass
    else:
        pytest.skip("timm is installed, so nothing is missing")
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "edgetam"}))
    (tmp_path / "preprocessor_config.json").write_text(
        json.dumps({"image_processor_type": "Sam2ImageProcessor"})
    )
    shutil.copy(tiny("sam2") / "model.safetensors", tmp_path)
    with pytest.raises(ModelMissing, match="timm"):
        load_segmenter(str(tmp_path), "cpu")


def test_the_card_names_the_model_and_not_the_folders_above_it(tiny: Tiny, tmp_path: Path) -> None:
    folder = copied(tiny("clip"), tmp_path / "private" / "my-clip")
    (folder / "README.md").write_text("---\nlanguage: en\nlicense: 'apache-2.0'\n---\n# A model\n")
    card = load_labeller(str(folder), "cpu").card
    assert card.name == "my-clip"
    assert "private" not in repr(card)
    assert card.licence == "apache-2.0"
    assert card.package == "transformers"
    expected = hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
    assert card.sha256 == expected


@pytest.mark.parametrize(
    ("text", "licence"),
    [
        ("---\nlicense: mit\n---\n", "mit"),
        ("---\nlicence: cc-by-4.0\n---\n", "cc-by-4.0"),
        ("---\nlicense:\n---\nlicense: mit\n", None),
        ("license: mit\n", None),
        ("", None),
    ],
)
def test_a_licence_is_read_from_the_front_matter_only(
    tmp_path: Path, text: str, licence: str | None
) -> None:
    (tmp_path / "README.md").write_text(text)
    assert read_licence(tmp_path) == licence
    assert read_licence(tmp_path / "nowhere") is None


def test_several_weight_files_have_one_digest(tmp_path: Path) -> None:
    for name in ("b.safetensors", "a.safetensors"):
        (tmp_path / name).write_bytes(name.encode())
    both = [tmp_path / "b.safetensors", tmp_path / "a.safetensors"]
    digest = digest_files(both)
    assert digest == digest_files(both[::-1])
    assert digest != digest_files(both[:1])
    (tmp_path / "a.safetensors").write_bytes(b"changed")
    assert digest != digest_files(both)


def test_shards_are_found_by_their_index(tmp_path: Path) -> None:
    index = {"weight_map": {"x": "model-2.safetensors", "y": "model-1.safetensors"}}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    found = weight_files(Source(name="sharded", path=tmp_path))
    assert [path.name for path in found] == ["model-1.safetensors", "model-2.safetensors"]


def test_a_model_in_the_hubs_cache_is_found_offline(
    tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The layout that `hf download` leaves: a revision by name, a snapshot by commit."""
    from huggingface_hub import constants

    commit = "0123456789abcdef0123456789abcdef01234567"
    repository = tmp_path / "models--someone--their-clip"
    copied(tiny("clip"), repository / "snapshots" / commit)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(commit)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    card = load_labeller("someone/their-clip", "cpu").card
    assert card.name == "someone/their-clip"
    weights = repository / "snapshots" / commit / "model.safetensors"
    assert card.sha256 == digest_files([weights])


def test_shipped_checkpoints_go_by_short_names() -> None:
    for name in ("tiny-sam", "tiny-sam.pth", "tiny-clip"):
        source = find_model(name)
        if source.path is None:
            pytest.skip(f"{name} is not shipped in this checkout")
        assert source.name == name
        assert source.path.exists()


def test_a_missing_extra_is_named() -> None:
    with pytest.raises(ModelMissing, match=r'pip install "lithograph\[vision\]"') as caught:
        require("no_such_package", subject="some-model")
    assert "no-such-package" in str(caught.value)
    assert caught.value.subject == "some-model"


def test_a_mismatched_pair_of_torch_builds_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "raise RuntimeError('operator torchvision::nms does not exist')"
    (tmp_path / "mismatched_pair.py").write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ModelError, match="same package index, as a pair"):
        require("mismatched_pair", subject="some-model")


@pytest.mark.parametrize(
    ("error", "becomes"),
    [
        (ImportError("needs sentencepiece"), ModelMissing),
        (OSError("broken"), ModelMissing),
        (ValueError("odd"), ModelError),
        (ModelError("said already"), ModelError),
    ],
)
def test_what_goes_wrong_while_loading_has_the_models_name(
    error: Exception, becomes: type[ModelError]
) -> None:
    with pytest.raises(becomes) as caught, loading(Source(name="a/model", path=None)):
        raise error
    assert type(caught.value) is becomes
    assert str(error) in str(caught.value)


def test_a_failure_inside_a_model_has_its_name(tiny: Tiny) -> None:
    card = load_labeller(str(tiny("clip")), "cpu").card
    says = r"clip failed on cpu while it slept: out of memory$"
    with pytest.raises(ModelError, match=says), running(card, "slept"):
        raise RuntimeError("out of memory\nat line 3")
    with pytest.raises(ValueError, match="your fault"), running(card, "slept"):
        raise ValueError("your fault")


def test_the_device_is_chosen_and_said(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert choose_device("auto", subject="m") == "cpu"
    assert load_labeller(str(tiny("clip"))).card.device == "cpu"
    with pytest.raises(ModelError, match="torch sees only: cpu"):
        load_labeller(str(tiny("clip")), "cuda:1")
    with pytest.raises(ValueError, match="device must be"):
        load_labeller(str(tiny("clip")), "gpu")
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert choose_device("auto", subject="m") == "mps"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert choose_device("auto", subject="m") == "cuda"
    assert choose_device("cuda:1", subject="m") == "cuda:1"
