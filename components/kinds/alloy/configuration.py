"""Alloy's own configuration: https://grafana.com/docs/alloy/v1.4/reference/components/."""

from __future__ import annotations

from components.core.blocks import Block, Reference, render

_META = "__meta_kubernetes_"


def configuration(namespace: str, url: str) -> str:
    """Returns the configuration.

    Logs of every container of the namespace, read through the API and pushed to Loki at ``url``.

    Labels: ``pod``, ``container``, ``component`` (the label ``app``) and, for lines in JSON, ``level``; other fields stay
    in the line.
    """
    labels = {
        "pod": f"{_META}pod_name",
        "container": f"{_META}pod_container_name",
        "component": f"{_META}pod_label_app",
    }
    return render(
        (
            Block(
                'discovery.kubernetes "pods"',
                {"role": "pod"},
                (Block("namespaces", {"names": [namespace]}),),
            ),
            Block(
                'discovery.relabel "pods"',
                {"targets": Reference("discovery.kubernetes.pods.targets")},
                tuple(
                    Block("rule", {"source_labels": [source], "target_label": label})
                    for label, source in labels.items()
                ),
            ),
            Block(
                'loki.source.kubernetes "pods"',
                {
                    "targets": Reference("discovery.relabel.pods.output"),
                    "forward_to": [Reference("loki.process.lines.receiver")],
                },
            ),
            Block(
                'loki.process "lines"',
                {"forward_to": [Reference("loki.write.default.receiver")]},
                (
                    Block("stage.json", {"expressions": {"level": "level"}}),
                    Block("stage.labels", {"values": {"level": "level"}}),
                ),
            ),
            Block('loki.write "default"', {}, (Block("endpoint", {"url": f"{url}/loki/api/v1/push"}),)),
        ),
        "=",
    )
