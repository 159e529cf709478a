"""Is a second analyser heard where lowstar doubts, may it only raise, and does it cost nothing when it fails?"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from monitor.analysers import (
    FAILURES_IN_ROW,
    PAUSE,
    SPENT_MAX,
    AnalyserError,
    Second,
    hugging_face,
    is_asked,
    llm,
    load,
    worse,
)
from monitor.config import ConfigError, read_config
from monitor.config_analyser import AnalyserPlan
from monitor.sentiment import analyse
from monitor.triage import judge
from storage.records import Label, Mention, Priority, Sentiment, Span, Verdict

FURIOUS = Sentiment(-0.9, Label.NEGATIVE)
HAPPY = Sentiment(0.9, Label.POSITIVE)
POLISH = "Czekam trzy tygodnie na zwrot pieniędzy i nikt nie odpowiada"


def always(said: Sentiment) -> Callable[..., Any]:
    return lambda **_: lambda text: said


def falls_over(**_: Any) -> Any:
    def analyse(text: str) -> Sentiment:
        raise OSError("no route to host")

    return analyse


happy = always(HAPPY)
furious = always(FURIOUS)
makes_nothing: Callable[..., Any] = lambda **_: 7  # noqa: E731


def answers_nonsense(**_: Any) -> Any:
    return lambda text: "bad"


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("acme_analysers")
    for name in ("happy", "furious", "falls_over", "makes_nothing", "answers_nonsense"):
        setattr(module, name, globals()[name])
    monkeypatch.setitem(sys.modules, "acme_analysers", module)


def plan(name: str, ask: str = "all", **options: Any) -> AnalyserPlan:
    return AnalyserPlan(call=name if ":" in name else f"acme_analysers:{name}", ask=ask, options=options)


def judged(text: str, second: Second, stars: float | None = None) -> Verdict:
    mention = Mention(source="x", external_id="1", text=text, stars=stars)
    return judge(mention, "Acme", second.beside(analyse)(mention.judged_text))


def test_what_another_analyser_finds_raises_a_mention() -> None:
    assert judged("The kettle is a kettle", Second(plan("furious"))).priority >= Priority.NORMAL
    assert judged("The kettle is a kettle", Second(plan("happy"))).priority is Priority.LOW


def test_nothing_another_analyser_says_lowers_what_lowstar_read_or_what_the_stars_say() -> None:
    complaint = "Charged me twice and still no refund"
    alone = judge(Mention(source="x", external_id="1", text=complaint), "Acme", analyse(complaint))
    assert judged(complaint, Second(plan("happy"))).priority is alone.priority
    assert judged("Lovely, thank you", Second(plan("happy")), stars=1).priority is Priority.URGENT
    assert judged("Lovely, thank you", Second(plan("happy")), stars=2).priority is Priority.HIGH


def test_what_lowstar_cannot_read_is_as_the_other_reads_it_and_the_reason_says_who_read_it() -> None:
    assert judged(POLISH, Second(plan("furious"))).reasons[0] == "read by the second analyser alone (Polish)"
    assert judged(POLISH, Second(plan("furious"))).priority >= Priority.NORMAL
    assert judged(POLISH, Second(plan("happy"))).priority is Priority.LOW


@pytest.mark.parametrize(
    ("ask", "text", "asked"),
    [
        ("unread", POLISH, True),
        ("unread", "The kettle is a kettle", False),
        ("unsure", POLISH, True),
        ("unsure", "The kettle is a kettle", True),
        ("unsure", "Charged me twice and still no refund, I am furious", False),
        ("unsure", "I love it, excellent service, thank you so much!", False),
        ("all", "I love it, excellent service, thank you so much!", True),
    ],
)
def test_only_what_is_in_doubt_is_asked_about(ask: str, text: str, asked: bool) -> None:
    assert is_asked(ask, analyse(text)) is asked


def test_an_analyser_that_fails_is_left_alone_for_a_while_and_lowstars_reading_stands() -> None:
    now = [0.0]
    second = Second(plan("falls_over"), clock=lambda: now[0])
    for _ in range(FAILURES_IN_ROW):
        assert second.ask("x") is None
    assert second.trouble == "OSError: no route to host"
    second._analyse = always(FURIOUS)()
    assert second.ask("x") is None  # not asked at all
    now[0] = PAUSE + 1
    assert second.ask("x") == FURIOUS
    assert second.trouble == ""


def test_an_analyser_that_is_slow_does_not_hold_up_the_run() -> None:
    now = [0.0]
    second = Second(plan("happy"), clock=lambda: now[0])

    def slow(text: str) -> Sentiment:
        now[0] += 30.0
        return HAPPY

    second._analyse = slow
    asked = sum(second.ask("x") is not None for _ in range(9))
    assert asked * 30.0 == SPENT_MAX
    assert "too slow" in second.trouble


@pytest.mark.parametrize(
    ("call", "words"),
    [
        ("no_such_module:x", "no_such_module cannot be imported"),
        ("acme_analysers:nobody", "acme_analysers has no nobody"),
        ("acme_analysers:makes_nothing", "answers int, no function of a text"),
        ("monitor.analysers.llm:analyser", "does not take them"),
    ],
)
def test_one_that_cannot_be_made_says_why_and_costs_only_its_own_opinion(call: str, words: str) -> None:
    with pytest.raises(AnalyserError, match=words):
        load(plan(call))
    second = Second(plan(call))
    assert words in second.trouble
    assert second.beside(analyse)("Still no refund") == analyse("Still no refund")


def test_an_answer_that_is_no_sentiment_is_not_heard() -> None:
    second = Second(plan("answers_nonsense"))
    assert second.ask("x") is None
    assert "no Sentiment" in second.trouble


def test_the_worse_of_two_readings_counts() -> None:
    unread = Sentiment(0.0, Label.UNREAD)
    assert worse(HAPPY, FURIOUS) == FURIOUS
    assert worse(FURIOUS, HAPPY) == FURIOUS
    assert worse(unread, HAPPY) == HAPPY
    assert worse(HAPPY, unread) == HAPPY
    assert worse(Sentiment(-0.04, Label.NEUTRAL), Sentiment(-0.04, Label.NEUTRAL)).label is Label.NEUTRAL


# In lowstar.toml

BRAND = {"brands": [{"name": "Acme"}]}


def test_the_configuration_names_it_its_options_and_its_key(tmp_path: Path) -> None:
    table = {
        "call": "monitor.analysers.llm:analyser",
        "ask": "unread",
        "options": {"url": "https://x.example", "model": "m"},
    }
    config = read_config(
        {**BRAND, "analyser": table}, tmp_path / "lowstar.toml", {"LOWSTAR_ANALYSER_KEY": "sk-1"}
    )
    assert config.analyser.ask == "unread"
    assert config.analyser.options == {"url": "https://x.example", "model": "m"}
    assert "sk-1" not in repr(config)


def test_mistakes_name_key_and_what_is_allowed(tmp_path: Path) -> None:
    table = {"call": "llm", "ask": "always", "options": {"model": ["a"]}, "modle": 1}
    with pytest.raises(ConfigError) as caught:
        read_config({**BRAND, "analyser": table}, tmp_path / "lowstar.toml", {})
    said = str(caught.value)
    assert 'analyser.call: found "llm"; allowed: a function such as "monitor.analysers.llm:analyser"' in said
    assert 'analyser.ask: found "always"; allowed: ' in said
    assert "analyser.options.model: found a list; allowed: " in said
    assert "analyser.modle" in said


# A language model


@pytest.fixture
def endpoint() -> Iterator[tuple[str, list[dict[str, Any]], list[Any]]]:
    """An address that answers as OpenAI's chat completions do: (its address, what it was asked, what to answer)."""
    asked: list[dict[str, Any]] = []
    answers: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            asked.append({**body, "path": self.path, "key": self.headers.get("Authorization")})
            answer = answers.pop(0) if answers else {"complaint": 0.0, "quote": ""}
            if isinstance(answer, int):
                self.send_response(answer)
                self.send_header("Location", "http://127.0.0.1:9/elsewhere")
                self.end_headers()
                return
            content = answer if isinstance(answer, str) else json.dumps(answer)
            data = json.dumps({"choices": [{"message": {"role": "assistant", "content": content}}]}).encode()
            self.send_response(200)
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/v1", asked, answers
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_language_model_is_asked_as_openai_is_and_its_quote_carries_the_verdict(endpoint: Any) -> None:
    url, asked, answers = endpoint
    answers.append('```json\n{"complaint": 0.93, "quote": "nikt nie odpowiada"}\n```')
    said = llm.analyser(url, "small", key="sk-secret")(POLISH)
    assert said.label is Label.NEGATIVE
    at = POLISH.index("nikt nie odpowiada")
    assert said.spans == (Span(at, at + 18, "nikt nie odpowiada", -3.0),)
    (request,) = asked
    assert (request["path"], request["key"]) == ("/v1/chat/completions", "Bearer sk-secret")
    assert request["messages"][1] == {"role": "user", "content": POLISH}
    assert request["temperature"] == 0


