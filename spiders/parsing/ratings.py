"""How many stars is that: "8,4/10", "4.5 out of 5 stars", {"ratingValue": 92, "bestRating": 100}?

Stars are `value / best * 5`, never below 1: what people expect of "8/10" (4 stars), of 92 % (4.6), and "
"of a 0/10
(1 star, the worst there is). The worst value plays a part only where it is negative, or where best is 1 (a
thumb: 0 → 1 star, 1 → 5). A zero on a scale of stars means "not rated yet" and gives no stars, unless "
"the page
says that the scale begins at zero.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from spiders.parsing.html import strip_tags

SNIPPET_MAX = 20_000  # characters of markup looked at
TEXT_MAX = 1_000  # characters of text looked at: a rating stands at its beginning


@dataclass(frozen=True, slots=True)
class Rating:
    """A rating as printed, and on our scale."""

    stars: float | None = None  # 1–5, two decimals; None where there is no rating
    value: float | None = None  # as printed
    best: float | None = None  # as printed; None where the page did not say
    raw: str = ""
    scale_inferred: bool = False  # stars rest on a best value that was not on the page


# --- words ---------------------------------------------------------------------------------------------

# Enumerations of APIs (Google Business: ONE … FIVE), and the words of sites whose scale is published:
# Tripadvisor (excellent … terrible), Trustpilot (excellent, great, average, poor, bad), eBay (positive,
# neutral, negative), Steam and Facebook (recommended or not). A word outside these is no rating.
_WORDS: dict[str, float] = {
    **dict.fromkeys(("one", "one star", "terrible", "bad", "negative", "thumbs down", "👎"), 1.0),
    **dict.fromkeys(("not recommended", "doesn't recommend", "dislike"), 1.0),
    **dict.fromkeys(("two", "two stars", "poor"), 2.0),
    **dict.fromkeys(("three", "three stars", "average", "neutral"), 3.0),
    **dict.fromkeys(("four", "four stars", "very good", "great"), 4.0),
    **dict.fromkeys(("five", "five stars", "excellent", "positive", "thumbs up", "👍"), 5.0),
    **dict.fromkeys(("recommended", "recommends", "like"), 5.0),
}

_NUM = r"\d{1,4}(?:[.,]\d{1,12})?"
_OUT = (
    r"(?:/|\\|out\s+of(?:\s+a\s+possible)?|of|von(?:\s+maximal)?|sur|su|de(?:\s+un\s+total\s+de)?|di|em"
    r"|van(?:\s+de)?"
    r"|из|з|av|af|z|ze|ud\s+af|från|na|dintr?e|από|από\s+τα|ud|/\s*von)"
)
_FRACTION = re.compile(rf"(?<![\d.,/])({_NUM})\s*(?:★|⭐)?\s*\(?{_OUT}\s*({_NUM})(?![\d/]|[.,]\d)", re.I)
_UNIT_FRACTION = re.compile(
    rf"(?<![\d.,/])({_NUM})\s*(?:stars?|sternen?|étoiles?|estrellas?|stelle|estrelas"
    rf"|sterren)\s*,?\s*{_OUT}\s*({_NUM})(?![\d/]|[.,]\d)",
    re.I,
)
# "5つ星のうち4.5", "5점 만점에 4", "5 yıldız üzerinden 4,5", "满分5分 4.5": here the best value comes first.
_BEST_FIRST = re.compile(
    rf"(?:(?<![\d.,])({_NUM})\s*(?:つ星のうち|点満点(?:中|で)?|점\s*만점에|yıldız\s+üzerinden|üzerinden)"
    rf"|満分\s*({_NUM})\s*分?|满分\s*({_NUM})\s*分?)"
    rf"\s*[,，:：]?\s*({_NUM})"
)
_NUMBER = re.compile(rf"(?<![\d.,_])(?<!\d[ \u00a0\u202f])({_NUM})(?!\d|[.,]\d|\s?[kK]\b)")
_GROUPED = re.compile(r"(?<![\d.,])\d{1,3}(?:[.,' \u00a0\u202f’]\d{3})+(?![\d])")
_PERCENT = re.compile(r"\s*%")
_SIMPLE = re.compile(r"\s*([+-]?\d{1,9}(?:[.,]\d{1,20})?(?:[eE][+-]?\d{1,3})?)\s*")
# What follows a number that counts people or reviews.
_COUNT_AFTER = re.compile(
    r"\s*[+x×]?\s*\)?\s*(?:[^\W\d_]{1,14}\s+){0,2}?"
    r"(?:reviews?\b|ratings\b|review-|ratings?\s*\)|votes?\b|opini|bewertung|rezension|stimmen?\b"
    r"|avis\b|commentaires?|notes\b|votos?\b"
    r"|reseñ|opiniones|valorac|calificac|recension|valutazion|voti\b|beoordeling|ervaring|ocen|recenz|głos"
    r"|отзыв|оцен|голос|відгук|omdömen|betyg\b|recensioner|anmeld|bedømm|vurder|arvostel|hodnocen"
    r"|hodnotil|zákazník"
    r"|found\b|helpful|yorum|değerlend|értékel|κριτικ|αξιολογ|customers?\b|users?\b|people\b|buyers?\b"
    r"|personen|clients\b"
    r"|件|条|則|则|個の評価|개|レビュー|評論|评论|评价)",
    re.I,
)
_PEOPLE_AFTER = re.compile(r"\s*(?:reviews|people|customers|users|of them|found)\b", re.I)  # "4 of 5 people"
_STAR_AFTER = re.compile(
    r"\s*-?\s*(?:[★⭐🌟]|stars?\b|sterne?n?\b|étoiles?|estrellas?|estrelas?|stell[ae]\b|sterr?en\b|ster\b"
    r"|gwiazd"
    r"|звезд|звёзд|зірк|stjern|stjärn|tähte|hvězd|yıldız|csillag|αστέρι|星|점|点|分|bubbles?\b|average\b)",
    re.I,
)
_RATING_BEFORE = re.compile(
    r"(?:rat(?:ed|ing|e)|score[ds]?|average|note|nota|bewertung|durchschnitt(?:lich)?|punteggio"
    r"|valutazione|moyenne"
    r"|puntuación|calificación|valoración|avaliação|média|waardering|cijfer|ocena|średnia|оценка"
    r"|рейтинг|betyg|karakter"
    r"|評価|평점|评分)\W{0,3}(?:\w{1,10}\s)?\W{0,2}$",
    re.I,
)
_DATE = re.compile(r"(?<!\d)(?:\d{1,2}[/.-]\d{1,2}[/.-]\d{2,4}|\d{4}[/.-]\d{1,2}[/.-]\d{1,2})(?!\d)")
_BEST_PROP = re.compile(
    r"""itemprop\s*=\s*["']?bestRating["']?[^<>]{0,200}?"""
    r"""(?:\bcontent\s*=\s*["']([\d.,]{1,6})["']|>\s*([\d.,]{1,6})\s*<)"""
)
_RANGE = re.compile(r"(?<![\d.,])\d{1,3}\s?(?:[-–—]|to|bis|à)\s?\d{1,3}(?![\d.,]|\s?-)")
_HTML_DROP = re.compile(r"[\x00]+")
_SPLIT_DECIMAL = re.compile(r"(?<=\d)\x00*([.,])\x00*(?=\d)")
_ATTRIBUTE = re.compile(
    r"""\b(?:aria-label|title|alt|content|data-rating|data-score|data-value|data-stars|data-rate)"""
    r"""\s*=\s*["']([^"'<>]{1,200})["']""",
    re.I,
)
_CLASS = re.compile(
    r"(?:bubble|stars?|rating|rate|score)s?[-_]{1,2}([0-9])(?:[-_.]?(0|5))?(?![0-9a-zA-Z])", re.I
)
_CLASS_ATTR = re.compile(r"""\bclass\s*=\s*["']([^"'<>]{1,400})["']""", re.I)
_FULL, _HALF, _EMPTY = "★⭐🌟✭✮✯⭑", "⯨⯪✬", "☆✩✰⭒"
_GLYPHS = re.compile(
    rf"[{_FULL}{_HALF}{_EMPTY}½](?:[{_FULL}{_HALF}{_EMPTY}½\ufe0f\s]*[{_FULL}{_HALF}{_EMPTY}½\ufe0f])?"
)
_BESTS = frozenset((3.0, 4.0, 5.0, 6.0, 7.0, 10.0, 20.0, 50.0, 100.0, 1000.0))
_TYPOGRAPHY = str.maketrans(
    {"٫": ".", "，": ",", "．": ".", "％": "%", "／": "/", "−": "-", "⁄": "/", "\u2009": " "}
)


