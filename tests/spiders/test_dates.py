"""When was that?"""

from datetime import UTC, date, datetime, timedelta
from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spiders.parsing.dates import parse_when
from storage.records import DatePrecision

NOW = datetime(2024, 5, 10, 12, tzinfo=UTC)


def _when(text: object, language: str = "") -> str:
    found = parse_when(text, now=NOW, language=language)
    return f"{found.at:%Y-%m-%d %H:%M} {found.precision}" if found.at else f"- {found.precision}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2022-03-01T10:00", "2022-03-01 10:00 second"),
        ("2022-03-01T10:00:00Z", "2022-03-01 10:00 second"),
        ("2022-03-01T10:00:00.123+02:00", "2022-03-01 08:00 second"),
        ("2022-03-01 10:00:00 +0000", "2022-03-01 10:00 second"),
        ("2022-03-01T24:00:00", "2022-03-02 00:00 second"),
        ("20220301", "2022-03-01 00:00 day"),
        ("2022-W09-2", "2022-03-01 00:00 day"),
        ("2022-03-01", "2022-03-01 00:00 day"),
        ("2022-3-1", "2022-03-01 00:00 day"),
        ("2022/03/01", "2022-03-01 00:00 day"),
        ("2022-03", "2022-03-01 00:00 month"),
        ("2022", "2022-01-01 00:00 year"),
        ("Tue, 01 Mar 2022 10:00:00 GMT", "2022-03-01 10:00 second"),
        ("Tue, 01 Mar 2022 10:00:00 +0100", "2022-03-01 09:00 second"),
        ("01 Mar 22 10:00 EST", "2022-03-01 15:00 second"),
        ("Mon Mar  1 10:00:00 2022", "2022-03-01 10:00 second"),
        ("Tue Mar 01 2022 10:00:00 GMT+0100 (CET)", "2022-03-01 09:00 second"),
        ("Fri Apr 01 2022 20:08:29 GMT+0100 (British Summer Time)", "2022-04-01 19:08 second"),
        ("1646128800", "2022-03-01 10:00 second"),
        (1646128800, "2022-03-01 10:00 second"),
        (1646128800.5, "2022-03-01 10:00 second"),
        (1646128800000, "2022-03-01 10:00 second"),
        ({"@value": "2022-03-01"}, "2022-03-01 00:00 day"),
        (date(2022, 3, 1), "2022-03-01 00:00 day"),
        (datetime(2022, 3, 1, 10, tzinfo=UTC), "2022-03-01 10:00 second"),
    ],
)
def test_machine_dates_are_read(text: object, expected: str) -> None:
    assert _when(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Reviewed in Italy on 16 July 2022", "2022-07-16 00:00 day"),
        ("Reviewed in the United States on July 16, 2022", "2022-07-16 00:00 day"),
        ("Rezension aus Deutschland vom 3. März 2021", "2021-03-03 00:00 day"),
        ("Commenté en France le 3 août 2020", "2020-08-03 00:00 day"),
        ("1er janvier 2020", "2020-01-01 00:00 day"),
        ("Revisado en España el 5 de marzo de 2019", "2019-03-05 00:00 day"),
        ("Recensito in Italia il 12 luglio 2021", "2021-07-12 00:00 day"),
        ("3 maart 2021", "2021-03-03 00:00 day"),
        ("5 de março de 2019", "2019-03-05 00:00 day"),
        ("17 марта 2015", "2015-03-17 00:00 day"),
        ("Отзыв написан 17 марта 2015 г.", "2015-03-17 00:00 day"),
        ("1 stycznia 2020", "2020-01-01 00:00 day"),
        ("3 maj 2021", "2021-05-03 00:00 day"),
        ("den 3. juni 2021", "2021-06-03 00:00 day"),
        ("2022年3月1日", "2022-03-01 00:00 day"),
        ("2022년 3월 1일", "2022-03-01 00:00 day"),
        ("March 3rd, 2021", "2021-03-03 00:00 day"),
        ("12-Mar-2021", "2021-03-12 00:00 day"),
        ("12.03.2021 14:05", "2021-03-12 14:05 second"),
        ("3.4.22", "2022-04-03 00:00 day"),
        ("July 5, 2023 at 3:15 pm", "2023-07-05 15:15 second"),
        ("July 2022", "2022-07-01 00:00 month"),
        ("Mar '22", "2022-03-01 00:00 month"),
        ("Visited May 2020", "2020-05-01 00:00 month"),
        ("12 مارس 2021", "2021-03-12 00:00 day"),  # dateparser's
    ],
)
def test_dates_in_words_are_read(text: str, expected: str) -> None:
    assert _when(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("12 days ago", "2024-04-28 12:00 relative"),
        ("Reviewed 3 weeks ago", "2024-04-19 12:00 relative"),
        ("over a year ago", "2023-05-10 12:00 relative"),
        ("an hour ago", "2024-05-10 11:00 relative"),
        ("3h", "2024-05-10 09:00 relative"),
        ("2mo", "2024-03-10 12:00 relative"),
        ("yesterday", "2024-05-09 12:00 relative"),
        ("last week", "2024-05-03 12:00 relative"),
        ("vor 3 Tagen", "2024-05-07 12:00 relative"),
        ("vor einem Monat", "2024-04-10 12:00 relative"),
        ("vorgestern", "2024-05-08 12:00 relative"),
        ("il y a 2 ans", "2022-05-10 12:00 relative"),
        ("il y a un an", "2023-05-10 12:00 relative"),
        ("hace un mes", "2024-04-10 12:00 relative"),
        ("hace 2 años", "2022-05-10 12:00 relative"),
        ("3 giorni fa", "2024-05-07 12:00 relative"),
        ("6 maanden geleden", "2023-11-10 12:00 relative"),
        ("há 3 dias", "2024-05-07 12:00 relative"),
        ("3 дня назад", "2024-05-07 12:00 relative"),
        ("2 dni temu", "2024-05-08 12:00 relative"),
        ("för 3 dagar sedan", "2024-05-07 12:00 relative"),
        ("for 3 dage siden", "2024-05-07 12:00 relative"),
        ("3日前", "2024-05-07 12:00 relative"),
        ("一昨日", "2024-05-08 12:00 relative"),
        ("3개월 전", "2024-02-10 12:00 relative"),
    ],
)
def test_relative_dates_count_back_from_now(text: str, expected: str) -> None:
    assert _when(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("12 March", "2024-03-12 00:00 day"),
        ("June 5", "2023-06-05 00:00 day"),
        ("29 February", "2024-02-29 00:00 day"),
        ("2. Mai", "2024-05-02 00:00 day"),
    ],
)
def test_a_day_without_a_year_is_the_latest_that_has_been(text: str, expected: str) -> None:
    assert _when(text) == expected


