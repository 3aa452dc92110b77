package main

import (
	"log/slog"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics exposes the declared metrics: counters count the handled requests, histograms measure their duration in seconds,
// and gauges are NaN, because the placeholder has nothing to measure for them.
type Metrics struct {
	http.Handler
	counters   []*prometheus.CounterVec
	histograms []*prometheus.HistogramVec
}

func newMetrics(config Config) *Metrics {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	found := &Metrics{Handler: promhttp.HandlerFor(registry, promhttp.HandlerOpts{})}
	labels := []string{"method", "code"}
	for name, metric := range config.Metrics {
		var collector prometheus.Collector
		switch metric.Type {
		case "counter":
			counter := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: metric.Help}, labels)
			counter.WithLabelValues("GET", "200")
			found.counters = append(found.counters, counter)
			collector = counter
		case "histogram":
			histogram := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: metric.Help}, labels)
			histogram.WithLabelValues("GET", "200")
			found.histograms = append(found.histograms, histogram)
			collector = histogram
		default:
			gauge := prometheus.NewGauge(prometheus.GaugeOpts{Name: name, Help: metric.Help})
			gauge.Set(math.NaN())
			collector = gauge
		}
		if err := registry.Register(collector); err != nil {
			slog.Warn("metric not exposed", "metric", name, "error", err.Error())
		}
	}
	return found
}

// counting wraps a handler and counts its requests.
func (m *Metrics) counting(handler http.Handler) http.Handler {
	return http.HandlerFunc(func(response http.ResponseWriter, request *http.Request) {
		begin := time.Now()
		recorder := &recorder{ResponseWriter: response, code: http.StatusOK}
		handler.ServeHTTP(recorder, request)
		code := strconv.Itoa(recorder.code)
		for _, counter := range m.counters {
			counter.WithLabelValues(method(request), code).Inc()
		}
		for _, histogram := range m.histograms {
			histogram.WithLabelValues(method(request), code).Observe(time.Since(begin).Seconds())
		}
	})
}

// method limits the label to known methods, because clients could otherwise create any number of series.
func method(request *http.Request) string {
	switch request.Method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return request.Method
	default:
		return "other"
	}
}

type recorder struct {
	http.ResponseWriter
	code int
}

func (r *recorder) WriteHeader(code int) {
	r.code = code
	r.ResponseWriter.WriteHeader(code)
}
