"""How does a message get into a Slack channel, and what does each answer mean?

The SDK's retry handlers are off: the default one sends a POST again that Slack had already accepted. Every
failure becomes a `NotifyError`; what is on no list below is `Uncertain`, because only looking can tell.
"""

from __future__ import annotations

import errno
import os
import re
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import getproxies_environment

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackRequestError

from alerts.headers import header, retry_after
from alerts.notifier import (
    CannotLook,
    Capabilities,
    ChannelClosed,
    Message,
    NotifyError,
    NotSent,
    RateLimited,
    Receipt,
    Search,
    TokenRefused,
    Uncertain,
    Unchangeable,
    Unrenderable,
)
from alerts.redact import redact
from alerts.text import clip

EVENT_TYPE = "lowstar_message"
NEEDED_SCOPES = frozenset({"chat:write"})
READING_SCOPES = frozenset({"channels:history", "groups:history"})  # one of them, for looking
PAGE = 200  # messages a page; Slack advises no more than 200
MAX_PAGES = 500  # 100,000 messages: beyond it the look is given up, never taken for "not there"


def codes(words: str) -> frozenset[str]:
    """A set of error codes from a line of them."""
    return frozenset(words.split())


# Error codes of chat.*, conversations.* and all methods, by what to do next. From Slack's method reference.
TOKEN_ERRORS = codes(
    "access_denied accesslimited account_inactive deprecated_endpoint ekm_access_denied invalid_auth "
    "invalid_token enterprise_is_restricted method_deprecated missing_scope not_allowed_token_type "
    "not_authed unknown_method org_login_required team_access_not_granted token_expired token_revoked "
    "two_factor_setup_required metadata_must_be_sent_from_app app_not_found is_bot user_is_bot"
)
CHANNEL_ERRORS = codes(
    "as_user_not_supported cannot_dm_bot channel_is_archived channel_not_found channel_type_not_supported "
    "external_channel_migrating is_archived is_inactive messages_tab_disabled no_permission not_in_channel "
    "method_not_supported_for_channel_type restricted_action restricted_action_non_threadable_channel "
    "restricted_action_read_only_channel restricted_action_thread_only_channel team_not_found user_not_found "
    "slack_connect_canvas_sharing_blocked slack_connect_file_link_sharing_blocked"
)
FORM_ERRORS = codes(
    "attachment_payload_limit_exceeded block_mismatch cannot_parse_attachment invalid_arg_name "
    "invalid_arguments invalid_array_arg invalid_attachments invalid_blocks invalid_blocks_format "
    "invalid_charset invalid_form_data "
    "invalid_metadata_format invalid_metadata_schema invalid_post_type markdown_text_conflict no_text "
    "metadata_too_large missing_post_type msg_blocks_too_long msg_too_long too_many_attachments "
    "too_many_contact_cards"
)
RATE_ERRORS = codes("ratelimited rate_limited message_limit_exceeded")
# Slack says that it did not read the request to its end, or that it takes none at present: nothing was done.
NOT_DONE_ERRORS = codes("request_timeout team_added_to_org")
UNCHANGEABLE_ERRORS = codes(
    "cant_broadcast_message cant_delete_message cant_update_message compliance_exports_prevent_deletion "
    "edit_window_closed message_not_found no_dual_broadcast_content_update streaming_state_conflict"
)
UNCERTAIN_ERRORS = codes("fatal_error internal_error service_unavailable update_failed")

ALT_MAX = 1_000  # characters; files.getUploadURLExternal answers "alt_txt_too_large" beyond
_CHANNEL_ID = re.compile(r"[CGD][A-Z0-9]{6,20}")
_NEVER_CONNECTED = (
    errno.ECONNREFUSED,
    errno.EHOSTUNREACH,
    errno.ENETUNREACH,
    errno.EHOSTDOWN,
    errno.ENETDOWN,
    errno.EADDRNOTAVAIL,
)


@dataclass(frozen=True, slots=True)
class SlackIdentity:
    """Who we are to Slack, and what we may not do yet."""

    team: str
    user: str
    bot_id: str
    scopes: tuple[str, ...]
    missing: tuple[
        str, ...
    ]  # scopes to add; without a history scope a message can be doubled after a failure


