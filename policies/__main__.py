"""Starts the pack under its own name, independent of the name of the folder that it was published from."""

import importlib.util
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
SPEC = importlib.util.spec_from_file_location("policies", HERE / "__init__.py", submodule_search_locations=[str(HERE)])
assert SPEC is not None
assert SPEC.loader is not None
sys.modules["policies"] = module = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(module)

from policies.crossguard import start  # noqa: E402 - the package has just been made

start()
