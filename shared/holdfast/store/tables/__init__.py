"""The tables, as SQLModel classes: what they hold, and which promise each constraint carries."""

from sqlalchemy import MetaData
from sqlmodel import SQLModel

from holdfast.store.tables.alert import AlertRow, AlertWatchRow
from holdfast.store.tables.api_key import ApiKeyRow
from holdfast.store.tables.attempt import AttemptRow, ResultRow
from holdfast.store.tables.batch import BatchRow, TallyRow
from holdfast.store.tables.batch_order import BadLineRow, BatchOrderRow
from holdfast.store.tables.counter import CounterRow, PaceRow
from holdfast.store.tables.file import FileChunkRow, FileRow
from holdfast.store.tables.fleet import AuditRow, OverrideRow, WorkerRow
from holdfast.store.tables.given_up_call import GivenUpCallRow
from holdfast.store.tables.job import JobRow, RequestRow
from holdfast.store.tables.learned_limit import LearnedLimitRow
from holdfast.store.tables.ledger_check import LedgerCheckRow
from holdfast.store.tables.operation import DrainedPageRow, OperationRow
from holdfast.store.tables.outbox import OutboxCursorRow, OutboxRow
from holdfast.store.tables.response import ResponseRow
from holdfast.store.tables.schema import SchemaFloorRow
from holdfast.store.tables.secret import SecretRow
from holdfast.store.tables.webhook import WebhookDeliveryRow, WebhookEndpointRow, WebhookSecretRow

METADATA: MetaData = SQLModel.metadata

__all__ = [
    "METADATA",
    "AlertRow",
    "AlertWatchRow",
    "ApiKeyRow",
    "AttemptRow",
    "AuditRow",
    "BadLineRow",
    "BatchOrderRow",
    "BatchRow",
    "CounterRow",
    "DrainedPageRow",
    "FileChunkRow",
    "FileRow",
    "GivenUpCallRow",
    "JobRow",
    "LearnedLimitRow",
    "LedgerCheckRow",
    "OperationRow",
    "OutboxCursorRow",
    "OutboxRow",
    "OverrideRow",
    "PaceRow",
    "RequestRow",
    "ResponseRow",
    "ResultRow",
    "SchemaFloorRow",
    "SecretRow",
    "TallyRow",
    "WebhookDeliveryRow",
    "WebhookEndpointRow",
    "WebhookSecretRow",
    "WorkerRow",
]
