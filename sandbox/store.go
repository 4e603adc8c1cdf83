package sandbox

import (
	"context"
	"errors"
	"time"

	"entrepot/privacy"
	"entrepot/privacy/ledger"
	"entrepot/sandbox/audit"
)

// Errors that a store returns. Whatever else it returns is a failure of the store: nothing may be
// answered on its ground.
var (
	ErrNotFound  = errors.New("no such record")
	ErrConflict  = errors.New("the record is not at the expected revision")
	ErrDuplicate = errors.New("the record exists already")
)

// Document is one catalogue record.
type Document struct {
	Kind     string // "organisation", "project", "dataset", "version", "policy"
	ID       string // unique within Kind
	Revision int64  // 1, 2, …
	Body     []byte // JSON
}

// Draft is an entry before the log gave it its index and salt.
type Draft struct {
	Kind  audit.Kind
	Actor string
	Time  time.Time
	Body  any // the body type that audit.Kind names
}

// Catalogue stores documents. A Put is durable, with its log entry, when it returns.
type Catalogue interface {
	// Get returns the newest revision, or ErrNotFound.
	Get(ctx context.Context, kind, id string) (Document, error)
	// List returns the newest revision of every document of a kind, sorted by id.
	List(ctx context.Context, kind string) ([]Document, error)
	// Put stores d.Body as revision d.Revision and appends the entry, in one transaction. It returns
	// ErrConflict unless the newest stored revision is d.Revision - 1 (0: none).
	Put(ctx context.Context, d Document, entry Draft) error
}

// Question is a query as the store keeps it: what is needed to answer it once, even after a crash.
type Question struct {
	ID        string // qry_…
	Principal string
	Project   string
	// Idempotency is the caller's key, unique per Principal; "" for none.
	Idempotency string
	BodyDigest  string          // SHA-256 of the request, hex: another body under one key is a conflict
	Repeat      string          // what it shares with the questions that its release may answer: the rows, their versions, groups and bounds; hex digest
	Draw        privacy.Epsilon // of two questions with one Repeat, the larger probably has less noise
	Noise       []byte          // what is drawn, and how exactly; opaque to the store
	Plan        []byte          // everything that completion needs; opaque to the store
	Charges     []ledger.Charge
	Guards      []Guard   // what it was prepared with; not stored
	Time        time.Time // of admission, whole seconds
	State       State
	Answer      []byte // the answer, and all that was drawn; opaque to the store, nil until State is Released
	Release     string // rel_…; "" until State is Released
	Entry       int64  // log index of the charge; -1 for none
}

// Guard is a catalogue document that a question was decided and planned with. What rests on it is
// refused with ErrConflict when the newest revision is another: a revocation counts from its
// acknowledgement, and rows are never charged to the people of another declaration.
type Guard struct {
	Kind, ID string
	Revision int64 // 0: there was none
}

// State is how far a question came.
type State string

// The states. A question leaves Charged once, for good.
const (
	Charged  State = "charged"
	Released State = "released"
	Failed   State = "failed"
)

// By is who changed something, why and when.
type By struct {
	Actor  string // principal, org/name
	Reason string // in its own words, for the log: audit.CheckReason
	At     time.Time
}

// MaxAllocations is the most allocations that an account may have.
const MaxAllocations = 256