# --- the two questions ---------------------------------------------------------------------------------


def parse_rating(value: object, best: object = None, worst: object = None) -> Rating:
    """`value` on a scale of 1–5 (see the module for how), together with what was printed.

    `value` is a number, a string, a schema.org Rating as a dict, or a list of these; `best` and `worst` the
    ends of its scale where the page gives them. Without `best` it is taken from the string ("8/10", "92 %"),
    else inferred: 5, or 10 for a value over 5, or 100 over 10; `scale_inferred` then says so. A `best` below
    the value cannot be one and is inferred too. What is no rating (NaN, negative, over 100 without a scale,
    prose) has no stars. Never raises.

    >>> parse_rating("8,4/10").stars, parse_rating("4", best="10").stars, parse_rating(7).stars
    (4.2, 2.0, 3.5)
    >>> parse_rating("B+").stars, parse_rating(0, best=5).stars, parse_rating("0%").stars
    (None, None, 1.0)
    """
    for _ in range(6):
        if isinstance(value, Mapping):
            best = value.get("bestRating", best)
            worst = value.get("worstRating", worst)
            keys = ("ratingValue", "@value", "value", "name")
            value = next((value[k] for k in keys if value.get(k) is not None), None)
        elif isinstance(value, (list, tuple)):
            value = next((v for v in value[:20] if v is not None and v != ""), None)
        else:
            break
    if isinstance(value, bool) or value is None:
        return Rating()
    if isinstance(value, (int, float)):
        number = _finite(value)
        return Rating() if number is None else _scaled(number, _end(best), _end(worst), _shown(value))
    if not isinstance(value, str):
        return Rating()
    raw = " ".join(value[:TEXT_MAX].split())
    simple = _SIMPLE.fullmatch(value) if len(value) <= 40 else None
    if simple:
        return _scaled(float(simple[1].replace(",", ".")), _end(best), _end(worst), raw)
    found = parse_rating_text(value)
    if found.value is not None and found.best is None:
        return _scaled(found.value, _end(best), _end(worst), raw)
    return found


