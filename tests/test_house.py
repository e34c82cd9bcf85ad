"""The layout's own rules: imports go one way, files stay small, the public face is sorted."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "lithograph"

#: Each module may import those above it, and no other.
ORDER = [
    "errors",
    "resources",
    "config",
    "entities",
    "masks",
    "samples",
    "vocabulary",
    "images",
    "vision",
    "rdf",
    "queries",
    "gate",
    "graph",
    "formats",
    "annotate",
    "pictures",
    "workspace",
    "demo",
    "cli",
    "__main__",
]
#: Parts that nobody may load by only importing the package or asking for help.
HEAVY = ["torch", "transformers", "rdflib", "pyshacl", "PIL", "scipy", "pyoxigraph", "pycocotools"]


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def part_of(path: Path) -> str:
    relative = path.relative_to(PACKAGE)
    return relative.parts[0].removesuffix(".py")


def imported(path: Path) -> set[str]:
    """The parts of the package that a module imports, for typing alone or not."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            names = node.module.split(".")
            if names[0] == "lithograph":
                found |= {names[1]} if len(names) > 1 else {alias.name for alias in node.names}
        elif isinstance(node, ast.Import):
            for alias in node.names:
                names = alias.name.split(".")
                if names[0] == "lithograph" and len(names) > 1:
                    found.add(names[1])
    return found & set(ORDER)


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_go_one_way(path: Path) -> None:
    part = part_of(path)
    if part == "__init__":
        return
    assert part in ORDER, f"{part} has no place in the order"
    allowed = set(ORDER[: ORDER.index(part) + 1])
    # An error carries an admission: it names the type, and imports it for typing alone.
    allowed |= {"entities"} if part == "errors" else set()
    assert imported(path) <= allowed, f"{path.name} imports {imported(path) - allowed}"


@pytest.mark.parametrize(
    "path",
    [*modules(), *sorted((ROOT / "tests").rglob("*.py"))],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_no_file_holds_two_ideas(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").count("\n")
    assert lines <= 450, f"{path.name} has {lines} lines: split it"


def test_no_file_is_named_after_nothing() -> None:
    banned = {"utils", "helpers", "core", "common", "services", "managers", "misc"}
    assert not [path for path in modules() if path.stem in banned or path.parent.name in banned]


def test_public_names_are_sorted_and_exist() -> None:
    import lithograph

    assert lithograph.__all__ == sorted(lithograph.__all__)
    for name in lithograph.__all__:
        assert getattr(lithograph, name).__doc__ or name == "__version__"
    assert set(lithograph.__all__) <= set(dir(lithograph))


def test_an_unknown_public_name_is_an_attribute_error() -> None:
    import lithograph

    with pytest.raises(AttributeError, match="no_such_name"):
        lithograph.no_such_name  # noqa: B018


@pytest.mark.parametrize("statement", ["import lithograph", "import lithograph.cli"])
def test_importing_loads_nothing_heavy(statement: str) -> None:
    code = f"{statement}\nimport sys\nprint([m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_no_print_exit_or_assert_in_the_library() -> None:
    for path in modules():
        if part_of(path) in {"cli", "__main__"}:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            assert not isinstance(node, ast.Assert), f"{path.name}:{node.lineno}: assert"
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in {"print", "exit", "quit"}, f"{path.name}:{node.lineno}"


def test_no_address_and_no_path_of_a_machine_is_tracked() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False
    ).stdout.split(b"\0")
    if listed == [b""]:
        pytest.skip("not a git checkout")
    machine = re.compile(rb"(^|[\s\"'=(])/(home|root|work|Users)/[a-z]")
    registry = re.compile(rb"index-url|/simple/|\"resolved\": *\"http")
    for name in filter(None, listed):
        path = ROOT / name.decode()
        if not path.is_file() or path.suffix in {".safetensors", ".pth", ".png", ".svg"}:
            continue
        if path == Path(__file__):
            continue
        content = path.read_bytes()
        assert not machine.search(content), f"{path}: a path of one machine"
        assert not registry.search(content), f"{path}: a registry's address"


def test_every_term_of_ours_is_declared() -> None:
    """The terms that the code writes stand in the ontology."""
    ontology = (ROOT / "ontology" / "lithograph.ttl").read_text(encoding="utf-8")
    declared = set(re.findall(r"^lg:(\w+)\b", ontology, re.MULTILINE))
    for path in [*modules(), *(ROOT / "queries").glob("*.rq"), *(ROOT / "shapes").glob("*.ttl")]:
        used = set(re.findall(r"\blg:([A-Za-z]\w*)", path.read_text(encoding="utf-8")))
        used -= {"status"} if path.suffix == ".py" else set()
        unknown = used - declared - {"status"}
        assert not unknown, f"{path.name}: lg:{sorted(unknown)} is not in ontology/lithograph.ttl"
