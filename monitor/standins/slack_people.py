"""What would Slack have done when somebody presses, types, reacts? The people's half of the stand-in.

    done = slack.click("#alerts", ts, "case_claim", "U01ALICE")
    slack.submit(slack.window("U01ALICE"), {"promise": "a refund", "due": "2026-11-25"}, "U01ALICE")

Payloads look like Slack's; they go over Socket Mode when an app is connected, else to `request_url`, signed.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import time
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from alerts.limits import problems
from alerts.limits_views import view_problems
from monitor.standins.slack_socket import Delivered, SocketDoor

if TYPE_CHECKING:
    from monitor.standins.slack import SlackStandin

APP_TOKEN = "xapp-demo"  # noqa: S105 - opens nothing but this stand-in
SIGNING_SECRET = "demo-signing-secret"  # noqa: S105
TRIGGER_WITHIN = 3.0  # seconds a trigger_id opens a window
_NEEDS = {
    "chat.postEphemeral": "chat:write",
    "users.info": "users:read",
    "users.lookupByEmail": "users:read.email",
    "conversations.members": "channels:read",
    "reactions.add": "reactions:write",
    "reactions.remove": "reactions:write",
    "reactions.get": "reactions:read",
    "conversations.archive": "channels:manage",
    "conversations.unarchive": "channels:manage",
}


@dataclass(slots=True)
class Person:
    """Somebody in the workspace."""

    id: str
    name: str
    real_name: str = ""
    email: str = ""
    tz: str = "Etc/UTC"


@dataclass(slots=True)
class Whisper:
    """A message one person sees."""

    channel: str
    user: str
    text: str
    blocks: list[dict[str, Any]]
    thread_ts: str = ""
    via: str = "chat.postEphemeral"


@dataclass(slots=True)
class Window:
    """An open modal."""

    id: str
    user: str
    view: dict[str, Any]
    hash: str
    below: str = ""  # id of the window it lies on
    errors: dict[str, str] = field(default_factory=dict)


class People:
    """The people of a stand-in and what they do."""

    def __init__(self, slack: SlackStandin) -> None:
        self._slack = slack
        self.socket = SocketDoor()
        self.request_url = ""  # where payloads go when nobody is connected
        self.known: dict[str, Person] = {}
        self.whispers: list[Whisper] = []
        self.windows: list[Window] = []  # the open ones, the uppermost last
        self._triggers: dict[str, tuple[float, str]] = {}  # id → when, who
        self._responses: dict[str, tuple[str, str]] = {}  # path → channel, user
        self.last: tuple[str, dict[str, Any], Delivered] | None = None  # kind, payload, what became of it

    # -- methods of the API ---------------------------------------------------------------------------------

    def answer(self, method: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Carry a call out; the token was checked already."""
        needs = _NEEDS.get(method)
        if needs and needs not in self._slack.scopes:
            return _no("missing_scope", needed=needs, provided=",".join(self._slack.scopes))
        match method:
            case "views.open" | "views.push":
                return self._open(arguments, push=method.endswith("push"))
            case "views.update":
                return self._update(arguments)
            case "chat.postEphemeral":
                return self._whisper(arguments)
            case "users.info":
                person = self.known.get(str(arguments.get("user")))
                return _no("user_not_found") if person is None else {"ok": True, "user": _user(person)}
            case "users.lookupByEmail":
                found = [one for one in self.known.values() if one.email == arguments.get("email")]
                return {"ok": True, "user": _user(found[0])} if found else _no("users_not_found")
            case "conversations.members":
                channel = self._slack._channel(arguments.get("channel"))
                if channel is None:
                    return _no("channel_not_found")
                return {"ok": True, "members": [*self.known, "U0BOT"] if channel.member else [*self.known]}
            case "conversations.archive" | "conversations.unarchive":
                channel = self._slack._channel(arguments.get("channel"))
                if channel is None:
                    return _no("channel_not_found")
                channel.archived = method.endswith(".archive")
                return {"ok": True}
            case "reactions.add" | "reactions.remove" | "reactions.get":
                return self._reactions(method, arguments)
        return _no("unknown_method", req_method=method)

    def _open(self, arguments: Mapping[str, Any], *, push: bool) -> dict[str, Any]:
        given = arguments.get("view")
        view = _object(given)
        trigger = self._triggers.get(str(arguments.get("trigger_id")))
        if trigger is None:
            return _no("invalid_trigger_id")
        at, user = trigger
        if time.monotonic() - at > TRIGGER_WITHIN:
            return _no("expired_trigger_id")
        if view is None:
            return _no("invalid_arguments")
        if wrong := view_problems(view):
            return _no("invalid_arguments", response_metadata={"messages": wrong})
        mine = [window for window in self.windows if window.user == user]
        if push and len(mine) >= 3:
            return _no("push_limit_reached")
        del self._triggers[str(arguments.get("trigger_id"))]  # good for one window
        if not push:
            self.windows = [window for window in self.windows if window.user != user]
        below = mine[-1].id if push and mine else ""
        window = Window(f"V{secrets.token_hex(5).upper()}", user, view, secrets.token_hex(6), below)
        self.windows.append(window)
        return {"ok": True, "view": self._shown(window)}

    def _update(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        view = _object(arguments.get("view"))
        found = [one for one in self.windows if one.id == arguments.get("view_id")]
        if not found:
            return _no("not_found")
        if view is None or (wrong := view_problems(view)):
            return _no("invalid_arguments", response_metadata={"messages": wrong if view else []})
        if arguments.get("hash") not in (None, found[0].hash):
            return _no("hash_conflict")
        found[0].view, found[0].hash = view, secrets.token_hex(6)
        return {"ok": True, "view": self._shown(found[0])}

    def _whisper(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        channel = self._slack._channel(arguments.get("channel"), names=True)
        if channel is None:
            return _no("channel_not_found")
        if channel.archived:
            return _no("is_archived")
        if not channel.member:
            return _no("not_in_channel")
        user, blocks = str(arguments.get("user") or ""), list(arguments.get("blocks") or [])
        if user not in self.known:
            return _no("user_not_in_channel")
        if not arguments.get("text") and not blocks:
            return _no("no_text")
        if wrong := problems(blocks):
            return _no("invalid_blocks", response_metadata={"messages": wrong})
        thread = str(arguments.get("thread_ts") or "")
        self.whispers.append(Whisper(channel.id, user, str(arguments.get("text") or ""), blocks, thread))
        return {"ok": True, "message_ts": self._slack._ts()}

    def _reactions(self, method: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        channel = self._slack._channel(arguments.get("channel"))
        message = self._slack._message(channel, arguments.get("timestamp"))
        if channel is None or message is None:
            return _no("channel_not_found" if channel is None else "message_not_found")
        if method == "reactions.get":
            shown = message.as_json(with_metadata=False)
            return {"ok": True, "type": "message", "channel": channel.id, "message": shown}
        name = str(arguments.get("name"))
        users = message.reactions.setdefault(name, [])
        if method == "reactions.add":
            if "U0BOT" in users:
                return _no("already_reacted")
            users.append("U0BOT")
            return {"ok": True}
        had = "U0BOT" in users
        message.reactions[name] = [user for user in users if user != "U0BOT"]
        if not message.reactions[name]:
            del message.reactions[name]
        return {"ok": True} if had else _no("no_reaction")

    def respond(self, path: str, arguments: Mapping[str, Any]) -> tuple[int, str]:
        """A call of a response_url: status and body."""
        if path not in self._responses:
            return 404, "used_url"
        channel, user = self._responses[path]
        blocks = list(arguments.get("blocks") or [])
        if problems(blocks):
            return 400, "invalid_blocks"
        if not arguments.get("text") and not blocks:
            return 400, "no_text"
        self.whispers.append(
            Whisper(channel, user, str(arguments.get("text") or ""), blocks, via="response_url")
        )
        return 200, "ok"

    # -- what people do -------------------------------------------------------------------------------------

    def add(
        self, id_: str, name: str, real_name: str = "", *, email: str = "", tz: str = "Etc/UTC"
    ) -> Person:
        """Somebody joins the workspace, and every channel."""
        self.known[id_] = Person(id_, name, real_name or name, email, tz)
        return self.known[id_]

    def click(
        self, channel: str, ts: str, action_id: str, user: str, *, option: str = "", value: str | None = None
    ) -> Delivered:
        """Press a button of a message, or choose the line of its menu whose value ends in `option`.

        `value`: press it as it was in an older state of the card. KeyError if there is no such button.
        """
        with self._slack._lock:
            found = self._slack.channel(channel)
            message = self._slack._message(found, ts)
            if message is None:
                raise KeyError(ts)
            element, block_id = _element(message.blocks, action_id)
            container = {
                "type": "message",
                "message_ts": ts,
                "channel_id": found.id,
                "is_ephemeral": False,
                **({"thread_ts": message.thread_ts} if message.thread_ts else {}),
            }
            payload = {
                **self._base("block_actions", user, found.id),
                "container": container,
                "channel": {"id": found.id, "name": found.name},
                "message": message.as_json(with_metadata=False),
                "state": {"values": {}},
                "actions": [_action(element, block_id, option, value)],
            }
        return self._deliver("interactive", payload)

    def click_window(self, window: Window, action_id: str) -> Delivered:
        """Press a button in a window."""
        element, block_id = _element(window.view["blocks"], action_id)
        payload = {
            **self._base("block_actions", window.user, ""),
            "container": {"type": "view", "view_id": window.id},
            "view": self._shown(window),
            "actions": [_action(element, block_id, "", None)],
        }
        del payload["response_url"]
        return self._deliver("interactive", payload)

    def submit(self, window: Window, values: Mapping[str, str], user: str = "") -> Delivered | None:
        """Fill a window in and send it; None where Slack itself asks for what is missing, and sends nothing.

        The window closes, stays open with `errors`, or all of the person's windows close, as the app answers.
        """
        inputs = {b["block_id"]: b for b in window.view["blocks"] if b.get("type") == "input"}
        unknown = set(values) - set(inputs)
        if unknown:
            raise KeyError(", ".join(sorted(unknown)))
        missing = [id_ for id_, b in inputs.items() if not b.get("optional") and not _given(b, values)]
        if missing:
            window.errors = dict.fromkeys(missing, "Please complete this required field.")
            return None
        state = {
            id_: {b["element"].get("action_id", ""): _state(b["element"], values.get(id_))}
            for id_, b in inputs.items()
        }
        payload = {
            **self._base("view_submission", user or window.user, ""),
            "view": {**self._shown(window), "state": {"values": state}},
            "response_urls": [],
        }
        del payload["response_url"]
        done = self._deliver("interactive", payload)
        if not done.acked:
            return done
        answer = done.payload or {}
        if answer.get("response_action") == "errors":
            errors = answer.get("errors") or {}
            if not errors or set(errors) - set(inputs):
                raise AssertionError(f"errors for blocks that are not there: {errors}")
            window.errors = dict(errors)
        elif answer.get("response_action") == "clear":
            self.windows = [one for one in self.windows if one.user != window.user]
        else:
            self.windows = [one for one in self.windows if one.id != window.id]
        return done

    def window(self, user: str, within: float = 3.0) -> Window:
        """The uppermost window of somebody, waited for; TimeoutError if none opens."""
        until = time.monotonic() + within
        while time.monotonic() < until:
            mine = [one for one in self.windows if one.user == user]
            if mine:
                return mine[-1]
            time.sleep(0.005)
        raise TimeoutError(f"no window opened for {user}")

    def command(self, text: str, user: str, channel: str, command: str = "/rep") -> Delivered:
        """Type a slash command."""
        found = self._slack.channel(channel)
        base = self._base("command", user, found.id)
        payload = {
            "command": command,
            "text": text,
            "user_id": user,
            "user_name": self.known[user].name,
            "channel_id": found.id,
            "channel_name": found.name,
            "team_id": "T0DEMO",
            "trigger_id": base["trigger_id"],
            "response_url": base["response_url"],
            "api_app_id": "A0DEMO",
        }
        return self._deliver("slash_commands", payload)

    def shortcut(self, callback_id: str, user: str, *, channel: str = "", ts: str = "") -> Delivered:
        """Use a shortcut: a global one, or with `ts` the one of a message."""
        found = self._slack.channel(channel) if channel else None
        payload = {**self._base("shortcut", user, found.id if found else ""), "callback_id": callback_id}
        if found is not None and ts:
            message = self._slack._message(found, ts)
            payload |= {
                "type": "message_action",
                "message_ts": ts,
                "channel": {"id": found.id, "name": found.name},
                "message": message.as_json(with_metadata=False) if message else {},
            }
        return self._deliver("interactive", payload)

    def react(self, channel: str, ts: str, name: str, user: str, *, take_back: bool = False) -> None:
        """Put an emoji on a message, or take it back."""
        with self._slack._lock:
            message = self._slack._message(self._slack.channel(channel), ts)
            if message is None:
                raise KeyError(ts)
            users = message.reactions.setdefault(name, [])
            if take_back:
                users.remove(user)
            elif user not in users:
                users.append(user)
            if not users:
                del message.reactions[name]

    def again(self) -> Delivered:
        """Deliver the last envelope once more, as when its acknowledgement was lost."""
        if self.last is None:
            raise LookupError("nothing was delivered yet")
        kind, payload, done = self.last
        if self.socket.connected:
            return self.socket.deliver_again(done, kind, payload)
        return self._call(payload)

    # -- inside ---------------------------------------------------------------------------------------------

    def _base(self, kind: str, user: str, channel: str) -> dict[str, Any]:
        person = self.known[user]
        trigger = f"{secrets.randbelow(10**12)}.{secrets.randbelow(10**12)}.{secrets.token_hex(16)}"
        path = f"/actions/T0DEMO/{secrets.randbelow(10**12)}/{secrets.token_hex(12)}"
        self._triggers[trigger] = (time.monotonic(), user)
        self._responses[path] = (channel, user)
        return {
            "type": kind,
            "user": {"id": user, "username": person.name, "name": person.name, "team_id": "T0DEMO"},
            "api_app_id": "A0DEMO",
            "token": "deprecated",
            "team": {"id": "T0DEMO", "domain": "demo"},
            "enterprise": None,
            "is_enterprise_install": False,
            "trigger_id": trigger,
            "response_url": self._slack.base_url.removesuffix("/api/") + path,
        }

    def _deliver(self, kind: str, payload: dict[str, Any]) -> Delivered:
        done = self.socket.deliver(kind, payload) if not self.request_url else self._call(payload)
        self.last = (kind, payload, done)
        return done

    def _call(self, payload: Mapping[str, Any]) -> Delivered:
        """Over HTTP, signed."""
        form = dict(payload) if "command" in payload else {"payload": json.dumps(payload)}
        body = urlencode(form).encode()
        headers = signed(body, SIGNING_SECRET, int(self._slack.clock()))
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        request = urllib.request.Request(self.request_url, body, headers)  # noqa: S310 - of this machine
        begin = time.perf_counter()
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=TRIGGER_WITHIN) as answer:
            said = answer.read()
        seconds = time.perf_counter() - begin
        return Delivered("", True, json.loads(said) if said.startswith(b"{") else None, seconds)

    def _shown(self, window: Window) -> dict[str, Any]:
        return {
            **window.view,
            "id": window.id,
            "team_id": "T0DEMO",
            "hash": window.hash,
            "state": {"values": {}},
            "previous_view_id": window.below or None,
            "root_view_id": window.below or window.id,
            "app_id": "A0DEMO",
            "bot_id": "B0BOT",
        }


def signed(body: bytes, secret: str, at: int) -> dict[str, str]:
    """The headers with which Slack signs a request."""
    digest = hmac.new(secret.encode(), f"v0:{at}:".encode() + body, hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": str(at), "X-Slack-Signature": f"v0={digest}"}


def _no(error: str, **more: Any) -> dict[str, Any]:
    return {"ok": False, "error": error, **more}


def _user(person: Person) -> dict[str, Any]:
    return {
        "id": person.id,
        "name": person.name,
        "real_name": person.real_name,
        "tz": person.tz,
        "deleted": False,
        "is_bot": False,
        "profile": {"real_name": person.real_name, "display_name": "", "email": person.email},
    }


def _object(given: object) -> dict[str, Any] | None:
    if isinstance(given, str):
        try:
            given = json.loads(given)
        except ValueError:
            return None
    return dict(given) if isinstance(given, Mapping) else None


def _element(blocks: list[dict[str, Any]], action_id: str) -> tuple[dict[str, Any], str]:
    for number, block in enumerate(blocks):
        elements = [*block.get("elements", ()), *filter(None, [block.get("accessory")])]
        for element in elements if block.get("type") in ("actions", "section") else ():
            if element.get("action_id") == action_id:
                return element, str(block.get("block_id") or f"b{number}")
    raise KeyError(action_id)


def _action(element: dict[str, Any], block_id: str, option: str, value: str | None) -> dict[str, Any]:
    action = {
        "type": element["type"],
        "action_id": element["action_id"],
        "block_id": block_id,
        "action_ts": f"{time.time():.6f}",
    }
    if element["type"] == "overflow":
        chosen = [one for one in element["options"] if one["value"].endswith(f":{option}")]
        if not chosen:
            raise KeyError(option)
        action["selected_option"] = chosen[0] if value is None else {**chosen[0], "value": value}
        return action
    action["text"] = element["text"]
    if "value" in element:
        action["value"] = element["value"] if value is None else value
    return action


def _given(block: Mapping[str, Any], values: Mapping[str, str]) -> bool:
    element = block["element"]
    initial = ("initial_value", "initial_date", "initial_time", "initial_user", "initial_option")
    return bool(values.get(block["block_id"])) or any(element.get(name) for name in initial)


def _state(element: Mapping[str, Any], value: str | None) -> dict[str, Any]:
    kind = str(element["type"])
    match kind:
        case "datepicker":
            return {"type": kind, "selected_date": value or element.get("initial_date")}
        case "timepicker":
            return {"type": kind, "selected_time": value or element.get("initial_time")}
        case "users_select":
            return {"type": kind, "selected_user": value or element.get("initial_user")}
        case "radio_buttons" | "static_select":
            chosen = [one for one in element["options"] if one["value"] == value]
            return {"type": kind, "selected_option": chosen[0] if chosen else element.get("initial_option")}
    return {"type": kind, "value": value or element.get("initial_value")}
