"""``./understudy``: every command, thin; the work is done elsewhere and imported only where it is used."""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from config.errors import ConfigError, Problem

if TYPE_CHECKING:
    from config.provenance import Derived
    from config.system import Resolved
    from policies.verdict import Verdict

ROOT = Path(__file__).resolve().parent.parent

app = typer.Typer(
    name="understudy",
    help="Staging derived from a declared production: explained, checked, deployed.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
local = typer.Typer(
    help="The embedded default: engine, control plane and plugins on this machine.", no_args_is_help=True
)
app.add_typer(local, name="local")

StackOption = Annotated[
    str, typer.Option("--stack", "-s", help="The stack, a Pulumi.<stack>.yaml of this project.", envvar="STACK")
]


class Format(StrEnum):
    """How ``explain`` answers."""

    TABLE = "table"
    JSON = "json"
    MARKDOWN = "markdown"


class Report(StrEnum):
    """How ``policy`` answers."""

    TABLE = "table"
    JSON = "json"
    SARIF = "sarif"


class Only(StrEnum):
    """Which values ``explain`` lists."""

    DIFFERENCES = "differences"
    ALL = "all"


def _derived(stack: str) -> tuple[Resolved, dict[str, Derived]]:
    from config.derive import derive
    from config.loader import load
    from config.stack import read_stack

    settings = read_stack(ROOT / f"Pulumi.{stack}.yaml")
    return derive(load(settings.system), settings.environment)


def _verdict(stack: str) -> Verdict:
    from review.compose import verdict_of
    from review.graph import graph as record

    return verdict_of(stack, record(stack))


@app.command()
def explain(
    stack: StackOption = "staging",
    output: Annotated[Format, typer.Option("--format", help="table for people, json for programs.")] = Format.TABLE,
    only: Annotated[Only, typer.Option(help="Only the values that differ from production's.")] = Only.ALL,
) -> None:
    """Print where every value of an environment comes from, and why it differs from production."""
    from review.explain import markdown, records

    resolved, derivation = _derived(stack)
    listed = records(derivation, only_differences=only is Only.DIFFERENCES)
    if output is Format.JSON:
        typer.echo(json.dumps(listed, indent=1))
    elif output is Format.MARKDOWN:
        typer.echo(markdown(resolved, derivation), nl=False)
    else:
        from .tables import print_explanation

        print_explanation(resolved, derivation, listed)


@app.command()
def check(
    files: Annotated[list[Path] | None, typer.Argument(help="Systems' or stacks' files; default: all shipped.")] = None,
    since: Annotated[
        str, typer.Option(help="What runs now, as git has it (origin/main in CI): volumes must not shrink against it.")
    ] = "HEAD",
) -> None:
    """Check declarations: every mistake with file, line and how to mend it; exit code 2 when there is one."""
    from review.check import check as check_file
    from review.check import shipped

    problems: list[Problem] = []
    for file in files or shipped(ROOT):
        try:
            typer.echo(f"{file.name}: {check_file(file, since)}")
        except ConfigError as error:
            problems += error.problems
    if problems:
        raise ConfigError(*problems)


@app.command()
def policy(
    stack: StackOption = "staging",
    output: Annotated[
        Report, typer.Option("--format", help="table for people, json or sarif for programs.")
    ] = Report.TABLE,
) -> None:
    """Judge the stack's resources by every rule of the policy pack, without engine; exit code 1 when one is broken."""
    from policies import report
    from policies.rules import RULES

    verdict = _verdict(stack)
    if output is Report.TABLE:
        from .tables import print_verdict

        print_verdict(stack, verdict, RULES)
    else:
        typer.echo((report.as_json if output is Report.JSON else report.as_sarif)(stack, verdict, RULES))
    raise typer.Exit(0 if verdict.clean else 1)


@app.command()
def parity(
    system: Annotated[
        str, typer.Option(help="The system; each of its stacks is compared with its production.")
    ] = "spacetime",
    production_ref: Annotated[
        str | None, typer.Option(help="The commit that production runs: what is ahead of it is pending promotion.")
    ] = None,
    live: Annotated[
        tuple[Path, Path] | None,
        typer.Option(help="Two exported stacks to compare instead: production's, the other's."),
    ] = None,
    output: Annotated[Format, typer.Option("--format", help="table for people, json and markdown.")] = Format.TABLE,
) -> None:
    """Prove that every stack of a system is its production but for what was declared; exit code 1 when it is not."""
    from review import report
    from review.faithful import judge, judge_live

    found = [judge_live(system, *live)] if live else judge(system, production_ref)
    for result in found:
        if output is Format.TABLE:
            from .tables import print_parity

            print_parity(result)
        else:
            typer.echo((report.as_json if output is Format.JSON else report.as_markdown)(result))
    raise typer.Exit(0 if all(result.faithful for result in found) else 1)


@app.command()
def review(
    base: Annotated[str, typer.Option(help="The commit before: a branch, tag or hash.")],
    head: Annotated[str, typer.Option(help="The commit after.")] = "HEAD",
    preview_json: Annotated[
        list[str] | None,
        typer.Option(help="STACK=FILE of pulumi preview --json: the engine's plan instead of the graphs'."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Where the whole comment goes when it is too long to be one.")
    ] = None,
) -> None:
    """Print the reviewer's comment on a change, from both commits, without credentials; exit code 1 when the gate is closed."""
    from review.comment import render
    from review.compose import compose

    previews: dict[str, Path] = {}
    for given in preview_json or []:
        stack, separator, file = given.partition("=")
        if not separator:
            raise ConfigError(Problem("--preview-json", None, "", f"found {given!r}", "write STACK=FILE"))
        previews[stack] = Path(file)
    found = compose(base, head, previews)
    comment, whole = render(found)
    if whole is not None and out is not None:
        out.write_text(whole, encoding="utf-8")
    typer.echo(comment, nl=False)
    raise typer.Exit(1 if found.blocked else 0)


@app.command()
def post(
    file: Annotated[Path, typer.Argument(help="The comment, as review printed it.")],
    pull_request: Annotated[int, typer.Option(min=1, help="Its number.")],
    head: Annotated[
        str, typer.Option(help="The commit that was reviewed; a pull request that moved on is left alone.")
    ],
    repository: Annotated[str, typer.Option(envvar="GITHUB_REPOSITORY", help="owner/name")],
    token: Annotated[str, typer.Option(envvar="GITHUB_TOKEN", help="May write comments; from the environment.")],
    api: Annotated[str, typer.Option(envvar="GITHUB_API_URL")] = "https://api.github.com",
    author: Annotated[str, typer.Option(help="Whose comment is edited.")] = "github-actions[bot]",
) -> None:
    """Put a comment on a pull request, or edit the one that is there; whatever is in the file can do no harm."""
    import httpx

    from review.post import PullRequest, harmless

    try:
        body = harmless(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(Problem(str(file), None, "", f"cannot be read: {error}")) from None
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/vnd.github+json"}
    with httpx.Client(base_url=api, headers=headers, timeout=30, follow_redirects=False) as client:
        target = PullRequest(client, repository, pull_request)
        try:
            if target.head() != head:
                typer.echo(f"#{pull_request} is not at {head[:12]} any more; nothing was posted")
                return
            typer.echo(target.post(body, author))
        except (RuntimeError, httpx.HTTPError) as error:
            _fail(f"understudy: {error}", 1)


@app.command()
def schema() -> None:
    """Print the JSON Schema of a system's file (config/schema.json is this output)."""
    from config.schema import render

    typer.echo(render(), nl=False)


@app.command()
def graph(stack: StackOption = "staging") -> None:
    """Print the stack's resources as JSON, without engine, credentials or network; secrets never in the clear."""
    from review.graph import graph as record

    typer.echo(json.dumps(record(stack), indent=1))


@app.command()
def manifests(
    out: Annotated[Path, typer.Option(help="The folder for the files; made when it is not there.")],
    stack: StackOption = "staging",
) -> None:
    """Write the stack's Kubernetes objects, one YAML file each; secrets show where they come from, never a value."""
    from ruamel.yaml import YAML

    from review.graph import graph as record
    from review.graph import manifests as objects

    out.mkdir(parents=True, exist_ok=True)
    writer = YAML()
    count = 0
    for name, body in objects(record(stack)):
        with (out / name).open("w", encoding="utf-8") as handle:
            writer.dump(body, handle)
        count += 1
    typer.echo(f"{count} files in {out}")


@app.command()
def cluster(
    context: Annotated[str | None, typer.Option(help="Of the kubeconfig; default: the current one.")] = None,
) -> None:
    """Print the fingerprint that pins an environment to the cluster your kubeconfig leads to."""
    from config.cluster import certificate_authority, fingerprint

    authority = certificate_authority(context)
    if authority is None:
        fix = "pin it by UID: kubectl get namespace kube-system -o jsonpath={.metadata.uid}, as cluster.kubeSystemUid"
        raise ConfigError(Problem("kubeconfig", None, "", "the cluster names no certificate authority", fix))
    typer.echo(fingerprint(authority))


@local.command()
def up(
    stack: StackOption = "staging",
    dry_run: Annotated[bool, typer.Option(help="Show what would change, change nothing.", envvar="DRY_RUN")] = False,
    skip_tests: Annotated[
        bool, typer.Option(help="Do not run the smoke tests afterwards (none exist yet).", envvar="SKIP_TESTS")
    ] = False,
    load_seed_data: Annotated[
        bool, typer.Option(help="Load seed data afterwards (no data job exists yet).", envvar="LOAD_SEED_DATA")
    ] = True,
) -> None:
    """Bring the environment up: policies, cluster, engine, stack, resources. Quick when repeated."""
    from local.commands import up as run

    verdict = _verdict(stack)  # of everything, before the engine makes the first resource
    if not verdict.clean:
        from policies.rules import RULES

        from .tables import print_verdict

        print_verdict(stack, verdict, RULES)
        raise typer.Exit(1)

    raise typer.Exit(run(stack, dry_run=dry_run, skip_tests=skip_tests, load_seed_data=load_seed_data))


@local.command()
def preview(
    stack: StackOption = "staging",
    expect_no_changes: Annotated[bool, typer.Option(help="Fail when something would change.")] = False,
) -> None:
    """Show what `up` would change, and what policies and parity say of it."""
    from local.commands import preview as run
    from policies.rules import RULES
    from review.faithful import of_stack

    from .tables import print_parity, print_verdict

    code = run(stack, *(["--expect-no-changes"] if expect_no_changes else []))
    verdict, parity = _verdict(stack), of_stack(stack)
    print_verdict(stack, verdict, RULES)
    if parity is not None:
        print_parity(parity, whole=False)
    raise typer.Exit(code or (0 if verdict.clean and (parity is None or parity.faithful) else 1))


@local.command()
def refresh(stack: StackOption = "staging") -> None:
    """Read the cluster's objects into the stack's state, so that the next `up` repairs manual edits."""
    from local.commands import operate

    raise typer.Exit(operate(stack, "refresh", "--yes", "--skip-preview"))


@local.command()
def destroy(stack: StackOption = "staging") -> None:
    """Delete the environment's resources; the cluster stays."""
    from local.commands import operate

    raise typer.Exit(operate(stack, "destroy", "--yes", "--skip-preview"))


@local.command()
def status(stack: StackOption = "staging") -> None:
    """Show the processes of the stack's cluster."""
    from local.commands import status as run

    raise typer.Exit(run(stack))


@local.command()
def down(stack: StackOption = "staging") -> None:
    """Stop the stack's cluster; its data and the stack's state stay."""
    from local.commands import down as run

    run(stack)


def _fail(message: str, code: int) -> NoReturn:
    print(message, file=sys.stderr)
    raise SystemExit(code)


def main() -> None:
    """Runs a command; a user's mistake is answered in words, exit code 2, other trouble with exit code 1."""
    try:
        app(prog_name="understudy")
    except ConfigError as error:
        _fail(str(error), 2)
    except BrokenPipeError:
        _fail("", 1)
    except RuntimeError as error:
        if type(error).__name__ != "Trouble":
            raise
        _fail(f"understudy: {error}", 1)


if __name__ == "__main__":
    main()
