"""Messages to people, by apprise: mail, chat, pagers, webhooks. Where they go may be secret, and is never told."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping, Sequence

from repository.alerts import CLEAR, NEWS, Message

_FROM_ENVIRONMENT = "env:"


def send(to: Sequence[str], messages: Sequence[Message], environment: Mapping[str, str] = os.environ) -> list[str]:
    """Send each message to every destination (an apprise URL, or env:NAME, the variable that holds some); return a
    sentence for each destination that did not take them all. None is named by more than its number and kind."""
    return [why for number, one in enumerate(to, 1) if (why := _failed(number, one, messages, environment))]


def _failed(number: int, destination: str, messages: Sequence[Message], environment: Mapping[str, str]) -> str:
    said = destination.removeprefix(_FROM_ENVIRONMENT)
    urls = environment.get(said, "").split() if said != destination else [destination]
    name = f"Destination {number} of [alerts] ({destination if said != destination else _scheme(destination)})"
    if not urls:
        return f"{name} is not set in this process's environment."
    if (notify := _notifier(urls)) is None:
        return f"{name} is no URL that apprise understands."
    taken = [notify(message) for message in messages]
    return "" if all(taken) else f"{name} did not take every message."


def _notifier(urls: Sequence[str]) -> Callable[[Message], bool] | None:
    """What sends one message to these URLs; None where one of them is not understood."""
    import apprise  # half a second, which only who sends has to wait

    logging.getLogger("apprise").setLevel(logging.CRITICAL)  # it would tell of URLs
    kinds = {CLEAR: apprise.NotifyType.SUCCESS, NEWS: apprise.NotifyType.INFO}
    sender = apprise.Apprise()
    if not all(sender.add(url) for url in urls):
        return None

    def notify(message: Message) -> bool:
        kind = kinds.get(message.why, apprise.NotifyType.WARNING)
        return bool(sender.notify(body=message.text, title=f"Tianyi: {message.title}", notify_type=kind))

    return notify


def _scheme(url: str) -> str:
    return url.partition(":")[0]