def parse_rating_text(snippet: str, context: str = "") -> Rating:
    """The rating in free text or markup around one: "Rated 4.5 out of 5 (12 reviews)", "★★★☆☆", "4,1 su 5".

    Counts ("1,234 reviews"), ranges ("1-5") and negative numbers are no ratings. Markup that prints no number
    is asked for its labels (`aria-label`, `title`, `alt`, `content`) and for classes like `bubble_45`.
    `context`, the markup around the snippet, is asked for the best value alone. Never raises; linear; the
    first 20,000 characters of markup, 1,000 of text.

    >>> r = parse_rating_text("<span>5,0 von 5 Sternen</span> (1.234 Bewertungen)"); (r.stars, r.best)
    (5.0, 5.0)
    >>> parse_rating_text("1,234 reviews").stars
    """
    markup = snippet[:SNIPPET_MAX]
    tagged = "<" in markup and ">" in markup
    text = _text_of(markup)
    value, best = _read(text)
    if value is None and tagged:
        for label in _ATTRIBUTE.findall(markup)[:20]:
            value, best = _read(_normal(label))
            if value is not None:
                text = label
                break
        else:
            for classes in _CLASS_ATTR.findall(markup)[:20]:
                value = _class_value(classes)
                if value is not None:
                    text = classes
                    break
    if value is None and not tagged and len(text) <= 100:
        value = _class_value(text)
    raw = " ".join(text.split())[:TEXT_MAX]
    if value is None:
        return Rating(raw=raw)
    if best is None and context and (prop := _BEST_PROP.search(context[:SNIPPET_MAX])):
        best = _end(prop[1] or prop[2])
    elif best is None and context:
        around, said = _read(_text_of(context[:SNIPPET_MAX]))
        if said is not None and around is not None and abs(around - value) < 0.011:
            best = said
    return _scaled(value, best, None, raw)


