"""What the audit log tells of: the acts of operators, of their programs, and of whoever was refused."""

from enum import StrEnum


class AuditAction(StrEnum):
    """An act. Those on dead letters are asked for, controlled while they run, and written down when they have ended."""

    REPLAY_ASKED = "replay.asked"
    REPLAY_PAUSE = "replay.pause"
    REPLAY_RESUME = "replay.resume"
    REPLAY_ABORT = "replay.abort"
    REPLAY = "replay"
    DRAIN_ASKED = "drain.asked"
    DRAIN_PAUSE = "drain.pause"
    DRAIN_RESUME = "drain.resume"
    DRAIN_ABORT = "drain.abort"
    DRAIN = "drain"
    DROP_ASKED = "drop.asked"
    DROP_PAUSE = "drop.pause"
    DROP_RESUME = "drop.resume"
    DROP_ABORT = "drop.abort"
    DROP = "drop"
    DELETE_ENDED = "delete_ended"  # by retention
    EXPORT_DELETE = "export.delete"
    OVERRIDE = "override"  # a lane was paused or resumed, a route forced open or closed, or reset
    REVEAL = "reveal"  # a request or a response was shown to a person
    KEY_CREATE = "key.create"
    KEY_REVOKE = "key.revoke"
    WEBHOOK_ADD = "webhook.add"
    WEBHOOK_REMOVE = "webhook.remove"
    WEBHOOK_RESUME = "webhook.resume"
    WEBHOOK_REDELIVER = "webhook.redeliver"
    WEBHOOK_SECRET = "webhook.secret"  # noqa: S105 - the name of an act
    DENIED = "denied"  # a request was refused: no good key, a missing scope, another origin
