"""What happens when somebody presses something? An intent in; the case, its card and the person's answer out.

The case is changed first (one transaction, its version decides who was faster), then its card, at once, then
whoever pressed is answered. All of it goes through the same doors as the command line and the outbox.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from alerts import modals
from alerts.actions import act, act_on_promise
from alerts.blocks import Around, alert_message, button_url
from alerts.cases import Action, Do, Refused
from alerts.deeds import Told
from alerts.interactions import (
    Act,
    ActOnPromise,
    By,
    Help,
    Ignored,
    Intent,
    ListOpen,
    Pressed,
    Show,
    ShowCase,
    TakeOver,
)
from alerts.modals import Modal, Opened
from alerts.names import Known, Names, names_in, remember
from alerts.notifier import Blocks, Notifier, NotifyError
from alerts.outbox import Courier, Render
from alerts.redact import redact
from alerts.sla import Policy
from alerts.text import clip, one_line
from storage.errors import StoreError
from storage.records import CaseEvent, Delivery, DeliveryKind, Promise, Reviewed, case_name
from storage.store import Store

log = logging.getLogger(__name__)

LISTED = 20  # open cases shown to who asks
TOO_LATE = "That took too long, Slack gave up on it: press it once more."


class Desk(Notifier, Protocol):
    """What is needed of Slack to answer a person; see `alerts.slack_desk.SlackDesk`."""

    def open_view(self, trigger_id: str, view: Mapping[str, Any], *, push: bool = False) -> str: ...

    def whisper(
        self, channel: str, user: str, text: str, *, blocks: Blocks = (), thread_ts: str = ""
    ) -> None: ...

    def respond(self, response_url: str, text: str, *, blocks: Blocks = ()) -> None: ...

    def person(self, user: str) -> Known: ...


Others = Callable[[Pressed, datetime], "str | None"]
"""Carries out a button that is about no single case (a storm, a source); answers what to whisper, if any."""

HistoryExtra = Callable[[Reviewed], Sequence[Mapping[str, Any]]]
"""Blocks the history window shows besides, such as what the playbook says."""


@dataclass(slots=True, kw_only=True)
class Clicks:
    """Carries out intents. Several threads may share it; each calls `do` with a desk of its own."""

    store: Store
    policy: Policy
    render: Render
    clock: Callable[[], datetime]
    sleep: Callable[[float], None]
    title_of: Callable[[str], str] = field(default=lambda source: source)  # how people call a source
    others: Others | None = None
    history_extra: HistoryExtra = field(default=lambda reviewed: ())
    changed: Callable[[], None] = field(default=lambda: None)  # there is something new in the outbox
    _given: set[str] = field(default_factory=set, init=False)  # ids Slack gave to this process
    _asked: set[str] = field(default_factory=set, init=False)  # those of them it was asked about
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    def do(self, intent: Intent, desk: Desk) -> None:
        """Carry `intent` out. Never raises: what goes wrong is logged, and told to who pressed."""
        if isinstance(intent, Ignored):
            return
        by = intent.by
        try:
            self._known(by)
            said = self._do(intent, desk)
        except Refused as refused:
            said = f"{str(refused).rstrip('.')}."
            if refused.case is not None:
                self._show(refused.case.number, desk)  # what they pressed on was out of date
        except StoreError as error:
            log.error("a press was lost: %s", redact(str(error)))  # noqa: TRY400 - it says what is wrong
            said = "That could not be kept just now: press it once more in a moment."
        except NotifyError as error:
            log.warning("answering a press: %s", redact(str(error)))
            said = TOO_LATE if "trigger" in str(error) else ""
        except Exception:
            log.exception("a press could not be carried out")
            said = "Something went wrong on our side; the log says what."
        if said:
            self.say(by, said, desk)
        self._ask_names(desk)

    def _do(self, intent: Intent, desk: Desk) -> str:
        match intent:
            case Act(number=number, action=action):
                self._act(number, action, desk)
            case ActOnPromise(promise=promise, action=action):
                done = act_on_promise(self.store, promise, action, self.clock(), self.policy)
                self._show(done.case.number, desk)
            case TakeOver():
                self._take_over(intent, desk)
            case Show():
                self._open(intent, desk)
            case ListOpen(by=by):
                self._list(by, desk)
            case ShowCase(by=by, number=number):
                self._card(by, number, desk)
            case Help(command=command):
                return f"{command} open: the open cases, worst first.\n{command} REP-1042: one case."
            case Pressed():
                said = self.others(intent, self.clock()) if self.others else None
                self.changed()
                return said or ""
        return ""

    # -- cases ----------------------------------------------------------------------------------------------

    def _act(self, number: int, action: Action, desk: Desk) -> None:
        if action.kind is Do.ASSIGN and action.assignee:
            self._known(By(user=action.assignee))  # it comes from Slack's own list
        done = act(self.store, number, action, self.clock(), self.policy)
        self._show(done.case.number, desk)

    def _take_over(self, intent: TakeOver, desk: Desk) -> None:
        with self.store.reading() as ledger:
            case, events = ledger.case(intent.number), ledger.events(intent.number)
        if case is None:
            raise Refused(f"There is no case {case_name(intent.number)}")
        # The button knows the level, not the version: it was drawn when that level was told.
        action = Action(
            kind=Do.ASSIGN,
            actor=intent.by.user,
            version=_told_at(events, intent.level),
            assignee=intent.by.user,
        )
        self._act(intent.number, action, desk)

    def _show(self, number: int, desk: Desk) -> None:
        """The card of the case, as it is now, at once; and let the courier look at the rest."""
        courier = Courier(
            store=self.store,
            notifiers={desk.name: desk},
            render=self.render,
            clock=self.clock,
            sleep=self.sleep,
        )
        try:
            courier.show_now(number)
        finally:
            self.changed()

    # -- windows --------------------------------------------------------------------------------------------

    def _open(self, intent: Show, desk: Desk) -> None:
        by, now = intent.by, self.clock()
        number = intent.number
        with self.store.reading() as ledger:
            promise: Promise | None = None
            if intent.promise:
                promise = ledger.promise(intent.promise)
                number = promise.number if promise else 0
            reviewed = ledger.reviewed(number)
            events = ledger.events(number) if intent.modal is Modal.HISTORY else []
            promises = ledger.promises(number) if intent.modal is Modal.HISTORY else []
            names = names_in(ledger, self.policy.people)
        if reviewed is None:
            raise Refused(
                f"There is no case {case_name(number)}" if number else "There is no such promise any more"
            )
        case = reviewed.case
        opened = Opened(
            number=number,
            version=intent.version if intent.version is not None else case.version,
            channel=by.channel,
            ts=by.ts,
            zone=names.zone(by.user) or self.policy.calendar.zone,
            promise=intent.promise,
            promise_version=intent.promise_version,
        )
        if case.status.closed and intent.modal not in (Modal.HISTORY, Modal.EXTEND):
            raise Refused(f"{case.name} is closed: reopen it first", case)
        match intent.modal:
            case Modal.ANSWERED:
                view = modals.answered_view(opened, now)
            case Modal.PROMISE:
                view = modals.promise_view(opened, now)
            case Modal.EXTEND if promise is not None:
                if not promise.open:
                    raise Refused("This promise is settled already", case)
                view = modals.extend_view(opened, promise, now)
            case Modal.ASSIGN:
                view = modals.assign_view(opened)
            case Modal.DISMISS:
                view = modals.dismiss_view(opened)
            case _:
                view = modals.history_view(
                    opened,
                    reviewed,
                    events,
                    promises,
                    names=names,
                    url="" if reviewed.removed else button_url(reviewed.mention.url),
                    more=self.history_extra(reviewed),
                )
        desk.open_view(by.trigger_id, view, push=bool(by.view_id))

    # -- what is asked for ----------------------------------------------------------------------------------

    def _list(self, by: By, desk: Desk) -> None:
        with self.store.reading() as ledger:
            found = ledger.cases_worst_first(limit=LISTED + 1)
            names = names_in(ledger, self.policy.people)
        if not found:
            self.say(by, "Nothing is open.", desk)
            return
        lines = [self._line(one, names) for one in found[:LISTED]]
        more = f"The worst {LISTED} of more." if len(found) > LISTED else f"{len(found)} open, worst first."
        blocks = [
            {"type": "rich_text", "elements": lines},
            {"type": "context", "elements": [{"type": "plain_text", "text": more, "emoji": False}]},
        ]
        self.say(by, more, desk, blocks=blocks)

    def _line(self, one: Reviewed, names: Names) -> dict[str, Any]:
        case, mention = one.case, one.mention
        url = "" if one.removed else button_url(mention.url)
        name: dict[str, Any] = {"type": "text", "text": case.name, "style": {"bold": True}}
        if url:
            name = {"type": "link", "url": url, "text": case.name}
        stars = "" if mention.stars is None else f"{mention.stars:.3g} of 5, "
        owner = names.name(case.owner) if case.owner else "nobody yet"
        words = clip(one_line(mention.judged_text), 100)
        text = f"  {case.priority.word}: {stars}{clip(self.title_of(mention.source), 40)} ({owner}): {words}"
        return {"type": "rich_text_section", "elements": [name, {"type": "text", "text": text}]}

    def _card(self, by: By, number: int, desk: Desk) -> None:
        with self.store.reading() as ledger:
            reviewed = ledger.reviewed(number)
            promises = ledger.promises(number)
            names = names_in(ledger, self.policy.people)
        if reviewed is None:
            raise Refused(f"There is no case {case_name(number)}")
        now = self.clock()
        drawn = Delivery(
            id="shown",
            kind=DeliveryKind.ALERT,
            notifier=desk.name,
            channel=by.channel,
            number=number,
            created_at=now,
            not_before=now,
        )
        message = alert_message(
            reviewed,
            drawn,
            site_title=self.title_of(reviewed.mention.source),
            now=now,
            around=Around(promises=promises, names=names, interactive=True),
        )
        self.say(by, message.text, desk, blocks=message.blocks)

    # -- people ---------------------------------------------------------------------------------------------

    def say(self, by: By, text: str, desk: Desk, *, blocks: Blocks = ()) -> None:
        """Answer who pressed; only they see it. Where Slack takes it on neither road, the log has it."""
        roads: list[Callable[[], None]] = []
        if by.channel:
            roads.append(
                lambda: desk.whisper(by.channel, by.user, text, blocks=blocks, thread_ts=by.thread_ts)
            )
        if by.response_url:
            roads.append(lambda: desk.respond(by.response_url, text, blocks=blocks))
            if not by.ts:  # a command: typed where the app may not be a member
                roads.reverse()
        for road in roads:
            try:
                road()
            except NotifyError as error:
                log.info("whispering: %s", redact(str(error)))
            else:
                return
        log.warning("nobody could be told: %s", redact(text)[:200])

    def _known(self, by: By) -> None:
        """Slack gave us this id, so a card may ring it."""
        with self._lock:
            if by.user in self._given:
                return
            self._given.add(by.user)
        now = self.clock()
        with self.store.reading() as ledger:
            if by.user in names_in(ledger).told:
                return
        with self.store.transaction() as ledger:
            remember(ledger, by.user, by.name, "", now)

    def _ask_names(self, desk: Desk) -> None:
        """What Slack calls those it gave us, asked once a process; after the work, as nobody waits for it."""
        with self._lock:
            unknown = self._given - self._asked
            self._asked |= unknown
        for user in sorted(unknown):
            try:
                known = desk.person(user)
                with self.store.transaction() as ledger:
                    remember(ledger, user, known.name, known.zone, self.clock())
            except NotifyError as error:
                log.info("who is %s: %s", user, redact(str(error)))
            except StoreError as error:
                log.warning("who is %s: %s", user, redact(str(error)))


def _told_at(events: Sequence[CaseEvent], level: int) -> int | None:
    """The version the case had when it was escalated last (to `level`, where the history says so)."""
    told = [one for one in events if one.action in (Told.LATE.value, Told.ESCALATED.value, Told.SILENT.value)]
    exact = [one for one in told if f"level {level}" in one.detail]
    found = (exact or told)[-1:]
    return found[0].version if found and found[0].version else None
