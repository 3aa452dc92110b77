"""``python -m bench.modules <stack>``: the modules of Pulumi's SDKs that the stack's graph needs, as JSON."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from review.graph import ROOT
from review.record import record

record(Path(ROOT), sys.argv[1])
print(json.dumps([name for name in sys.modules if name.split(".")[0].startswith("pulumi")]))
