"""What bench/house.py counts, read from the source of a checkout of any age."""

import ast
import re
import subprocess
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from house_words import ALLOWED, COINED, ORDINARY

SOURCES = ("shared", "producers", "workers")
LAB = re.compile(r"holdfast/(lab|sim)/|worker/(demo|drill)|cli/(demo|drill|sim)")  # before and after it had a folder
TEXTS = {".py", ".lua", ".md", ".toml", ".sql", ".svg", ".yaml", ".cfg", ""}
HISTORY = ("CHANGELOG.md", "docs/decisions/", "docs/figures.jsonl", "requirements/", "bench/house", "LICENSE")
BEFORE = "31cc24c"  # the last commit before the rebuilding
AREA = re.compile(r"^[a-z][a-z0-9_.-]*((, | and )[a-z][a-z0-9_.-]*)*: \S")
RECORDS = ("model/records.py", "model/job.py", "model/attempt.py", "store/tables/")  # what is stored, and its values
CODES = re.compile(r"holdfast/(wire|dialect)/((.*_)?codes\.py|codes/.*\.py)$")  # what providers say, and what it means
FEW = 3  # kinds of faults that make a collection a table

TWICE: Mapping[str, str] = {}
"""Class names that stand for two things, each with its reason."""


@dataclass(frozen=True, slots=True)
class Module:
    """One source file, parsed."""

    name: str  # dotted
    path: str  # from the root of its tree
    text: str
    tree: ast.Module

    @property
    def is_lab(self) -> bool:
        return LAB.search(self.path) is not None

    @property
    def classes(self) -> Iterator[ast.ClassDef]:
        return (node for node in ast.walk(self.tree) if isinstance(node, ast.ClassDef))

    def at(self, node: ast.stmt | ast.expr) -> str:
        return f"{self.path}:{node.lineno}"


@dataclass(frozen=True)
class Tree:
    """A checkout."""

    root: Path

    @cached_property
    def modules(self) -> tuple[Module, ...]:
        return tuple(
            _module(self.root, self.root / source, path)
            for source in SOURCES
            for path in sorted((self.root / source).rglob("*.py"))
        )

    @cached_property
    def texts(self) -> Mapping[str, str]:
        """Every tracked text but histories, by its path. Without git: of the source roots."""
        listed = subprocess.run(["git", "ls-files"], cwd=self.root, capture_output=True, text=True, check=False)
        found = [module.path for module in self.modules] if listed.returncode else listed.stdout.splitlines()
        names = (name for name in found if not name.startswith(HISTORY))
        paths = {name: self.root / name for name in names if Path(name).suffix in TEXTS}
        return {name: path.read_text(encoding="utf-8") for name, path in paths.items() if path.is_file()}


def _module(root: Path, source: Path, path: Path) -> Module:
    name = ".".join(path.relative_to(source).with_suffix("").parts).removesuffix(".__init__")
    text = path.read_text(encoding="utf-8")
    return Module(name, str(path.relative_to(root)), text, ast.parse(text))


# How large it is.


def lines(tree: Tree, *, lab: bool) -> int:
    """Lines of all Python files of the source roots, with those of the lab or without."""
    return sum(module.text.count("\n") for module in tree.modules if lab or not module.is_lab)


# How many values one job is.

NAMES_A_JOB = {"job", "job_id", "fence"}
WAY = re.compile(r"holdfast/(client|store|lanes|policy|worker|providers)/")
READERS = re.compile(
    r"store/(read|jobs|batches|records|outbox)\.py|client/(storage|local|list_filters|ended_jobs?|end_reader|event_\w+)\.py"
)


def job_records(tree: Tree) -> list[str]:
    """The values that carry one job from submit to its acknowledgement.

    Such a value is a frozen dataclass, NamedTuple, pydantic model or table outside lab, API, command line and wire
    that names a job: by a field ``job``, ``job_id`` or ``fence``, by ``id`` beside ``lane``, ``need`` or ``request``,
    or by a field of which the type is such a value. It is on the way when a module of client, store, lanes, policy,
    worker or providers makes one, other than those that read records for lists, results and events.
    """
    found = {module.name: dict(_records(module)) for module in tree.modules if not module.is_lab}
    chosen: dict[tuple[str, str], ast.ClassDef] = {}
    while True:
        more = {
            (module.name, name): node
            for module in tree.modules
            for name, node in found.get(module.name, {}).items()
            if (module.name, name) not in chosen and _names_a_job(module, node, set(chosen))
        }
        if not more:
            break
        chosen |= more
    made = _made(tree) | {key for key, node in chosen.items() if "SQLModel" in map(ast.unparse, node.bases)}
    paths = {module.name: module.path for module in tree.modules}
    return sorted(f"{paths[module]}: {name}" for module, name in chosen if (module, name) in made)


