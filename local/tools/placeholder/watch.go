package main

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

const (
	period = 2 * time.Second
	// consecutive failures after which a backend counts as not responding
	failures = 2
)

// Backends holds the backends of the application and whether they respond.
type Backends struct {
	mutex sync.Mutex
	known []*watched
}

type watched struct {
	Backend
	state  string
	since  time.Time
	reason string
	failed int
}

// BackendStatus is the entry of a backend in /status.
type BackendStatus struct {
	Name     string    `json:"name"`
	Host     string    `json:"host"`
	Port     string    `json:"port"`
	Protocol string    `json:"protocol"`
	State    string    `json:"state"`
	Since    time.Time `json:"since"`
	Reason   string    `json:"reason,omitempty"`
}

func newBackends(config Config, environment []string) *Backends {
	found := &Backends{}
	for _, backend := range discover(config, environment) {
		state := "silent"
		if backend.NotAsked != "" {
			state = "not asked"
			slog.Info("backend not asked", "backend", backend.Name, "host", backend.Host, "reason", backend.NotAsked)
		}
		found.known = append(found.known, &watched{
			Backend: backend, state: state, since: time.Now(), reason: backend.NotAsked,
		})
	}
	return found
}

// watch checks each backend repeatedly until the context ends.
func (b *Backends) watch(ctx context.Context) {
	for _, each := range b.known {
		if each.state == "not asked" {
			continue
		}
		go func() {
			asker := newAsker(each.Backend)
			for ctx.Err() == nil {
				once, stop := context.WithTimeout(ctx, patience)
				err := asker.ask(once)
				stop()
				b.heard(each, err)
				select {
				case <-ctx.Done():
				case <-time.After(period):
				}
			}
		}()
	}
}

func (b *Backends) heard(each *watched, err error) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	if err == nil {
		if each.state != "answers" {
			slog.Info("backend answers", "backend", each.Name, "host", each.Host, "protocol", each.Protocol,
				"after", time.Since(each.since).Round(time.Millisecond).String())
			each.state, each.since = "answers", time.Now()
		}
		each.reason, each.failed = "", 0
		return
	}
	each.failed++
	first := each.reason == ""
	each.reason = err.Error()
	if each.state == "answers" && each.failed >= failures {
		each.state, each.since = "silent", time.Now()
		first = true
	}
	if first {
		slog.Warn("backend does not answer", "backend", each.Name, "host", each.Host, "error", each.reason)
	}
}

// ready reports whether all checked backends respond.
func (b *Backends) ready() bool {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	for _, each := range b.known {
		if each.state == "silent" {
			return false
		}
	}
	return true
}

func (b *Backends) status() []BackendStatus {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	said := []BackendStatus{}
	for _, each := range b.known {
		said = append(said, BackendStatus{
			each.Name, each.Host, each.Port, each.Protocol, each.state, each.since.UTC(), each.reason,
		})
	}
	return said
}

// find returns the checked backend of that name.
func (b *Backends) find(name string) (Backend, bool) {
	for _, each := range b.known {
		if each.Name == name && each.NotAsked == "" {
			return each.Backend, true
		}
	}
	return Backend{}, false
}
