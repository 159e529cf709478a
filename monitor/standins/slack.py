"""What would Slack have done? A small honest Slack on this machine, for the demo and the tests.

    with SlackStandin() as slack:
        WebClient("xoxb-demo", base_url=slack.base_url).chat_postMessage(channel="#alerts", text="hello")
        print(slack.channel_text("#alerts"))

It answers the few methods lowstar uses as the real one does, refuses what the real one refuses (limits, names
where it takes ids only, scopes), and fails on demand in every way a network can: see `Fault`.
"""

from __future__ import annotations

import json
import random
import secrets
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from alerts.blocks import as_text
from alerts.limits import MAX_TEXT, MAX_UPDATE_TEXT, problems
from monitor.standins.slack_files import Files
from monitor.standins.slack_people import APP_TOKEN, People, Window
from monitor.standins.slack_socket import Delivered

TOKEN = "xoxb-demo"  # noqa: S105 - opens nothing but this stand-in
SCOPES = ("chat:write", "channels:history", "channels:read", "groups:history", "users:read", "files:write")
METADATA_MAX = 8_000  # characters of a message's metadata as JSON
_NEEDS = {
    "chat.postMessage": "chat:write",
    "chat.update": "chat:write",
    "chat.delete": "chat:write",
    "conversations.history": "channels:history",
    "conversations.replies": "channels:history",
    "conversations.info": "channels:read",
    "conversations.list": "channels:read",
    "files.getUploadURLExternal": "files:write",
    "files.completeUploadExternal": "files:write",
}

# A fault is a name. With "accepted_" in front the call is carried out before it goes wrong.
#   timeout       nothing is ever answered        reset   the connection breaks
#   cut           half an answer                  html    a proxy's page with status 200
#   500, 503      server errors                   odd     headers and a body nobody expects
#   ratelimited   429, "ratelimited:7" with Retry-After: 7
#   anything else is an error code: {"ok": false, "error": …}
Fault = str
Faults = Callable[[str, Mapping[str, Any]], Fault | None]
BREAKAGES = ("timeout", "reset", "cut", "html", "500", "503", "odd")


@dataclass(slots=True)
class Posted:
    """A message as it stands in a channel."""

    ts: str
    channel: str
    text: str
    blocks: list[dict[str, Any]]
    metadata: dict[str, Any] | None
    thread_ts: str | None
    broadcast: bool = False
    edits: int = 0
    via: str = "bot"
    reactions: dict[str, list[str]] = field(default_factory=dict)  # emoji → who

    @property
    def outbox_id(self) -> str:
        """The outbox id of its metadata, "" if it carries none."""
        return str((self.metadata or {}).get("event_payload", {}).get("outbox_id", ""))

    def as_json(self, *, with_metadata: bool) -> dict[str, Any]:
        """As the history methods show it."""
        shown: dict[str, Any] = {
            "type": "message",
            "ts": self.ts,
            "text": self.text,
            "user": "U0BOT",
            "bot_id": "B0BOT",
        }
        if self.blocks:
            shown["blocks"] = self.blocks
        if self.thread_ts:
            shown["thread_ts"] = self.thread_ts
        if self.metadata and with_metadata:
            shown["metadata"] = self.metadata
        if self.reactions:
            shown["reactions"] = [
                {"name": name, "users": list(users), "count": len(users)}
                for name, users in self.reactions.items()
            ]
        return shown


@dataclass(slots=True)
class Channel:
    """A channel and what is wrong with it."""

    id: str
    name: str
    member: bool = True
    archived: bool = False
    messages: list[Posted] = field(default_factory=list)


def random_faults(
    seed: int,
    rate: float,
    kinds: Sequence[Fault],
    methods: Sequence[str] = ("chat.postMessage", "chat.update"),
) -> Faults:
    """Of the calls to `methods`, `rate` (0…1) fail with one of `kinds`; the same ones for a seed."""
    dice = random.Random(seed)  # noqa: S311 - repeatable, not secret
    lock = threading.Lock()

    def fault(method: str, arguments: Mapping[str, Any]) -> Fault | None:
        with lock:
            if method not in methods or dice.random() >= rate:
                return None
            return dice.choice(list(kinds))

    return fault


