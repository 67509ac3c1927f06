"""Names of everything that lies in Redis. One hash tag per namespace, so that every script's keys share a slot."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Keys:
    """Key names under one namespace. The lane keys are dramatiq's own, with dramatiq's namespace set to ``lanes``."""

    namespace: str = "hf"

    @property
    def root(self) -> str:
        return "{" + self.namespace + "}:"

    @property
    def lanes(self) -> str:
        """Dramatiq's namespace: ``RedisBroker(namespace=keys.lanes)`` reads the same lanes."""
        return f"{self.root}lane"

    @property
    def actors(self) -> str:
        """Dramatiq's namespace for the queue of actors: what is slow and rare."""
        return f"{self.root}actors"

    @property
    def heartbeats(self) -> str:
        return f"{self.lanes}:__heartbeats__"

    @property
    def epoch(self) -> str:
        return f"{self.root}epoch"

    @property
    def server(self) -> str:
        """The run id of the server that holds all this, as it was when somebody last looked."""
        return f"{self.root}server"

    @property
    def refused(self) -> str:
        """How many messages were refused for their signature."""
        return f"{self.root}refused"

    @property
    def purged(self) -> str:
        """How many keys of ours held what we did not write, and were deleted."""
        return f"{self.root}purged"

    @property
    def alive(self) -> str:
        """Written again and again, to see whether writes are taken."""
        return f"{self.root}alive"

    @property
    def paused(self) -> str:
        """The set of lanes that an operator paused."""
        return f"{self.root}paused"

    @property
    def index(self) -> str:
        """The set of breakers, buckets and slots that exist, so that nobody has to scan for them."""
        return f"{self.root}index"

    @property
    def replies(self) -> str:
        """The hash of when the latest reply came from each target, and when its call was sent."""
        return f"{self.root}replies"

    @property
    def credential_faults(self) -> str:
        """The hash of why each credential's last call failed."""
        return f"{self.root}credential-faults"

    @property
    def unusable_credentials(self) -> str:
        """The hash of credentials that workers have no secret for, and why."""
        return f"{self.root}unusable-credentials"

    @property
    def names(self) -> str:
        """The set of lanes that ever had an offer."""
        return f"{self.root}lanes"

    @property
    def wake(self) -> str:
        """The channel of hints: somebody offered, a breaker moved. Nothing depends on a hint."""
        return f"{self.root}wake"

    @property
    def ended(self) -> str:
        """The channel on which ids of jobs are published once their ends are committed. Nothing depends on it."""
        return f"{self.root}ended"

    def lane(self, name: str) -> str:
        return f"{self.lanes}:{name}"

    def messages(self, lane: str) -> str:
        return f"{self.lanes}:{lane}.msgs"

    def need(self, lane: str) -> str:
        return f"{self.lanes}:{lane}.need"

    def beyond(self, lane: str) -> str:
        """The first job that is known to wait in SQL alone, behind what the lane's window holds."""
        return f"{self.lanes}:{lane}.beyond"

    def acks(self, worker: str, lane: str) -> str:
        return f"{self.lanes}:__acks__.{worker}.{lane}"

    def refill(self, lane: str) -> str:
        """Who tops up the lane's window now, by a short lease."""
        return f"{self.root}refill:{lane}"

    def permits(self, worker: str) -> str:
        return f"{self.root}permits:{worker}"

    def breaker(self, scope: str) -> str:
        return f"{self.root}breaker:{scope}"

    def bucket(self, name: str) -> str:
        return f"{self.root}bucket:{name}"

    def failing(self, target: str) -> str:
        """The sorted set of jobs that failed on a target of late, by when the first failed call of each was sent."""
        return f"{self.root}failing:{target}"

    def slots(self, route: str) -> str:
        return f"{self.root}slots:{route}"
