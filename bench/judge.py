"""``python -m bench.judge <stack file>``: seconds that ``policy`` and ``parity`` take on the stack's recorded graph."""

from __future__ import annotations

import json
import sys
import time
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

from policies.exemptions import Ledger
from policies.rules import RULES
from policies.verdict import judge
from review.graph import graph
from review.parity import compare

file = Path(sys.argv[1])
with TemporaryDirectory() as folder:
    other = Path(folder) / "Pulumi.production.yaml"
    other.write_text(file.read_text().replace("environment: staging", "environment: production"))
    staging, production = graph("bench", file), graph("production", other)
start = time.monotonic()
judge(staging, RULES.values(), Ledger((), date(2026, 1, 1)), "bench")
middle = time.monotonic()
compare(production, staging)
json.dump({"policy": middle - start, "parity": time.monotonic() - middle}, sys.stdout)
