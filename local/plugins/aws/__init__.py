"""A stand-in for the official aws plugin: ``python -m local.plugins.aws``.

Every type is a row of ``table.yaml``: its id, ARN and outputs, the inputs whose change replaces it, and the calls of AWS'
API for its inputs. botocore validates every parameter of those calls; where there is an endpoint (``AWS_ENDPOINT_URL``,
moto's server) they are sent to it. The handling of each resource is one of ``real``, ``validated``, ``recorded``.
"""
