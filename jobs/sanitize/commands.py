"""``sanitize plan | run | verify | mark``: by hand ``./understudy sanitize``, in a container ``python -m jobs.sanitize``.

Connection strings come from ``SANITIZE_SOURCE`` and ``SANITIZE_TARGET``, or from files that ``…_FILE`` names (mounted
secrets), because every user of a machine can read arguments.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from config.errors import ConfigError, Problem

if TYPE_CHECKING:
    from jobs.sanitize.copy.kubernetes_workers import Place
    from jobs.sanitize.plan.model import Plan

    from .refresh import ProgressReporter
    from .request import RefreshRequest

app = typer.Typer(
    name="sanitize",
    help="Sanitised data: production's tables, masked where they are read, proved clean, swapped in at once.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

SystemOption = Annotated[str, typer.Option(help="The system, or the file of its contract.", envvar="SANITIZE_SYSTEM")]
DatabaseOption = Annotated[
    str | None,
    typer.Option(help="Which of the contract's databases; default: the only one.", envvar="SANITIZE_DATABASE"),
]
WorkersOption = Annotated[int, typer.Option(min=1, help="Processes that copy, and sessions that index and prove.")]
ConfigMapOption = Annotated[
    str | None,
    typer.Option(help="NAMESPACE/NAME of a ConfigMap for the receipt; in a pod.", envvar="SANITIZE_CONFIGMAP"),
]
AsOfOption = Annotated[
    datetime | None,
    typer.Option(help="The time (UTC) a restored snapshot is of; default: now.", envvar="SANITIZE_AS_OF"),
]


@app.command()
def plan(
    system: SystemOption, database: DatabaseOption = None, as_of: AsOfOption = None, output: Annotated[
        str, typer.Option("--format", help="table for people, json for programs.")
    ] = "table",
) -> None:  # fmt: skip
    """Report the effect of a refresh, and what would stop it (exit codes 1 and 2); writes nothing.

    Where SANITIZE_TARGET is set, staging is checked too: everything is built there once without rows, and rolled back.
    """
    from jobs.sanitize.preview import previewed

    request = _request(system, database, as_of=as_of, target=False)
    with previewed(request) as refresh_plan:
        _print(refresh_plan, output)
    if not request.target:
        print("SANITIZE_TARGET is not set: what staging would refuse is not known", file=sys.stderr)


@app.command()
def run(
    system: SystemOption,
    database: DatabaseOption = None,
    workers: WorkersOption = 2,
    as_of: AsOfOption = None,
    backups: Annotated[Path, typer.Option(help="The folder for staging-backup-*.sql.gz.")] = Path("staging-backups"),
    no_backup: Annotated[bool, typer.Option("--no-backup", help="Replace staging without a backup.")] = False,
    overrides: Annotated[
        Path | None, typer.Option(help="SQL that is run in the copy before it is proved: what only staging has.")
    ] = None,
    fingerprints: Annotated[
        bool,
        typer.Option("--fingerprints", help="Compare by fingerprint also where production has no value of the form."),
    ] = False,
    receipt: Annotated[Path, typer.Option(help="The file for the receipt.")] = Path("sanitize-receipt.json"),
    metrics: Annotated[Path | None, typer.Option(help="The file for metrics in Prometheus' text format.")] = None,
    configmap: ConfigMapOption = None,
    already_masked: Annotated[
        bool, typer.Option("--already-masked", help="The source is a sanitised copy: copy it as it is, and prove it.")
    ] = False,
    fleet: Annotated[
        str | None,
        typer.Option(help="NAMESPACE/NAME of an Indexed Job for the workers; in a pod.", envvar="SANITIZE_FLEET"),
    ] = None,
    fleet_image: Annotated[str, typer.Option(help="Its image, with digest.", envvar="SANITIZE_FLEET_IMAGE")] = "",
    fleet_secret: Annotated[
        str,
        typer.Option(help="The Secret with the connection strings: source, target.", envvar="SANITIZE_FLEET_SECRET"),
    ] = "",
    wait: Annotated[
        float, typer.Option(min=0, help="Seconds that sessions with a lock on staging's tables are waited for.")
    ] = 60,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Do everything up to the first write.")] = False,
) -> None:
    """Replace staging's data by a masked, proven copy.

    After any failure the old data stay; exit code 1 when the proof fails.
    """
    from jobs.sanitize.preview import previewed
    from jobs.sanitize.proof.receipt import write_metrics

    from .refresh import refresh

    request = _request(
        system, database, as_of=as_of, workers=workers, backups=None if no_backup else backups, fingerprints=fingerprints,
        overrides=_read(overrides), masked=already_masked, place=_place(fleet, fleet_image, fleet_secret), wait=wait,
    )  # fmt: skip
    if dry_run:
        with previewed(request) as refresh_plan:
            _print(refresh_plan, "table")
        typer.echo("nothing was written")
        return
    with _progress() as report_progress:
        done = refresh(request, report_progress)
    if metrics is not None:
        write_metrics(done, metrics)
    _keep(done, receipt, configmap)
    rows = sum(table["after"] for table in done["tables"].values())
    typer.echo(f"{rows} rows in {len(done['tables'])} tables, {len(done['checks'])} checks held; {receipt}")
    typer.echo(f"proved: {'; '.join(done['proves'])}\nnot proved: {'; '.join(done['doesNotProve'])}")


@app.command()
def verify(
    system: SystemOption,
    database: DatabaseOption = None,
    workers: WorkersOption = 2,
) -> None:
    """Prove staging's present data, against the contract and production; exit code 1 when they are not clean."""
    from .refresh import verify as prove

    result = prove(_request(system, database, workers=workers))
    typer.echo(f"{len(result.done)} checks held")