def _records(module: Module) -> Iterator[tuple[str, ast.ClassDef]]:
    if re.search(r"holdfast/(api|cli|wire|dialect|config|settings|dashboard)/", module.path):
        return
    for node in module.classes:
        decorators = " ".join(ast.unparse(each) for each in node.decorator_list)
        bases = {ast.unparse(base).rpartition(".")[2].partition("[")[0] for base in node.bases}
        acts = any(isinstance(each, ast.AsyncFunctionDef) for each in node.body)
        if ("dataclass" in decorators and not acts) or bases & {"NamedTuple", "BaseModel", "SQLModel"}:
            yield node.name, node


def _fields(node: ast.ClassDef) -> dict[str, ast.AnnAssign]:
    return {
        each.target.id: each
        for each in node.body
        if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name) and "ClassVar" not in ast.unparse(each)
    }


def _names_a_job(module: Module, node: ast.ClassDef, known: set[tuple[str, str]]) -> bool:
    fields = _fields(node)
    if NAMES_A_JOB & fields.keys() or ("id" in fields and {"lane", "need", "request"} & fields.keys()):
        return True
    words = {word for each in fields.values() for word in re.findall(r"\w+", ast.unparse(each.annotation))}
    return any(origin in known for origin in (_origins(module).get(word, (module.name, word)) for word in words))


def _origins(module: Module) -> dict[str, tuple[str, str]]:
    """Where the names that a module imports come from."""
    return {
        alias.asname or alias.name: (node.module, alias.name)
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names
    }


def _made(tree: Tree) -> set[tuple[str, str]]:
    """The classes that some module on the way of a job makes."""
    made: set[tuple[str, str]] = set()
    for module in tree.modules:
        if WAY.search(module.path) and not READERS.search(module.path) and not module.is_lab:
            origins = _origins(module)
            for node in ast.walk(module.tree):
                if isinstance(node, ast.Call):
                    for name in re.findall(r"\b[A-Z]\w+", ast.unparse(node.func)):
                        made.add(origins.get(name, (module.name, name)))
    return made


# How often it says one thing twice.


def fault_tables(tree: Tree) -> list[str]:
    """Collections and matches that list three or more kinds of faults by name, instead of asking the table of rules.

    The rules themselves are one. What providers' codes mean is none, nor is any mapping that only leads *to* kinds.
    """
    found = [
        module.path for module in tree.modules if module.path.endswith(("policy/fault_rules.py", "policy/conduct.py"))
    ]
    for module in tree.modules:
        if module.path not in found and not CODES.search(module.path):
            found += [f"{module.at(node)} {what}" for node, what in _tables(module)]
    return found


def _tables(module: Module) -> Iterator[tuple[ast.expr | ast.stmt, str]]:
    aliases = {name for name, (_, origin) in _origins(module).items() if origin == "FaultKind"} | {"FaultKind"}

    def kinds(*nodes: ast.AST | None) -> set[str]:
        inside = (each for node in nodes if node for each in ast.walk(node))
        members = (each for each in inside if isinstance(each, ast.Attribute) and isinstance(each.value, ast.Name))
        return {each.attr for each in members if each.value.id in aliases and each.attr.isupper()}

    def look(node: ast.AST) -> Iterator[tuple[ast.expr | ast.stmt, str]]:
        match node:
            case ast.Dict(keys):
                listed = kinds(*keys)
            case ast.Set() | ast.List() | ast.Tuple() | ast.MatchOr() | ast.BoolOp():
                listed = kinds(node)
            case ast.Match(_, cases):
                listed = kinds(*(case.pattern for case in cases))
            case _:
                listed = set()
        if len(listed) >= FEW:
            yield node, ", ".join(sorted(listed))  # type: ignore[misc]
            return
        for inner in ast.iter_child_nodes(node):
            if not (isinstance(node, ast.Dict) and inner in node.values):  # what a mapping leads to
                yield from look(inner)

    return look(module.tree)


def repeated_classes(tree: Tree) -> list[str]:
    """Class names with two meanings: defined in more than one place, and not in the list of reasons."""
    places: dict[str, list[str]] = defaultdict(list)
    for module in tree.modules:
        if "/versions/" not in module.path:
            for node in module.classes:
                places[node.name].append(module.at(node))
    return [f"{name}: {', '.join(at)}" for name, at in sorted(places.items()) if len(at) > 1 and name not in TWICE]


def excused_classes(_tree: Tree) -> list[str]:
    return sorted(TWICE)


def unexplained_fields(tree: Tree) -> list[str]:
    """The fields of stored records without a sentence of their own."""
    return [
        f"{module.at(each)} {node.name}.{name}"
        for module in tree.modules
        if any(part in module.path for part in RECORDS)
        for node in module.classes
        for name, each in _fields(node).items()
        if not _is_explained(module, node, each)
    ]


