"""What do people say of our own apps in Apple's App Store? All reviews of all countries, with our responses.

The key of App Store Connect signs a token that lasts 19 minutes (ES256; Apple allows 20).
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from spiders.json_api import ApiSpider, Call, Preset, by_body_link, reader
from storage.records import Kind

LASTS = timedelta(minutes=19)
_APP = re.compile(r"/apps/([^/?]{1,200})/customerReviews")


def _ask(call: Call) -> Iterable[tuple[str, str]]:
    for app in call.texts("apps"):
        path = f"v1/apps/{quote(app, safe='')}/customerReviews"
        yield f"reviews of {app}", call.url(path, sort="-createdDate", limit=200, include="response")


def _items(body: Any) -> Sequence[Any] | None:
    if body.get("type") == "customerReviews":
        return [body]
    found = body.get("data")
    found = [found] if isinstance(found, dict) else found
    if not isinstance(found, list):
        return None
    responses: dict[Any, Any] = {}
    for one in body.get("included") or ():
        if isinstance(one, dict) and one.get("type") == "customerReviewResponses":
            said = one.get("attributes")
            responses[one.get("id")] = said
            responses[_related(one, "review")] = said  # some answers tie them together at this end only
    responses.pop(None, None)
    return [
        {**one, "response": responses.get(_related(one, "response")) or responses.get(one.get("id"))}
        if isinstance(one, dict)
        else one
        for one in found
    ]


def _related(thing: Mapping[str, Any], name: str) -> Any:
    for step in ("relationships", name, "data", "id"):
        found = thing.get(step)
        if not isinstance(found, dict):
            return found if step == "id" and isinstance(found, str) else None
        thing = found
    return None


def _context(url: str) -> dict[str, str]:
    found = _APP.search(url)
    return {"app": found[1]} if found else {}


def token_for(keys: Mapping[str, str], now: datetime) -> dict[str, str]:
    """The token these keys sign; nothing where a token was given, or where a key is missing.

    Raises ValueError (or what `cryptography` raises) where the private key is none.
    """
    if "token" in keys or not {"key_id", "issuer_id", "private_key"} <= set(keys):
        return {}
    # Loaded for this alone: it is large, and comes with Scrapy.
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    key = load_pem_private_key(keys["private_key"].replace("\\n", "\n").encode(), None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ValueError("the private key is no EC key")  # noqa: TRY004  (no wrong argument)
    head = {"alg": "ES256", "kid": keys["key_id"], "typ": "JWT"}
    said = {
        "iss": keys["issuer_id"],
        "iat": int(now.timestamp()),
        "exp": int((now + LASTS).timestamp()),
        "aud": "appstoreconnect-v1",
    }
    signed = ".".join(_base64(json.dumps(part).encode()) for part in (head, said))
    r, s = decode_dss_signature(key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
    return {"token": f"{signed}.{_base64(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"}


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


PRESET = Preset(
    kind="app_store_connect",
    title="App Store Connect",
    api_url="https://api.appstoreconnect.apple.com",
    ask=_ask,
    items=_items,
    context=_context,
    places="apps",
    fields={
        "id": "id",
        "title": "attributes.title",
        "text": "attributes.body",
        "author": "attributes.reviewerNickname",
        "entity": "_.app",
        "rating": "attributes.rating",
        "published": "attributes.createdDate",
        "reply": "response.responseBody",
        "replied": "response.lastModifiedDate",
    },
    mentions=Kind.REVIEW,
    paging=by_body_link("links.next"),
    complete=True,
    again=lambda call, names: call.url(f"v1/customerReviews/{quote(names[0], safe='')}", include="response"),
    again_size=1,
    again_young=timedelta(days=30),
    gone=lambda status, body: status in (404, 410),
    gone_or_hidden=True,  # a 404 may also come of a changed address: one that is there must have been seen
    auth_headers={"Authorization": "Bearer {token}"},
    derive=token_for,
    advice={
        "NOT_AUTHORIZED": "look at LOWSTAR_APP_STORE_CONNECT_KEY_ID, …_ISSUER_ID and …_PRIVATE_KEY",
        "FORBIDDEN_ERROR": "the key's role may not read reviews: give it Customer Support",
        "RATE_LIMIT_EXCEEDED": "the hour's requests are spent: ask less often",
    },
    terms="Reviews of one's own apps; no limit is set to how long they may be kept.",
)
read_page = reader(PRESET)


class AppStoreConnectSpider(ApiSpider):
    """Reads the reviews of one's own apps in the App Store."""

    name = "app_store_connect"
    preset = PRESET
    reader = staticmethod(read_page)
