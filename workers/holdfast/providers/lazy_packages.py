"""SDKs without what no call of ours needs: their packages re-export two thousand modules of types, and import them all.

Here a package of an SDK imports what it re-exports name by name, each when somebody asks for it (PEP 562): the first
call of a process leaves half a second sooner. For a name that is no re-export the package's own code is run, as ever.
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
ASKED = "__getattr__"  # what a module is asked for names that it does not have

ReExports = Mapping[str, tuple[str, str]]


class LazyPackages(MetaPathFinder):
    """Finds the packages that are imported name by name: SDKs, and all below their ``types``."""

    def __init__(self, sdks: Sequence[str] = SDKS) -> None:
        self._sdks, self._types = frozenset(sdks), tuple(f"{sdk}.types" for sdk in sdks)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in self._sdks and not fullname.startswith(self._types):
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.submodule_search_locations and isinstance(spec.loader, SourceFileLoader):
            spec.loader = LazyPackage(spec.loader)
        return spec


class LazyPackage(Loader):
    """Loads a package: at first no more than where the names are that it re-exports."""

    def __init__(self, whole: SourceFileLoader) -> None:
        self._whole, self._lock = whole, RLock()

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._whole.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        exports = re_exports(self._whole.get_data(self._whole.path))
        module.__dict__[ASKED] = partial(self._find, module, exports)

    def _find(self, module: ModuleType, exports: ReExports, name: str) -> Any:
        """Return what the package calls ``name``. Raises AttributeError: nothing, or a module that nobody imported."""
        if place := exports.get(name):
            found = import_module(f"{module.__name__}.{place[0]}")
            return module.__dict__.setdefault(name, getattr(found, place[1]) if place[1] else found)
        if not name.startswith("__") and find_spec(f"{module.__name__}.{name}"):
            raise AttributeError(name, name=name, obj=module)
        with self._lock:
            if module.__dict__.pop(ASKED, None):
                self._whole.exec_module(module)
        return getattr(module, name)


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
