package rest

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/gin-gonic/gin"
)

// checkTimeout bounds a readiness check.
const checkTimeout = 5 * time.Second

// serveHealth answers those who start and stop processes, without identity.
func (s *server) serveHealth(router gin.IRoutes) {
	router.GET("/healthz", func(c *gin.Context) { c.JSON(http.StatusOK, gin.H{"status": "ok"}) })
	router.GET("/readyz", s.ready)
}

// ready names what is missing. Why it is, is for the log: the answer is public.
// So those who ask at the same time share one, and ask the database once.
func (s *server) ready(c *gin.Context) {
	ctx := context.WithoutCancel(c.Request.Context())
	found, _, _ := s.asked.Do("ready", func() (any, error) { return s.missing(ctx), nil })
	missing := found.([]string)
	if len(missing) == 0 {
		c.JSON(http.StatusOK, gin.H{"status": "ready"})
		return
	}
	p := newProblem(http.StatusServiceUnavailable, "not-ready", "waiting for "+strings.Join(missing, ", ")+"; the log says why")
	p.Missing = missing
	refuse(c, p)
}

// missing asks all checks at once, and names those that fail in their order.
func (s *server) missing(ctx context.Context) (names []string) {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	failures := make([]error, len(s.Checks))
	var group sync.WaitGroup
	for i, check := range s.Checks {
		group.Go(func() { failures[i] = check.Check(ctx) })
	}
	group.Wait()
	for i, err := range failures {
		if err != nil {
			s.Log.Warn("not ready", "check", s.Checks[i].Name, "error", err)
			names = append(names, s.Checks[i].Name)
		}
	}
	return names
}
