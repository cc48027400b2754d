package rest

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/singleflight"

	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/contract"
	"github.com/waybill-migration/waybill/domain/wire"
	"github.com/waybill-migration/waybill/projections"
)

const (
	// requestTimeout bounds the work on a request.
	requestTimeout = 30 * time.Second
	// writeTimeout bounds the whole of a request, with a slow client.
	writeTimeout = 60 * time.Second
	// waitTimeout bounds how long a read waits for its view.
	waitTimeout = 10 * time.Second
	// bodyTimeout bounds how long a body may take.
	bodyTimeout = 5 * time.Second
	// largeBodyTimeout bounds how long one of several megabytes may take.
	largeBodyTimeout = 20 * time.Second
	// maxBody of a request in bytes.
	maxBody = 1 << 20
	// maxURL of a request in bytes: all that a query's inputs may hold, encoded.
	maxURL = 16 << 10
)

// Dependencies of the API.
type Dependencies struct {
	Handler   *commands.Handler
	Selection commands.Selection
	Journal   Journal
	Views     Views
	Past      *projections.Past
	Identity  Authenticator
	Tokens    Tokens
	Sessions  Sessions
	Requests  Requests
	Limits    Limits
	Refusals  *commands.Refusals
	Repeats   Repeats
	Webhooks  Deliveries
	Checker   commands.SourceChecker
	Rehearser commands.Rehearser
	Archive   Archive // nil: the process does not know where it is
	Paces     Paces
	CursorKey []byte // seals cursors; the same for all processes of an installation
	Waker     Waker
	Live      *Live
	Ending    <-chan struct{} // closed when long answers are to end
	Checks    []Check         // what must hold for the process to be ready
	Version   string          // of the software
	Log       *slog.Logger
	Metrics   prometheus.Registerer
}

// Views are read, and let go on when one stopped.
type Views interface {
	projections.Querier
	projections.Executor
}

// Journal is where a document's history and the past are read, and how far views
// lag.
type Journal interface {
	projections.Chronicle
	Load(ctx context.Context, streams ...string) (map[string][]wire.Record, error)
	Find(ctx context.Context, event wire.UUID) (record wire.Record, found bool, err error)
	// Stretch gives records of a partition after an offset up to another, as
	// many of the first as have so many bytes, one at least.
	Stretch(ctx context.Context, partition int, after, upTo int64, bytes int) ([]wire.Raw, error)
	StretchOfStream(ctx context.Context, stream string, after, upTo int64, limit, bytes int) ([]wire.Raw, error)
}

// Waker tells when the journal may have grown.
type Waker interface{ Next() <-chan struct{} }

// Authenticator tells who a bearer token's secret belongs to.
type Authenticator interface {
	Authenticate(ctx context.Context, secret string) (who commands.Identity, known bool, err error)
}

// Tokens are issued to subjects and revoked.
type Tokens interface {
	IssueOnce(ctx context.Context, command wire.UUID, grant commands.Grant) (token commands.Token, secret string, err error)
	All(ctx context.Context) ([]commands.Token, error)
	Revoke(ctx context.Context, id string) (subject string, err error)
}

// Requests keeps who called from where.
type Requests interface {
	Record(ctx context.Context, request commands.Request) error
	// Addresses of the clients of calls; empty where it is not known.
	Addresses(ctx context.Context, calls []commands.Call) ([]string, error)
}

// Check is something that the process needs, such as its database.
type Check struct {
	Name  string
	Check func(ctx context.Context) error
}

// server is what handlers share.
type server struct {
	Dependencies
	api        huma.API
	wait       time.Duration
	latency    *prometheus.HistogramVec
	limiter    *limiter
	asked      singleflight.Group       // whether the process is ready
	lasting    map[string]time.Duration // of routes that may last long
	reaching   map[permission]bool      // those with an operation that is not closed to organisations
	readers    chan struct{}            // of events, at the same time
	exports    chan struct{}            // at the same time
	uploads    chan struct{}            // at the same time
	rehearsals chan struct{}            // at the same time
	mapped     contract.Mappings
}

// New makes the API's handler.
func New(d Dependencies) (http.Handler, error) { return newServer(d, waitTimeout) }

func newServer(d Dependencies, wait time.Duration) (http.Handler, error) {
	mappings, err := contract.LoadMappings()
	if err != nil {
		return nil, err
	}
	limiter, err := newLimiter(d.Limits)
	if err != nil {
		return nil, err
	}
	s := &server{Dependencies: d, wait: wait, limiter: limiter, latency: prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "waybill_request_seconds", Help: "Requests of the API, by how long they took.",
		Buckets: []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
	}, []string{"route", "method", "status"}),
		readers: make(chan struct{}, maxReaders), exports: make(chan struct{}, maxExports), uploads: make(chan struct{}, maxUploads), rehearsals: make(chan struct{}, maxRehearsals), mapped: mappings}
	if err := d.Metrics.Register(s.latency); err != nil {
		return nil, fmt.Errorf("register the API's metrics: %w", err)
	}
	router, err := newRouter()
	if err != nil {
		return nil, err
	}
	router.Use(s.begin, gin.CustomRecoveryWithWriter(nil, s.recovered), s.boundURL, s.decodeTexts)
	router.NoRoute(s.noRoute)
	router.NoMethod(s.noMethod)
	s.describe(router)
	s.serveDocument(router)
	if err := s.serveDocs(router); err != nil {
		return nil, err
	}
	s.serveHealth(router)
	return router, serveContract(router)
}

func newRouter() (*gin.Engine, error) {
	gin.SetMode(gin.ReleaseMode) // else it prints every route
	router := gin.New()
	router.HandleMethodNotAllowed = true
	router.RedirectTrailingSlash = false
	// Ids hold encoded slashes, so routes are matched on the path as it was
	// sent. Gin would decode "+" in it to a space: decodeTexts does it instead.
	router.UseEscapedPath = true
	router.UnescapePathValues = false
	// Without a list of proxies to trust, a client's own X-Forwarded-For would
	// become its address.
	return router, router.SetTrustedProxies(nil)
}

func (s *server) registerAll() {
	s.registerSession()
	s.registerSources()
	s.registerPaces()
	s.registerChecks()
	s.registerLists()
	s.registerBatches()
	s.registerLive()
	s.registerMatch()
	s.registerPreflights()
	s.registerSlices()
	s.registerDocuments()
	s.registerFacets()
	s.registerFailures()
	s.registerCorrections()
	s.registerHistory()
	s.registerExplain()
	s.registerRehearsals()
	s.registerComparisons()
	s.registerFiles()
	s.registerContent()
	s.registerSkips()
	s.registerOverview()
	s.registerCoverage()
	s.registerOperations()
	s.registerVerifications()
	s.registerApprovals()
	s.registerAudit()
	s.registerEvents()
	s.registerTokens()
	s.registerWebhooks()
	s.registerProfiles()
	s.registerRules()
	s.registerProjections()
}
