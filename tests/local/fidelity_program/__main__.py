"""Makes the resources of the step in ``$FIDELITY_STEP``, exactly as they were passed to the SDK when it was recorded."""

import importlib
import json
import os
from pathlib import Path
from typing import Any

import pulumi

program = json.loads(Path(os.environ["FIDELITY_STEP"]).read_text(encoding="utf-8"))
made: dict[str, Any] = {}
provider = None
if program.get("provider") is not None:
    import pulumi_kubernetes

    provider = pulumi_kubernetes.Provider("k8s", **program["provider"])
for resource in program["resources"]:
    module, _, name = resource["class"].rpartition(".")
    options = dict(resource.get("opts") or {})
    options["depends_on"] = [made[other] for other in options.get("depends_on", [])]
    if provider is not None and resource["class"].startswith("pulumi_kubernetes"):
        options["provider"] = provider
    cls = getattr(importlib.import_module(module), name)
    made[resource["name"]] = cls(resource["name"], **resource["args"], opts=pulumi.ResourceOptions(**options))