@app.command()
def snapshot(system: SystemOption, database: DatabaseOption = None, workers: WorkersOption = 2) -> None:
    """In the sanitising account: mask production's newest shared snapshot into prod-sanitized-*, and share the result.

    Reads AWS_REGION, SNAPSHOT_PREFIX, ENGINE, INSTANCE_CLASS, RESTORE_SUBNET_GROUP, SECURITY_GROUPS, SNAPSHOT_KEY,
    SHARE_WITH (lists by comma), DATABASE_NAME.
    """
    from jobs.sanitize.snapshots import refresh as snapshot_refresh

    typer.echo(
        snapshot_refresh.snapshot(
            _request(system, database, source=False, target=False, workers=workers), _variables(), _say
        )
    )


@app.command()
def restore(
    system: SystemOption,
    database: DatabaseOption = None,
    workers: WorkersOption = 2,
    overrides: Annotated[Path | None, typer.Option(help="SQL that is run in the copy before it is proved.")] = None,
    receipt: Annotated[Path, typer.Option(help="The file for the receipt.")] = Path("sanitize-receipt.json"),
    configmap: ConfigMapOption = None,
) -> None:
    """In staging's account: copy the newest shared prod-sanitized-* snapshot into staging's cluster.

    Reads the variables of the data-sync CronJob: AWS_REGION, SNAPSHOT_PREFIX, RESTORE_KEY, RESTORE_SUBNET_GROUP,
    TARGET_CLUSTER, TEMPORARY_CLUSTER, DATABASE_NAME; and SANITIZE_TARGET, staging's connection string.
    """
    from jobs.sanitize.snapshots import refresh as snapshot_refresh

    request = _request(system, database, source=False, workers=workers, overrides=_read(overrides), masked=True)
    done = snapshot_refresh.restore(request, _variables(), _say)
    _keep(done, receipt, configmap)
    typer.echo(
        f"{sum(table['after'] for table in done['tables'].values())} rows, {len(done['checks'])} checks held; {receipt}"
    )


def _keep(done: Mapping[str, Any], file: Path, configmap: str | None) -> None:
    from jobs.sanitize.proof import receipt

    file.write_text(receipt.canonical(done), encoding="utf-8")
    if configmap is not None:
        namespace, _, name = configmap.partition("/")
        receipt.keep(done, namespace, name)


def _say(text: str) -> None:
    print(f"· {text} …", file=sys.stderr)


def _variables() -> Callable[[str], str]:
    """Returns variables of this process; raises ``ConfigError`` for one that is not set."""

    def read(name: str) -> str:
        if not os.environ.get(name):
            raise ConfigError(Problem(name, None, "", "is not set", f"export {name}=…"))
        return os.environ[name]

    return read


@app.command()
def mark(
    system: SystemOption,
    database: DatabaseOption = None,
    environment: Annotated[str, typer.Option(help="What the target is.")] = "staging",
) -> None:
    """Mark the target as an environment of the system; a refresh requires the mark."""
    from . import guards
    from .connection import connect

    request = _request(system, database, source=False)
    with connect(request.target, "target") as target:
        guards.mark(request.target, target, request.contract, request.database, environment)
    typer.echo(f"marked as {environment} of {request.contract.system}")