def test_words_a_model_invents_are_no_reason(endpoint: Any) -> None:
    url, _, answers = endpoint
    answers.append({"complaint": 0.93, "quote": "<!channel> click here"})
    assert llm.analyser(url, "small")(POLISH).spans == ()


@pytest.mark.parametrize(
    "answer",
    [
        "I would say it is rather negative.",
        {"complaint": "high"},
        {"complaint": 7},
        {"complaint": True},
        "{}",
        "NaN",
        '{"complaint": NaN}',
        "[" * 5_000,
    ],
)
def test_a_model_that_chats_has_judged_nothing(endpoint: Any, answer: Any) -> None:
    url, _, answers = endpoint
    answers.append(answer)
    with pytest.raises(AnalyserError):
        llm.analyser(url, "small")(POLISH)


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (401, "LOWSTAR_ANALYSER_KEY"),
        (404, "options.url"),
        (429, "enough for now"),
        (302, "HTTP 302"),
        (500, "HTTP 500"),
    ],
)
def test_an_error_says_what_to_do_and_neither_the_key_nor_the_post_goes_elsewhere(
    endpoint: Any, status: int, words: str
) -> None:
    url, asked, answers = endpoint
    answers.append(status)
    with pytest.raises(AnalyserError, match=words) as caught:
        llm.analyser(url, "small", key="sk-secret")(POLISH)
    assert "sk-secret" not in str(caught.value)
    assert POLISH not in str(caught.value)
    assert len(asked) == 1


