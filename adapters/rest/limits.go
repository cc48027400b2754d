package rest

import (
	"crypto/sha256"
	"math"
	"net/http"
	"net/netip"
	"strconv"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/time/rate"

	"github.com/waybill-migration/waybill/domain"
)

// Limits of how often a process is asked. Zero: without limit.
type Limits struct {
	Requests Rate // of one identity
	Attempts Rate // of one address, with tokens that open nothing
}

// Rate is how much may be had: so much a second, and so much at once.
type Rate struct {
	PerSecond float64
	Burst     int
}

// maxRemembered bounds who is remembered; who was there longest ago is
// forgotten first, and begins anew.
const maxRemembered = 10_000

// limiter bounds requests by who makes them.
type limiter struct {
	requests, attempts buckets
	// opened are the digests of tokens that opened something lately. They are
	// looked up whatever else comes from their address: many clients can share
	// one, behind a proxy, and one of them must not keep the others out.
	opened *lru.Cache[[sha256.Size]byte, struct{}]
}

func newLimiter(l Limits) (*limiter, error) {
	requests, err := newBuckets(l.Requests)
	if err != nil {
		return nil, err
	}
	attempts, err := newBuckets(l.Attempts)
	if err != nil {
		return nil, err
	}
	opened, err := lru.New[[sha256.Size]byte, struct{}](maxRemembered)
	return &limiter{requests, attempts, opened}, err
}

// opens tells that a token does.
func (l *limiter) opens(token string) { l.opened.Add(sha256.Sum256([]byte(token)), struct{}{}) }

// attempt looks a token up, unless too many of its address opened nothing.
func (l *limiter) attempt(address, token string, lookUp func() error) error {
	from, digest := network(address), sha256.Sum256([]byte(token))
	if wait := l.attempts.wait(from); wait > 0 && !l.opened.Contains(digest) {
		return tooMany("attempts-too-many", "too many requests from this address had no token that opens anything", wait)
	}
	err := lookUp()
	if err == nil {
		l.opens(token)
		return nil
	}
	if p, _ := problemOf(err); p.Status == http.StatusUnauthorized {
		l.opened.Remove(digest)
		l.attempts.take(from)
	}
	return err
}

// request takes one of an identity's.
func (l *limiter) request(actor domain.Actor) error {
	if wait := l.requests.take(actor.Issuer + "\x00" + actor.Subject); wait > 0 {
		return tooMany("requests-too-many", "you send more requests than one identity may", wait)
	}
	return nil
}

func tooMany(code, detail string, wait time.Duration) error {
	seconds := strconv.Itoa(int(math.Ceil(wait.Seconds())))
	return newProblem(http.StatusTooManyRequests, code, detail+"; send it again in "+seconds+" s").with("Retry-After", seconds)
}

// network of an address: whoever has one of IPv6 has the 2^64 beside it.
func network(address string) string {
	ip, err := netip.ParseAddr(address)
	if err != nil || ip.Unmap().Is4() {
		return address
	}
	prefix, _ := ip.Prefix(64) // of an address of 128 bits
	return prefix.String()
}

// buckets of tokens, one of each key.
type buckets struct {
	rate Rate
	all  *lru.Cache[string, *rate.Limiter]
}

func newBuckets(r Rate) (buckets, error) {
	all, err := lru.New[string, *rate.Limiter](maxRemembered)
	return buckets{r, all}, err
}

func (b buckets) of(key string) *rate.Limiter {
	if found, ok := b.all.Get(key); ok {
		return found
	}
	fresh := rate.NewLimiter(rate.Limit(b.rate.PerSecond), max(b.rate.Burst, 1))
	if earlier, ok, _ := b.all.PeekOrAdd(key, fresh); ok {
		return earlier
	}
	return fresh
}

// take one, or tell how long there is none.
func (b buckets) take(key string) (wait time.Duration) {
	if b.rate.PerSecond == 0 {
		return 0
	}
	now := time.Now()
	one := b.of(key).ReserveN(now, 1)
	if wait = one.DelayFrom(now); wait > 0 {
		one.CancelAt(now)
	}
	return wait
}

// wait tells how long there is none.
func (b buckets) wait(key string) time.Duration {
	if b.rate.PerSecond == 0 {
		return 0
	}
	lacking := 1 - b.of(key).Tokens()
	return time.Duration(max(lacking, 0) / b.rate.PerSecond * float64(time.Second))
}
