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

-- Accounts. body is the account as JSON, without what was spent; ε and d in pico, δ in atto; revised is the
-- entry that wrote the revision, entry the last that changed the row.
CREATE TABLE accounts (
    id            TEXT PRIMARY KEY,
    revision      INTEGER NOT NULL CHECK (revision >= 1),
    body          BLOB NOT NULL,
    spent_epsilon INTEGER NOT NULL CHECK (spent_epsilon >= 0),
    spent_renyi_1 INTEGER NOT NULL CHECK (spent_renyi_1 >= 0),
    spent_renyi_2 INTEGER NOT NULL CHECK (spent_renyi_2 >= 0),
    spent_renyi_3 INTEGER NOT NULL CHECK (spent_renyi_3 >= 0),
    spent_renyi_4 INTEGER NOT NULL CHECK (spent_renyi_4 >= 0),
    spent_delta   INTEGER NOT NULL CHECK (spent_delta >= 0),
    failures      INTEGER NOT NULL CHECK (failures >= 0),
    revised       INTEGER NOT NULL REFERENCES log (idx),
    entry         INTEGER NOT NULL REFERENCES log (idx)
) STRICT;

-- Allocations under them, likewise.
CREATE TABLE allocations (
    account       TEXT NOT NULL REFERENCES accounts (id),
    name          TEXT NOT NULL,
    revision      INTEGER NOT NULL CHECK (revision >= 1),
    body          BLOB NOT NULL,
    spent_epsilon INTEGER NOT NULL CHECK (spent_epsilon >= 0),
    spent_renyi_1 INTEGER NOT NULL CHECK (spent_renyi_1 >= 0),
    spent_renyi_2 INTEGER NOT NULL CHECK (spent_renyi_2 >= 0),
    spent_renyi_3 INTEGER NOT NULL CHECK (spent_renyi_3 >= 0),
    spent_renyi_4 INTEGER NOT NULL CHECK (spent_renyi_4 >= 0),
    spent_delta   INTEGER NOT NULL CHECK (spent_delta >= 0),
    revised       INTEGER NOT NULL REFERENCES log (idx),
    entry         INTEGER NOT NULL REFERENCES log (idx),
    PRIMARY KEY (account, name)
) STRICT;

-- Admitted questions. charges is JSON, plan and noise are opaque, time in Unix seconds, entry the charge's index;
-- draw orders the questions of one repeat, those of the least noise first.
CREATE TABLE questions (
    id          TEXT PRIMARY KEY,
    principal   TEXT NOT NULL,
    project     TEXT NOT NULL,
    idempotency TEXT NOT NULL,
    body_digest TEXT NOT NULL,
    repeat      TEXT NOT NULL,
    draw        INTEGER NOT NULL,
    noise       BLOB NOT NULL,
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
CREATE INDEX questions_repeat ON questions (repeat, draw DESC, entry) WHERE state = 'released';
CREATE INDEX questions_principal ON questions (principal, entry);

-- What each question was charged, account by account; time is that of the charge, in Unix seconds.
CREATE TABLE charges (
    entry    INTEGER NOT NULL REFERENCES log (idx),
    account  TEXT NOT NULL REFERENCES accounts (id),
    question TEXT NOT NULL REFERENCES questions (id),
    time     INTEGER NOT NULL,
    epsilon  INTEGER NOT NULL CHECK (epsilon > 0),
    renyi_1  INTEGER NOT NULL CHECK (renyi_1 >= 0),
    renyi_2  INTEGER NOT NULL CHECK (renyi_2 >= 0),
    renyi_3  INTEGER NOT NULL CHECK (renyi_3 >= 0),
    renyi_4  INTEGER NOT NULL CHECK (renyi_4 >= 0),
    delta    INTEGER NOT NULL CHECK (delta >= 0),
    PRIMARY KEY (entry, account)
) STRICT, WITHOUT ROWID;
CREATE INDEX charges_account ON charges (account, time);

-- Idempotency keys that a stored release, or a part of it, was given again under: answer is what was given, entry
-- the repeat's.
CREATE TABLE repeats (
    principal   TEXT NOT NULL,
    idempotency TEXT NOT NULL CHECK (idempotency <> ''),
    body_digest TEXT NOT NULL,
    release     TEXT NOT NULL,
    answer      BLOB NOT NULL,
    entry       INTEGER NOT NULL UNIQUE REFERENCES log (idx),
    PRIMARY KEY (principal, idempotency)
) STRICT;

-- Entries that record a recovery, with their leaf hashes: every checkpoint names them.
CREATE TABLE recoveries (
    entry INTEGER PRIMARY KEY REFERENCES log (idx),
    leaf  BLOB NOT NULL CHECK (length(leaf) = 32)
) STRICT;

-- What was spent of accounts that were lost in a recovery: opened again, they begin with it.
CREATE TABLE owed (
    account       TEXT PRIMARY KEY,
    spent_epsilon INTEGER NOT NULL CHECK (spent_epsilon >= 0),
    spent_renyi_1 INTEGER NOT NULL CHECK (spent_renyi_1 >= 0),
    spent_renyi_2 INTEGER NOT NULL CHECK (spent_renyi_2 >= 0),
    spent_renyi_3 INTEGER NOT NULL CHECK (spent_renyi_3 >= 0),
    spent_renyi_4 INTEGER NOT NULL CHECK (spent_renyi_4 >= 0),
    spent_delta   INTEGER NOT NULL CHECK (spent_delta >= 0)
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
WHEN NEW.spent_epsilon < OLD.spent_epsilon OR NEW.spent_renyi_1 < OLD.spent_renyi_1 OR NEW.spent_renyi_2 < OLD.spent_renyi_2
    OR NEW.spent_renyi_3 < OLD.spent_renyi_3 OR NEW.spent_renyi_4 < OLD.spent_renyi_4 OR NEW.spent_delta < OLD.spent_delta
    OR NEW.failures < OLD.failures OR NEW.id <> OLD.id OR NEW.revision < OLD.revision OR NEW.revision > OLD.revision + 1
    OR NEW.revision = OLD.revision AND (NEW.body <> OLD.body OR NEW.revised <> OLD.revised)
BEGIN SELECT RAISE(ABORT, 'clocks only grow'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER allocations_update BEFORE UPDATE ON allocations
WHEN NEW.spent_epsilon < OLD.spent_epsilon OR NEW.spent_renyi_1 < OLD.spent_renyi_1 OR NEW.spent_renyi_2 < OLD.spent_renyi_2
    OR NEW.spent_renyi_3 < OLD.spent_renyi_3 OR NEW.spent_renyi_4 < OLD.spent_renyi_4 OR NEW.spent_delta < OLD.spent_delta
    OR NEW.account <> OLD.account OR NEW.name <> OLD.name OR NEW.revision < OLD.revision OR NEW.revision > OLD.revision + 1
    OR NEW.revision = OLD.revision AND (NEW.body <> OLD.body OR NEW.revised <> OLD.revised)
BEGIN SELECT RAISE(ABORT, 'clocks only grow'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER accounts_delete BEFORE DELETE ON accounts BEGIN SELECT RAISE(ABORT, 'accounts are for good'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER charges_update BEFORE UPDATE ON charges BEGIN SELECT RAISE(ABORT, 'charges are for good'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER charges_delete BEFORE DELETE ON charges BEGIN SELECT RAISE(ABORT, 'charges are for good'); END;
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
