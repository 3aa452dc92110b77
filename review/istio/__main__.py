"""``python -m review.istio`` prints the objects of meshed environments as YAML, for ``istioctl analyze``."""

from __future__ import annotations

import sys

from ruamel.yaml import YAML

from config.derivation.provenance import BASE
from config.stack import read_stack

from ..graph import ROOT, STACKS, graph
from .world import World


def main() -> None:
    """Prints objects of Istio's kinds, and those that they name; Secrets without their values."""
    settings = {stack: read_stack(ROOT / f"Pulumi.{stack}.yaml") for stack in STACKS}
    world = World.of(*(graph(stack) for stack, s in settings.items() if s.environment != BASE and s.layer != "all"))
    kinds = ("Namespace", "Service", "Deployment", "Job", "CronJob")
    selected = [b for b in world.objects if "istio.io/" in b["apiVersion"] or b["kind"] in kinds]
    YAML(typ="safe", pure=True).dump_all(selected, sys.stdout)


if __name__ == "__main__":
    main()
