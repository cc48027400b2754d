package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
)

// proxies between the processes and what they use. The checks of a run go
// around them where they can.
type proxies struct {
	server *toxiproxy.ApiServer
	all    []*toxiproxy.Proxy
}

func newProxies() *proxies {
	return &proxies{server: toxiproxy.NewServer(toxiproxy.NewMetricsContainer(prometheus.NewRegistry()), zerolog.Nop())}
}

// front opens a proxy in front of an address, and gives the proxy's.
func (p *proxies) front(address string) (string, error) {
	proxy := toxiproxy.NewProxy(p.server, address, "127.0.0.1:0", address)
	if err := proxy.Start(); err != nil {
		return "", err
	}
	p.all = append(p.all, proxy)
	return proxy.Listen, nil
}

// cut ends all connections of a proxy and refuses new ones for a time.
func (p *proxies) cut(ctx context.Context, target int, outage time.Duration) error {
	proxy := p.all[target%len(p.all)]
	proxy.Stop()
	time.Sleep(outage)
	return eventually(ctx, "listen on "+proxy.Listen+" again", func() (bool, error) { // a connection may have the port for a moment
		err := proxy.Start()
		return err == nil, err
	})
}

// delay holds back what a proxy answers, until its end is called. The name is
// one that no other delay has.
func (p *proxies) delay(ctx context.Context, name string, target int, latency time.Duration) (end func(), err error) {
	toxics := p.all[target%len(p.all)].Toxics
	order := fmt.Sprintf(`{"name": %q, "type": "latency", "attributes": {"latency": %d, "jitter": %d}}`, name, latency.Milliseconds(), latency.Milliseconds()/2)
	if _, err := toxics.AddToxicJson(strings.NewReader(order)); err != nil {
		return nil, err
	}
	return func() { _ = toxics.RemoveToxic(ctx, name) }, nil
}

func (p *proxies) close() {
	for _, proxy := range p.all {
		proxy.Stop()
	}
}
