"""How does a message get through a Slack incoming webhook?

A webhook answers "ok" and nothing else: no ts, so no edit, no thread, and no looking. After a failure in the
middle the message is sent again: at least once is all that can be promised here.
"""

from __future__ import annotations

from slack_sdk.webhook import WebhookClient

from alerts.headers import retry_after
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
from alerts.slack import NOT_DONE_ERRORS, classify, codes, no_proxy_to_loopback

# What the body of a refused webhook call says. Source: Slack's incoming webhook reference.
GONE = codes("no_service no_service_id no_team invalid_token no_active_hooks team_disabled")
CLOSED = codes(
    "channel_not_found channel_is_archived action_prohibited posting_to_general_channel_denied user_not_found"
)
REFUSED = codes(
    "invalid_payload invalid_blocks invalid_blocks_format invalid_attachments no_text too_many_attachments "
    "missing_text_or_fallback_or_attachments msg_too_long"
)


class WebhookNotifier:
    """The road through an incoming webhook: at least once, nothing can be changed afterwards."""

    name = "webhook"
    can = Capabilities(edits=False, finds=False, threads=False)

    def __init__(self, url: str, *, timeout: float = 30.0) -> None:
        self._client = WebhookClient(url, timeout=timeout, retry_handlers=[])  # type: ignore[arg-type]
        no_proxy_to_loopback(self._client, url)

    def post(self, message: Message) -> Receipt:
        """Send a new message. The receipt is empty: there is nothing to name it by."""
        try:
            answer = self._client.send_dict(
                {
                    "text": message.text,
                    "blocks": list(message.blocks) or None,
                    "unfurl_links": False,
                    "unfurl_media": False,
                    "mrkdwn": False,
                }
            )
        except Exception as error:
            raise classify("webhook", error) from error
        body = str(answer.body or "").strip()
        if answer.status_code == 200 and body == "ok":
            return Receipt("")
        raise _of_answer(answer.status_code, body, answer.headers)

    def edit(self, receipt: Receipt, message: Message) -> None:
        """Always raises: a webhook changes nothing."""
        raise Unchangeable("a webhook message cannot be changed")

    def find(self, search: Search) -> Receipt | None:
        """Always raises: a webhook reads nothing."""
        raise CannotLook("a webhook cannot read the channel")

    def remove(self, receipt: Receipt) -> None:
        """Always raises: a webhook deletes nothing."""
        raise Unchangeable("a webhook message cannot be removed")


def _of_answer(status: int, body: str, headers: object) -> NotifyError:
    code = body[:80].split("\n")[0].strip()
    said = f"webhook: HTTP {status} {redact(code)}"
    if status == 429 or code in ("rate_limited", "ratelimited"):
        return RateLimited(said, retry_after(headers))
    if code in GONE:
        return TokenRefused(f"{said}: the webhook no longer exists, make a new one")
    if code in CLOSED:
        return ChannelClosed(said)
    if code in REFUSED:
        return Unrenderable(said)
    if code in NOT_DONE_ERRORS:
        return NotSent(said)
    return Uncertain(said)