def _is_explained(module: Module, node: ast.ClassDef, each: ast.AnnAssign) -> bool:
    """Tell whether a string of words stands below the field, or words in the class's docstring or beside it."""
    below = node.body[node.body.index(each) + 1 :][:1]
    if below and isinstance(below[0], ast.Expr) and isinstance(below[0].value, ast.Constant):
        return True
    name = each.target.id if isinstance(each.target, ast.Name) else ""
    source = module.text.splitlines()
    beside = source[(each.end_lineno or each.lineno) - 1].partition("  # ")[2].removeprefix("noqa: ")
    above = source[each.lineno - 2].strip()
    return f"``{name}``" in (ast.get_docstring(node) or "") or " " in beside.strip() or above.startswith("#: ")


def string_imports(tree: Tree) -> list[str]:
    """Imports of our own modules by a string, which no linter sees. Entry points are none."""
    return [
        f"{module.at(node)} {node.args[0].value}"
        for module in tree.modules
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant)
        if ast.unparse(node.func).rpartition(".")[2] in {"import_module", "__import__", "run_module", "find_spec"}
        if str(node.args[0].value).startswith("holdfast.")
    ]


def circles(tree: Tree) -> list[str]:
    """Modules that import each other: inside functions, too, and where only a type checker reads it."""
    names = {module.name for module in tree.modules}
    graph = {module.name: set(_imports(module.tree, names)) - {module.name} for module in tree.modules}
    while leaves := {name for name, targets in graph.items() if not targets & graph.keys()}:
        graph = {name: targets for name, targets in graph.items() if name not in leaves}
    while tops := set(graph) - {target for targets in graph.values() for target in targets}:
        graph = {name: targets for name, targets in graph.items() if name not in tops}
    reach = {name: _reachable(name, graph) for name in graph}
    groups = {frozenset(other for other in reach[name] if name in reach[other]) for name in graph}
    return sorted(" ↔ ".join(sorted(group)) for group in groups if group)


def _imports(node: ast.AST, names: set[str]) -> Iterator[str]:
    for inner in ast.iter_child_nodes(node):
        match inner:
            case ast.ImportFrom(str(module), aliases):
                for alias in aliases:
                    yield next((each for each in (f"{module}.{alias.name}", module) if each in names), "")
            case ast.Import(aliases):
                yield from (alias.name for alias in aliases if alias.name in names)
        yield from _imports(inner, names)


def _reachable(start: str, graph: Mapping[str, set[str]]) -> set[str]:
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        fresh = (graph.get(waiting.pop(), set()) & graph.keys()) - seen
        seen |= fresh
        waiting += fresh
    return seen


# Which of its words are private.


def private_words(tree: Tree) -> list[str]:
    """Where words stand that names.md replaced: coined ones anywhere, ordinary ones as names in their part."""
    return [*_coined(tree), *_named(tree)]


def _coined(tree: Tree) -> Iterator[str]:
    words = [word for listed in COINED.values() for word in listed.split()]
    pattern = re.compile(r"(?<!\w)(" + "|".join(re.escape(word) for word in words) + r")(?!\w)")
    for name, text in tree.texts.items():
        for number, line in enumerate(text.splitlines(), 1):
            for found in pattern.findall(line):
                if not is_allowed(found, name):
                    yield f"{name}:{number} {found}"


def is_allowed(word: str, path: str) -> bool:
    return any(path.startswith(where) and what == word for where, what in (key.split(": ") for key in ALLOWED))


def _named(tree: Tree) -> Iterator[str]:
    for folder, listed in ORDINARY.items():
        words = set(listed.split())
        for module in tree.modules:
            if module.path.startswith(f"{folder}/"):
                for name, at in _definitions(module):
                    if name in words and not is_allowed(name, module.path):
                        yield f"{at} {name}"


def _definitions(module: Module) -> Iterator[tuple[str, str]]:
    """Every name that a module gives to something: itself, classes, functions, constants and fields."""
    yield Path(module.path).stem, module.path
    yield Path(module.path).parent.name, module.path
    for outer in ast.walk(module.tree):
        for node in getattr(outer, "body", []) if isinstance(outer, ast.Module | ast.ClassDef) else []:
            match node:
                case ast.ClassDef(name) | ast.FunctionDef(name) | ast.AsyncFunctionDef(name):
                    yield name, module.at(node)
                case ast.AnnAssign(ast.Name(name)) | ast.Assign([ast.Name(name)]):
                    yield name, module.at(node)


# How it is held, and how it was built.


def differential_cases(tree: Tree) -> int:
    """Cases in which a run of CI holds the gate's script against policy/admission.py: CASES of the test that does."""
    found = 0
    for path in (tree.root / "tests" / "lanes").glob("test_admission*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            match node:
                case ast.Assign([ast.Name("CASES")], ast.Constant(int(value))):
                    found += value
    return found


def nameless_commits(tree: Tree) -> list[str]:
    """Subjects of commits since the rebuilding began that name no area."""
    told = subprocess.run(
        ["git", "log", "--no-merges", "--format=%h %s", f"{BEFORE}..HEAD"],
        cwd=tree.root, capture_output=True, text=True, check=False,
    )  # fmt: skip
    commits = (line.partition(" ") for line in told.stdout.splitlines())
    return [f"{hash_} {subject}" for hash_, _, subject in commits if not AREA.match(subject)]
