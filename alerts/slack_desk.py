"""How does Slack answer a person? Windows, whispers (messages only one person sees), names, reactions.

The same client and the same errors as `alerts.slack`, for what happens when somebody presses something.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from slack_sdk.webhook import WebhookClient

from alerts.names import Known
from alerts.notifier import Blocks, NotSent, Uncertain
from alerts.slack import PAGE, SlackNotifier, classify, no_proxy_to_loopback
from alerts.text import clip, escape

HISTORY_PAGES = 25  # read for reactions: 5,000 messages of one channel in one run
WHISPER_MAX = 2_500
_HOSTS = ("hooks.slack.com", "hooks.slack-gov.com")


@dataclass(frozen=True, slots=True)
class Reacted:
    """A message and who reacted to it how: (name of the emoji, Slack id)."""

    ts: str
    reactions: tuple[tuple[str, str], ...]


class SlackDesk(SlackNotifier):
    """Slack for whoever sits at the desk. One instance may be used by one thread at a time."""

    def __init__(
        self, token: str, *, base_url: str = "https://slack.com/api/", timeout: float = 30.0
    ) -> None:
        super().__init__(token, base_url=base_url, timeout=timeout)
        self._base_url = base_url
        self._seconds = timeout

    def open_view(self, trigger_id: str, view: Mapping[str, Any], *, push: bool = False) -> str:
        """Open a window (with `push` on top of the one that is open); answers its id.

        Raises a NotifyError; "expired_trigger_id" in it: more than three seconds passed since the press.
        """
        method = "views.push" if push else "views.open"
        body = self._call(method, {"trigger_id": trigger_id, "view": dict(view)}).body
        found = body.get("view")
        return str(found.get("id", "")) if isinstance(found, Mapping) else ""

    def whisper(
        self, channel: str, user: str, text: str, *, blocks: Blocks = (), thread_ts: str = ""
    ) -> None:
        """Say something in a channel that only `user` sees. Raises a NotifyError."""
        arguments = {"channel": channel, "user": user, **whispered(text, blocks)}
        if thread_ts:
            arguments["thread_ts"] = thread_ts
        self._call("chat.postEphemeral", arguments)

    def respond(self, response_url: str, text: str, *, blocks: Blocks = ()) -> None:
        """Answer where it was pressed or typed; only who pressed it sees that. Raises a NotifyError."""
        if not self.may_respond(response_url):
            raise NotSent("the address for the answer is not Slack's")
        client = WebhookClient(response_url, timeout=int(self._seconds), retry_handlers=[])
        no_proxy_to_loopback(client, response_url)
        try:
            answer = client.send(**whispered(text, blocks), response_type="ephemeral", replace_original=False)
        except Exception as error:
            raise classify("response_url", error) from error
        if answer.status_code != 200:
            raise Uncertain(f"response_url: HTTP {answer.status_code}")

    def may_respond(self, response_url: str) -> bool:
        """True for an address of Slack itself, or of the Slack this desk talks to."""
        try:
            asked, ours = urlsplit(response_url), urlsplit(self._base_url)
            if asked.scheme == "https" and asked.hostname in _HOSTS and asked.port in (None, 443):
                return True
            return bool(asked.netloc) and (asked.scheme, asked.netloc) == (ours.scheme, ours.netloc)
        except ValueError:
            return False

    def person(self, user: str) -> Known:
        """What Slack calls a user, and their time zone. Needs `users:read`. Raises a NotifyError."""
        body = self._call("users.info", {"user": user}).body
        found = body.get("user")
        if not isinstance(found, Mapping):
            return Known("")
        profile = found.get("profile")
        names = profile if isinstance(profile, Mapping) else {}
        name = names.get("display_name") or names.get("real_name") or found.get("real_name")
        return Known(str(name or found.get("name") or "")[:80], str(found.get("tz") or "")[:64])

    def reactions(self, channel: str, wanted: Sequence[str]) -> Iterator[Reacted]:
        """How the messages with these ts were reacted to; those found in the newest 5,000 since the oldest.

        The channel's history carries them, with the right to read it that looking needs anyway: one call for
        200 messages instead of one each. Of many reactions alike it may name only the first few people.
        """
        left = set(wanted)
        if not left:
            return
        arguments: dict[str, Any] = {
            "channel": self._channel_id(channel, ""),
            "oldest": min(left, key=_moment),
            "inclusive": True,
            "limit": PAGE,
        }
        for _ in range(HISTORY_PAGES):
            body = self._call("conversations.history", arguments).body
            messages = body.get("messages")
            for message in messages if isinstance(messages, list) else ():
                if isinstance(message, Mapping) and message.get("ts") in left:
                    left.discard(message["ts"])
                    yield Reacted(str(message["ts"]), _reactions(message.get("reactions")))
            further = body.get("response_metadata")
            cursor = further.get("next_cursor") if isinstance(further, Mapping) else None
            if not left or not cursor or not isinstance(cursor, str):
                return
            arguments = {**arguments, "cursor": cursor}


def whispered(text: str, blocks: Blocks = ()) -> dict[str, Any]:
    """The content of a message that says `text` and nothing else, whatever is in it."""
    text = clip(text.strip(), WHISPER_MAX) or "Done."
    plain = {"type": "plain_text", "text": text, "emoji": False}
    return {"text": escape(text), "blocks": list(blocks) or [{"type": "section", "text": plain}]}


def _moment(ts: str) -> float:
    try:
        return float(ts)
    except ValueError:
        return 0.0


def _reactions(given: object) -> tuple[tuple[str, str], ...]:
    found = []
    for one in given if isinstance(given, list) else ():
        if not isinstance(one, Mapping):
            continue
        users = one.get("users")
        name = str(one.get("name", "")).partition("::")[0]  # a skin tone is no other reaction
        found += [
            (name, user) for user in (users if isinstance(users, list) else ()) if isinstance(user, str)
        ]
    return tuple(found)