# --- reading -------------------------------------------------------------------------------------------


def _text_of(markup: str) -> str:
    if "<" not in markup:
        return _normal(markup)
    text = strip_tags(markup, block="\n", inline="\x00")
    text = _SPLIT_DECIMAL.sub(r"\1", text)  # 4<small>.5</small>
    return _normal(_HTML_DROP.sub(" ", text))


def _normal(text: str) -> str:
    """Digits of every script as ASCII, one kind of comma and slash, spaces folded."""
    text = text[: TEXT_MAX * 4]
    if "&" in text:
        text = text.replace("&nbsp;", " ").replace("&#160;", " ").replace("&frac12;", "½")
    if not text.isascii():
        text = re.sub(r"(?<=\d)\s?½", ".5", text).translate(_TYPOGRAPHY)
        text = "".join(str(unicodedata.decimal(c)) if c > "\x7f" and c.isdecimal() else c for c in text)
    return " ".join(text.split())[:TEXT_MAX]


def _read(text: str) -> tuple[float | None, float | None]:
    """(value, best) of a normalised text; None for what it does not say."""
    if not text or (text[0] == "-" and text[1:2].isdigit()):
        return None, None
    word = _WORDS.get(text.strip(" .!").casefold().replace("_", " ").removeprefix("star rating "))
    if word is not None:
        return word, 5.0
    if not any(c.isdigit() for c in text):
        return _glyphs(text)
    for pattern in (_FRACTION, _UNIT_FRACTION):
        for hit in pattern.finditer(text):
            value, best = _float(hit[1]), _float(hit[2])
            sane = value <= best and best in _BESTS and not _negative(text, hit.start())
            if sane and not _PEOPLE_AFTER.match(text, hit.end()):
                return value, best
    first = _BEST_FIRST.search(text)
    if first:
        best, value = _float(first[1] or first[2] or first[3]), _float(first[4])
        if value <= best:
            return value, best
    return _bare(text)


def _bare(text: str) -> tuple[float | None, float | None]:
    """The number that is most likely the rating, where no scale stands beside it."""
    taken = [m.span() for pattern in (_GROUPED, _RANGE, _DATE) for m in pattern.finditer(text)]
    # "4,567" alone is a decimal rating as well as a count: a count only if something says so.
    if taken == [(0, len(text))] and _SIMPLE.fullmatch(text):
        taken = []
    best_rank, found = 99, None
    percents: float | None = None
    units: set[float] = set()
    for index, hit in enumerate(_NUMBER.finditer(text)):
        if index >= 40:
            break
        start, stop = hit.span()
        if any(a <= start < b for a, b in taken) or _negative(text, start):
            continue
        value = _float(hit[1])
        if value > 100 or _is_count(text, start, stop):
            continue
        if _PERCENT.match(text, stop):
            percents = value if percents is None else percents
            rank = 3
        elif _STAR_AFTER.match(text, stop):
            units.add(value)
            rank = 0
        elif _RATING_BEFORE.search(text[max(0, start - 30) : start]):
            rank = 1
        elif not hit[1].isdigit():
            rank = 2
        else:
            rank = 3
        if rank < best_rank:
            best_rank, found = rank, (value, 100.0 if _PERCENT.match(text, stop) else None)
    if len(units) >= 3 and best_rank == 0:
        return None, None  # a histogram: "5 stars 4 stars 3 stars …" rates nothing
    if best_rank >= 3 and any(glyph in text for glyph in _FULL):
        # "★★★★☆ 12" is drawn; in "★★★★★ 4" the row is decoration, as rows without empty stars often are.
        drawn = _glyphs(text)
        hollow = any(glyph in text for glyph in _EMPTY)
        if drawn[0] is not None and (found is None or hollow or found[0] > 5):
            return drawn
    return found if found is not None else _glyphs(text)


