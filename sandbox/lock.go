package sandbox

import "sync"

// keyedLock is one mutex per key, kept only while somebody holds or awaits it.
type keyedLock struct {
	mu   sync.Mutex
	held map[string]*holder
}

type holder struct {
	sync.Mutex
	waiting int // guarded by keyedLock.mu
}

// lock takes the key's lock and returns what releases it.
func (l *keyedLock) lock(key string) (unlock func()) {
	l.mu.Lock()
	if l.held == nil {
		l.held = map[string]*holder{}
	}
	h := l.held[key]
	if h == nil {
		h = &holder{}
		l.held[key] = h
	}
	h.waiting++
	l.mu.Unlock()
	h.Lock()
	return func() {
		h.Unlock()
		l.mu.Lock()
		defer l.mu.Unlock()
		if h.waiting--; h.waiting == 0 {
			delete(l.held, key)
		}
	}
}
