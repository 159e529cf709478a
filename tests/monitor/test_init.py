"""Does `lowstar init` write a file that works, whatever the brand is called?"""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.cli import cli
from monitor.config import load_config
from monitor.init_template import Wishes, config_text
from storage.records import clean_line


def init(*words: str, answers: str | None = None) -> tuple[int, str]:
    done = CliRunner().invoke(cli, ["init", *words], input=answers)
    return done.exit_code, done.output


def test_flags_become_a_file_that_loads(tmp_path: Path) -> None:
    path = tmp_path / "lowstar.toml"
    code, said = init(
        *("--brand", "Acme", "--term", "acme.com", "--review-url", "https://www.shop.example/acme"),
        *("--review-url", "https://shop.example/other", "--subreddit", "r/AskReddit", "--hackernews"),
        *("--feed", "https://news.example/rss", "--slack-channel", "#reputation", "--output", str(path)),
    )
    assert code == 0, said
    config = load_config(path, {})
    assert config.brands[0].terms == ("Acme", "acme.com")
    assert [(source.name, source.kind) for source in config.sources] == [
        ("shop", "reviews"),
        ("shop-2", "reviews"),
        ("news", "feed"),
        ("reddit", "reddit"),
        ("hackernews", "hackernews"),
    ]
    assert config.source("reddit").options["subreddits"] == ("AskReddit",)
    assert config.slack.channel == "#reputation"
    assert config.warnings == ()
    steps = said.partition("Next:\n")[2].splitlines()
    assert [step.split(".")[0].strip() for step in steps] == ["1", "2", "3"]
    assert "check" in steps[1]


HOSTILE = [
    '"',
    "\\",
    "'''",
    'a"]\n[slack]\ntoken = "x',
    "{name}",
    "Müller & Söhne",
    "茶",
    "\u202eemcA",
    "🦊\u200d",
    "%s",
]


@pytest.mark.parametrize("brand", HOSTILE)
def test_hostile_names_come_back_as_they_were(tmp_path: Path, brand: str) -> None:
    path = tmp_path / "lowstar.toml"
    code, said = init("--brand", brand, "--term", brand + " shop", "--hackernews", "--output", str(path))
    assert code == 0, said
    config = load_config(path, {})
    assert config.brands[0].name == clean_line(brand)
    assert config.brands[0].terms == (clean_line(brand), clean_line(brand + " shop"))
    assert config.slack.token == ""


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(brand=st.text(min_size=1, max_size=60).map(clean_line).filter(bool))
def test_any_name_makes_a_file_that_loads(tmp_path: Path, brand: str) -> None:
    path = tmp_path / "lowstar.toml"
    path.write_text(config_text(Wishes(brand=brand, hackernews=True)), encoding="utf-8")
    assert load_config(path, {}).brands[0].name == brand


def test_every_commented_setting_can_be_switched_on(tmp_path: Path) -> None:
    path = tmp_path / "lowstar.toml"
    lines = []
    for line in config_text(Wishes(brand="Acme", slack_channel="#reputation")).splitlines():
        bare = line.removeprefix("# ").removeprefix("#")
        setting = line.startswith("#") and (" = " in bare.partition('"')[0] or bare.startswith("["))
        # The example sources need their own headers; prose stays a comment.
        lines.append(bare if setting else line)
    text = "\n".join(lines)
    text = text.replace('sources = ["shop"]', 'sources = ["forum"]')
    path.write_text(text, encoding="utf-8")
    config = load_config(path, {})
    assert [source.name for source in config.sources] == ["shop", "forum", "toots", "survey"]
    assert config.routes[0].fallback == "#reputation"


def test_nothing_is_overwritten_without_force(tmp_path: Path) -> None:
    path = tmp_path / "lowstar.toml"
    path.write_text("mine")
    code, said = init("--brand", "Acme", "--output", str(path))
    assert (code, path.read_text()) == (1, "mine")
    assert "--force" in said
    code, _ = init("--brand", "Acme", "--output", str(path), "--force")
    assert code == 0
    assert load_config(path, {}).brands[0].name == "Acme"
    assert [entry.name for entry in tmp_path.iterdir()] == ["lowstar.toml"]


def test_without_a_terminal_it_does_not_wait_for_answers(tmp_path: Path) -> None:
    code, said = init("--output", str(tmp_path / "x.toml"))
    assert code == 2
    assert "--brand" in said


def test_it_asks_where_somebody_can_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monitor.commands.init._somebody_is_there", lambda: True)
    path = tmp_path / "x.toml"
    answers = "Acme\nnot a page\nhttps://shop.example/acme\n\nAskReddit\n\nn\n#alerts\n"
    code, said = init("--output", str(path), answers=answers)
    assert code == 0, said
    assert "That is not" in said
    config = load_config(path, {})
    assert [source.kind for source in config.sources] == ["reviews", "reddit"]
    assert config.slack.channel == "#alerts"


@pytest.mark.parametrize(
    "words",
    [
        ("--review-url", "shop.example"),
        ("--subreddit", "a b"),
        ("--slack-channel", "Alerts"),
        ("--brand", "x" * 65),
    ],
)
def test_wrong_flags_are_wrong_usage(tmp_path: Path, words: tuple[str, str]) -> None:
    code, _ = init("--brand", "Acme", *words, "--output", str(tmp_path / "x.toml"))
    assert code == 2
    assert not (tmp_path / "x.toml").exists()