def _is_count(text: str, start: int, stop: int) -> bool:
    """True for "12 reviews", "(594)", "12 customer ratings", "1 rating"."""
    if "." in text[start:stop] or ("," in text[start:stop] and stop - start <= 4):
        # Decimals count nothing; "4,5" neither.
        return False
    if start and text[start - 1] == "(" and text[stop : stop + 1] == ")":
        return bool(text[: start - 1].strip()) or len(text[start:stop]) > 1
    if text[start:stop] == "1" and text[stop : stop + 7].casefold() == " rating":
        return True
    return _COUNT_AFTER.match(text, stop) is not None


def _negative(text: str, start: int) -> bool:
    return start > 0 and text[start - 1] == "-" and (start == 1 or text[start - 2].isspace())


def _glyphs(text: str) -> tuple[float | None, float | None]:
    """Drawn stars: "★★★☆☆" is 3 of 5, "⭐⭐⭐" 3, "★★★½" 3.5; five full ones or a best of five at most."""
    run = _GLYPHS.search(text)
    if run is None:
        thumb = 5.0 if "👍" in text else 1.0 if "👎" in text else None
        return thumb, None if thumb is None else 5.0
    drawn = run[0]
    full = sum(drawn.count(c) for c in _FULL)
    half = sum(drawn.count(c) for c in _HALF) + drawn.count("½")
    empty = sum(drawn.count(c) for c in _EMPTY)
    total = full + half + empty
    if [len(row) for row in drawn.split()] == [5, 5] and not empty:
        return None, None  # a row of grey stars under one of gold: how far the gold reaches is style
    if total > 10 or not full + half + empty or (full == 0 and half == 0 and empty < 3):
        return None, None
    value = full + half / 2
    if not value:
        return None, None  # five empty stars: not rated
    return value, float(total) if empty and total in (5, 10) else (10.0 if value > 5 else 5.0)


def _class_value(classes: str) -> float | None:
    """The stars a class name draws: `bubble_45`, `a-star-4-5`, `star-rating--3`; None where it names none."""
    hit = _CLASS.search(classes)
    if hit is None:
        return None
    value = int(hit[1]) + (0.5 if hit[2] == "5" else 0.0)
    return value if 0 < value <= 5 else None


# --- scaling -------------------------------------------------------------------------------------------


def _scaled(value: float, best: float | None, worst: float | None, raw: str) -> Rating:
    said = best
    if not math.isfinite(value) or (value < 0 and (worst is None or value < worst)):
        return Rating(raw=raw)
    inferred = False
    if best is None or best <= 0 or best < value:
        inferred, said = True, None
        best = 5.0 if value <= 5 else 10.0 if value <= 10 else 100.0
        if value > 100:
            return Rating(raw=raw)
    if worst is not None and worst < best and (worst < 0 or best == 1):
        stars = 1 + 4 * (value - worst) / (best - worst)
    elif value == 0 and not (worst == 0 and said is not None) and (said is None or best < 10):
        return Rating(value=0.0, best=said, raw=raw, scale_inferred=inferred)
    else:
        stars = value / best * 5
    return Rating(round(min(5.0, max(1.0, stars)), 2), value, said, raw, inferred)


def _end(limit: object) -> float | None:
    """The end of a scale as a number; None for what is none."""
    for _ in range(4):
        if isinstance(limit, Mapping):
            limit = limit.get("@value", limit.get("value"))
        elif isinstance(limit, (list, tuple)):
            limit = limit[0] if limit else None
        else:
            break
    if isinstance(limit, bool) or limit is None:
        return None
    if isinstance(limit, (int, float)):
        number = _finite(limit)
    elif isinstance(limit, str) and (hit := _SIMPLE.fullmatch(_normal(limit[:40]).rstrip("%"))):
        number = _finite(float(hit[1].replace(",", ".")))
    else:
        return None
    return number if number is not None and abs(number) <= 10_000 else None


def _finite(number: float) -> float | None:
    try:
        number = float(number)
    except OverflowError:
        return None
    return number if math.isfinite(number) and abs(number) < 1e6 else None


def _float(digits: str) -> float:
    return float(digits.replace(",", "."))


def _shown(number: float) -> str:
    try:
        return f"{number:g}" if isinstance(number, float) else str(number)[:40]
    except (ValueError, OverflowError):  # more digits than Python will print
        return ""
