"""``./understudy``: every command. The work is done in other packages, which are imported only where they are used."""

from __future__ import annotations

import json
import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from config.errors import ConfigError, Problem, UnderstudyError
from jobs.sanitize.commands import app as sanitize

from .local import local
from .options import ContextOption, StackOption

if TYPE_CHECKING:
    from config.derivation.provenance import Derived
    from config.system import Resolved

ROOT = Path(__file__).resolve().parent.parent

AuthorOption = Annotated[str, typer.Option(help="Whose comment is edited.")]

app = typer.Typer(
    name="understudy",
    help="Staging derived from a declared production: explained, checked, deployed.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.add_typer(local, name="local")
app.add_typer(sanitize, name="sanitize")


class Format(StrEnum):
    """Output formats of ``explain``."""

    TABLE = "table"
    JSON = "json"
    MARKDOWN = "markdown"


class Answer(StrEnum):
    """Output formats of ``doctor``."""

    TABLE = "table"
    JSON = "json"


class Report(StrEnum):
    """Output formats of ``check`` and ``policy``."""

    TABLE = "table"
    JSON = "json"
    SARIF = "sarif"


class Only(StrEnum):
    """Which values ``explain`` lists."""

    DIFFERENCES = "differences"
    ALL = "all"


def _derived(stack: str) -> tuple[Resolved, dict[str, Derived]]:
    from config.derivation.derive import derive
    from config.loader import load
    from config.stack import read_stack

    settings = read_stack(ROOT / f"Pulumi.{stack}.yaml")
    return derive(load(settings.system), settings.environment)


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
    output: Annotated[
        Report, typer.Option("--format", help="table for people, json or sarif for programs.")
    ] = Report.TABLE,
) -> None:
    """Check declarations: prints every mistake with file, line and remedy; exit code 2 when there is one."""
    from review import findings
    from review.check import shipped

    report = findings.examine(files or shipped(ROOT), since)
    if output is not Report.TABLE:
        typer.echo((findings.as_json if output is Report.JSON else findings.as_sarif)(report))
        raise typer.Exit(ConfigError.exit_code if report.errors else 0)
    for name, summary in report.valid.items():
        typer.echo(f"{name}: {summary}")
    for finding in report.findings:
        if finding.severity == "warning":
            typer.echo(f"warning: {finding.problem}", err=True)
    if report.errors:
        raise ConfigError(*report.errors)


@app.command()
def policy(
    stack: StackOption = "staging",
    output: Annotated[
        Report, typer.Option("--format", help="table for people, json or sarif for programs.")
    ] = Report.TABLE,
) -> None:
    """Evaluate all rules of the policy pack on the stack's resources, without an engine; exit code 1 for a violation."""
    from policies import report
    from policies.rules import RULES
    from review.compose import verdict_of

    verdict = verdict_of(stack)
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
    """Prove that every stack of a system equals its production but for declared differences; exit code 1 when it does not."""
    from review import report
    from review.parity_runner import judge, judge_live

    results = [judge_live(system, *live)] if live else judge(system, production_ref)
    for result in results:
        if output is Format.TABLE:
            from .tables import print_parity

            print_parity(result)
        else:
            typer.echo((report.as_json if output is Format.JSON else report.as_markdown)(result))
    raise typer.Exit(0 if all(result.faithful for result in results) else 1)


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
    post: Annotated[
        int | None, typer.Option(min=1, help="Also put it on this pull request, as the command post does.")
    ] = None,
    author: AuthorOption = "github-actions[bot]",
) -> None:
    """Print the reviewer's comment on a change, from both commits, without credentials; exit code 1 when a check fails."""
    from review.comment import render
    from review.compose import compose

    previews: dict[str, Path] = {}
    for given in preview_json or []:
        stack, separator, file = given.partition("=")
        if not separator:
            raise ConfigError(Problem("--preview-json", None, "", f"found {given!r}", "write STACK=FILE"))
        previews[stack] = Path(file)
    pull_request = compose(base, head, previews)
    comment, whole = render(pull_request)
    if whole is not None and out is not None:
        out.write_text(whole, encoding="utf-8")
    typer.echo(comment, nl=False)
    if post is not None:
        from review.post import deliver

        typer.echo(deliver(comment, post, author, os.environ), err=True)
    raise typer.Exit(1 if pull_request.blocked else 0)


