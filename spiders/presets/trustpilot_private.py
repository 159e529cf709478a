"""What do our own customers say on Trustpilot, and which order was it about? Its private reviews API.

The same reviews as `trustpilot` reads, by the same ids, with the number the business gave the order. Customers'
e-mail addresses are in the answers, too, and are not read. The application's key and secret buy a token that
lasts some hours (the grant "client credentials").
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from datetime import datetime
from urllib.parse import quote

from spiders.json_api import ApiSpider, Call, Login, Preset, by_page, reader
from spiders.presets.trustpilot import ADVICE, FIELDS, YOUNG, items_of
from storage.records import Kind

PRIVATE_KEYS = "look at LOWSTAR_TRUSTPILOT_PRIVATE_KEY and …_SECRET"


def _ask(call: Call) -> Iterable[tuple[str, str]]:
    for unit in call.texts("business_units"):
        path = f"v1/private/business-units/{quote(unit, safe='')}/reviews"
        yield f"reviews of {unit}", call.url(path, perPage=100, orderBy="createdat.desc", page=1)


def _basic(keys: Mapping[str, str], now: datetime) -> Mapping[str, str]:
    if not {"key", "secret"} <= set(keys):
        return {}
    return {"basic": base64.b64encode(f"{keys['key']}:{keys['secret']}".encode()).decode()}


PRESET = Preset(
    kind="trustpilot_private",
    title="Trustpilot (private)",
    api_url="https://api.trustpilot.com",
    ask=_ask,
    items=items_of,
    fields=FIELDS,
    mentions=Kind.REVIEW,
    link="https://www.trustpilot.com/reviews/{id}",
    paging=by_page("page"),
    complete=True,
    # Whether one is still there the public API tells, which is documented for it. It does not know the order, so
    # what it says of a review is not taken over: edits come with the listings.
    again=lambda call, names: call.url(f"v1/reviews/{quote(names[0], safe='')}"),
    context=lambda url: {"public": "yes"} if "/v1/reviews/" in url else {},
    skip="_.public",
    again_size=1,
    again_most=5,  # every call counts against a year's allowance
    again_young=YOUNG,
    gone=lambda status, body: status in (404, 410),
    gone_or_hidden=True,  # a 404 may also come of a changed address: one that is there must have been seen
    auth_headers={"Authorization": "Bearer {token}", "apikey": "{key}"},
    derive=_basic,
    login=Login(
        url="/v1/oauth/oauth-business-users-for-applications/accesstoken",
        body={"grant_type": "client_credentials"},
        token="access_token",  # noqa: S106  (where it is)
        gives="token",
        form=True,
        headers={"Authorization": "Basic {basic}"},
    ),
    advice={
        **ADVICE,
        "invalid_client": PRIVATE_KEYS,
        "Unknown API key": PRIVATE_KEYS,
        "Invalid ApiKey": PRIVATE_KEYS,
    },
    terms="As agreed with Trustpilot; reviews taken down there are to be taken down here.",
)
read_page = reader(PRESET)


class TrustpilotPrivateSpider(ApiSpider):
    """Reads the reviews of one's own business on Trustpilot."""

    name = "trustpilot_private"
    preset = PRESET
    reader = staticmethod(read_page)
