package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	pace = 100 * time.Millisecond
	// kept is the number of outages in /status
	kept = 100
)

// Writer writes to a Redis continuously, over one permanent connection and over a new connection for each write. It records
// how long writes failed and whether acknowledged writes were lost. It is off unless PLACEHOLDER_WRITER names the backend,
// such as "redis" for REDIS_HOST.
type Writer struct {
	backend Backend
	on      bool

	mutex  sync.Mutex
	counts WriterStatus
}

// WriterStatus is the writer's entry in /status; times are in seconds.
type WriterStatus struct {
	Acknowledged  int64    `json:"acknowledged"`
	Failed        int64    `json:"failed"`
	Lost          int64    `json:"lost"`
	LongestOutage float64  `json:"longestOutage"`
	Outages       []Outage `json:"outages"`
}

// Outage is the time from the last acknowledged write before a failure to the next acknowledged write.
type Outage struct {
	Connection string    `json:"connection"`
	From       time.Time `json:"from"`
	Seconds    float64   `json:"seconds"`
	Error      string    `json:"error"`
	// Over is false while writes still fail.
	Over bool `json:"over"`
}

func newWriter(backends *Backends, name string) (*Writer, error) {
	if name == "" {
		return &Writer{}, nil
	}
	backend, ok := backends.find(name)
	if !ok || backend.Protocol != "redis" {
		return nil, fmt.Errorf("PLACEHOLDER_WRITER names %q, which is no Redis that is asked", name)
	}
	return &Writer{backend: backend, on: true}, nil
}

// run writes to Redis until the context ends.
func (w *Writer) run(ctx context.Context) {
	if !w.on {
		return
	}
	for _, connection := range []string{"kept", "new"} {
		go w.loop(ctx, connection)
	}
}

// status returns nil when the writer is off; its list includes a current outage.
func (w *Writer) status() *WriterStatus {
	if !w.on {
		return nil
	}
	w.mutex.Lock()
	defer w.mutex.Unlock()
	said := w.counts
	said.Outages = append([]Outage{}, w.counts.Outages...)
	for index, outage := range said.Outages {
		if !outage.Over {
			said.Outages[index].Seconds = time.Since(outage.From).Seconds()
		}
		said.LongestOutage = max(said.LongestOutage, said.Outages[index].Seconds)
	}
	return &said
}

func (w *Writer) loop(ctx context.Context, connection string) {
	host, _ := os.Hostname()
	key := fmt.Sprintf("placeholder:%s:%s", host, connection)
	var client *redis.Client
	var last int64
	var acknowledged time.Time // time of the last acknowledged write, at which an outage begins
	failing := false
	for ctx.Err() == nil {
		value, err := w.write(ctx, &client, key)
		if ctx.Err() != nil {
			break
		}
		if err != nil {
			w.failed(connection, acknowledged, failing, err)
			failing = !acknowledged.IsZero()
		} else {
			w.wrote(connection, last, value, failing)
			acknowledged, failing, last = time.Now(), false, value
		}
		if client != nil && (err != nil || connection == "new") {
			client.Close()
			client = nil
		}
		time.Sleep(pace)
	}
	if client != nil {
		client.Close()
	}
}

func (w *Writer) write(ctx context.Context, client **redis.Client, key string) (int64, error) {
	if *client == nil {
		opened, err := redisClient(w.backend)
		if err != nil {
			return 0, err
		}
		*client = opened
	}
	once, stop := context.WithTimeout(ctx, patience)
	defer stop()
	return (*client).Incr(once, key).Result()
}

func (w *Writer) failed(connection string, from time.Time, failing bool, err error) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.counts.Failed++
	if !failing && !from.IsZero() {
		slog.Warn("writes fail", "connection", connection, "error", err.Error())
		w.counts.Outages = append(w.counts.Outages, Outage{Connection: connection, From: from.UTC(), Error: err.Error()})
		w.counts.Outages = w.counts.Outages[max(0, len(w.counts.Outages)-kept):]
	}
}

func (w *Writer) wrote(connection string, last, value int64, failing bool) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.counts.Acknowledged++
	if value <= last {
		w.counts.Lost += last - value + 1
		slog.Error("acknowledged writes are lost", "connection", connection, "count", last-value+1)
	}
	if !failing {
		return
	}
	for index := len(w.counts.Outages) - 1; index >= 0; index-- {
		if outage := &w.counts.Outages[index]; outage.Connection == connection && !outage.Over {
			outage.Over, outage.Seconds = true, time.Since(outage.From).Seconds()
			w.counts.LongestOutage = max(w.counts.LongestOutage, outage.Seconds)
			slog.Info("writes are acknowledged again", "connection", connection, "seconds", outage.Seconds)
			break
		}
	}
}