@app.command()
def post(
    file: Annotated[Path, typer.Argument(help="The comment, as review printed it.")],
    pull_request: Annotated[int, typer.Option(min=1, help="Its number.")],
    head: Annotated[
        str, typer.Option(help="The commit that was reviewed; a pull request that moved on is left alone.")
    ],
    author: AuthorOption = "github-actions[bot]",
) -> None:
    """Put a comment on a pull request, or edit the existing one; the file's content is made harmless first.

    Reads GITHUB_REPOSITORY, GITHUB_TOKEN and GITHUB_API_URL.
    """
    from review.post import deliver, harmless

    try:
        body = harmless(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(Problem(str(file), None, "", f"cannot be read: {error}")) from None
    typer.echo(deliver(body, pull_request, author, os.environ, head))


@app.command()
def schema() -> None:
    """Print the JSON Schema of a system's file (config/schema.json is this output)."""
    from config.schema import render

    typer.echo(render(), nl=False)


@app.command()
def graph(stack: StackOption = "staging") -> None:
    """Print the stack's resources as JSON, without engine, credentials or network; secret values are hidden."""
    from review.graph import graph as record

    typer.echo(json.dumps(record(stack), indent=1))


@app.command()
def manifests(
    out: Annotated[Path, typer.Option(help="The folder for the files; made when it is not there.")],
    stack: StackOption = "staging",
) -> None:
    """Write the stack's Kubernetes objects, one YAML file each; secrets show their origin, not their value."""
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
def vpn(
    values: Annotated[
        Path,
        typer.Argument(help="`pulumi stack output vpn --json --show-secrets` of the platform's stack; - for stdin."),
    ],
    stack: StackOption = "staging",
) -> None:
    """Write the OpenVPN profile of an environment's network, <system>-<environment>.ovpn, readable only by you."""
    from .openvpn import read, write

    source = "standard input" if str(values) == "-" else str(values)
    try:
        text = sys.stdin.read() if str(values) == "-" else values.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(Problem(source, None, "", (error.strerror or "cannot be read").lower())) from None
    resolved, _ = _derived(stack)
    file = Path(f"{resolved.system}-{resolved.environment.name}.ovpn")
    write(read(text, source), file)
    typer.echo(f"{file}: openvpn --config {file}")


@app.command()
def images(
    stack: StackOption,
    tags: Annotated[
        list[str] | None,
        typer.Argument(help="Component and tag, such as backend=staging-latest; default: every tag as it is."),
    ] = None,
) -> None:
    """Resolve the stack's image tags to digests, in its file, so that a later deployment runs the same images."""
    from config.derivation.derive import derive
    from config.kinds.workload import Workload
    from config.loader import load
    from config.stack import read_stack

    from .images import pin

    file = ROOT / f"Pulumi.{stack}.yaml"
    settings = read_stack(file)
    resolved, _ = derive(load(settings.system), settings.environment)
    repositories = {name: c.image for name, c in resolved.components.items() if isinstance(c, Workload)}
    repositories |= {f"{name}-canary": image for name, image in repositories.items()}
    tags_given = {name: tag for name, _, tag in (word.partition("=") for word in tags or ())}
    for name, tag in tags_given.items():
        if name not in repositories or not tag:
            fix = f"write <component>=<tag>; known: {', '.join(sorted(name for name in repositories if '-canary' not in name))}"
            raise ConfigError(Problem(f"Pulumi.{stack}.yaml", None, f"{name}={tag}", "no image has that name", fix))
    for name, written in pin(file, repositories, tags_given or settings.images).items():
        typer.echo(f"{name}  {written}")


@app.command()
def doctor(
    stack: StackOption = "staging",
    context: ContextOption = None,
    output: Annotated[Answer, typer.Option("--format", help="table for people, json for programs.")] = Answer.TABLE,
) -> None:
    """Report what an environment needs of a cluster and what is missing; exit code 1 when something would fail.

    The cluster is only read.
    """
    from doctor.examine import as_json, would_fail

    from .doctor import examined, print_results

    results, where = examined(stack, context)
    if output is Answer.JSON:
        typer.echo(as_json(stack, where, results))
    else:
        print_results(stack, where, results)
    raise typer.Exit(1 if would_fail(results) else 0)


@app.command()
def cluster(
    context: Annotated[str | None, typer.Option(help="Of the kubeconfig; default: the current one.")] = None,
) -> None:
    """Print the fingerprint that pins an environment to the cluster of your kubeconfig."""
    from config.reading.kubeconfig import certificate_authority, fingerprint

    authority = certificate_authority(context)
    if authority is None:
        fix = "pin it by UID: kubectl get namespace kube-system -o jsonpath={.metadata.uid}, as cluster.kubeSystemUid"
        raise ConfigError(Problem("kubeconfig", None, "", "the cluster names no certificate authority", fix))
    typer.echo(fingerprint(authority))


def _fail(message: str, code: int) -> NoReturn:
    print(message, file=sys.stderr)
    raise SystemExit(code)


def main() -> None:
    """Runs a command. An ``UnderstudyError`` becomes one message and its exit code."""
    try:
        app(prog_name="understudy")
    except ConfigError as error:
        _fail(str(error), error.exit_code)
    except UnderstudyError as error:
        _fail(f"understudy: {error}", error.exit_code)
    except BrokenPipeError:
        _fail("", 1)


if __name__ == "__main__":
    main()
