"""``python -m bench.explain <stack file>``: what ``./understudy explain --format json`` does, for any stack's file."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from config.derivation.derive import derive
from config.loader import load
from config.stack import read_stack
from review.explain import records

stack = read_stack(Path(sys.argv[1]))
_, derivation = derive(load(stack.system), stack.environment)
json.dump(records(derivation, only_differences=False), sys.stdout)
