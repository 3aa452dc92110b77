"""The provider's calls."""

from __future__ import annotations

import hashlib
import secrets as entropy
import threading
import time
from dataclasses import dataclass
from typing import Any

import httpx
from google.protobuf import empty_pb2
from pulumi.runtime.proto import provider_pb2

from ..serve import Provider, fail
from ..values import UNKNOWN, has_unknowns, read, write
from . import diff, fields
from .client import ApiError, Client, NoSuchKind, Object, Resource, active_cluster, wait_until
from .quantities import normalize
from .readiness import NotReady, annotation, timeout, wait
from .state import (
    AUTONAMED,
    BOOKKEEPING,
    autonamed,
    checkpoint,
    encode_string_data,
    identity_of,
    is_kind,
    kind_of,
    manager_name,
    merge_patch,
    place,
    secret_paths,
)

VERSION = "4.34.2"
"""Of the official plugin whose behaviour this is held to; the SDK is pinned to it."""
_EXISTS = """

The resource already exists in the cluster. This can happen when:

  - Renaming a Pulumi resource: use an alias to preserve the identity,
    or use deleteBeforeReplace if the resource needs replacement.
  - Managing an existing resource: use a Patch resource (e.g. NamespacePatch)
    to manage specific fields without owning the resource lifecycle.
  - Adopting a resource into Pulumi: use `pulumi import`. Note that
    protected resources (e.g. kube-system) cannot be deleted on destroy.
  - Intentional upsert: set upsertExistingObjects on the provider to allow
    server-side apply to update existing objects on create."""
_CONFLICT_HELP = (
    "https://www.pulumi.com/registry/packages/kubernetes/how-to-guides/managing-resources-with-server-side-apply/"
    "#handle-field-conflicts-on-existing-resources"
)


@dataclass(frozen=True)
class Settings:
    """The provider's configuration."""

    kubeconfig: str | None = None
    context: str | None = None
    namespace: str | None = None
    server_side_apply: bool = True
    mutable_config: bool = False
    mutable_secret: bool = False
    patch_force: bool = False
    upsert: bool = False