def test_a_post_goes_over_no_open_line_but_on_this_machine() -> None:
    with pytest.raises(AnalyserError, match="https://"):
        llm.analyser("http://llm.acme.example/v1", "small")
    with pytest.raises(AnalyserError, match="https://"):
        llm.analyser("file:///etc", "small")


# Hugging Face


@pytest.mark.parametrize(
    ("scores", "label"),
    [
        ({"negative": 0.8, "neutral": 0.15, "positive": 0.05}, Label.NEGATIVE),
        ({"NEG": 0.2, "POS": 0.8}, Label.POSITIVE),
        ({"1 star": 0.4, "2 stars": 0.3, "5 stars": 0.3}, Label.NEGATIVE),
        ({"LABEL_0": 0.3, "LABEL_1": 0.7}, Label.NEUTRAL),
    ],
)
def test_the_labels_of_usual_models_are_understood(scores: dict[str, float], label: Label) -> None:
    said = [{"label": name, "score": score} for name, score in scores.items()]
    assert hugging_face.sentiment_of(said).label is label


def test_a_model_that_tells_no_sentiment_is_refused() -> None:
    with pytest.raises(ValueError, match="none of its labels says negative: sports, politics"):
        hugging_face.sentiment_of([{"label": "sports", "score": 0.9}, {"label": "politics", "score": 0.1}])


def test_the_pipeline_is_asked_for_all_labels_of_a_bounded_text(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Any] = []

    def pipeline(task: str, **options: Any) -> Any:
        calls.append((task, options))
        return lambda text: calls.append(len(text)) or [[{"label": "negative", "score": 0.9}]]

    module = ModuleType("transformers")
    module.pipeline = pipeline  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "transformers", module)
    said = hugging_face.analyser(model="acme/sentiment")("x" * 50_000)
    assert said.label is Label.NEGATIVE
    assert calls[0] == (
        "text-classification",
        {"model": "acme/sentiment", "device": -1, "top_k": None, "truncation": True},
    )
    assert calls[1] == hugging_face.TEXT_MAX


def test_without_transformers_the_words_say_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(AnalyserError, match="pip install transformers"):
        hugging_face.analyser(model="acme/sentiment")


def test_a_real_model_reads_through_the_real_library(tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers", reason="transformers is not installed")
    vocabulary = tmp_path / "vocab.txt"
    vocabulary.write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "bad", "good"]), "utf-8")
    shape = transformers.BertConfig(
        vocab_size=7, hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8,
        id2label={0: "negative", 1: "positive"}, label2id={"negative": 0, "positive": 1},
    )  # fmt: skip
    transformers.BertForSequenceClassification(shape).save_pretrained(tmp_path)
    transformers.BertTokenizer(str(vocabulary)).save_pretrained(tmp_path)
    said = hugging_face.analyser(model=str(tmp_path))("bad bad good")
    assert said.label in (Label.NEGATIVE, Label.NEUTRAL, Label.POSITIVE)
