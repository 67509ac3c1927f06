"""SDKs without what no call of ours needs: their packages re-export two thousand modules of types, and import them all.

Here a package of an SDK imports what it re-exports name by name, each when somebody asks for it (PEP 562): the first
call of a process leaves half a second sooner. For a name that is no re-export the package's own code is run, as ever.
Functions that no usual call of ours needs are imported when they are called: 300 more modules come with them.
"""

import ast
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import find_spec
from threading import RLock
from types import ModuleType
from typing import Any

SDKS = ("anthropic", "openai")
# Modules whose functions are imported when they are called, as far as their names are in lower case (PEP 8): what makes
# the error of a refused call, and what fills the spans that our clients have switched off.
ON_CALL = ("_error_classes", "lib._tracing")
ASKED = "__getattr__"  # what a module is asked for names that it does not have
PATH = "__path__"  # what the import system asks a module for to learn whether it is a package

ReExports = Mapping[str, tuple[str, str]]


class LazyPackages(MetaPathFinder):
    """Finds what is imported name by name: SDKs, and all packages below their ``types``; and what is ``ON_CALL``."""

    def __init__(self, sdks: Sequence[str] = SDKS) -> None:
        self._sdks, self._types = frozenset(sdks), tuple(f"{sdk}.types" for sdk in sdks)
        self._on_call = frozenset(f"{sdk}.{module}" for sdk in sdks for module in ON_CALL)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        on_call = fullname in self._on_call
        if fullname not in self._sdks and not fullname.startswith(self._types) and not on_call:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        lazy = on_call or (spec is not None and spec.submodule_search_locations)
        if spec is not None and lazy and isinstance(spec.loader, SourceFileLoader):
            spec.loader = LazyModule(spec.loader, on_call=on_call)
        return spec


class LazyModule(Loader):
    """Loads a module: at first no more than where the names are that it re-exports, if it is a package.

    With ``on_call`` its functions are imported when they are called.
    """

    def __init__(self, whole: SourceFileLoader, *, on_call: bool = False) -> None:
        self._whole, self._on_call, self._lock = whole, on_call, RLock()

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._whole.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        is_package = PATH in module.__dict__
        exports = re_exports(self._whole.get_data(self._whole.path)) if is_package else {}
        module.__dict__[ASKED] = partial(self._find, module, exports)

    def _find(self, module: ModuleType, exports: ReExports, name: str) -> Any:
        """Return what the module calls ``name``. Raises AttributeError: nothing, or a module that nobody imported."""
        place = exports.get(name)
        if place is None and (name == PATH or is_submodule(module, name)):
            raise AttributeError(name, name=name, obj=module)
        if self._on_call and name.islower() and not name.startswith("_"):
            return partial(self._call, module, place, name)
        return self._import(module, place, name)

    def _import(self, module: ModuleType, place: tuple[str, str] | None, name: str) -> Any:
        if place:
            found = import_module(f"{module.__name__}.{place[0]}")
            return module.__dict__.setdefault(name, getattr(found, place[1]) if place[1] else found)
        with self._lock:
            if module.__dict__.pop(ASKED, None):
                self._whole.exec_module(module)
        return getattr(module, name)

    def _call(self, module: ModuleType, place: tuple[str, str] | None, name: str, *args: Any, **named: Any) -> Any:
        return self._import(module, place, name)(*args, **named)


def is_submodule(module: ModuleType, name: str) -> bool:
    """Tell whether a package has a module of that name, imported or not."""
    return PATH in module.__dict__ and not name.startswith("__") and find_spec(f"{module.__name__}.{name}") is not None


def re_exports(code: bytes) -> ReExports:
    r"""Map each name that a package takes from a module of its own to that module, and the name there or "".

    >>> re_exports(b"from .message import Message as Message\nfrom . import beta\nfrom .old import *")
    {'Message': ('message', 'Message'), 'beta': ('beta', '')}
    """
    taken = [node for node in ast.parse(code).body if isinstance(node, ast.ImportFrom) and node.level == 1]
    pairs = ((alias, node.module) for node in taken for alias in node.names if alias.name != "*")
    return {each.asname or each.name: (module, each.name) if module else (each.name, "") for each, module in pairs}


def make_lazy() -> None:
    """Have SDKs that are imported from now on import name by name."""
    if not any(isinstance(finder, LazyPackages) for finder in sys.meta_path):
        sys.meta_path.insert(0, LazyPackages())