// Ledger stores accounts, questions and what they cost. Each method that changes something is one
// durable transaction with its log entry, complete when the method returns without an error and
// without effect when it returns one.
type Ledger interface {
	// Open stores a new account and logs it; ErrDuplicate when there is one. The reason may be "".
	Open(ctx context.Context, a ledger.Account, by By) error
	// Accounts returns all accounts, sorted by id.
	Accounts(ctx context.Context) ([]ledger.Account, error)
	// Amend changes an account as ledger.Account.Amend does, logs it with both states, and returns the new one.
	// It returns ErrNotFound, ErrConflict unless the stored revision is the one given, or ledger.ErrAccount.
	Amend(ctx context.Context, id string, revision int64, p ledger.Promise, t ledger.Terms, by By) (ledger.Account, error)
	// Allocations returns the allocations under an account, sorted by name.
	Allocations(ctx context.Context, account string) ([]ledger.Allocation, error)
	// Allocate makes the allocation a, or gives the one of its name a's scope and caps, logs it, and returns it
	// as it is stored. a.Revision is the stored one, 0 where there must be none; a.Spent is ignored. It
	// returns ErrNotFound for an account that is not open, ErrConflict, or ledger.ErrAccount, also for
	// one more than MaxAllocations.
	Allocate(ctx context.Context, a ledger.Allocation, by By) (ledger.Allocation, error)
	// Unallocate takes an allocation away and logs it; ErrNotFound, or ErrConflict unless it is at the revision.
	Unallocate(ctx context.Context, account, name string, revision int64, by By) error
	// Spending is the sum of what an account was charged at and after a moment; a clock too full to count
	// stays at privacy.Unlimited. A jump after a recovery is no charge.
	Spending(ctx context.Context, account string, since time.Time) (privacy.Clocks, error)
	// Charge admits q on every account it names and every allocation that covers who asks, or on none. It
	// returns ledger.ErrExhausted, ErrAllocated, ErrQuestion or ErrFrozen (wrapped, naming the account),
	// ErrNotFound for an account that is not open, ErrDuplicate when the principal used the idempotency key
	// before, or ErrConflict when a guard moved. It stores q as Charged, completes entry's Spent with the
	// clocks after the charge, appends it, and returns its index.
	Charge(ctx context.Context, q Question, entry audit.Charge) (index int64, err error)
	// Release stores the answer to a Charged question and logs it; ErrConflict in any other state.
	// answer is called in the transaction with the release entry's index, and gives the bytes to store,
	// which Release returns; its error undoes the transaction.
	Release(ctx context.Context, query, release string, answer func(entry int64) ([]byte, error)) ([]byte, error)
	// Fail ends a Charged question without an answer and counts the failure on its accounts.
	Fail(ctx context.Context, query string) error
	// Repeat logs that a release was given again and keeps the key that it was given under, so that the
	// key gives it for ever; ErrDuplicate when the principal used the key before, ErrConflict when a guard moved.
	Repeat(ctx context.Context, r Repeat) error
}

// Repeat is a stored release given again, at no charge.
type Repeat struct {
	Principal   string
	Idempotency string // the caller's key; "" for none
	BodyDigest  string // as in Question
	Answer      []byte // what is given now, for the key
	Guards      []Guard
	Time        time.Time
	Entry       audit.Repeat
}

// Questions finds stored questions.
type Questions interface {
	// Question returns a question by its id or its release's id, or ErrNotFound.
	Question(ctx context.Context, id string) (Question, error)
	// ByKey returns the question that answers the principal's idempotency key, or ErrNotFound. For a key
	// that a repeat was given under it is the repeated question, with the repeat's BodyDigest and Answer.
	ByKey(ctx context.Context, principal, key string) (Question, error)
	// ByRepeat returns at most limit Released questions with this repeat digest, without Plan and Answer: those of
	// the largest Draw, and the earliest of equal ones, first.
	ByRepeat(ctx context.Context, repeat string, limit int) ([]Question, error)
	// Newest returns at most limit questions that fit, newest first, without Plan and Answer.
	Newest(ctx context.Context, f Filter, limit int) ([]Question, error)
}

// Filter chooses questions. The zero Filter fits all of them.
type Filter struct {
	// Whose view it is: a question fits that Principal asked, or that was charged to a unit space of
	// Organisation. Both empty: everybody's.
	Principal    string
	Organisation string

	// What is wanted of it; "" for any.
	State      State
	Researcher string // who asked
	Project    string
	Account    string // that it was charged to

	// Charges between two entries of the log, neither included; 0 for no bound (entry 0 charges nothing).
	Before, After int64
}

// Log is the append-only log.
type Log interface {
	// Append adds one entry and returns its index, durable on return.
	Append(ctx context.Context, d Draft) (int64, error)
	// Entries returns at most limit encoded entries from index from, in order.
	Entries(ctx context.Context, from int64, limit int) ([][]byte, error)
	// Checkpoint returns the signed checkpoint of the whole log as it is now.
	Checkpoint(ctx context.Context) ([]byte, error)
}