class SlackNotifier:
    """The road through a bot token. One instance may be used by one thread at a time."""

    name = "slack"
    can = Capabilities(edits=True, finds=True, threads=True)

    def __init__(
        self,
        token: str,
        *,
        base_url: str = "https://slack.com/api/",
        timeout: float = 30.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        # The SDK annotates `int` and hands the value to the socket, which takes fractions.
        self._client = WebClient(token, base_url=base_url, timeout=timeout, retry_handlers=[])  # type: ignore[arg-type]
        no_proxy_to_loopback(self._client, base_url)
        self._clock = clock
        self._skew: float | None = None  # seconds Slack's clock is ahead of ours
        self._ids: dict[str, str] = {}  # channel name → id, as Slack told us

    def check(self) -> SlackIdentity:
        """Ask Slack who we are; raises the `NotifyError` that sending would raise."""
        answer = self._call("auth.test", {})
        said = header(answer.headers, "x-oauth-scopes")
        scopes = tuple(sorted(scope.strip() for scope in said.split(",") if scope.strip()))
        missing = set(NEEDED_SCOPES - set(scopes)) if scopes else set()
        if scopes and not READING_SCOPES & set(scopes):
            missing.add("channels:history")
        body = answer.body
        return SlackIdentity(
            team=str(body.get("team", "")),
            user=str(body.get("user", "")),
            bot_id=str(body.get("bot_id", "")),
            scopes=scopes,
            missing=tuple(sorted(missing)),
        )

    def check_channel(self, channel: str) -> str:
        """What keeps us from posting into a channel, in words; "" if nothing does. Needs `channels:read`."""
        try:
            body = self._call("conversations.info", {"channel": self._channel_id(channel, "")}).body
        except ChannelClosed as error:
            return str(error)
        info = body.get("channel")
        if not isinstance(info, Mapping):
            return "Slack told nothing about it"
        if info.get("is_archived"):
            return "it is archived"
        return "" if info.get("is_member", True) else "the app is not a member: /invite it there"

    def post(self, message: Message) -> Receipt:
        """Send a new message; its receipt holds Slack's ts and the channel's id, of pictures the first one's id."""
        if message.pictures:
            return self._upload(message)
        arguments = {"channel": message.channel, **_content(message)}
        if message.thread_id:
            arguments["thread_ts"] = message.thread_id
            if message.broadcast:
                arguments["reply_broadcast"] = True
        body = self._call("chat.postMessage", arguments).body
        ts, channel = body.get("ts"), body.get("channel")
        if not isinstance(ts, str) or not ts:
            raise Uncertain("Slack said ok without a ts")
        if isinstance(channel, str) and channel:
            self._ids[message.channel] = channel
            return Receipt(ts, channel)
        return Receipt(ts)

    def _upload(self, message: Message) -> Receipt:
        """Pictures into a channel or a thread. Slack lets them carry no mark to be found by: at least once."""
        try:
            channel = self._channel_id(message.channel, "")
        except CannotLook as error:
            raise Unrenderable(f"no pictures: {error}") from error
        pictures = [
            {
                "filename": one.name,
                "title": one.title,
                "alt_txt": clip(one.alt, ALT_MAX),
                "content": one.content,
            }
            for one in message.pictures
        ]
        try:
            answer = self._client.files_upload_v2(
                channel=channel,
                thread_ts=message.thread_id,
                initial_comment=message.text,
                file_uploads=pictures,
            )
        except SlackRequestError as error:
            # The bytes were refused, or the way to them is shut: the message itself is worth more.
            raise Unrenderable(f"files_upload_v2: {redact(str(error))[:200]}") from error
        except Exception as error:
            said = classify("files_upload_v2", error)
            if isinstance(said, TokenRefused):
                # A right we can do without: nothing else may stop for want of it.
                raise Unrenderable(f"{said}: pictures need files:write") from error
            raise said from error
        files = answer.get("files")
        first = files[0] if isinstance(files, list) and files and isinstance(files[0], Mapping) else {}
        return Receipt(str(first.get("id", "")), channel)

    def edit(self, receipt: Receipt, message: Message) -> None:
        """Make an earlier message look like `message`; doing it twice is doing it once."""
        # Without `blocks` the old ones would stay, the words of a removed post among them.
        content = {"blocks": [], **_content(message)}
        del content["unfurl_links"], content["unfurl_media"], content["mrkdwn"]
        channel = self._channel_id(message.channel, receipt.remote_channel)
        self._call("chat.update", {"channel": channel, "ts": receipt.remote_id, **content})

    def find(self, search: Search) -> Receipt | None:
        """The message with this outbox_id, if it stands in the channel (or its thread); all pages are read.

        None only when all since `search.since` was read. Raises `CannotLook` where that is not possible.
        """
        arguments: dict[str, Any] = {"limit": PAGE, "include_all_metadata": True, "inclusive": True}
        try:
            # The times of the search are ours, Slack's ts are Slack's: shift by what its Date header shows.
            if self._skew is None:
                self._call("auth.test", {})
            channel = self._channel_id(search.channel, str(search.extra.get("remote_channel", "")))
            arguments["channel"] = channel
            arguments["oldest"] = f"{max(0.0, search.since.timestamp() + (self._skew or 0.0)):.6f}"
            return self._search(arguments, search)
        except TokenRefused as error:
            if "missing_scope" in str(error) or "not_allowed_token_type" in str(error):
                raise CannotLook(f"{error}: add channels:history (private: groups:history)") from error
            raise

    def remove(self, receipt: Receipt) -> None:
        """Take the message out of the channel; a message already gone is fine."""
        try:
            self._call("chat.delete", {"channel": receipt.remote_channel, "ts": receipt.remote_id})
        except Unchangeable as error:
            if "message_not_found" not in str(error):
                raise

    def _search(self, arguments: dict[str, Any], search: Search) -> Receipt | None:
        method = "conversations.history"
        if search.thread_id:
            method, arguments = "conversations.replies", {**arguments, "ts": search.thread_id}
        seen: set[str] = set()
        for _ in range(MAX_PAGES):
            try:
                body = self._call(method, arguments).body
            except NotifyError as error:
                if "thread_not_found" in str(error):
                    return None  # no thread, so no reply in it
                raise
            messages = body.get("messages")
            if not isinstance(messages, list):
                raise Uncertain(f"{method} answered without messages")
            for message in messages:
                if _outbox_id(message) == search.outbox_id and isinstance(message.get("ts"), str):
                    return Receipt(message["ts"], arguments["channel"])
            further = body.get("response_metadata")
            cursor = further.get("next_cursor") if isinstance(further, Mapping) else None
            if not cursor:
                if body.get("has_more"):
                    raise Uncertain(f"{method} has more, and no way to it")
                return None
            if not isinstance(cursor, str) or cursor in seen:
                raise Uncertain(f"{method} goes round in circles")
            seen.add(cursor)
            arguments = {**arguments, "cursor": cursor}
        raise Uncertain(f"{method}: not found on {MAX_PAGES} pages, and there are more")

    def _channel_id(self, channel: str, known: str) -> str:
        """The id of a channel; history and edits take no names."""
        for candidate in (known, channel, self._ids.get(channel, "")):
            if _CHANNEL_ID.fullmatch(candidate):
                return candidate
        wanted = channel.lstrip("#")
        arguments: dict[str, Any] = {"limit": PAGE, "types": "public_channel,private_channel"}
        for _ in range(MAX_PAGES):
            try:
                body = self._call("conversations.list", arguments).body
            except TokenRefused as error:
                if "missing_scope" in str(error):
                    raise CannotLook(f"{channel} has to be given by its id, or add channels:read") from error
                raise
            for one in body.get("channels") or ():
                if isinstance(one, Mapping) and one.get("name") == wanted and isinstance(one.get("id"), str):
                    self._ids[channel] = one["id"]
                    return self._ids[channel]
            further = body.get("response_metadata")
            cursor = further.get("next_cursor") if isinstance(further, Mapping) else None
            if not cursor:
                break
            arguments = {**arguments, "cursor": cursor}
        raise ChannelClosed(f"channel_not_found: {channel}")

    def _call(self, method: str, arguments: Mapping[str, Any]) -> _Answer:
        reading = method.startswith(("conversations.", "users.", "reactions."))
        try:
            # The reading methods take a form, no JSON.
            response = (
                self._client.api_call(method, params=dict(arguments))
                if reading
                else self._client.api_call(method, json=dict(arguments))
            )
            body, headers = response.data, response.headers
        except Exception as error:
            if isinstance(error, SlackApiError):
                self._note_skew(getattr(error.response, "headers", None))
            raise classify(method, error) from error
        if not isinstance(body, dict):
            raise Uncertain(f"{method}: the answer is no object")
        self._note_skew(headers)
        return _Answer(body, headers)

    def _note_skew(self, headers: object) -> None:
        try:
            date = parsedate_to_datetime(header(headers, "date"))
            self._skew = date.timestamp() - self._clock()
        except (ValueError, TypeError, OverflowError):
            self._skew = self._skew or 0.0


@dataclass(frozen=True, slots=True)
class _Answer:
    body: dict[str, Any]
    headers: Any


def classify(method: str, error: BaseException) -> NotifyError:
    """What a failure of a call to Slack means for the message.

    >>> classify("chat.postMessage", URLError(ConnectionRefusedError(111, "refused")))
    NotSent('chat.postMessage: no connection (refused)')
    """
    if isinstance(error, SlackApiError):
        return _of_answer(method, error.response)
    if isinstance(error, SlackRequestError):
        return NotSent(f"{method}: {redact(str(error))}")
    # urllib wraps in URLError what happened until the request was written; later errors come bare.
    reason = error.reason if isinstance(error, URLError) else None
    if isinstance(reason, socket.gaierror | ssl.SSLCertVerificationError):
        return NotSent(f"{method}: no connection ({redact(str(reason.strerror or reason))})")
    if isinstance(reason, OSError) and reason.errno in _NEVER_CONNECTED:
        return NotSent(f"{method}: no connection ({reason.strerror})")
    return Uncertain(f"{method}: {type(error).__name__}: {redact(str(error))[:200]}")


def _of_answer(method: str, response: Any) -> NotifyError:
    status = getattr(response, "status_code", 0)
    headers = getattr(response, "headers", {})
    data = getattr(response, "data", None)
    code = data.get("error") if isinstance(data, Mapping) else None
    code = code if isinstance(code, str) else ""
    if status == 429 or code in RATE_ERRORS:
        return RateLimited(f"{method}: ratelimited", retry_after(headers))
    if not isinstance(status, int) or status >= 500:
        return Uncertain(f"{method}: HTTP {status}")
    said = f"{method}: {code[:200]}"
    if isinstance(data, Mapping):
        if code == "missing_scope":
            said += f" (needs {data.get('needed')}, has {data.get('provided')})"
        further = data.get("response_metadata")
        messages = further.get("messages") if isinstance(further, Mapping) else None
        if isinstance(messages, list) and messages:
            said += f" ({'; '.join(str(message) for message in messages[:3])})"
    said = redact(said)[:400]
    for codes, kind in (
        (TOKEN_ERRORS, TokenRefused),
        (CHANNEL_ERRORS, ChannelClosed),
        (FORM_ERRORS, Unrenderable),
        (NOT_DONE_ERRORS, NotSent),
        (UNCHANGEABLE_ERRORS, Unchangeable),
    ):
        if code in codes:
            return kind(said)
    return Uncertain(said if code else f"{method}: HTTP {status} without an error code")


def _content(message: Message) -> dict[str, Any]:
    payload: dict[str, Any] = {
        "outbox_id": message.outbox_id,
        "kind": message.kind,
        "version": message.version,
    }
    if message.number is not None:
        payload["case_id"] = str(message.number)
    content: dict[str, Any] = {
        "text": message.text,
        "metadata": {"event_type": EVENT_TYPE, "event_payload": payload},
        "unfurl_links": False,
        "unfurl_media": False,
        # chat.update would otherwise fall back to "client" and link names; and the text is no mrkdwn.
        "parse": "none",
        "link_names": False,
        "mrkdwn": False,
    }
    if message.blocks:
        content["blocks"] = list(message.blocks)
    return content


def _outbox_id(message: object) -> str:
    metadata = message.get("metadata") if isinstance(message, Mapping) else None
    payload = metadata.get("event_payload") if isinstance(metadata, Mapping) else None
    return str(payload.get("outbox_id", "")) if isinstance(payload, Mapping) else ""


def no_proxy_to_loopback(client: Any, url: str) -> None:
    """Let an SDK client reach this machine directly, whatever the environment says of proxies."""
    if urlsplit(url).hostname not in ("127.0.0.1", "::1", "localhost"):
        return
    # The SDK takes HTTPS_PROXY for everything and knows no NO_PROXY; urllib asks the environment again.
    client.proxy = None
    known = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
    if getproxies_environment() and "127.0.0.1" not in known and known != "*":
        os.environ["no_proxy"] = ",".join(filter(None, (known, "127.0.0.1", "localhost", "::1")))