def _request(
    system: str,
    database: str | None,
    *,
    source: bool = True,
    target: bool = True,
    as_of: datetime | None = None,
    workers: int = 2,
    backups: Path | None = None,
    fingerprints: bool = False,
    overrides: str = "",
    masked: bool = False,
    place: Place | None = None,
    wait: float = 60,
) -> RefreshRequest:
    from config.model.contract import load
    from jobs.sanitize.contract.compare import unsupported

    from .request import RefreshRequest, check_as_of

    contract = load(system)
    names = sorted(contract.databases)
    if not names:
        raise ConfigError(contract.problem((), "the contract has no database", "nothing is copied for this system"))
    if database is None and len(names) > 1:
        raise ConfigError(Problem("--database", None, "", "the contract has several", f"one of {', '.join(names)}"))
    chosen = database or names[0]
    if chosen not in names:
        raise ConfigError(Problem("--database", None, "", f"found {chosen!r}", f"one of {', '.join(names)}"))
    if problems := list(unsupported(contract, chosen)):
        raise ConfigError(*problems)
    if as_of is not None:
        check_as_of(as_of, "--as-of")
    return RefreshRequest(
        contract,
        chosen,
        _conninfo("SANITIZE_SOURCE") if source else "",
        _conninfo("SANITIZE_TARGET") if target else _given("SANITIZE_TARGET"),
        workers,
        as_of.replace(tzinfo=as_of.tzinfo or UTC) if as_of else None,
        backups,
        overrides,
        masked,
        place,
        wait,
        fingerprints,
    )


def _place(fleet: str | None, image: str, secret: str) -> Place | None:
    from jobs.sanitize.copy.kubernetes_workers import Place

    if fleet is None:
        return None
    namespace, _, name = fleet.partition("/")
    for option, value in (("--fleet", name), ("--fleet-image", image), ("--fleet-secret", secret)):
        if not value:
            raise ConfigError(
                Problem(option, None, "", "is missing", "--fleet NAMESPACE/NAME --fleet-image … --fleet-secret …")
            )
    return Place(namespace, name, image, name, secret)


def _given(name: str) -> str:
    file = os.environ.get(f"{name}_FILE")
    return _read(Path(file)).strip() if file else os.environ.get(name, "")


def _conninfo(name: str) -> str:
    conninfo = _given(name)
    if not conninfo:
        fix = f"export {name}='host=… dbname=… user=… password=…', or {name}_FILE, a file with it"
        raise ConfigError(Problem(name, None, "", "is not set", fix))
    return conninfo


def _read(path: Path | None) -> str:
    if path is None:
        return ""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(Problem(str(path), None, "", f"cannot be read: {error}")) from None


@contextmanager
def _progress() -> Iterator[ProgressReporter]:
    """Shows a bar for each phase on a terminal, else a line."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    console = Console(stderr=True, highlight=False)
    if not console.is_terminal:
        seen: set[tuple[str, bool]] = set()

        def say(name: str, share: float) -> None:
            if share in (0, 1) and (name, share == 1) not in seen:
                seen.add((name, share == 1))
                console.print(f"{'✓' if share else '·'} {name}{'' if share else ' …'}")

        yield say
        return
    tasks: dict[str, TaskID] = {}
    columns = (TextColumn("{task.description:<12}"), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as progress:

        def move(name: str, share: float) -> None:
            if name not in tasks:
                tasks[name] = progress.add_task(name, total=1)
            progress.update(tasks[name], completed=share)

        yield move


def _print(refresh_plan: Plan, output: str) -> None:
    if output == "json":
        tables = {
            name: {"before": table.before, "after": table.after, "bytes": table.estimate, "format": table.form}
            for name, table in refresh_plan.tables.items()
        }
        lines = {
            "system": refresh_plan.system,
            "database": refresh_plan.database,
            "tables": tables,
            "stores": refresh_plan.stores,
        }
        more = {"warnings": list(refresh_plan.warnings), "notCopied": refresh_plan.definitions.left}
        typer.echo(json.dumps({**lines, **more, **refresh_plan.hashes}, indent=1))
        return
    from rich.console import Console
    from rich.table import Table

    console = Console()
    shown = Table(
        "Table",
        "Rows before",
        "Rows after",
        "Rule",
        "Masked",
        "As they are",
        title=f"{refresh_plan.system}: {refresh_plan.database}",
    )
    for name, table in refresh_plan.tables.items():
        rule = table.rules.rows if isinstance(table.rules.rows, str) else _rule(table.rules.rows)
        masked = sum(item.mask is not None for item in table.fields)
        shown.add_row(name, str(table.before), str(table.after), rule, str(masked), str(len(table.fields) - masked))
    console.print(shown)
    for store, fate in refresh_plan.stores.items():
        console.print(f"{store}: {fate}")
    for missing in refresh_plan.definitions.left:
        print(f"not copied: {missing}", file=sys.stderr)
    for warning in refresh_plan.warnings:
        print(f"warning: {warning}", file=sys.stderr)


def _rule(rows: object) -> str:
    from config.model.contract import Limit, Window

    if isinstance(rows, Limit):
        return f"the newest {rows.limit} by {rows.newest}"
    assert isinstance(rows, Window)
    return f"the last {rows.window} by {rows.on}"
