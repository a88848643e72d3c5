"""What goes wrong at random moments, by seed: deaths, sleeps, lines that are cut or lose replies,
and webhooks twice, late, out of order, forged."""

import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
from standardwebhooks import Webhook

from tests.faults.nursery import Worker
from tests.faults.site import LEASE, Site
from tests.relay import Relay

SECRET = "whsec_" + "c2VjcmV0IG9mIHRoZSBzb2Fr"
MOST_WORKERS = 2


@dataclass
class Chaos:
    """Does one thing after the other while the play goes on, in a thread of its own."""

    site: Site
    api_url: str
    seed: int
    pause: float = 0.5
    """Seconds between two faults, on average: long enough that a step can be done meanwhile."""
    tally: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._rng = random.Random(self.seed)
        self._stop = threading.Event()
        self._workers: list[Worker] = []
        self._kept: list[tuple[dict[str, str], bytes]] = []
        self._problem: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="chaos")
        ours = RESTARTS if self.site.services is not None else ()
        self._faults = (*FAULTS, *ours)
        self._weights = (*WEIGHTS, *([RESTART_WEIGHT] * len(ours)))

    def __enter__(self) -> "Chaos":
        self._staff()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self.site.to_argilla.come_up()
        self.site.to_postgres.come_up()
        for worker in self._workers:
            worker.wake()
            worker.kill()
        if self._problem is not None:
            raise self._problem

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                self._rng.choices(self._faults, self._weights)[0](self)
                self._staff()
                self._stop.wait(self._rng.expovariate(1 / self.pause))
        except BaseException as problem:
            self._problem = problem

    def _staff(self) -> None:
        """Whoever died is replaced, as a supervisor would."""
        self._workers = [one for one in self._workers if one.alive]
        while len(self._workers) < MOST_WORKERS:
            self._workers.append(self.site.worker())

    # --- faults ---

    def kill(self) -> None:
        self._rng.choice(self._workers).kill()
        self.tally["workers killed"] += 1

    def sleep(self) -> None:
        """A worker sleeps through its lease while another takes over, and wakes in its belief."""
        one = self._rng.choice(self._workers)
        one.pause()
        self._stop.wait(LEASE * self._rng.uniform(0.5, 1.5))
        one.wake()
        self.tally["workers paused and woken"] += 1

    def without_argilla(self) -> None:
        self._cut(self.site.to_argilla, "Argilla away")

    def without_postgres(self) -> None:
        self._cut(self.site.to_postgres, "Postgres away")

    def _cut(self, relay: Relay, name: str) -> None:
        relay.go_down()
        self._stop.wait(self._rng.uniform(0.1, 1.5))
        relay.come_up()
        self.tally[name] += 1

    def restart_postgres(self) -> None:
        self._restart("postgres")

    def restart_argilla(self) -> None:
        self._restart("argilla")

    def restart_redis(self) -> None:
        self._restart("redis")

    def _restart(self, service: str) -> None:
        self.site.restart(service)
        self.tally[f"{service} stopped and started"] += 1

    def lose_replies(self) -> None:
        """Argilla does as it is told, and the answer never comes home."""
        before = self.site.to_argilla.lost
        self.site.to_argilla.lose_every(self._rng.randint(2, 5))
        self._stop.wait(self._rng.uniform(0.2, 1.0))
        self.site.to_argilla.lose_every(0)
        self.tally["replies lost"] += self.site.to_argilla.lost - before

    def webhook(self) -> None:
        """A good one, now or kept for later; sometimes the same one twice."""
        message = self._message()
        if self._rng.random() < 0.5:
            self._kept.append(message)
        else:
            self._send(*message, wanted=204)
            if self._rng.random() < 0.5:
                self._send(*message, wanted=204)
                self.tally["webhooks twice"] += 1
        if self._kept and self._rng.random() < 0.5:
            self._rng.shuffle(self._kept)
            self._send(*self._kept.pop(), wanted=204)
            self.tally["webhooks late, out of order"] += 1

    def forged_webhook(self) -> None:
        headers, body = self._message(secret="whsec_" + "Zm9yZ2Vk")
        self._send(headers, body, wanted=401)
        self.tally["webhooks forged"] += 1

    def stale_webhook(self) -> None:
        headers, body = self._message(sent=datetime.now(UTC) - timedelta(minutes=10))
        self._send(headers, body, wanted=401)
        self.tally["webhooks replayed after ten minutes"] += 1

    def _message(
        self, secret: str = SECRET, sent: datetime | None = None
    ) -> tuple[dict[str, str], bytes]:
        sent = sent or datetime.now(UTC)
        about = [*self.site.dataset_ids(), uuid4()][0]
        payload: dict[str, Any] = {
            "type": "response.created",
            "data": {"record": {"dataset": {"id": str(about)}}},
        }
        body = json.dumps(payload)
        name = f"msg_{uuid4().hex}"
        headers = {
            "webhook-id": name,
            "webhook-timestamp": str(int(sent.timestamp())),
            "webhook-signature": Webhook(secret).sign(name, sent, body),
        }
        return headers, body.encode()

    def _send(self, headers: dict[str, str], body: bytes, *, wanted: int) -> None:
        url = f"{self.api_url}/webhooks/argilla"
        answer = httpx.post(url, content=body, headers=headers, timeout=30, trust_env=False)
        assert answer.status_code == wanted, (answer.status_code, answer.text)


FAULTS: tuple[Callable[[Chaos], None], ...] = (
    Chaos.kill,
    Chaos.sleep,
    Chaos.without_argilla,
    Chaos.without_postgres,
    Chaos.lose_replies,
    Chaos.webhook,
    Chaos.forged_webhook,
    Chaos.stale_webhook,
)
WEIGHTS = (12, 1, 1, 1, 1, 2, 1, 1)
RESTARTS: tuple[Callable[[Chaos], None], ...] = (
    Chaos.restart_postgres,
    Chaos.restart_argilla,
    Chaos.restart_redis,
)
RESTART_WEIGHT = 0.4


def play_through(site: Site, chaos: Chaos, rounds: int, *, kills: int, seconds: float) -> int:
    """Rounds one after the other while things break, and on until there were enough deaths; how
    many rounds."""
    end = time.monotonic() + seconds
    played = 0
    with chaos:
        while played < rounds or (chaos.tally["workers killed"] < kills and time.monotonic() < end):
            site.play(site.start())
            played += 1
    return played
