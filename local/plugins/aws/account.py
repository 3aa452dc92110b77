"""The AWS account of calls: moto's server, or none."""

from __future__ import annotations

import os
from functools import cached_property
from typing import Any

from botocore.exceptions import ClientError
from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel
from botocore.session import Session

from .request import parameters
from .table import Call, Row

NOBODY = "000000000000"
"""The account number where no server runs and the program names none."""


class Account:
    """Sends calls of the table's rows; without an endpoint they are validated only."""

    def __init__(self, region: str, allowed: list[str], endpoint: str | None = None) -> None:
        self.region, self.endpoint = region, endpoint or os.environ.get("AWS_ENDPOINT_URL")
        self._allowed = allowed
        self._loader = Loader()
        self._clients: dict[str, Any] = {}
        self._models: dict[str, ServiceModel] = {}

    @cached_property
    def id(self) -> str:
        """The account number, twelve digits."""
        if self.endpoint:
            return str(self._client("sts").get_caller_identity()["Account"])
        return self._allowed[0] if self._allowed else NOBODY

    def refused(self) -> str | None:
        """Returns why the program may not use this account; empty when it may."""
        if self._allowed and self.id not in self._allowed:
            return f"the credentials are of account {self.id}; the provider allows {', '.join(self._allowed)}"
        return None

    def operation(self, service: str, name: str) -> OperationModel:
        """Returns botocore's description of an operation, such as ``CreateVpc``."""
        if service not in self._models:
            self._models[service] = ServiceModel(self._loader.load_service_model(service, "service-2"), service)
        return self._models[service].operation_model(name)

    def call(self, row: Row, call: Call, inputs: dict[str, Any], own: dict[str, str]) -> dict[str, Any] | None:
        """Returns the answer; ``None`` when the call was only validated. Raises ``Mistake`` and ``ClientError``."""
        service = call.service or row.service
        assert service is not None
        request = parameters(row, call, self.operation(service, call.operation), inputs, own)
        if self.endpoint is None or not (row.real and call.real):
            return None
        client = self._client(service)
        if call.until:
            client.get_waiter(call.until).wait(**request, WaiterConfig={"Delay": 1, "MaxAttempts": 30})
            return {}
        try:
            return dict(client._make_api_call(call.operation, request))
        except ClientError as error:
            if call.unless and error.response["Error"]["Code"] == call.unless:
                return {}
            raise

    def empty(self, bucket: str) -> None:
        """Deletes every version of every object."""
        if self.endpoint is None:
            return
        client = self._client("s3")
        for page in client.get_paginator("list_object_versions").paginate(Bucket=bucket):
            versions = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
            objects = [{"Key": item["Key"], "VersionId": item["VersionId"]} for item in versions]
            if objects:
                client.delete_objects(Bucket=bucket, Delete={"Objects": objects, "Quiet": True})

    def gone(self, error: ClientError) -> bool:
        """Returns whether an error means that the resource does not exist."""
        code = str(error.response.get("Error", {}).get("Code", ""))
        return "NotFound" in code or "NoSuch" in code or code.endswith("NotFoundFault") or code == "404"

    def _client(self, service: str) -> Any:
        if service not in self._clients:
            self._clients[service] = Session().create_client(
                service,
                region_name=self.region,
                endpoint_url=self.endpoint,
                aws_access_key_id="local",
                aws_secret_access_key="local",  # noqa: S106 - moto asks for some
            )
        return self._clients[service]
