-- The tables of a new SQLite database: what the migrations make of an empty file, without running them one by one.
-- Written by `python docs/generate.py` (`make docs`). Change the migrations, not this script.
-- Statements are parted by empty lines, and none has one inside.

CREATE TABLE alembic_version (
  version_num VARCHAR(32) NOT NULL,
  CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);

CREATE TABLE batch (
  id VARCHAR(32) NOT NULL,
  tenant VARCHAR NOT NULL,
  name VARCHAR NOT NULL,
  source VARCHAR,
  created_at BIGINT NOT NULL, ended_event BIGINT, webhook VARCHAR(32),
  PRIMARY KEY (id)
);

CREATE INDEX batch_tenant ON batch (tenant, id);

CREATE TABLE job (
  id VARCHAR(32) NOT NULL,
  tenant VARCHAR NOT NULL,
  batch VARCHAR(32),
  custom_id VARCHAR,
  position BIGINT,
  model VARCHAR NOT NULL,
  lane VARCHAR NOT NULL,
  priority VARCHAR NOT NULL,
  idempotency_key VARCHAR,
  request_hash VARCHAR(32) NOT NULL,
  labels VARCHAR,
  input_tokens BIGINT NOT NULL,
  output_tokens BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  expires_in BIGINT,
  expires_at BIGINT NOT NULL,
  state VARCHAR NOT NULL,
  generation INTEGER NOT NULL,
  fence BIGINT NOT NULL,
  number INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  calls INTEGER NOT NULL,
  tries INTEGER NOT NULL,
  crashes INTEGER NOT NULL,
  worker VARCHAR(32),
  available_at BIGINT,
  finished_at BIGINT,
  avoid VARCHAR,
  why_waiting VARCHAR,
  fault VARCHAR, written_in VARCHAR, output_ceiling BIGINT, webhook VARCHAR(32), not_before BIGINT,
  PRIMARY KEY (id),
  CONSTRAINT job_delayed_has_a_date CHECK ((state = 'delayed') = (available_at is not null)),
  CONSTRAINT job_running_has_a_worker CHECK ((state = 'running') = (worker is not null)),
  CONSTRAINT job_ended_has_a_date CHECK ((state in ('cancelled', 'dead', 'expired', 'succeeded')) = (finished_at is not null)),
  CONSTRAINT job_state CHECK (state in ('queued', 'delayed', 'running', 'succeeded', 'dead', 'cancelled', 'expired'))
);

CREATE INDEX job_batch ON job (batch, id) WHERE batch is not null;

CREATE INDEX job_dead ON job (tenant, fault, finished_at) WHERE state = 'dead';

CREATE INDEX job_due ON job (available_at) WHERE state = 'delayed';

CREATE INDEX job_ended ON job (batch, position) WHERE batch is not null and state in ('cancelled', 'dead', 'expired', 'succeeded');

CREATE INDEX job_expiry ON job (expires_at) WHERE state in ('queued', 'delayed') and expires_at < 4611686018427387904;

CREATE INDEX job_head ON job (lane, expires_at, id) WHERE state = 'queued';

CREATE UNIQUE INDEX job_key ON job (tenant, idempotency_key) WHERE idempotency_key is not null;

CREATE INDEX job_running ON job (worker) WHERE state = 'running';

CREATE TABLE request (
  job VARCHAR(32) NOT NULL,
  body BLOB NOT NULL, traceparent VARCHAR,
  PRIMARY KEY (job)
);

CREATE TABLE attempt (
  job VARCHAR(32) NOT NULL,
  generation INTEGER NOT NULL,
  number INTEGER NOT NULL,
  route VARCHAR NOT NULL,
  credential VARCHAR NOT NULL,
  fence BIGINT NOT NULL,
  worker VARCHAR(32) NOT NULL,
  started_at BIGINT NOT NULL,
  ended_at BIGINT,
  outcome VARCHAR,
  fault VARCHAR,
  status INTEGER,
  code VARCHAR,
  message VARCHAR,
  provider_request_id VARCHAR,
  usage VARCHAR,
  input_tokens BIGINT NOT NULL,
  output_tokens BIGINT NOT NULL,
  cost_micros BIGINT NOT NULL,
  mapping VARCHAR,
  micros BIGINT,
  PRIMARY KEY (job, generation, number),
  CONSTRAINT attempt_outcome CHECK (outcome in ('succeeded', 'failed', 'unknown', 'abandoned')),
  CONSTRAINT attempt_ended_has_an_outcome CHECK ((outcome is null) = (ended_at is null))
)
 WITHOUT ROWID