class Kubernetes(Provider):
    """Objects of any kind that the API server serves."""

    version = VERSION

    def __init__(self) -> None:
        self._settings = Settings()
        self._client: Client | None = None
        self._lock = threading.Lock()
        self._cancelled = threading.Event()

    # Configuration

    def DiffConfig(self, request: Any, context: Any) -> Any:
        (olds, _), (news, _) = read(request.olds), read(request.news)
        changed = [key for key in olds.keys() | news.keys() if key != "version" and olds.get(key) != news.get(key)]
        if news.get("clusterIdentifier"):
            replaces = {"clusterIdentifier"} & set(changed)
        else:  # only another cluster is another provider: a kubeconfig may move, or get new credentials
            same = _cluster(olds) == _cluster(news)
            replaces = set() if same else {"kubeconfig", "context", "cluster"} & set(changed)
        return provider_pb2.DiffResponse(
            changes=provider_pb2.DiffResponse.DIFF_SOME if changed else provider_pb2.DiffResponse.DIFF_NONE,
            diffs=sorted(changed),
            replaces=sorted(replaces),
        )

    def Configure(self, request: Any, context: Any) -> Any:
        given, _ = read(request.args)

        def flag(name: str, *, default: bool = False) -> bool:
            return str(given.get(name, default)).lower() == "true"

        self._settings = Settings(
            kubeconfig=given.get("kubeconfig"),
            context=given.get("context"),
            namespace=given.get("namespace"),
            server_side_apply=flag("enableServerSideApply", default=True),
            mutable_config=flag("enableConfigMapMutable"),
            mutable_secret=flag("enableSecretMutable"),
            patch_force=flag("enablePatchForce"),
            upsert=flag("upsertExistingObjects"),
        )
        return super().Configure(request, context)

    def Cancel(self, request: Any, context: Any) -> Any:
        self._cancelled.set()
        return empty_pb2.Empty()

    @property
    def client(self) -> Client:
        """Connected at the first need, so that a preview of a cluster to come needs none."""
        with self._lock:
            if self._client is None:
                self._client = Client(self._settings.kubeconfig, self._settings.context)
            return self._client

    # Inputs

    def Check(self, request: Any, context: Any) -> Any:
        olds, _ = read(request.olds)
        inputs, secrets = read(request.news)
        self._name(request, olds, inputs)
        if is_kind(inputs, "", "Secret"):
            encode_string_data(inputs, secrets)
        if not self._settings.server_side_apply:
            inputs["metadata"].setdefault("labels", {})["app.kubernetes.io/managed-by"] = "pulumi"
        return provider_pb2.CheckResponse(inputs=write(normalize(inputs), secrets))

    def _name(self, request: Any, olds: Object, inputs: Object) -> None:
        metadata = inputs.setdefault("metadata", {})
        if metadata == UNKNOWN:
            return
        if not metadata.get("name") and not metadata.get("generateName"):
            old = olds.get("metadata") or {}
            if (old.get("annotations") or {}).get(AUTONAMED) == "true":
                metadata["name"] = old["name"]
            else:
                seed = hashlib.sha256(request.randomSeed or entropy.token_bytes(16)).hexdigest()
                metadata["name"] = f"{request.urn.rpartition('::')[2]}-{seed[:8]}"
            metadata.setdefault("annotations", {})[AUTONAMED] = "true"
        if "namespace" not in metadata and self._namespaced(inputs):
            metadata["namespace"] = self._default_namespace()

    def _namespaced(self, inputs: Object) -> bool:
        try:
            return self.client.resource(inputs["apiVersion"], inputs["kind"]).namespaced
        except (NoSuchKind, ApiError, httpx.TransportError):
            return False

    def _default_namespace(self) -> str:
        return self._settings.namespace or self.client.namespace

    def Diff(self, request: Any, context: Any) -> Any:
        old, _ = read(request.old_inputs if len(request.old_inputs.fields) else request.olds)
        old = old if len(request.old_inputs.fields) else old.get("__inputs", old)
        new, _ = read(request.news)
        settings = self._settings
        forced = diff.force_new(
            new, old, mutable_config=settings.mutable_config, mutable_secret=settings.mutable_secret
        )
        response = provider_pb2.DiffResponse(hasDetailedDiff=True)
        kinds = provider_pb2.PropertyDiff.Kind
        for path, kind in diff.differences(old, new):
            replace = diff.replaces(path, forced)
            name = diff.render(path)
            response.detailedDiff[name].kind = kinds.Value(f"{kind.upper()}{'_REPLACE' if replace else ''}")
            response.detailedDiff[name].inputDiff = kind == "delete"
            if replace:
                response.replaces.append(name)
        found = bool(response.detailedDiff)
        response.changes = provider_pb2.DiffResponse.DIFF_SOME if found else provider_pb2.DiffResponse.DIFF_NONE
        # an object of the same name cannot exist beside the old one
        response.deleteBeforeReplace = bool(response.replaces) and place(old) == place(new) and not autonamed(new)
        return response

    # Objects

    def Create(self, request: Any, context: Any) -> Any:
        inputs, secrets = read(request.properties)
        manager = manager_name() if self._settings.server_side_apply else "pulumi-kubernetes"
        refused = f'resource "{request.urn}" was not successfully created by the Kubernetes API server: '
        try:
            if request.preview:
                live = self._dry_run(inputs, manager, create=True)
                return provider_pb2.CreateResponse(id="", properties=write(live, secret_paths(inputs, secrets)))
            live = self._create(inputs, manager)
        except (ApiError, NoSuchKind) as error:
            advice = _EXISTS if isinstance(error, ApiError) and error.reason == "AlreadyExists" else ""
            return fail(context, f"{refused}{error}{advice}")
        except httpx.TransportError as error:
            return fail(context, f"{refused}the cluster does not answer: {error}")
        identity = identity_of(live)
        problems: tuple[str, ...] = ()
        try:
            live = self._await(live, inputs, request.timeout)
        except NotReady as error:
            live, problems = error.live, error.reasons
        state = write(checkpoint(live, inputs, manager), secret_paths(inputs, secrets))
        if problems:
            first = (
                f'resource "{request.urn}" was successfully created, but the Kubernetes API server reported that it '
                f"failed to fully initialize or become live: {problems[0]}"
            )
            return _partial(context, identity, state, request.properties, [first, *problems[1:]])
        return provider_pb2.CreateResponse(id=identity, properties=state)

    def _create(self, inputs: Object, manager: str) -> Object:
        resource = self._resource_soon(inputs)
        namespace = inputs["metadata"].get("namespace", "")
        if self._settings.upsert:
            force = self._force(inputs)
            return self.client.apply(resource, namespace, inputs, manager, force=force, dry_run=False)
        try:
            return self.client.create(resource, namespace, inputs, manager)
        except ApiError as error:
            # a create that was repeated because the API server went away may find its own object
            found = None
            if error.reason == "AlreadyExists" and "name" in inputs["metadata"]:
                found = self.client.get(resource, namespace, inputs["metadata"]["name"])
            managers = [entry["manager"] for entry in (found or {}).get("metadata", {}).get("managedFields", [])]
            if found is None or manager == "pulumi-kubernetes" or manager not in managers:
                raise
            return found

    def _resource_soon(self, inputs: Object, seconds: float = 30) -> Resource:
        """A kind is served a moment after its CustomResourceDefinition exists."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                return self.client.resource(inputs["apiVersion"], inputs["kind"])
            except NoSuchKind:
                if not wait_until(deadline, self._cancelled):
                    raise

    def _dry_run(self, inputs: Object, manager: str, *, create: bool) -> Object:
        """What the API server would make of it; the inputs when it cannot tell yet."""
        if has_unknowns(inputs) or not self._settings.server_side_apply:
            return inputs
        namespace = inputs["metadata"].get("namespace", "")
        try:
            resource = self.client.resource(inputs["apiVersion"], inputs["kind"])
            if create:
                return self.client.create(resource, namespace, inputs, manager, dry_run=True)
            return self.client.apply(resource, namespace, inputs, manager, force=True, dry_run=True)
        except NoSuchKind:
            return inputs
        except ApiError as error:
            # its namespace may be part of the same update, what has its name may be about to go, and who may look is
            # not always who may change
            expected = error.code == httpx.codes.NOT_FOUND or error.reason == "AlreadyExists"
            if (create and expected) or error.code == httpx.codes.FORBIDDEN:
                return inputs
            raise

    def _await(self, live: Object, inputs: Object, custom: float) -> Object:
        resource = self.client.resource(live["apiVersion"], live["kind"])
        namespace, name = live["metadata"].get("namespace", ""), live["metadata"]["name"]
        seconds = timeout(inputs, custom)
        return wait(live, inputs, lambda: self.client.get(resource, namespace, name), seconds, self._cancelled)

    def _force(self, inputs: Object) -> bool:
        return self._settings.patch_force or annotation(inputs, "patchForce") == "true"

    def Read(self, request: Any, context: Any) -> Any:
        olds, _ = read(request.properties)
        inputs, secrets = read(request.inputs)
        known = inputs or olds.get("__inputs") or {}
        api_version, kind = kind_of(request.urn, known)
        namespace, _, name = request.id.rpartition("/")
        try:
            resource = self.client.resource(api_version, kind)
            live = self.client.get(resource, namespace or self._default_namespace(), name)
        except NoSuchKind:
            live = None
        except (ApiError, httpx.TransportError) as error:
            return fail(context, f"unable to read {request.id}: {error}")
        if live is None:
            return provider_pb2.ReadResponse()
        stated = fields.prune(live, known) if known else fields.importable(live)
        manager = olds.get("__fieldManager") or manager_name()
        hidden = secret_paths(stated, secrets)
        initial = olds.get("__initialApiVersion")
        return provider_pb2.ReadResponse(
            id=identity_of(live),
            inputs=write(stated, {path for path in hidden if path[0] != "__inputs"}),
            properties=write(checkpoint(live, stated, manager, initial), hidden),
        )

    def Update(self, request: Any, context: Any) -> Any:
        olds, _ = read(request.olds)
        inputs, secrets = read(request.news)
        manager = olds.get("__fieldManager") or manager_name()
        hidden = secret_paths(inputs, secrets)
        failed = f'the Kubernetes API server reported that "{request.id}" failed to fully initialize or become live: '
        state: Object = {key: value for key, value in olds.items() if key not in BOOKKEEPING}
        try:
            if request.preview:
                return provider_pb2.UpdateResponse(
                    properties=write(self._dry_run(inputs, manager, create=False), hidden)
                )
            state = self._update(inputs, olds, manager)
            state = self._await(state, inputs, request.timeout)
        except NotReady as error:
            problems, state = list(error.reasons), error.live
        except ApiError as error:
            problems = [_conflict(error, manager) if error.code == httpx.codes.CONFLICT else str(error)]
            state = self._current(inputs) or state
        except (NoSuchKind, httpx.TransportError) as error:
            problems = [str(error)]
        else:
            problems = []
        properties = write(checkpoint(state, inputs, manager, olds.get("__initialApiVersion")), hidden)
        if problems:
            problems[0] = f"{failed}{problems[0]}"
            return _partial(context, request.id, properties, request.old_inputs, problems)
        return provider_pb2.UpdateResponse(properties=properties)

    def _current(self, inputs: Object) -> Object | None:
        try:
            resource = self.client.resource(inputs["apiVersion"], inputs["kind"])
            return self.client.get(resource, inputs["metadata"].get("namespace", ""), inputs["metadata"]["name"])
        except (ApiError, NoSuchKind, httpx.TransportError):
            return None

    def _update(self, inputs: Object, olds: Object, manager: str) -> Object:
        resource = self._resource_soon(inputs)
        namespace, name = inputs["metadata"].get("namespace", ""), inputs["metadata"]["name"]
        if not self._settings.server_side_apply:
            patch = merge_patch(olds.get("__inputs", {}), inputs)
            return self.client.patch(resource, namespace, name, patch, "merge-patch", fieldManager=manager)
        self._take_over(resource, namespace, name, manager)
        return self.client.apply(resource, namespace, inputs, manager, force=self._force(inputs), dry_run=False)

    def _take_over(self, resource: Resource, namespace: str, name: str, manager: str, tries: int = 5) -> None:
        """Makes what was created by POST owned by apply, so that a field no longer stated goes away."""
        for attempt in range(tries):
            live = self.client.get(resource, namespace, name)
            managed = fields.manager_of_creation(live, manager) if live else None
            if live is None or managed is None:
                return
            patch = [
                {"op": "replace", "path": "/metadata/managedFields", "value": managed},
                {"op": "replace", "path": "/metadata/resourceVersion", "value": live["metadata"]["resourceVersion"]},
            ]
            try:
                self.client.patch(resource, namespace, name, patch, "json-patch")
                return
            except ApiError as error:
                if error.code != httpx.codes.CONFLICT or attempt == tries - 1:
                    raise

    def Delete(self, request: Any, context: Any) -> Any:
        olds, _ = read(request.properties)
        inputs = olds.get("__inputs") or olds
        api_version, kind = kind_of(request.urn, inputs)
        namespace, _, name = request.id.rpartition("/")
        propagation = {"orphan": "Orphan", "background": "Background"}.get(
            annotation(inputs, "deletionPropagationPolicy") or "", "Foreground"
        )
        try:
            resource = self.client.resource(api_version, kind)
            live = self.client.get(resource, namespace, name)
            if live is not None:
                self.client.delete(resource, namespace, name, propagation)
                self._await_gone(resource, live, timeout(inputs, request.timeout))
        except NoSuchKind:
            pass  # the kind is gone, and its objects with it
        except ApiError as error:
            if error.code != httpx.codes.NOT_FOUND:
                return fail(context, str(error))
        except (NotReady, httpx.TransportError) as error:
            return fail(context, str(error))
        return empty_pb2.Empty()

    def _await_gone(self, resource: Resource, live: Object, seconds: float) -> None:
        metadata = live["metadata"]
        deadline = time.monotonic() + seconds
        while found := self.client.get(resource, metadata.get("namespace", ""), metadata["name"]):
            if found["metadata"]["uid"] != metadata["uid"]:
                return
            if not wait_until(deadline, self._cancelled, 0.1):
                finalizers = ", ".join(found["metadata"].get("finalizers", [])) or "none"
                raise NotReady(
                    found, f"'{metadata['name']}' timed out waiting to be deleted (finalizers: {finalizers})"
                )


def _cluster(settings: Object) -> Object | None:
    return active_cluster(settings.get("kubeconfig"), settings.get("context"))


def _conflict(error: ApiError, manager: str) -> str:
    return (
        f"server-side apply field conflict detected, see {_CONFLICT_HELP} for troubleshooting help\n"
        f'The resource managed by field manager "{manager}" had an apply conflict: {error.message}'
    )


def _partial(context: Any, identity: str, state: Any, inputs: Any, reasons: list[str]) -> Any:
    details = provider_pb2.ErrorResourceInitFailed(id=identity, properties=state, reasons=reasons, inputs=inputs)
    return fail(context, "resource failed to initialize", details)
