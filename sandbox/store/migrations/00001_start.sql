-- +goose Up

-- The log: entries by index, as package audit encodes them.
CREATE TABLE log (
    idx   INTEGER PRIMARY KEY CHECK (idx >= 0),
    entry BLOB NOT NULL
) STRICT;

-- Its Merkle tree, by tlog's stored hash index.
CREATE TABLE tree (
    pos  INTEGER PRIMARY KEY CHECK (pos >= 0),
    hash BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;

-- One row: entries in the log, and the latest of their times in Unix seconds.
CREATE TABLE head (
    one    INTEGER PRIMARY KEY CHECK (one = 1),
    size   INTEGER NOT NULL CHECK (size >= 0),
    latest INTEGER NOT NULL
) STRICT;
INSERT INTO head (one, size, latest) VALUES (1, 0, 0);

-- Every revision of every catalogue document.
CREATE TABLE documents (
    kind     TEXT NOT NULL,
    id       TEXT NOT NULL,
    revision INTEGER NOT NULL CHECK (revision >= 1),
    body     BLOB NOT NULL,
    entry    INTEGER NOT NULL REFERENCES log (idx),
    PRIMARY KEY (kind, id, revision)
) STRICT;

-- Accounts. ε, d in pico, δ in atto, the order in thousandths; entry is the last that changed the row.
CREATE TABLE accounts (
    id            TEXT PRIMARY KEY,
    kind          TEXT NOT NULL,
    epsilon       INTEGER NOT NULL,
    delta         INTEGER NOT NULL,
    renyi_order   INTEGER NOT NULL,
    cap_epsilon   INTEGER NOT NULL,
    cap_renyi     INTEGER NOT NULL,
    cap_delta     INTEGER NOT NULL,
    spent_epsilon INTEGER NOT NULL CHECK (spent_epsilon >= 0),
    spent_renyi   INTEGER NOT NULL CHECK (spent_renyi >= 0),
    spent_delta   INTEGER NOT NULL CHECK (spent_delta >= 0),
    failures      INTEGER NOT NULL CHECK (failures >= 0),
    allowed       INTEGER NOT NULL,
    entry         INTEGER NOT NULL REFERENCES log (idx)
) STRICT;

-- Admitted questions. charges is JSON, plan is opaque, time in Unix seconds, entry the charge's index.
CREATE TABLE questions (
    id          TEXT PRIMARY KEY,
    principal   TEXT NOT NULL,
    project     TEXT NOT NULL,
    idempotency TEXT NOT NULL,
    body_digest TEXT NOT NULL,
    repeat      TEXT NOT NULL,
    plan        BLOB NOT NULL,
    charges     BLOB NOT NULL,
    time        INTEGER NOT NULL,
    state       TEXT NOT NULL CHECK (state IN ('charged', 'released', 'failed')),
    answer      BLOB,
    release     TEXT NOT NULL DEFAULT '',
    entry       INTEGER NOT NULL UNIQUE REFERENCES log (idx),
    CHECK ((state = 'released') = (answer IS NOT NULL)),
    CHECK ((state = 'released') = (release <> ''))
) STRICT;
CREATE UNIQUE INDEX questions_key ON questions (principal, idempotency) WHERE idempotency <> '';
CREATE UNIQUE INDEX questions_release ON questions (release) WHERE release <> '';
CREATE INDEX questions_repeat ON questions (repeat, entry) WHERE state = 'released';
CREATE INDEX questions_principal ON questions (principal, entry);

-- Idempotency keys that a stored release was given again under; entry is the repeat's.
CREATE TABLE repeats (
    principal   TEXT NOT NULL,
    idempotency TEXT NOT NULL CHECK (idempotency <> ''),
    body_digest TEXT NOT NULL,
    release     TEXT NOT NULL,
    entry       INTEGER NOT NULL UNIQUE REFERENCES log (idx),
    PRIMARY KEY (principal, idempotency)
) STRICT;

-- What must not happen cannot, not even by a bug of ours: the log only grows, clocks only grow, a
-- question leaves the charged state once.

-- +goose StatementBegin
CREATE TRIGGER log_update BEFORE UPDATE ON log BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER log_delete BEFORE DELETE ON log BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER tree_update BEFORE UPDATE ON tree BEGIN SELECT RAISE(ABORT, 'the tree is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER tree_delete BEFORE DELETE ON tree BEGIN SELECT RAISE(ABORT, 'the tree is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER documents_update BEFORE UPDATE ON documents BEGIN SELECT RAISE(ABORT, 'revisions are for good'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER documents_delete BEFORE DELETE ON documents BEGIN SELECT RAISE(ABORT, 'revisions are for good'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER accounts_update BEFORE UPDATE ON accounts
WHEN NEW.spent_epsilon < OLD.spent_epsilon OR NEW.spent_renyi < OLD.spent_renyi OR NEW.spent_delta < OLD.spent_delta
    OR NEW.failures < OLD.failures OR NEW.id <> OLD.id OR NEW.kind <> OLD.kind
    OR NEW.epsilon <> OLD.epsilon OR NEW.delta <> OLD.delta OR NEW.renyi_order <> OLD.renyi_order
    OR NEW.cap_epsilon <> OLD.cap_epsilon OR NEW.cap_renyi <> OLD.cap_renyi OR NEW.cap_delta <> OLD.cap_delta
BEGIN SELECT RAISE(ABORT, 'clocks only grow and caps stay'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER accounts_delete BEFORE DELETE ON accounts BEGIN SELECT RAISE(ABORT, 'accounts are for good'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER questions_update BEFORE UPDATE ON questions
WHEN OLD.state <> 'charged' OR NEW.state = 'charged' OR NEW.id <> OLD.id OR NEW.entry <> OLD.entry
BEGIN SELECT RAISE(ABORT, 'a question leaves the charged state once'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER repeats_update BEFORE UPDATE ON repeats BEGIN SELECT RAISE(ABORT, 'a key is for good'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER repeats_delete BEFORE DELETE ON repeats BEGIN SELECT RAISE(ABORT, 'a key is for good'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER questions_delete BEFORE DELETE ON questions BEGIN SELECT RAISE(ABORT, 'questions are for good'); END;
-- +goose StatementEnd
