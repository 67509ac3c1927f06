"""Makes the attempts of deliveries that are due, many at a time, and writes what they come to."""

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import structlog

from holdfast.model.errors import StorageUnavailable
from holdfast.model.receiver_address import AllowedReceivers
from holdfast.model.webhook import ALERT_COMMAND, ClaimedDelivery
from holdfast.policy.webhook_retry import ReceiverAnswer, Step, next_step
from holdfast.store import Store
from holdfast.store.webhook_deliveries import Settlement, claim_deliveries, find_due, settle_deliveries
from holdfast.store.webhook_endpoints import read_signing_secrets
from holdfast.webhooks.command import run_command
from holdfast.webhooks.sender import WebhookSender

log = structlog.get_logger()
AT_ONCE = 100  # attempts of one process
AWAY_AT_ONCE = 50  # of them to receivers that failed before, so that those never hold up the others
TURN = 0.2  # seconds between two looks while attempts are under way
LAST_TURN = 5.0  # seconds for attempts that are under way when the process stops; later their leases end
RESOLVERS = 64  # threads that wait for DNS, which may be slow for some names

Secrets = Mapping[str, Sequence[str]]


@dataclass(slots=True)
class WebhookDeliverer:
    """``command`` gets alerts. ``stopping`` ends ``run`` early."""

    store: Store
    allowed: AllowedReceivers
    command: Sequence[str] = ()
    stopping: Callable[[], bool] = lambda: False
    _running: dict[asyncio.Task[Settlement], ClaimedDelivery] = field(default_factory=dict)

    async def run(self) -> None:
        """Deliver until nothing is due. Raises StorageUnavailable; what was claimed by then is tried again later."""
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(RESOLVERS, "webhooks"))
        async with WebhookSender(self.allowed) as sender:
            try:
                while not self.stopping():
                    await self._begin(sender)
                    if not self._running:
                        return
                    await self._settle(TURN)
                await self._settle(LAST_TURN, asyncio.ALL_COMPLETED)
            finally:
                for task in self._running:
                    task.cancel()

    async def _begin(self, sender: WebhookSender) -> None:
        """Claim what is due for receivers to which nothing is under way, and begin to send it."""
        busy = {each.endpoint for each in self._running.values()}
        away = AWAY_AT_ONCE - sum(each.failures > 0 for each in self._running.values())
        due = await asyncio.to_thread(self.store.read, find_due, busy, AT_ONCE - len(self._running), away)
        claimed = await asyncio.to_thread(self.store.write, claim_deliveries, due) if due else []
        secrets = await asyncio.to_thread(self._secrets, {each.tenant for each in claimed})
        now = await asyncio.to_thread(self.store.now) if claimed else 0.0
        for each in claimed:
            self._running[asyncio.create_task(self._attempt(sender, each, secrets, now))] = each

    def _secrets(self, tenants: set[str]) -> Secrets:
        """Read what signs now; nothing of it is kept."""
        return {tenant: self.store.read(read_signing_secrets, tenant) for tenant in tenants}

    async def _attempt(self, sender: WebhookSender, each: ClaimedDelivery, secrets: Secrets, now: float) -> Settlement:
        if each.url == ALERT_COMMAND:
            answer = await asyncio.to_thread(run_command, self.command, each.body) if self.command else NO_COMMAND
        else:
            answer = await sender.send(each.url, each.event, each.body, secrets[each.tenant], now)
        step = next_step(answer, each.attempt, each.failures, random.uniform)
        if step.step is not Step.DELIVERED:
            log.warning("webhook_failed", event_id=each.event, receiver=each.endpoint, why=answer.why, next=step.step)
        return Settlement(each, answer, step)

    async def _settle(self, seconds: float, until: str = asyncio.FIRST_COMPLETED) -> None:
        """Write what has ended, after ``seconds`` at most."""
        done, _ = await asyncio.wait(self._running, timeout=seconds, return_when=until) if self._running else ((), ())
        for task in done:
            del self._running[task]
        if done:
            await asyncio.to_thread(self.store.write, settle_deliveries, [task.result() for task in done])


NO_COMMAND = ReceiverAnswer(error="the configuration names no command any more")


def deliver(deliverer: WebhookDeliverer) -> None:
    """Deliver in a thread that has no event loop, as an actor does. Tells its own errors, and raises none."""
    try:
        asyncio.run(deliverer.run())
    except StorageUnavailable as error:
        log.warning("webhooks_wait", why=str(error), effect="they are sent again when their leases end")
    except Exception:
        log.exception("part_broke", part="webhooks", effect="they are sent again when their leases end")