;

CREATE INDEX attempt_open ON attempt (worker) WHERE ended_at is null;

CREATE TABLE result (
  job VARCHAR(32) NOT NULL,
  generation INTEGER NOT NULL,
  fence BIGINT NOT NULL,
  state VARCHAR NOT NULL,
  reply BLOB,
  fault VARCHAR,
  status INTEGER,
  code VARCHAR,
  message VARCHAR,
  route VARCHAR,
  usage VARCHAR,
  cost_micros BIGINT NOT NULL,
  attempts INTEGER NOT NULL,
  mapping VARCHAR,
  created_at BIGINT NOT NULL, cause VARCHAR(16),
  PRIMARY KEY (job, generation),
  CONSTRAINT result_state CHECK (state in ('cancelled', 'dead', 'expired', 'succeeded'))
)
 WITHOUT ROWID
;

CREATE TABLE tally (
  kind VARCHAR NOT NULL,
  name VARCHAR NOT NULL,
  state VARCHAR NOT NULL,
  shard INTEGER NOT NULL,
  jobs BIGINT NOT NULL,
  PRIMARY KEY (kind, name, state, shard)
)
 WITHOUT ROWID
;

CREATE TABLE worker (
  id VARCHAR(32) NOT NULL,
  host VARCHAR NOT NULL,
  pid INTEGER NOT NULL,
  version VARCHAR NOT NULL,
  started_at BIGINT NOT NULL,
  lease_until BIGINT NOT NULL,
  stopped_at BIGINT,
  PRIMARY KEY (id)
)
 WITHOUT ROWID
;

CREATE TABLE override (
  kind VARCHAR NOT NULL,
  name VARCHAR NOT NULL,
  value VARCHAR NOT NULL,
  actor VARCHAR NOT NULL,
  set_at BIGINT NOT NULL,
  PRIMARY KEY (kind, name)
);

CREATE TABLE audit (
  id INTEGER NOT NULL,
  at BIGINT NOT NULL,
  actor VARCHAR NOT NULL,
  action VARCHAR NOT NULL,
  what VARCHAR NOT NULL,
  jobs BIGINT NOT NULL,
  PRIMARY KEY (id)
);

CREATE TABLE secret (
  name VARCHAR NOT NULL,
  value VARCHAR NOT NULL,
  PRIMARY KEY (name)
);

CREATE TABLE api_key (
  id VARCHAR(16) NOT NULL,
  name VARCHAR NOT NULL,
  tenant VARCHAR,
  scopes VARCHAR NOT NULL,
  digest VARCHAR(64) NOT NULL,
  created_at BIGINT NOT NULL,
  created_by VARCHAR NOT NULL,
  expires_at BIGINT,
  revoked_at BIGINT,
  used_at BIGINT,
  PRIMARY KEY (id),
  CONSTRAINT api_key_has_a_scope CHECK (scopes <> ''),
  CONSTRAINT api_key_tenant_has_a_name CHECK (tenant <> '')
);

CREATE TABLE counter (
  name VARCHAR NOT NULL,
  labels VARCHAR NOT NULL,
  shard INTEGER NOT NULL,
  amount BIGINT NOT NULL,
  PRIMARY KEY (name, labels, shard)
)
 WITHOUT ROWID
;

CREATE TABLE pace (
  lane VARCHAR NOT NULL,
  at BIGINT NOT NULL,
  shard INTEGER NOT NULL,
  ended BIGINT NOT NULL,
  PRIMARY KEY (lane, at, shard)
)
 WITHOUT ROWID
;

CREATE INDEX job_lane on job (lane, state, id);

CREATE INDEX job_tenant on job (tenant, state, id);

CREATE INDEX job_dead_group on job (state, lane, fault, finished_at) where state = 'dead';

CREATE INDEX job_dead_oldest on job (finished_at, id) where state = 'dead';

CREATE TABLE schema_floor (
  revision VARCHAR NOT NULL,
  PRIMARY KEY (revision)
);