class SlackStandin:
    """A Slack Web API on 127.0.0.1, inside this process; a context manager."""

    def __init__(
        self,
        *,
        channels: Iterable[str] = ("#alerts",),
        faults: Faults | Iterable[Fault | None] = (),
        token: str = TOKEN,
        scopes: Sequence[str] = SCOPES,
        strict_pace: bool = False,
        hang: float = 5.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.token = token
        self.scopes = list(scopes)
        self.strict_pace = strict_pace  # one message a second and channel, as Slack enforces
        self.hang = hang  # seconds a "timeout" keeps the connection open
        self.clock = clock
        self.calls: list[tuple[str, dict[str, Any]]] = []  # every call that came in, in order
        self.faults: Faults | list[Fault | None] = faults if callable(faults) else list(faults)
        self.channels: dict[str, Channel] = {}
        self.webhook_path = f"/services/T0DEMO/B0DEMO/{secrets.token_hex(8)}"
        self._last_ts = 0
        self._last_post: dict[str, float] = {}
        self._lock = threading.RLock()
        self._closing = threading.Event()
        self.token_state = ""  # an error code such as "token_revoked" that every call gets
        self.app_token = APP_TOKEN
        self.files = Files()
        self.people = People(self)  # who presses, types and reacts
        for name in channels:
            self.add_channel(name)
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.slack = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop answering; hanging calls are let go."""
        self._closing.set()
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()
        self.people.socket.close()

    @property
    def base_url(self) -> str:
        """What `WebClient(base_url=…)` takes."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/api/"

    @property
    def webhook_url(self) -> str:
        """An incoming webhook for the first channel."""
        return f"http://127.0.0.1:{self._server.server_address[1]}{self.webhook_path}"

    def add_channel(self, name: str, *, member: bool = True, archived: bool = False) -> Channel:
        """A new channel; its id is made from its place."""
        channel = Channel(f"C0DEMO{len(self.channels) + 1:03d}", name.lstrip("#"), member, archived)
        self.channels[channel.id] = channel
        return channel

    def channel(self, name_or_id: str) -> Channel:
        """The channel of that name or id; KeyError if there is none."""
        found = self._channel(name_or_id, names=True)
        if found is None:
            raise KeyError(name_or_id)
        return found

    def posted(self, channel: str) -> list[Posted]:
        """What stands in a channel, threads included, oldest first."""
        with self._lock:
            return sorted(self.channel(channel).messages, key=lambda message: message.ts)

    def messages(self, channel: str) -> list[Mapping[str, Any]]:
        """What stands in a channel as the history methods show it, threads included, oldest first."""
        return [message.as_json(with_metadata=True) for message in self.posted(channel)]

    def kept(self) -> dict[str, Any]:
        """Every channel with its messages, as JSON that `restore` takes."""
        with self._lock:
            return {
                "channels": [
                    {**asdict(channel), "messages": [asdict(message) for message in channel.messages]}
                    for channel in self.channels.values()
                ]
            }

    def restore(self, kept: Mapping[str, Any]) -> None:
        """Put back what `kept` answered, in another process perhaps."""
        with self._lock:
            for one in kept["channels"]:
                messages = [Posted(**message) for message in one["messages"]]
                self.channels[one["id"]] = Channel(**{**one, "messages": messages})
                for message in messages:
                    self._last_ts = max(self._last_ts, int(message.ts.replace(".", "")))

    def channel_text(self, channel: str) -> str:
        """The channel as a reader sees it, newest last, replies below their roots."""
        with self._lock:
            found = self.posted(channel)
            lines: list[str] = []
            for message in found:
                if message.thread_ts and message.thread_ts != message.ts and not message.broadcast:
                    continue
                lines += _seen(message, "")
                for reply in found:
                    if reply.thread_ts == message.ts and reply is not message:
                        lines += _seen(reply, "    ")
            return "\n".join(lines)

    def click(self, channel: str, ts: str, action_id: str, user: str, *, option: str = "") -> Delivered:
        """Press a button of a message as `user`; see `People.click`."""
        return self.people.click(channel, ts, action_id, user, option=option)

    def submit(self, window: Window, values: Mapping[str, str], user: str = "") -> Delivered | None:
        """Fill a window in and send it; see `People.submit`."""
        return self.people.submit(window, values, user)

    def react(self, channel: str, ts: str, name: str, user: str) -> None:
        """Put an emoji on a message."""
        self.people.react(channel, ts, name, user)

    # -- the methods ----------------------------------------------------------------------------------------

    def answer(self, method: str, arguments: Mapping[str, Any], token: str) -> dict[str, Any]:
        """Carry a call out as Slack would, without any fault."""
        with self._lock:
            if self.token_state:
                return _no(self.token_state)
            if method == "apps.connections.open":
                if token != self.app_token:
                    return _no("not_allowed_token_type" if token == self.token else "invalid_auth")
                return {"ok": True, "url": self.people.socket.address()}
            if token != self.token:
                return _no("not_authed" if not token else "invalid_auth")
            needs = _NEEDS.get(method)
            if needs and needs not in self.scopes:
                return _no("missing_scope", needed=needs, provided=",".join(self.scopes))
            match method:
                case "auth.test":
                    return {
                        "ok": True,
                        "team": "Demo",
                        "user": "lowstar",
                        "user_id": "U0BOT",
                        "bot_id": "B0BOT",
                    }
                case "chat.postMessage":
                    return self._post(arguments)
                case "chat.update":
                    return self._update(arguments)
                case "chat.delete":
                    return self._delete(arguments)
                case "conversations.history" | "conversations.replies":
                    return self._history(arguments, replies=method.endswith("replies"))
                case "conversations.info":
                    channel = self._channel(arguments.get("channel"))
                    return (
                        _no("channel_not_found")
                        if channel is None
                        else {"ok": True, "channel": _info(channel)}
                    )
                case "conversations.list":
                    return {"ok": True, "channels": [_info(channel) for channel in self.channels.values()]}
                case "files.getUploadURLExternal":
                    return self.files.begin(arguments, self.base_url)
                case "files.completeUploadExternal":
                    return self.files.share(arguments, lambda comment: self._comment(arguments, comment))
            return self.people.answer(method, arguments)

    def _comment(self, arguments: Mapping[str, Any], comment: str) -> dict[str, Any]:
        channel = self._channel(arguments.get("channel_id"))
        if refused := self._refusal(channel, {"text": comment or "(a file)"}, MAX_TEXT):
            return refused
        assert channel is not None  # noqa: S101 - _refusal answers for None; told to mypy
        thread = arguments.get("thread_ts")
        channel.messages.append(
            Posted(self._ts(), channel.id, comment, [], None, str(thread) if thread else None, via="file")
        )
        return {"ok": True}

    def webhook(self, arguments: Mapping[str, Any]) -> tuple[int, str]:
        """Carry a webhook call out: status and body."""
        with self._lock:
            channel = next(iter(self.channels.values()))
            if channel.archived:
                return 410, "channel_is_archived"
            text, blocks = arguments.get("text"), arguments.get("blocks") or []
            if not text and not blocks:
                return 400, "no_text"
            if problems(blocks):
                return 400, "invalid_blocks"
            channel.messages.append(
                Posted(self._ts(), channel.id, str(text or ""), blocks, None, None, via="webhook")
            )
            return 200, "ok"

    def next_fault(self, method: str, arguments: Mapping[str, Any]) -> Fault | None:
        """Which fault this call gets: from the callable, or the next of the list (which posting uses up)."""
        with self._lock:
            if callable(self.faults):
                return self.faults(method, arguments)
            if self.faults and method in ("chat.postMessage", "webhook"):
                return self.faults.pop(0)
            return None

    def _post(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        channel = self._channel(arguments.get("channel"), names=True)
        if refused := self._refusal(channel, arguments, MAX_TEXT):
            return refused
        assert channel is not None  # noqa: S101 - _refusal answers for None; told to mypy
        now = self.clock()
        if self.strict_pace and abs(now - self._last_post.get(channel.id, -1e9)) < 1.0:
            return _no("ratelimited")
        self._last_post[channel.id] = now
        thread = arguments.get("thread_ts")
        posted = Posted(
            self._ts(),
            channel.id,
            str(arguments.get("text") or ""),
            list(arguments.get("blocks") or []),
            _metadata(arguments.get("metadata")),
            str(thread) if thread else None,
            bool(arguments.get("reply_broadcast")),
        )
        channel.messages.append(posted)
        return {
            "ok": True,
            "channel": channel.id,
            "ts": posted.ts,
            "message": posted.as_json(with_metadata=True),
        }

    def _update(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        channel = self._channel(arguments.get("channel"))
        if refused := self._refusal(channel, arguments, MAX_UPDATE_TEXT):
            return refused
        message = self._message(channel, arguments.get("ts"))
        if message is None:
            return _no("message_not_found")
        message.text = str(arguments.get("text") or "")
        if "blocks" in arguments:
            message.blocks = list(arguments["blocks"] or [])
        if "metadata" in arguments:
            message.metadata = _metadata(arguments["metadata"])
        message.edits += 1
        return {"ok": True, "channel": message.channel, "ts": message.ts, "text": message.text}

    def _delete(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        channel = self._channel(arguments.get("channel"))
        message = self._message(channel, arguments.get("ts"))
        if channel is None:
            return _no("channel_not_found")
        if message is None:
            return _no("message_not_found")
        channel.messages.remove(message)
        return {"ok": True, "channel": channel.id, "ts": message.ts}

    def _history(self, arguments: Mapping[str, Any], *, replies: bool) -> dict[str, Any]:
        channel = self._channel(arguments.get("channel"))  # the real one takes ids only
        if channel is None:
            return _no("channel_not_found")
        if not channel.member:
            return _no("not_in_channel")
        try:
            oldest = float(arguments.get("oldest") or 0)
            latest = float(arguments.get("latest") or 1e12)
            limit = max(1, min(999, int(arguments.get("limit") or 100)))
        except ValueError:
            return _no("invalid_arguments")
        found = sorted(channel.messages, key=lambda message: message.ts)
        if replies:
            root = str(arguments.get("ts") or "")
            found = [message for message in found if root in (message.ts, message.thread_ts)]
            if not found:
                return _no("thread_not_found")
        else:
            # Replies are not part of a channel's history, unless they were broadcast.
            found = [m for m in found if m.thread_ts in (None, m.ts) or m.broadcast]
            found.reverse()
        found = [message for message in found if oldest <= float(message.ts) <= latest]
        start = 0
        if cursor := str(arguments.get("cursor") or ""):
            marks = [index for index, message in enumerate(found) if cursor == f"after:{message.ts}"]
            if not marks:
                return _no("invalid_cursor")
            start = marks[0] + 1
        page = found[start : start + limit]
        more = start + limit < len(found)
        wanted = str(arguments.get("include_all_metadata") or "") in ("1", "true", "True")
        return {
            "ok": True,
            "messages": [message.as_json(with_metadata=wanted) for message in page],
            "has_more": more,
            "response_metadata": {"next_cursor": f"after:{page[-1].ts}" if more else ""},
        }

    def _refusal(
        self, channel: Channel | None, arguments: Mapping[str, Any], most: int
    ) -> dict[str, Any] | None:
        if channel is None:
            return _no("channel_not_found")
        if channel.archived:
            return _no("is_archived")
        if not channel.member:
            return _no("not_in_channel")
        text, blocks = arguments.get("text"), arguments.get("blocks") or []
        if not text and not blocks:
            return _no("no_text")
        if len(str(text or "")) > most:
            return _no("msg_too_long")
        if wrong := problems(blocks):
            return _no("invalid_blocks", errors=wrong, response_metadata={"messages": wrong})
        return None

    def _channel(self, given: object, *, names: bool = False) -> Channel | None:
        if not isinstance(given, str):
            return None
        if given in self.channels:
            return self.channels[given]
        if names:
            for channel in self.channels.values():
                if channel.name == given.lstrip("#"):
                    return channel
        return None

    def _message(self, channel: Channel | None, ts: object) -> Posted | None:
        if channel is None:
            return None
        return next((message for message in channel.messages if message.ts == ts), None)

    def _ts(self) -> str:
        # Unique and rising, as Slack's are.
        self._last_ts = max(self._last_ts + 1, int(self.clock() * 1_000_000))
        return f"{self._last_ts // 1_000_000}.{self._last_ts % 1_000_000:06d}"


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64
    slack: SlackStandin

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a client that hangs up is what this server is for."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = 30

    def do_POST(self) -> None:
        """Every method of the Web API is a POST."""
        slack = self.server.slack
        address = urlsplit(self.path)
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if address.path.startswith("/api/upload/"):
            self._send(slack.files.take(address.path, content), "OK", "text/plain")
            return
        arguments = self._arguments(address.query, content.decode("utf-8", "replace"))
        hook = address.path == slack.webhook_path or address.path.startswith("/actions/")
        method = (
            "response_url"
            if address.path.startswith("/actions/")
            else "webhook"
            if hook
            else address.path.removeprefix("/api/").strip("/")
        )
        slack.calls.append((method, arguments))
        fault = slack.next_fault(method, arguments)
        accepted = fault is None or fault.startswith("accepted_")
        status, body = 200, ""
        if accepted and method == "response_url":
            status, body = slack.people.respond(address.path, arguments)
        elif accepted and hook:
            status, body = slack.webhook(arguments)
        elif accepted:
            token = (self.headers.get("Authorization") or "").removeprefix("Bearer ").strip()
            answer = slack.answer(method, arguments, token)
            status = 429 if answer.get("error") == "ratelimited" else 200
            body = json.dumps(answer)
        if fault is None:
            self._send(status, body, "text/plain" if hook else "application/json")
        else:
            self._fail(
                fault.removeprefix("accepted_"),
                body or '{"ok": true, "channel": "C0DEMO001", "ts": "1.000001"}',
            )

    def _fail(self, fault: Fault, body: str) -> None:
        match fault:
            case "timeout":
                self.server.slack._closing.wait(self.server.slack.hang)
                self.close_connection = True
            case "reset":
                self._break()
            case "cut":
                self._send(200, body, "application/json", cut=True)
            case "html":
                self._send(200, "<html><body>Please log in to the network</body></html>", "text/html")
            case "500" | "503":
                self._send(int(fault), "upstream connect error", "text/plain")
            case "odd":
                self._send(200, '["\\ud800", null]', "application/json; charset=no-such-charset")
            case _ if fault.partition(":")[0] == "ratelimited":
                self._send(
                    429, json.dumps(_no("ratelimited")), "application/json", fault.partition(":")[2] or "1"
                )
            case _:
                self._send(200, json.dumps(_no(fault)), "application/json")

    def _break(self) -> None:
        # SO_LINGER 0 makes closing send RST instead of FIN.
        import socket
        import struct

        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()

    def _send(self, status: int, body: str, kind: str, retry_after: str = "", *, cut: bool = False) -> None:
        content = body.encode("utf-8", "surrogatepass")
        self.send_response_only(status)
        self.send_header("Date", formatdate(self.server.slack.clock(), usegmt=True))
        self.send_header("Content-Type", kind if "charset" in kind else f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("x-oauth-scopes", ",".join(self.server.slack.scopes))
        if status == 429:
            self.send_header("Retry-After", retry_after or "1")
        self.end_headers()
        self.wfile.write(content[: len(content) // 2] if cut else content)

    def _arguments(self, query: str, body: str) -> dict[str, Any]:
        arguments: dict[str, Any] = dict(parse_qsl(query))
        if (self.headers.get("Content-Type") or "").startswith("application/json"):
            try:
                given = json.loads(body or "{}")
            except ValueError:
                given = {}
            arguments.update(given if isinstance(given, dict) else {})
        else:
            arguments.update(parse_qsl(body))
            for name in ("blocks", "metadata", "view"):
                if isinstance(arguments.get(name), str):
                    try:
                        arguments[name] = json.loads(arguments[name])
                    except ValueError:
                        arguments[name] = "not JSON"
        return arguments

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


def _no(error: str, **more: Any) -> dict[str, Any]:
    return {"ok": False, "error": error, **more}


def _info(channel: Channel) -> dict[str, Any]:
    return {
        "id": channel.id,
        "name": channel.name,
        "is_channel": True,
        "is_member": channel.member,
        "is_archived": channel.archived,
    }


def _metadata(given: object) -> dict[str, Any] | None:
    """Metadata is kept only where it is well-formed; Slack drops the rest without an error."""
    if not isinstance(given, Mapping) or not isinstance(given.get("event_type"), str):
        return None
    payload = given.get("event_payload")
    if not isinstance(payload, Mapping) or len(json.dumps(payload)) > METADATA_MAX:
        return None
    if not all(isinstance(value, str | int | float | bool | list) for value in payload.values()):
        return None
    return {"event_type": given["event_type"], "event_payload": dict(payload)}


def _seen(message: Posted, indent: str) -> list[str]:
    words = as_text(message.blocks) if message.blocks else message.text
    edited = " (edited)" if message.edits else ""
    first, *rest = words.split("\n")
    return [f"{indent}{first}{edited}", *(f"{indent}  {line}" for line in rest), ""]
