package api

import (
	"container/list"
	"math"
	"strconv"
	"sync"
	"time"

	"github.com/labstack/echo/v4"
	"golang.org/x/time/rate"

	"entrepot/sandbox"
)

// maxLimiters is how many keys a set of limiters remembers. Beyond it the one that asked longest ago
// is forgotten, and would begin with a full bucket again.
const maxLimiters = 10_000

// limiters is a token bucket for each key. It is safe for concurrent use.
type limiters struct {
	limit rate.Limit
	burst int
	most  int

	mu     sync.Mutex
	byKey  map[string]*list.Element // guarded by mu; of *bucket
	recent *list.List               // guarded by mu; the key that asked last is in front
}

type bucket struct {
	key string
	*rate.Limiter
}

func newLimiters(perSecond float64, burst int) *limiters {
	return &limiters{limit: rate.Limit(perSecond), burst: burst, most: maxLimiters,
		byKey: map[string]*list.Element{}, recent: list.New()}
}

// allow takes one token of the key's bucket, or says how long to wait for the next.
func (l *limiters) allow(key string, now time.Time) (wait time.Duration, ok bool) {
	r := l.bucket(key).ReserveN(now, 1)
	if wait = r.DelayFrom(now); wait > 0 {
		r.CancelAt(now)
		return wait, false
	}
	return 0, true
}

func (l *limiters) bucket(key string) *bucket {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e, ok := l.byKey[key]; ok {
		l.recent.MoveToFront(e)
		return e.Value.(*bucket)
	}
	if len(l.byKey) >= l.most {
		oldest := l.recent.Back()
		delete(l.byKey, oldest.Value.(*bucket).key)
		l.recent.Remove(oldest)
	}
	b := &bucket{key, rate.NewLimiter(l.limit, l.burst)}
	l.byKey[key] = l.recent.PushFront(b)
	return b
}

// limitRate limits what one principal may ask: even a refusal costs a durable log entry.
func (s *server) limitRate(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		p, err := principal(c)
		if err != nil {
			return next(c) // an open route: authenticate lets nothing else through
		}
		if wait, ok := s.requests.allow(p.ID, s.Now()); !ok {
			return tooMany(c, wait)
		}
		return next(c)
	}
}

// tooMany refuses a request until wait has passed.
func tooMany(c echo.Context, wait time.Duration) error {
	seconds := int64(math.Ceil(wait.Seconds()))
	c.Response().Header().Set(echo.HeaderRetryAfter, strconv.FormatInt(max(1, seconds), 10))
	return &sandbox.Error{Code: sandbox.CodeRateLimited, Public: "Wait as long as Retry-After says, then go on."}
}