CREATE TABLE response (
  job VARCHAR(32) NOT NULL,
  generation INTEGER NOT NULL,
  number INTEGER NOT NULL,
  status INTEGER NOT NULL,
  request_id VARCHAR,
  body BLOB NOT NULL,
  PRIMARY KEY (job, generation, number)
);

CREATE TABLE given_up_call (
  job VARCHAR(32) NOT NULL,
  fingerprint VARCHAR(32) NOT NULL,
  given_up_at BIGINT NOT NULL,
  PRIMARY KEY (job)
);

CREATE INDEX given_up_call_fingerprint ON given_up_call (fingerprint, given_up_at);

CREATE INDEX given_up_call_age ON given_up_call (given_up_at);

CREATE TABLE file (
  id VARCHAR(32) NOT NULL,
  tenant VARCHAR NOT NULL,
  filename VARCHAR NOT NULL,
  purpose VARCHAR NOT NULL,
  size BIGINT NOT NULL,
  lines BIGINT NOT NULL,
  fingerprint VARCHAR(32) NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  PRIMARY KEY (id)
);

CREATE INDEX file_tenant ON file (tenant, id);

CREATE INDEX file_fingerprint ON file (fingerprint, created_at);

CREATE INDEX file_expiry ON file (expires_at);

CREATE TABLE file_chunk (
  file VARCHAR(32) NOT NULL,
  number INTEGER NOT NULL,
  body BLOB NOT NULL,
  PRIMARY KEY (file, number)
);

CREATE TABLE batch_order (
  batch VARCHAR(32) NOT NULL,
  tenant VARCHAR NOT NULL,
  api VARCHAR NOT NULL,
  endpoint VARCHAR NOT NULL,
  file VARCHAR(32) NOT NULL,
  completion_window VARCHAR NOT NULL,
  labels VARCHAR,
  fingerprint VARCHAR(32) NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  lines BIGINT NOT NULL,
  next_line BIGINT NOT NULL,
  next_byte BIGINT NOT NULL,
  leased_until BIGINT NOT NULL,
  read_at BIGINT,
  failure VARCHAR,
  cancel_asked_at BIGINT,
  ended_at BIGINT,
  final_counts VARCHAR,
  bad_lines BIGINT NOT NULL,
  hidden_files VARCHAR NOT NULL,
  deleted_at BIGINT, output_micros BIGINT, usage VARCHAR, model VARCHAR,
  PRIMARY KEY (batch)
);

CREATE INDEX batch_order_tenant ON batch_order (tenant, api, batch);

CREATE INDEX batch_order_fingerprint ON batch_order (fingerprint, created_at);

CREATE INDEX batch_order_open ON batch_order (batch) WHERE ended_at is null;

CREATE TABLE bad_line (
  batch VARCHAR(32) NOT NULL,
  position BIGINT NOT NULL,
  line BIGINT NOT NULL,
  custom_id VARCHAR,
  code VARCHAR NOT NULL,
  message VARCHAR NOT NULL,
  param VARCHAR,
  PRIMARY KEY (batch, position)
);

CREATE TABLE outbox (
  id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  at BIGINT NOT NULL,
  events VARCHAR NOT NULL
);

CREATE TABLE outbox_cursor (
  reader VARCHAR(32) NOT NULL,
  "after" VARCHAR(32) NOT NULL,
  PRIMARY KEY (reader)
);

CREATE TABLE learned_limit (
  bucket VARCHAR NOT NULL,
  stage VARCHAR(16),
  requests_per_minute FLOAT NOT NULL,
  burst FLOAT NOT NULL,
  told_requests FLOAT,
  told_input_tokens FLOAT,
  told_output_tokens FLOAT,
  learned_at BIGINT NOT NULL,
  PRIMARY KEY (bucket)
);

CREATE TABLE "operation" (
  id VARCHAR(32) NOT NULL,
  action VARCHAR NOT NULL,
  actor VARCHAR NOT NULL,
  tenant VARCHAR,
  filter VARCHAR NOT NULL,
  until BIGINT NOT NULL,
  max_jobs BIGINT,
  gap BIGINT NOT NULL,
  next_start BIGINT NOT NULL,
  cursor VARCHAR NOT NULL,
  jobs BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  moved_at BIGINT NOT NULL,
  ended_at BIGINT,
  eligible BIGINT,
  edit VARCHAR,
  paused_at BIGINT,
  aborted_at BIGINT,
  PRIMARY KEY (id),
  CONSTRAINT operation_action CHECK (action in ('replay', 'drain', 'drop', 'delete_ended'))
);

