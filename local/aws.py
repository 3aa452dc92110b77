"""``aws`` on the local engine's PATH: implements only ``eks get-token``, with the local cluster's administrator.

The program's kubeconfig requests a token from the official CLI, as EKS' own does; the cluster that stands in for EKS here
accepts client certificates.
"""

from __future__ import annotations

import base64
import json
import os
import sys
from pathlib import Path


def main() -> int:
    """Prints an ExecCredential."""
    if sys.argv[1:3] != ["eks", "get-token"]:
        print("aws: the local stand-in knows 'eks get-token' only; install the AWS CLI for the rest", file=sys.stderr)
        return 2
    content = json.loads(Path(os.environ["KUBECONFIG"]).read_text(encoding="utf-8"))
    user = content["users"][0]["user"]
    status = {
        "clientCertificateData": base64.b64decode(user["client-certificate-data"]).decode(),
        "clientKeyData": base64.b64decode(user["client-key-data"]).decode(),
    }
    credential = {"apiVersion": "client.authentication.k8s.io/v1beta1", "kind": "ExecCredential", "status": status}
    print(json.dumps(credential))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
