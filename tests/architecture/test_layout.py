"""The shape of the repository: what is where, how long, and who imports whom."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOTS = ("shared", "producers", "workers")
CODE = sorted(path for root in ROOTS for path in (ROOT / root).rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
LONGEST_FILE, LONGEST_FUNCTION = 400, 50  # lines
WHOLE = {"system", "hosts"}  # folders of tests with real processes on several hosts or one
SLEEPS = {"time.sleep", "asyncio.sleep", "anyio.sleep"}
HEAVY = {"anthropic", "openai"}
UNUSED = re.compile(r"^(helper|helpers|util|utils|common|misc|manager|managers|handler|handlers|task|tasks)$")
HOSTS = re.compile(r"https?://[^\s\"']*/simple\b|index-url\s*=?\s*https?:", re.IGNORECASE)


def tracked() -> list[Path]:
    """Files that belong to the project; without git, those of the source roots."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    paths = [ROOT / name for name in listed.stdout.splitlines()] if listed.returncode == 0 else [*CODE, *TESTS]
    return [path for path in paths if path.is_file()]


@pytest.mark.parametrize("root", ROOTS)
def test_no_stray_file_hides_the_other_source_roots(root: str) -> None:
    assert not (ROOT / root / "holdfast" / "__init__.py").exists()


def test_every_folder_of_modules_says_what_it_is_for() -> None:
    """Those of migrations excepted: alembic reads it, and nobody imports it."""
    for folder in {path.parent for path in CODE if path.parent.name not in {"versions", "holdfast"}}:
        assert ast.get_docstring(ast.parse((folder / "__init__.py").read_text())), folder


def test_every_part_tells_type_checkers_of_its_types() -> None:
    """Portions of a namespace have a marker each (PEP 561); tests/system/test_install.py looks from outside."""
    parts = [part for root in ROOTS for part in (ROOT / root / "holdfast").iterdir() if (part / "__init__.py").exists()]
    assert [part for part in parts if not (part / "py.typed").exists()] == []


@pytest.mark.parametrize("path", [*CODE, *TESTS], ids=lambda path: str(path.relative_to(ROOT)))
def test_files_and_functions_are_small(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= LONGEST_FILE
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and "versions" not in path.parts:
            assert (node.end_lineno or 0) - node.lineno < LONGEST_FUNCTION, f"{node.name} is too long"


def test_modules_have_names_that_say_something() -> None:
    assert [path for path in CODE if UNUSED.match(path.stem)] == []


def test_tests_wait_for_things_and_never_for_time() -> None:
    """Outside whole-process tests a sleep stands in a loop that looks for something, or serves slowly on purpose."""
    assert [each for path in TESTS if WHOLE.isdisjoint(path.parts) for each in plain_sleeps(path)] == []


def plain_sleeps(path: Path) -> list[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    looped = {
        id(inner) for outer in ast.walk(tree) if isinstance(outer, ast.While | ast.For) for inner in ast.walk(outer)
    }
    return [
        f"{path.relative_to(ROOT)}:{call.lineno}"
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and ast.unparse(call.func) in SLEEPS and id(call) not in looped
        if ast.unparse(call.args[0]) != "0"
    ]


def test_no_file_names_a_package_registry() -> None:
    offenders = []
    for path in tracked():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        if path != Path(__file__) and HOSTS.search(text):
            offenders.append(path.relative_to(ROOT))
    assert offenders == []


def test_every_pinned_package_has_a_hash() -> None:
    for name in ("run", "dev"):
        text = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
        pins = re.findall(r"^([a-z0-9][\w.-]*)==\S+(.*(?:\n    --hash=\S+.*)*)", text, re.MULTILINE)
        assert pins
        assert [package for package, hashes in pins if "--hash=sha256:" not in hashes] == []


def test_imports_go_downwards_only() -> None:
    contracts = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert contracts.returncode == 0, contracts.stdout + contracts.stderr


def imported_by(statement: str) -> set[str]:
    """Top-level packages that a fresh interpreter has imported after ``statement``."""
    code = f"{statement}\nimport sys\nprint(' '.join({{name.partition('.')[0] for name in sys.modules}}))"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(shown.stdout.splitlines()[-1].split())


@pytest.mark.parametrize("module", ["holdfast.client", "holdfast.client.local", "holdfast.api", "holdfast.cli.main"])
def test_producers_do_without_the_sdks(module: str) -> None:
    assert not imported_by(f"import {module}") & HEAVY


def test_help_imports_nothing_heavy() -> None:
    """What keeps ``holdfast --help`` quick, wherever it runs; bench/help.py measures the time itself."""
    asked = "import sys; sys.argv = ['holdfast', '--help']\nfrom holdfast.cli.main import run\n"
    shown = imported_by(asked + "try:\n    run()\nexcept SystemExit:\n    pass")
    assert not shown & (
        HEAVY | {"pydantic", "sqlalchemy", "sqlmodel", "redis", "dramatiq", "fastapi", "httpx2", "aiohttp"}
    )


@pytest.mark.parametrize("package", [path.parent for path in CODE if "\n    def __getattr__" in path.read_text()])
def test_no_name_that_is_imported_when_asked_for_is_called_like_a_module_beside_it(package: Path) -> None:
    """The import of that module would put it in the name's place, and who asks then gets the module."""
    tree = ast.parse((package / "__init__.py").read_text())
    assigned = {ast.unparse(node.targets[0]): node.value for node in tree.body if isinstance(node, ast.Assign)}
    assert not set(ast.literal_eval(assigned["__all__"])) & {path.stem for path in package.glob("*.py")}