CREATE INDEX operation_open ON operation (moved_at) WHERE ended_at is null;

CREATE INDEX job_custom on job (custom_id, id) where custom_id is not null;

CREATE TABLE drained_page (
  operation VARCHAR(32) NOT NULL,
  number INTEGER NOT NULL,
  body BLOB NOT NULL,
  PRIMARY KEY (operation, number)
);

CREATE TABLE webhook_endpoint (
  id VARCHAR(32) NOT NULL,
  tenant VARCHAR NOT NULL,
  url VARCHAR NOT NULL,
  kinds VARCHAR,
  created_at BIGINT NOT NULL,
  failures INTEGER NOT NULL,
  resting_until BIGINT NOT NULL,
  succeeded_at BIGINT,
  answer VARCHAR,
  gone_at BIGINT,
  PRIMARY KEY (id)
);

CREATE INDEX webhook_endpoint_tenant ON webhook_endpoint (tenant, id);

CREATE TABLE webhook_secret (
  id VARCHAR(32) NOT NULL,
  tenant VARCHAR NOT NULL,
  value VARCHAR NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT,
  PRIMARY KEY (id)
);

CREATE INDEX webhook_secret_tenant ON webhook_secret (tenant, created_at);

CREATE TABLE webhook_delivery (
  id VARCHAR(32) NOT NULL,
  endpoint VARCHAR(32) NOT NULL,
  tenant VARCHAR NOT NULL,
  event VARCHAR(64) NOT NULL,
  kind VARCHAR NOT NULL,
  body VARCHAR NOT NULL,
  state VARCHAR NOT NULL,
  attempts INTEGER NOT NULL,
  next_at BIGINT NOT NULL,
  since BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  answer VARCHAR,
  ended_at BIGINT,
  PRIMARY KEY (id),
  CONSTRAINT webhook_delivery_state CHECK (state in ('pending', 'delivered', 'dead')),
  CONSTRAINT webhook_delivery_ended_has_a_date CHECK ((state = 'pending') = (ended_at is null))
);

CREATE UNIQUE INDEX webhook_delivery_event ON webhook_delivery (endpoint, event);

CREATE INDEX webhook_delivery_list ON webhook_delivery (tenant, state, id);

CREATE INDEX webhook_delivery_due ON webhook_delivery (endpoint, next_at) WHERE state = 'pending';

CREATE INDEX webhook_delivery_old ON webhook_delivery (ended_at) WHERE ended_at is not null;

CREATE TABLE alert (
  id VARCHAR(32) NOT NULL,
  kind VARCHAR NOT NULL,
  about VARCHAR NOT NULL,
  sentence VARCHAR NOT NULL,
  since BIGINT NOT NULL,
  seen_at BIGINT NOT NULL,
  told_at BIGINT,
  ended_at BIGINT,
  PRIMARY KEY (id)
);

CREATE UNIQUE INDEX alert_open ON alert (kind, about) WHERE ended_at is null;

CREATE INDEX alert_old ON alert (ended_at) WHERE ended_at is not null;

CREATE TABLE alert_watch (
  id INTEGER NOT NULL,
  looked_at BIGINT NOT NULL, month VARCHAR, baseline BIGINT,
  PRIMARY KEY (id)
);

CREATE INDEX job_scheduled ON job (not_before, lane) WHERE state = 'delayed' and not_before is not null;

CREATE INDEX webhook_delivery_endpoint on webhook_delivery (endpoint, state, id);

CREATE INDEX webhook_delivery_troubled on webhook_delivery (state, id) where state <> 'delivered';

CREATE TABLE ledger_check (
  id INTEGER NOT NULL,
  next_at BIGINT NOT NULL,
  checked_at BIGINT,
  broken VARCHAR,
  PRIMARY KEY (id)
);

insert into alembic_version values ('0020');

insert into schema_floor values ('0001');
