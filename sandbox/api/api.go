package api

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/labstack/echo/v4"

	"entrepot/access"
	"entrepot/sandbox"
)

// Options is what the API is made of.
type Options struct {
	Service *sandbox.Service
	// Verify returns who a token stands for. Its errors mean that the token is not accepted; they go to
	// the operator's log at level debug.
	Verify func(token string) (access.Principal, error)
	Logger *slog.Logger // the operator's log

	Limits Limits
	Rate   Rate
	Now    func() time.Time // the clock of the rate limits; time.Now if nil
}

// Limits are the largest bodies that are read, in bytes. The zero value of each is its default.
type Limits struct {
	JSON   int64 // documents; default 1 MiB
	SQL    int64 // questions; default 64 KiB
	Upload int64 // tables; default 2 GiB

	Uploads int    // read at the same time; default 4
	Spool   string // folder that uploads are written to until they are registered; needed

	// UploadTime is how long the body of an upload, or an export of the log, may take; default one hour.
	UploadTime time.Duration
}

// Rate limits requests. The zero value of each is its default.
type Rate struct {
	PerSecond float64 // requests of one principal; default 20
	Burst     int     // default 40

	FailuresPerSecond float64 // requests without a valid token from one remote address; default 5
	FailureBurst      int     // default 20
}

// server answers requests. Its handlers are in one file a resource.
type server struct {
	Options
	requests *limiters           // by principal
	failures *limiters           // by remote address
	uploads  chan struct{}       // holds one value for each upload under way
	routes   map[string][]string // the methods of each route's pattern; fixed by New
}

// The server has a handler for every operation of openapi.yaml.
var _ ServerInterface = (*server)(nil)

// New makes the handler of the whole API, or says which option is missing.
func New(o Options) (http.Handler, error) {
	switch {
	case o.Service == nil:
		return nil, errors.New("api: the service is missing")
	case o.Verify == nil:
		return nil, errors.New("api: the verifier of tokens is missing")
	case o.Logger == nil:
		return nil, errors.New("api: the operator's log is missing")
	case o.Limits.Spool == "":
		return nil, errors.New("api: the folder for uploads is missing")
	}
	return newServer(o.withDefaults()), nil
}

func newServer(o Options) *echo.Echo {
	s := &server{Options: o, routes: map[string][]string{},
		requests: newLimiters(o.Rate.PerSecond, o.Rate.Burst),
		failures: newLimiters(o.Rate.FailuresPerSecond, o.Rate.FailureBurst),
		uploads:  make(chan struct{}, o.Limits.Uploads)}
	e := echo.New()
	e.Logger.SetOutput(io.Discard) // ours is s.Logger
	e.IPExtractor = echo.ExtractIPDirect()
	e.HTTPErrorHandler = func(err error, c echo.Context) { s.fail(c, err) }
	e.Pre(s.frame, checkPath)
	e.Use(s.authenticate, s.limitRate, s.checkRequest)
	RegisterHandlers(e, s)
	for _, r := range e.Routes() { // in no order
		s.routes[r.Path] = append(s.routes[r.Path], r.Method)
	}
	for _, methods := range s.routes {
		slices.Sort(methods)
	}
	return e
}

func (o Options) withDefaults() Options {
	set := func(v *int64, byDefault int64) {
		if *v <= 0 {
			*v = byDefault
		}
	}
	set(&o.Limits.JSON, 1<<20)
	set(&o.Limits.SQL, 64<<10)
	set(&o.Limits.Upload, 2<<30)
	if o.Limits.Uploads <= 0 {
		o.Limits.Uploads = 4
	}
	if o.Limits.UploadTime <= 0 {
		o.Limits.UploadTime = time.Hour
	}
	if o.Rate.PerSecond <= 0 || o.Rate.Burst <= 0 {
		o.Rate.PerSecond, o.Rate.Burst = 20, 40
	}
	if o.Rate.FailuresPerSecond <= 0 || o.Rate.FailureBurst <= 0 {
		o.Rate.FailuresPerSecond, o.Rate.FailureBurst = 5, 20
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

// NewServer returns an HTTP server for the handler with the timeouts that it relies on. Uploads and
// exports extend their own by Limits.UploadTime.
func NewServer(addr string, handler http.Handler) *http.Server {
	return &http.Server{
		Addr:              addr,
		Handler:           handler,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       time.Minute,
		WriteTimeout:      10 * time.Minute, // an admitted question is answered within the Service's deadline
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    32 << 10,
	}
}
