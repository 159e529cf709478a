"""What do we say, and what may be promised, when somebody complains of this? Replies the team agreed on."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from alerts.customers import Customer
from alerts.people import NO_PEOPLE, People
from storage.records import Mention, Reviewed, Verdict

_PLACEHOLDER = re.compile(r"\{([^{}\n]{0,60})\}")
PLACEHOLDERS: Mapping[str, str] = {
    "author": "who wrote it, as the source shows it",
    "customer": "the customer's name from the customers' table",
    "brand": "the brand",
    "place": "the place or product reviewed",
    "stars": "how many stars",
    "source": "the site",
    "topic": "what it is about",
    "case": "the case number",
    "owner": "who has the case",
    "team": "the team that answers for this",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Playbook:
    """How one kind of complaint is answered."""

    name: str
    replies: tuple[str, ...] = ()  # templates with {placeholders}
    brands: tuple[str, ...] = ()  # empty: every brand
    topics: tuple[str, ...] = ()  # empty: whatever no other playbook is for
    may_decide: str = ""  # "refund up to 50 without asking"
    next_step: str = ""
    owner_team: str = ""


def playbook_for(verdict: Verdict, mention: Mention, playbooks: Sequence[Playbook]) -> Playbook | None:
    """The playbook for what a mention complains of, by its first topic that has one; None where there is none.

    The brand's own goes before the general one; the one without topics is for all the others.
    """
    mine = [one for one in playbooks if not one.brands or verdict.brand in one.brands]
    # The brand's own first; the order of the file decides between two alike.
    mine.sort(key=lambda one: not one.brands)
    for topic in verdict.topics:
        for one in mine:
            if topic in one.topics:
                return one
    return next((one for one in mine if not one.topics), None)


def render(template: str, values: Mapping[str, str]) -> str:
    """`template` with its placeholders filled in. What is not known stands there as a question; never fails.

    >>> render("Dear {author}, {place} is sorry. {Typo} {}", {"author": "Jo", "place": ""})
    'Dear Jo, [place?] is sorry. [Typo?] [?]'
    """
    return _PLACEHOLDER.sub(lambda found: values.get(found[1].strip()) or f"[{found[1].strip()}?]", template)


def values_for(
    reviewed: Reviewed,
    playbook: Playbook | None = None,
    *,
    people: People = NO_PEOPLE,
    customer: Customer | None = None,
    site_title: str = "",
) -> dict[str, str]:
    """What the placeholders stand for in a case; "" where nobody knows. Strangers' words: plain text only."""
    case, mention = reviewed.case, reviewed.mention
    topics = reviewed.verdict.topics
    topic = next((one for one in topics if playbook and one in playbook.topics), topics[0] if topics else "")
    return {
        "author": mention.author,
        "customer": customer.name if customer else "",
        "brand": case.brand,
        "place": mention.entity,
        "stars": "" if mention.stars is None else f"{mention.stars:g}",
        "source": site_title or mention.source,
        "topic": topic,
        "case": case.name,
        "owner": people.name(case.owner) if case.owner else "",
        "team": playbook.owner_team if playbook else "",
    }


def lint(playbooks: Sequence[Playbook], known_topics: Collection[str] = ()) -> Iterator[str]:
    """What is wrong with the playbooks, a line each: unknown placeholders and topics, nothing to say."""
    for one in playbooks:
        for at, reply in enumerate(one.replies, start=1):
            where = f"playbook {one.name}, reply {at}"
            for found in dict.fromkeys(name.strip() for name in _PLACEHOLDER.findall(reply)):
                if found not in PLACEHOLDERS:
                    yield f"{where}: {{{found}}} is no placeholder{_near(found, PLACEHOLDERS)}"
            if "{" in _PLACEHOLDER.sub("", reply) or "}" in _PLACEHOLDER.sub("", reply):
                yield f"{where}: a brace without its partner"
        for topic in one.topics:
            if known_topics and topic not in known_topics:
                yield f"playbook {one.name}: nothing is ever about {topic!r}{_near(topic, known_topics)}"
        if not (one.replies or one.may_decide or one.next_step):
            yield f"playbook {one.name}: it says nothing; give it replies, may_decide or next_step"


def uncovered(
    playbooks: Sequence[Playbook], seen: Iterable[tuple[str, Sequence[str]]]
) -> list[tuple[str, str, int]]:
    """Brand, topic and how often, for topics that occur and have no playbook; the most frequent first."""
    counts: Counter[tuple[str, str]] = Counter()
    for brand, topics in seen:
        counts.update((brand, topic) for topic in topics)
    return [
        (brand, topic, count)
        for (brand, topic), count in counts.most_common()
        if not any((not one.brands or brand in one.brands) and topic in one.topics for one in playbooks)
    ]


def _near(word: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(word.casefold()[:60], list(known), n=1, cutoff=0.6)
    return f'; did you mean "{near[0]}"?' if near else "; known: " + ", ".join(sorted(known)[:20])
