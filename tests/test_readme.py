"""The README's examples work."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest
from returns.result import Result, Success

from igniter_connectors import HttpRequest, HttpResponse, Keyring
from igniter_connectors.typing import HttpFailed

README = (Path(__file__).parents[1] / "README.md").read_text()
BLOCKS = re.findall(r"^```python\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)


class Recorder:
    """Replaces the network and records requests."""

    def __init__(self) -> None:
        self.requests: list[HttpRequest] = []

    async def send(
        self, request: HttpRequest, *, deadline: object = None, limit_bytes: int = 0
    ) -> Result[HttpResponse, HttpFailed]:
        self.requests.append(request)
        return Success(HttpResponse(200))


async def test_the_thirty_lines_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """They run unchanged. Only the network is replaced."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("IGNITER_SECRET", Keyring.generate().reveal())
    recorder = Recorder()
    monkeypatch.setattr("igniter_connectors.adapters.httpx_client.HttpxClient.send", recorder.send)
    module = ModuleType("readme")
    monkeypatch.setitem(sys.modules, "readme", module)
    exec(compile(BLOCKS[0], "README.md", "exec"), module.__dict__)
    await module.main()
    assert capsys.readouterr().out == "<Success: MessageSent(status=200)>\n"
    (request,) = recorder.requests
    assert request.url == "https://api.telegram.org/bot%E2%80%A6/sendMessage"
    assert request.body == b'{"chat_id":"42","text":"hello"}'
    assert (tmp_path / "connectors.db").exists()


@pytest.mark.parametrize("block", BLOCKS[1:])
def test_every_other_example_is_python(block: str) -> None:
    """Top-level await is allowed."""
    compile(block, "README.md", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


@pytest.mark.parametrize("heading", ["Try it", "Test"])
def test_each_of_the_two_commands_is_one_line_in_one_block(heading: str) -> None:
    """Users copy them, and the checks run the second."""
    section = README.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    (block,) = re.findall(r"^```sh\n(.*?)^```$", section, re.DOTALL | re.MULTILINE)
    assert block.startswith("pip install uv && uv run ")
    assert block.count("\n") == 1
