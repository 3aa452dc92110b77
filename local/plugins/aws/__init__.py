"""A stand-in for the official aws plugin: ``python -m local.plugins.aws``.

Every type is a row of ``table.yaml``: its id, ARN and outputs, what replaces it, and the calls of AWS' API that its inputs are
translated to. botocore validates every parameter of those calls; where there is an endpoint (``AWS_ENDPOINT_URL``, moto's
server) they are made there. What happened to each resource is one of ``real``, ``validated``, ``recorded``.
"""
