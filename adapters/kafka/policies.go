package kafka

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/ThreeDotsLabs/watermill"
	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/ThreeDotsLabs/watermill/message/router/middleware"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/waybill-migration/waybill/commands/policies"
)

// stopTimeout bounds how long an event under way may hold up the end.
const stopTimeout = 10 * time.Second

// Policies runs policies as Watermill handlers on the control topic, each in a
// consumer group of its own: of several processes one is brought the events.
//
// There is no middleware for correlation, since handlers publish nothing: the
// commands of a policy carry the correlation of its event. There is none for
// poison messages either: a policy tries an event until it works.
type Policies struct {
	settings Settings
	runners  []*policies.Runner
	seconds  *prometheus.HistogramVec
	log      *slog.Logger
}

// NewPolicies makes what runs policies; Run starts it. Durations of events, by
// policy and outcome (done, failed), are registered as waybill_policy_seconds.
func NewPolicies(s Settings, list []policies.Policy, checkpoints policies.Checkpoints, history policies.History, registerer prometheus.Registerer, log *slog.Logger) (*Policies, error) {
	p := &Policies{settings: s, log: log, seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "waybill_policy_seconds", Help: "How long policies took over an event, in seconds.", Buckets: prometheus.ExponentialBuckets(0.001, 4, 8),
	}, []string{"policy", "outcome"})}
	if err := registerer.Register(p.seconds); err != nil {
		return nil, fmt.Errorf("metrics of the policies: %w", err)
	}
	for _, policy := range list {
		p.runners = append(p.runners, policies.NewRunner(policy, checkpoints, history, log))
	}
	return p, nil
}

// Statuses tells how far the policies are, and what keeps them from going on.
func (p *Policies) Statuses() []policies.Status {
	statuses := make([]policies.Status, len(p.runners))
	for i, runner := range p.runners {
		statuses[i] = runner.Status()
	}
	return statuses
}

// Run runs the policies until ctx ends. It waits for the database and for
// Kafka by itself.
func (p *Policies) Run(ctx context.Context) error {
	log := watermill.NewSlogLoggerWithLevelMapping(p.log, map[slog.Level]slog.Level{
		slog.LevelInfo: slog.LevelDebug, slog.LevelError: slog.LevelWarn, // it goes on by itself
	})
	router, err := message.NewRouter(message.RouterConfig{CloseTimeout: stopTimeout}, log)
	if err != nil {
		return fmt.Errorf("policies: %w", err)
	}
	router.AddMiddleware(middleware.Retry{
		MaxRetries: -1, InitialInterval: minBackoff, MaxInterval: maxBackoff, Multiplier: 2, RandomizationFactor: 0.5, // for ever
	}.Middleware)
	for _, runner := range p.runners {
		events, err := p.deliver(runner, log)
		if err != nil {
			return fmt.Errorf("policy %s: %w", runner.Name(), err)
		}
		router.AddConsumerHandler(runner.Name(), p.settings.ControlTopic(), events, func(m *message.Message) error {
			return runner.Take(m.Context(), m.Payload)
		}).AddMiddleware(p.measure(runner.Name()), middleware.Recoverer)
	}
	if err := router.Run(ctx); err != nil {
		return fmt.Errorf("policies: %w", err)
	}
	return nil
}

// measure stands between retry and recoverer, so that it sees each try, and a
// panic as a failure.
func (p *Policies) measure(policy string) message.HandlerMiddleware {
	return func(next message.HandlerFunc) message.HandlerFunc {
		return func(m *message.Message) ([]*message.Message, error) {
			began, outcome := time.Now(), "done"
			produced, err := next(m)
			if err != nil {
				outcome = "failed"
			}
			p.seconds.WithLabelValues(policy, outcome).Observe(time.Since(began).Seconds())
			return produced, err
		}
	}
}
