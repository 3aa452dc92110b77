"""Posts the comment to a pull request; an existing one is edited."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import tenacity

from config.errors import ConfigError, ExternalError, Problem

from .comment import LIMIT, MARKER

_ALLOWED_HTML = re.compile(r"</?(details|summary|b)>")
_HTML = re.compile(r"<[^>]*>?")
_FENCE = re.compile(r"(?ms)^(`{3,})[^\n]*\n.*?^\1[ \t]*$|`[^`\n]*`")


class CommentNotPosted(ExternalError):
    """GitHub refused the comment, or did not answer, after all retries."""


def _again(error: BaseException) -> bool:
    if isinstance(error, httpx.HTTPStatusError):
        response = error.response
        limited = response.status_code == httpx.codes.FORBIDDEN and (
            "retry-after" in response.headers or response.headers.get("x-ratelimit-remaining") == "0"
        )
        return limited or response.status_code == httpx.codes.TOO_MANY_REQUESTS or response.is_server_error
    return isinstance(error, httpx.TransportError)


def _pause(state: tenacity.RetryCallState) -> float:
    """Returns the pause in seconds: what GitHub requests, or else an increasing one of at most a minute."""
    error = state.outcome.exception() if state.outcome else None
    seconds = error.response.headers.get("retry-after") if isinstance(error, httpx.HTTPStatusError) else None
    if seconds is not None and seconds.isdigit():
        return min(float(seconds), 60.0)
    return min(0.5 * 2.0**state.attempt_number, 60.0)


@dataclass(frozen=True)
class PullRequest:
    """One pull request, by the API of GitHub (https://docs.github.com/rest/issues/comments)."""

    client: httpx.Client
    """A client with the API's base URL and an ``Authorization`` header."""
    repository: str
    """``owner/name``."""
    number: int

    @tenacity.retry(
        retry=tenacity.retry_if_exception(_again), stop=tenacity.stop_after_attempt(5), wait=_pause, reraise=True
    )
    def _ask(self, method: str, url: str, **more: Any) -> httpx.Response:
        return self.client.request(method, url, **more).raise_for_status()

    def head(self) -> str:
        """Returns the pull request's head commit."""
        return str(self._ask("GET", f"/repos/{self.repository}/pulls/{self.number}").json()["head"]["sha"])

    def _comments(self) -> Iterator[dict[str, Any]]:
        url: str | None = f"/repos/{self.repository}/issues/{self.number}/comments?per_page=100"
        while url:
            page = self._ask("GET", url)
            yield from page.json()
            url = page.links.get("next", {}).get("url")

    def post(self, body: str, author: str) -> str:
        """Edits ``author``'s comment that begins with the marker, or else creates one.

        Returns its URL. Raises ``CommentNotPosted``.
        """
        try:
            own = next(
                (c for c in self._comments() if c["body"].startswith(MARKER) and c["user"]["login"] == author), None
            )
            if own:
                response = self._ask(
                    "PATCH", f"/repos/{self.repository}/issues/comments/{own['id']}", json={"body": body}
                )
            else:
                response = self._ask(
                    "POST", f"/repos/{self.repository}/issues/{self.number}/comments", json={"body": body}
                )
        except (httpx.HTTPError, KeyError, ValueError) as error:
            raise CommentNotPosted(f"the comment was not posted: {error}") from None
        return str(response.json()["html_url"])


def deliver(body: str, number: int, author: str, environment: Mapping[str, str], head: str | None = None) -> str:
    """Posts to the pull request that the environment names; returns a sentence about the result.

    ``head`` is the reviewed commit: a pull request with another head is not changed. Raises ``ConfigError`` where
    environment variables are missing, ``CommentNotPosted`` where GitHub refuses.
    """
    missing = [name for name in ("GITHUB_REPOSITORY", "GITHUB_TOKEN") if not environment.get(name)]
    if missing:
        raise ConfigError(
            Problem("environment", None, "", f"{' and '.join(missing)} not set", "GitHub Actions sets them")
        )
    headers = {"Authorization": f"Bearer {environment['GITHUB_TOKEN']}", "Accept": "application/vnd.github+json"}
    api = environment.get("GITHUB_API_URL", "https://api.github.com")
    with httpx.Client(base_url=api, headers=headers, timeout=30, follow_redirects=False) as client:
        target = PullRequest(client, environment["GITHUB_REPOSITORY"], number)
        try:
            if head is not None and target.head() != head:
                return f"#{number} is not at {head[:12]} any more; nothing was posted"
        except (httpx.HTTPError, KeyError, ValueError) as error:
            raise CommentNotPosted(f"the comment was not posted: {error}") from None
        return target.post(body, author)


def harmless(text: str) -> str:
    """Returns a comment from an untrusted run, with mentions, links and markup disabled.

    Raises ``ConfigError`` when it does not have a comment's form, or is too long.
    """
    if not text.startswith(MARKER) or len(text) > LIMIT:
        message = f"{len(text)} characters" if text.startswith(MARKER) else "it does not begin with the marker"
        raise ConfigError(
            Problem("comment", None, "", f"this is no review: {message}", "write it with: ./understudy review")
        )
    body = text.removeprefix(MARKER)
    position, parts = 0, [MARKER]
    for code in _FENCE.finditer(body):  # text in code has no effect
        parts += [_tame(body[position : code.start()]), code[0]]
        position = code.end()
    parts.append(_tame(body[position:]))
    return "".join(parts)[:LIMIT]


def _tame(text: str) -> str:
    text = _HTML.sub(lambda tag: tag[0] if _ALLOWED_HTML.fullmatch(tag[0]) else "", text)
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", text)
    text = re.sub(r"(?i)\b(https?|ftp|mailto|javascript):", r"\1 :", text)
    return re.sub(r"@(?!\u200b)", "@\u200b", text)
