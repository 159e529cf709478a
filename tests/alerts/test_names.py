"""Who is who, from [people] and from what Slack told; kept between processes."""

from __future__ import annotations

from alerting import NOON
from hypothesis import given
from hypothesis import strategies as st
from slackdesk import TEAM

from alerts.names import MOST, Known, Names, names_in, remember
from storage.store import Store


def test_people_go_by_the_name_the_configuration_gives_them() -> None:
    names = Names(TEAM, {"U01ALICE": Known("alice in Slack", "Europe/Berlin")})
    assert names.name("U01ALICE") == names.name("alice") == "Alice Adams"
    assert names.slack_id("alice") == "U01ALICE"
    assert names.zone("U01ALICE") == "Europe/Berlin"


def test_an_id_without_a_name_is_someone() -> None:
    names = Names(TEAM, {"U09STRANGER": Known(""), "U08OTHERS": Known("Sam")})
    assert [names.name(word) for word in ("U09STRANGER", "U08OTHERS", "walk-in")] == [
        "someone", "Sam", "walk-in",
    ]  # fmt: skip
    assert names.slack_id("U09STRANGER") == "U09STRANGER"
    assert names.slack_id("UNKNOWN1") == ""


def test_what_slack_told_is_kept(store: Store) -> None:
    with store.transaction() as ledger:
        remember(ledger, "U09STRANGER", "", "", NOON)
        remember(ledger, "U09STRANGER", "Sam\nSmith", "Europe/Berlin", NOON)
        remember(ledger, "U09STRANGER", "", "", NOON)
        remember(ledger, "<!channel>", "x", "", NOON)
    with store.reading() as ledger:
        assert names_in(ledger).told == {"U09STRANGER": Known("Sam Smith", "Europe/Berlin")}


def test_only_so_many_are_kept_the_newest(sqlite_store: Store) -> None:
    many = ",".join(f'"U{n:07d}": ["n", ""]' for n in range(MOST))
    with sqlite_store.transaction() as ledger:
        ledger.set_cursor("slack", "people", "{" + many + "}", NOON)
        remember(ledger, "U09STRANGER", "Sam", "", NOON)
    with sqlite_store.reading() as ledger:
        told = names_in(ledger).told
    assert len(told) == MOST
    assert "U09STRANGER" in told
    assert "U0000000" not in told


@given(st.text(max_size=40))
def test_what_is_kept_wrongly_is_as_good_as_nothing(kept: str) -> None:
    class Ledger:
        def cursor(self, source: str, name: str) -> str:
            return kept

    assert isinstance(names_in(Ledger()).told, dict)  # type: ignore[arg-type]
