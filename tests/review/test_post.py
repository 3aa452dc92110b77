"""The comment on a pull request, against a server that answers as GitHub's API does."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest

from config.errors import ConfigError
from review.comment import LIMIT, MARKER
from review.post import CommentNotPosted, PullRequest, deliver, harmless

BOT = "github-actions[bot]"


class GitHub(ThreadingHTTPServer):
    """Comments in pages of two, whatever page size is asked for; trouble on request."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.comments: list[dict[str, Any]] = []
        self.trouble: list[tuple[int, dict[str, str]]] = []
        self.asked: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def add(self, login: str, body: str) -> None:
        self.comments.append({"id": len(self.comments) + 1, "user": {"login": login}, "body": body, "html_url": "u"})


class Handler(BaseHTTPRequestHandler):
    server: GitHub

    def log_message(self, *_: Any) -> None:
        """Silence."""

    def _answer(self, status: int, content: Any, headers: dict[str, str] | None = None) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _handle(self) -> None:
        github = self.server
        github.asked.append(f"{self.command} {self.path}")
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if github.trouble:
            status, headers = github.trouble.pop(0)
            self._answer(status, {"message": "no"}, headers)
        elif "/pulls/" in self.path:
            self._answer(200, {"head": {"sha": "abc"}})
        elif self.command == "GET":
            page = int(self.path.partition("&page=")[2] or 1)
            found = github.comments[(page - 1) * 2 : page * 2]
            more = page * 2 < len(github.comments)
            path = self.path.partition("&page=")[0]
            self._answer(200, found, {"Link": f'<{github.url}{path}&page={page + 1}>; rel="next"'} if more else {})
        elif self.command == "PATCH":
            comment = next(c for c in github.comments if c["id"] == int(self.path.rpartition("/")[2]))
            comment["body"] = json.loads(body)["body"]
            self._answer(200, comment)
        else:
            github.add(BOT, json.loads(body)["body"])
            self._answer(201, github.comments[-1])

    do_GET = do_POST = do_PATCH = _handle  # noqa: N815 - the library's names


@pytest.fixture
def github() -> Iterator[GitHub]:
    server = GitHub()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def pull(github: GitHub) -> Iterator[PullRequest]:
    with httpx.Client(base_url=github.url) as client:
        yield PullRequest(client, "o/r", 7)


def test_the_first_time_it_is_written(github: GitHub, pull: PullRequest) -> None:
    assert pull.post(f"{MARKER}\nhello", BOT) == "u"
    assert [comment["body"] for comment in github.comments] == [f"{MARKER}\nhello"]


def test_its_own_comment_is_found_on_the_last_page_and_edited(github: GitHub, pull: PullRequest) -> None:
    for number in range(6):
        github.add("someone", f"comment {number}")
    github.add("someone", f"{MARKER} I am not it")
    github.add(BOT, f"{MARKER}\nold")
    pull.post(f"{MARKER}\nnew", BOT)
    assert len(github.comments) == 8
    assert github.comments[-1]["body"] == f"{MARKER}\nnew"
    assert github.comments[-2]["body"].endswith("I am not it")


@pytest.mark.parametrize(
    "trouble",
    [
        [(502, {}), (503, {})],
        [(429, {"Retry-After": "0"})],
        [(403, {"Retry-After": "0"})],
        [(403, {"x-ratelimit-remaining": "0", "retry-after": "0"})],
    ],
)
def test_trouble_that_passes_is_waited_for(
    github: GitHub, pull: PullRequest, trouble: list[tuple[int, dict[str, str]]]
) -> None:
    github.trouble = list(trouble)
    pull.post(f"{MARKER}\nhello", BOT)
    assert len(github.comments) == 1


def test_trouble_that_stays_is_told(github: GitHub, pull: PullRequest) -> None:
    github.trouble = [(404, {})]
    with pytest.raises(CommentNotPosted, match="404"):
        pull.post(f"{MARKER}\nhello", BOT)
    assert len(github.asked) == 1, "asking again would not help"
    assert pull.head() == "abc"


def environment(github: GitHub, **more: str) -> dict[str, str]:
    return {"GITHUB_REPOSITORY": "o/r", "GITHUB_TOKEN": "t", "GITHUB_API_URL": github.url, **more}


def test_a_pull_request_that_moved_on_is_left_alone(github: GitHub) -> None:
    assert "nothing was posted" in deliver(f"{MARKER}\nx", 7, BOT, environment(github), head="other")
    assert github.comments == []
    assert deliver(f"{MARKER}\nx", 7, BOT, environment(github), head="abc") == "u"
    assert len(github.comments) == 1
    with pytest.raises(ConfigError, match="GITHUB_TOKEN not set"):
        deliver(f"{MARKER}\nx", 7, BOT, environment(github, GITHUB_TOKEN=""))


@pytest.mark.parametrize("text", ["hello", f"x{MARKER}", MARKER + "x" * LIMIT])
def test_what_is_no_review_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="this is no review"):
        harmless(text)


def test_a_strangers_comment_can_do_nothing() -> None:
    hostile = (
        f"{MARKER}\n@everyone <img src=x onerror=alert(1)> <script>x</script> ![p](https://evil.example/p.png) "
        "[click](javascript:x) https://evil.example <details><summary>ok</summary></details> <b>b</b> <a href='x'>y</a>\n"
        "```diff\n- @inside: <b> https://in.code.example\n```\n`@code`\n"
    )
    found = harmless(hostile)
    outside = found.replace("```diff\n- @inside: <b> https://in.code.example\n```", "").replace("`@code`", "")
    assert "@everyone" not in outside
    for gone in ("<img", "<script", "<a ", "](", "https://", "javascript:"):
        assert gone not in outside
    assert "<details><summary>ok</summary></details> <b>b</b>" in outside
    assert "- @inside: <b> https://in.code.example" in found
    assert harmless(found) == found
