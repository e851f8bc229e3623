"""What the pages for contributors name exists, and the templates and workflows can be read."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]  # PyYAML ships no types

ROOT = Path(__file__).parents[1]
GITHUB = ROOT / ".github"
SOURCE = ROOT / "src" / "igniter_connectors"
PAGES = sorted(GITHUB.rglob("*.md"))
YAML = sorted([*GITHUB.rglob("*.yml"), ROOT / ".pre-commit-config.yaml"])
FOLDERS = (ROOT, SOURCE)
"""A path in a page is relative to one of these."""

_PATH = re.compile(r"\.?\w[\w.-]*(?:/[\w.-]+)*/?(?:::[\w.]+)?")
_SUFFIXES = (".py", ".md", ".toml", ".yml", ".yaml", ".json")
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_MAX_LINES = 300


def paths_in(text: str) -> list[str]:
    """The code spans of a page that are paths: they contain a slash, or end as a file does.

    A command counts by each of its words, so `uv run pytest -q tests/core` names `tests/core`.
    """
    outside_blocks = re.sub(r"^ *```.*?^ *```", "", text, flags=re.DOTALL | re.MULTILINE)
    words = [word for span in re.findall(r"`([^`\n]+)`", outside_blocks) for word in span.split()]
    return [word for word in words if _PATH.fullmatch(word) and _is_path(word)]


def _is_path(word: str) -> bool:
    return "/" in word or word.partition("::")[0].endswith(_SUFFIXES)


def fault_of(path: str) -> str | None:
    """Why a path, or the function behind its `::`, is not there; None if it is."""
    file, _, name = path.partition("::")
    found = next((folder / file for folder in FOLDERS if (folder / file).exists()), None)
    if found is None:
        return f"{file} does not exist"
    if name and name not in names_in(found):
        return f"{file} has no {name}"
    return None


@lru_cache
def names_in(file: Path) -> frozenset[str]:
    """The functions, classes, methods (`Class.method`) and values that a file defines."""
    return frozenset(_names(ast.parse(file.read_text()), ""))


def _names(parent: ast.AST, prefix: str) -> Iterator[str]:
    for node in ast.iter_child_nodes(parent):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield prefix + node.name
            if isinstance(node, ast.ClassDef):
                yield from _names(node, f"{prefix}{node.name}.")
        elif isinstance(node, ast.AnnAssign | ast.Assign):
            targets = [node.target] if isinstance(node, ast.AnnAssign) else node.targets
            yield from (prefix + target.id for target in targets if isinstance(target, ast.Name))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(GITHUB)))
def test_everything_that_a_page_names_exists(page: Path) -> None:
    """Every path, every function behind a path, and every relative link."""
    text = page.read_text()
    assert [fault for path in paths_in(text) if (fault := fault_of(path))] == []
    for link in _LINK.findall(text):
        if "://" not in link and not link.startswith("#"):
            assert (page.parent / link.partition("#")[0]).exists(), link


def test_the_pages_name_paths_and_functions() -> None:
    """The test above does not pass because it finds nothing."""
    named = [path for page in PAGES for path in paths_in(page.read_text())]
    assert len(named) > 100
    assert sum("::" in path for path in named) > 20


@pytest.mark.parametrize(
    ("path", "fault"),
    [
        ("core/scope.py", None),
        ("core/scope.py::Scope", None),
        ("tests/test_contributing.py::fault_of", None),
        ("manager/connectors.py::Connectors.handle", None),
        ("tests/test_contributing.py::ROOT", None),
        (".ci/run", None),
        ("flows/", None),
        ("core/scopes.py", "core/scopes.py does not exist"),
        ("core/scope.py::Scopes", "core/scope.py has no Scopes"),
        ("manager/connectors.py::handle", "manager/connectors.py has no handle"),
        ("flow/", "flow/ does not exist"),
    ],
)
def test_a_wrong_name_is_found(path: str, fault: str | None) -> None:
    """A file, a folder, a function or a method that is not there."""
    assert fault_of(path) == fault


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ("`core/scope.py` and `README.md`", ["core/scope.py", "README.md"]),
        ("`uv run pytest -q tests/core`", ["tests/core"]),
        ("`core/scope.py::Scope.identity`", ["core/scope.py::Scope.identity"]),
        ("`/webhooks/{connector}` and `https://x.example/y`", []),
        ("`Result`, `adapters/<name>/` and `igniter_connectors.testing`", []),
        ("  ```python\n  a = `b/c`\n  ```\n", []),
        ("`.ci/run`", [".ci/run"]),
    ],
)
def test_paths_are_told_from_other_code(text: str, paths: list[str]) -> None:
    """Routes, addresses, module names, placeholders and code blocks are no paths."""
    assert paths_in(text) == paths


def test_long_files_are_listed_with_a_reason() -> None:
    """The list in ARCHITECTURE.md is exact, and each entry says why."""
    section = (GITHUB / "ARCHITECTURE.md").read_text().split("\n## Files past 300 lines\n")[1]
    rows = re.findall(r"^\| `([^`]+)` \| (.+) \|$", section.split("\n## ")[0], re.MULTILINE)
    long = {
        str(file.relative_to(SOURCE))
        for file in SOURCE.rglob("*.py")
        if len(file.read_text().splitlines()) > _MAX_LINES
    }
    assert {file for file, _ in rows} == long
    assert all(len(reason.split()) > 3 for _, reason in rows)


@pytest.mark.parametrize("file", YAML, ids=lambda file: file.name)
def test_every_template_and_workflow_is_valid_yaml(file: Path) -> None:
    """GitHub ignores a file that it cannot read, without a message."""
    assert isinstance(yaml.safe_load(file.read_text()), dict)


@pytest.mark.parametrize(
    "file",
    [file for file in YAML if file.parent.name == "ISSUE_TEMPLATE" and file.name != "config.yml"],
    ids=lambda file: file.name,
)
def test_an_issue_form_has_what_github_requires(file: Path) -> None:
    """A name, a description, and fields with an id and a label of their own."""
    form = yaml.safe_load(file.read_text())
    fields = [part for part in form["body"] if part["type"] != "markdown"]
    assert form["name"]
    assert form["description"]
    assert fields
    assert len({field["id"] for field in fields}) == len(fields)
    assert all(field["attributes"]["label"] for field in fields)


def test_the_workflow_and_the_classifiers_name_the_same_pythons() -> None:
    """What is announced is what is tested."""
    workflow = yaml.safe_load((GITHUB / "workflows" / "ci.yml").read_text())
    tested = workflow["jobs"]["checks"]["strategy"]["matrix"]["python"]
    announced = re.findall(
        r'"Programming Language :: Python :: (3\.\d+)"', (ROOT / "pyproject.toml").read_text()
    )
    assert tested == announced


def test_actions_are_pinned_to_a_commit() -> None:
    """A tag can be moved; the one exception is the branch that its maintainers recommend."""
    uses = [
        used
        for file in (GITHUB / "workflows").glob("*.yml")
        for used in re.findall(r"uses: (\S+)", file.read_text())
    ]
    assert uses
    for used in uses:
        assert re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", used) or used.endswith("@release/v1"), used
