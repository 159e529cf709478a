"""`lowstar score`: how bad is each of these texts? JSON lines in, JSON lines out, in the order given."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterator
from typing import Any, BinaryIO

import click

from monitor.commands import FAILED
from monitor.examination import examine
from monitor.match import Brand, Matcher
from monitor.ranker import features, ranker
from monitor.sentiment import analyse
from monitor.triage import complaint_chance, judge, likely, shorten
from storage.records import Kind, Mention

CHUNK = 1 << 16
EXPLAINED = 10  # terms and signals of the model that --explain names
LINE_LIMIT = 8 << 20  # bytes of one line; a longer one is an error, not memory
_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode


class Malformed(Exception):
    """A line that cannot be scored; the message says why."""


def _constant(name: str) -> None:
    """NaN and Infinity are no JSON: nothing is known where they stand."""


def _float(digits: str) -> float | None:
    number = float(digits)
    return number if math.isfinite(number) else None


def _integer(digits: str) -> int | None:
    # Python refuses to read numbers of thousands of digits; no count is that long.
    return int(digits) if len(digits) < 1000 else None


_decode = json.JSONDecoder(parse_constant=_constant, parse_float=_float, parse_int=_integer).decode


def score_line(line: bytes, number: int, brand: str = "", matcher: Matcher | None = None) -> dict[str, Any]:
    """The fields of a line and its verdict beside them; a field named like one of the verdict's is replaced.

    Raises Malformed. `number` names a line that has no `external_id`.
    """
    fields = _fields(line)
    mention = Mention(
        source="score",
        external_id=str(number),
        kind=Kind.POST if fields.get("stars") is None else Kind.REVIEW,
        title=_text(fields, "title"),
        text=_text(fields, "text"),
        language=_text(fields, "language"),
        stars=_number(fields.get("stars")),
        reach=int(_number(fields.get("reach")) or 0),
    )
    text = mention.judged_text
    hits = matcher.brands_in(text) if matcher else ()
    verdict = judge(mention, brand, analyse(text), hits=hits)
    if brand:
        fields["brand"] = brand
    fields["compound"] = verdict.sentiment.compound
    fields["label"] = verdict.sentiment.label.value
    fields["priority"] = verdict.priority.word
    fields["rank"] = round(verdict.rank, 6)
    found = complaint_chance(text, brand, hits)
    fields["complaint"] = None if found is None else round(found, 4)
    fields["reasons"] = list(verdict.reasons)
    fields["topics"] = list(verdict.topics)
    return fields


def _fields(line: bytes) -> dict[str, Any]:
    if len(line) > LINE_LIMIT:
        raise Malformed(f"longer than {LINE_LIMIT >> 20} MiB")
    try:
        fields = _decode(line.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise Malformed(f"not UTF-8 at byte {error.start}") from error
    except RecursionError as error:
        raise Malformed("nested too deeply") from error
    except ValueError as error:
        raise Malformed(f"not JSON: {error}") from error
    if not isinstance(fields, dict):
        raise Malformed("not a JSON object")
    return fields


def _text(fields: dict[str, Any], name: str) -> str:
    value = fields.get(name)
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, (int, float)):
        return str(value)
    raise Malformed(f'"{name}" is not a string')


def _number(value: object) -> float | None:
    """A finite number, also where it is written as a string; None for everything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        number = float(value[:40] if isinstance(value, str) else value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _chunks_of_lines(stream: BinaryIO) -> Iterator[list[bytes]]:
    """The lines of a stream as they arrive: after each list, what comes next may keep us waiting."""
    read = getattr(stream, "read1", stream.read)
    rest: list[bytes] = []
    held = 0
    while chunk := read(CHUNK):
        head, newline, tail = chunk.rpartition(b"\n")
        if newline:
            lines = (b"".join(rest) + head).split(b"\n")
            rest, held = [tail], len(tail)
            yield lines
        elif held <= LINE_LIMIT:  # what goes beyond is let go: the line is refused anyway
            rest.append(chunk)
            held += len(chunk)
    if held:
        yield [b"".join(rest)]


def score_stream(stream: BinaryIO, out: BinaryIO, brand: str = "") -> int:
    """Score every line of `stream` into `out`; how many lines were malformed. Memory does not grow."""
    matcher = Matcher([Brand(name=brand, terms=(brand,))]) if brand else None
    number = 0
    malformed = 0
    for lines in _chunks_of_lines(stream):
        for line in lines:
            number += 1
            if not line.strip():
                continue
            try:
                scored = score_line(line, number, brand, matcher)
            except Malformed as error:
                malformed += 1
                click.echo(f"line {number}: {error}", err=True)
                scored = {"error": str(error), "line": number}
            out.write(_line(scored))
        # Whoever feeds us line by line gets each answer at once; a file is written in large pieces.
        out.flush()
    return malformed


def _line(fields: dict[str, Any]) -> bytes:
    try:
        return _encode(fields).encode() + b"\n"
    except UnicodeEncodeError:  # half a character kept from the input: only its escape can be written
        return json.dumps(fields).encode() + b"\n"


def explain_stream(stream: BinaryIO, brand: str = "") -> int:
    """Print, for every line, what carried its verdict; how many lines were malformed."""
    matcher = Matcher([Brand(name=brand, terms=(brand,))]) if brand else None
    malformed = number = 0
    for lines in _chunks_of_lines(stream):
        for line in lines:
            number += 1
            if not line.strip():
                continue
            try:
                scored = score_line(line, number, brand, matcher)
            except Malformed as error:
                malformed += 1
                click.echo(f"line {number}: {error}", err=True)
                continue
            click.echo(explained(scored))
    return malformed


def explained(scored: dict[str, Any]) -> str:
    """A scored line as people read it: the verdict, its reasons, and what weighed how much."""
    title, text = _text(scored, "title"), _text(scored, "text")
    text = Mention(source="score", external_id="", title=title, text=text).judged_text
    sentiment = analyse(text)
    seen = examine(text)
    rows = [f"{scored['priority'].upper()}  {_plain(text, 100)}"]
    chance = scored["complaint"]
    known = "not read" if chance is None else f"{likely(chance)} a complaint"
    rows.append(f"  rank {scored['rank']:.3f} · {known} · tone {seen.tone:+.2f}")
    rows += [f"  because {_plain(reason, 120)}" for reason in scored["reasons"]]
    if sentiment.spans:
        rows.append("  found in it (−4 … 4)")
        rows += [f"    {span.weight:+5.1f}  {_plain(span.text, 60)}" for span in sentiment.spans[:8]]
    if seen.vader is not None and chance is not None:
        carried = ranker().carried(features(seen, text))[:EXPLAINED]
        rows.append("  weighed by the model (+ towards a complaint)")
        rows += [f"    {weight:+5.2f}  {_term(term)}" for term, weight in carried]
    return "\n".join(rows) + "\n"


def _term(term: str) -> str:
    if term.startswith("["):
        return term[1:-1].replace("_", " ").replace("cue:", "kind: ")
    if term.startswith("~"):
        return f"'{_plain(term[1:], 40)}' after a negation"
    return f"'{_plain(term.removeprefix('^ '), 40)}'" + (" at the start" if term.startswith("^ ") else "")


def _plain(text: str, limit: int) -> str:
    """On one line, with nothing that a terminal would obey."""
    return "".join(c if c.isprintable() else " " for c in shorten(text, limit))


@click.command(name="score")
@click.argument("file", type=click.File("rb"), default="-")
@click.option("--brand", default="", help="The brand the texts are about; its name is then no reason.")
@click.option("--explain", is_flag=True, help="Print for people what carried each verdict, instead of JSON.")
@click.pass_context
def command(ctx: click.Context, file: BinaryIO, brand: str, explain: bool) -> None:
    """Judge JSON lines: texts in, verdicts out.

    Each line of FILE (default: standard input) is an object with "text", and where known "title", "stars"
    (1–5), "reach" and "language". Each is written in the order given, its own fields kept, with "compound",
    "label", "priority", "rank" (0–1, worst highest), "complaint" (its probability, 0–1, null where not read),
    "reasons" and "topics". A line that cannot be read becomes {"error": …}, is named on standard error, and makes
    the exit code 1.
    """
    malformed = explain_stream(file, brand) if explain else score_stream(file, sys.stdout.buffer, brand)
    ctx.exit(FAILED if malformed else 0)