@pytest.mark.parametrize(
    ("language", "day"),
    [
        ("en", "2022-03-04"),
        ("en-US", "2022-03-04"),
        ("en-GB", "2022-04-03"),
        ("de", "2022-04-03"),
        ("", "2022-04-03"),
    ],
)
def test_the_language_settles_which_number_is_the_month(language: str, day: str) -> None:
    assert _when("03/04/2022", language) == f"{day} 00:00 day"


def test_a_reading_that_is_no_date_yields_to_the_other() -> None:
    assert _when("13/04/2022", "en") == "2022-04-13 00:00 day"
    assert _when("04/13/2022", "de") == "2022-04-13 00:00 day"


@pytest.mark.parametrize(
    "text",
    [
        "2024-12-25",
        "Dec 25, 2030",
        "0001-01-01T00:00:00",
        "1970-01-01",
        "2022-02-30",
        "nonsense",
        "10:30",
        "100",
        "5 stars",
        "in 3 days",
        "",
        "\x00",
        "9" * 400,
        "x" * 5_000,
    ],
)
def test_what_cannot_be_believed_has_no_time_but_keeps_its_words(text: str) -> None:
    found = parse_when(text, now=NOW)
    assert (found.at, found.precision) == (None, DatePrecision.NONE)
    assert found.raw == " ".join(text[:400].split())[:100]


@pytest.mark.parametrize(
    "value", [None, True, [], {}, b"2022", float("nan"), float("inf"), -5, 10**30, object()]
)
def test_what_is_no_date_at_all_is_none(value: object) -> None:
    assert parse_when(value, now=NOW).at is None


@settings(deadline=None)  # the machine may be busy with other things
@given(
    st.one_of(
        st.text(max_size=120), st.text(alphabet="0123456789:-/. TZ+adghmoy"), st.floats(), st.integers()
    )
)
def test_anything_is_read_without_a_fault_and_lies_in_the_past(value: object) -> None:
    at = parse_when(value, now=NOW, language="en").at
    assert at is None or (at.tzinfo is not None and at <= NOW + timedelta(days=2))


@settings(deadline=None)  # the machine may be busy with other things
@given(st.datetimes(min_value=datetime(1990, 1, 2), max_value=datetime(2024, 5, 9)))  # noqa: DTZ001
def test_iso_is_read_back_exactly(moment: datetime) -> None:
    aware = moment.replace(tzinfo=UTC)
    assert parse_when(aware.isoformat(), now=NOW).at == aware


def test_iso_takes_microseconds() -> None:
    begun = process_time()
    for _ in range(1_000):
        parse_when("2022-03-01T10:00:00.123+02:00", now=NOW)
    assert process_time() - begun < 0.2
