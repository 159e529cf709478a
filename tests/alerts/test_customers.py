"""Is every good row of a customers' table used, and every bad one told with its line?"""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.customers import Customer, Customers, read_customers, read_rows

HEAD = "handle,source,name,value,tier,owner\n"


def test_bad_rows_are_told_with_their_line_and_the_others_are_used() -> None:
    kept, problems = read_rows(
        HEAD
        + "@jdoe,mastodon,Jane Doe,12000,gold,alice\n"
        + ",shop,Nobody,1,,\n"
        + "max,,Max,a lot,,\n"
        + "\n"
        + 'ann,,"Ann\nMarie","1,250.50",silver,\n'
        + "jdoe,Mastodon,Again,1,,\n"
        + "bob,,Bob,-3,,\n"
        + "kim,,Kim,1,,,,extra\n"
        + "zoe\n"
    )
    assert [(one.handle, one.name, one.value) for one in kept] == [
        ("@jdoe", "Jane Doe", 12000.0),
        ("ann", "Ann Marie", 1250.5),
        ("zoe", "", 0.0),
    ]
    assert problems == [
        "line 3: no handle",
        "line 4: value 'a lot' is no number of 0 or more; write 12000 or 12000.50",
        "line 8: the same handle as in line 2, which counts",
        "line 9: value '-3' is no number of 0 or more; write 12000 or 12000.50",
        "line 10: 8 fields where the first line names 6",
    ]


def test_columns_are_found_by_name_in_any_order_and_with_any_separator() -> None:
    kept, problems = read_rows("Value;Handle;note\n7;jo;x\n")
    assert (kept, problems) == ([Customer(handle="jo", value=7.0)], [])
    assert read_rows("value\thandle\n7\tjo\n") == (kept, [])


@pytest.mark.parametrize("text", ["", "\n\n", "name,value\nJo,3\n"])
def test_a_table_without_handles_says_what_belongs_there(text: str) -> None:
    kept, (problem,) = read_rows(text)
    assert kept == []
    assert "handle, source, name, value, tier, owner" in problem


@given(st.text())
def test_any_text_is_read_without_an_error(text: str) -> None:
    read_rows(text)
    read_rows(HEAD + text)


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "latin.csv").write_bytes(b"handle\nj\xe9r\xf4me\n")
    assert "line 2: not UTF-8" in read_customers(tmp_path / "latin.csv").problems[0]
    assert "cannot be read" in read_customers(tmp_path / "absent.csv").problems[0]
    (tmp_path / "bom.csv").write_bytes(b"\xef\xbb\xbfhandle\r\njo\r\n")
    assert len(read_customers(tmp_path / "bom.csv").customers) == 1


def test_many_bad_rows_are_counted_not_listed() -> None:
    _, problems = read_rows(HEAD + ",shop\n" * 1000)
    assert len(problems) == 51
    assert problems[-1] == "and 950 more"


def test_a_customer_of_this_source_goes_before_one_of_any() -> None:
    customers = Customers(
        [Customer(handle="jo", value=1), Customer(handle="@Jo", source="Mastodon", value=2)]
    )
    assert customers.find("mastodon", "JO").value == 2  # type: ignore[union-attr]
    assert customers.find("shop", "@jo").value == 1  # type: ignore[union-attr]
    assert customers.find("shop", "joanna") is None
    assert customers.find("shop", " ") is None


@given(
    st.lists(st.integers(0, 10**9).map(float), min_size=1, max_size=8),
    st.floats(0, 1, exclude_max=True),
    st.floats(0, 1, exclude_max=True),
)
def test_value_raises_a_rank_in_order_and_never_to_the_end(
    values: list[float], rank: float, other: float
) -> None:
    customers = Customers([Customer(handle=str(at), value=value) for at, value in enumerate(values)])
    raised = {value: customers.raised(rank, "shop", str(at)) for at, value in enumerate(values)}
    for value, now in raised.items():
        assert rank <= now <= 1
        assert value == 0 or now > rank or rank > 0.999
    assert [raised[value] for value in sorted(raised)] == sorted(raised.values())
    assert customers.raised(other, "shop", "a stranger") == other
