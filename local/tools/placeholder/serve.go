package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

const (
	defaultDrain = 5 * time.Second
	// finishing is the time limit, after the drain, for requests in progress
	finishing = 20 * time.Second
)

// Application serves the container's ports.
type Application struct {
	config   Config
	backends *Backends
	writer   *Writer
	metrics  *Metrics
	stopping atomic.Bool
}

// serve handles requests until the context ends. It then becomes unready, still accepts connections during the drain
// (PLACEHOLDER_DRAIN, a duration, default 5s) while the cluster removes it from its endpoints, and finishes the requests in
// progress. It returns the exit code.
func serve(ctx context.Context, config Config) int {
	drain := defaultDrain
	if text := os.Getenv("PLACEHOLDER_DRAIN"); text != "" {
		var err error
		if drain, err = time.ParseDuration(text); err != nil {
			slog.Error("PLACEHOLDER_DRAIN is not a duration such as 5s", "value", text)
			return 2
		}
	}
	watching, stop := context.WithCancel(context.Background())
	defer stop()
	application := &Application{config: config, backends: newBackends(config, os.Environ()), metrics: newMetrics(config)}
	var err error
	if application.writer, err = newWriter(application.backends, os.Getenv("PLACEHOLDER_WRITER")); err != nil {
		slog.Error(err.Error())
		return 2
	}
	servers, err := application.listen()
	if err != nil {
		slog.Error("cannot listen", "error", err.Error())
		return 1
	}
	application.backends.watch(watching)
	application.writer.run(watching)
	slog.Info("serving", "ports", config.Ports)

	<-ctx.Done()
	slog.Info("stopping", "drain", drain.String())
	application.stopping.Store(true)
	time.Sleep(drain)
	last, cancel := context.WithTimeout(context.Background(), finishing)
	defer cancel()
	code := 0
	for _, server := range servers {
		if err := server.Shutdown(last); err != nil {
			slog.Error("requests were cut off", "error", err.Error())
			code = 1
		}
	}
	slog.Info("stopped", "writer", application.writer.status())
	return code
}

func (a *Application) listen() ([]*http.Server, error) {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true) // for gRPC probes
	var servers []*http.Server
	for _, port := range a.config.Ports {
		listener, err := net.Listen("tcp", fmt.Sprintf(":%d", port.Number))
		if err != nil {
			return nil, err
		}
		server := &http.Server{
			Handler: a.handler(port), Protocols: protocols, ReadHeaderTimeout: 10 * time.Second,
			ErrorLog: slog.NewLogLogger(slog.Default().Handler(), slog.LevelWarn),
		}
		servers = append(servers, server)
		go server.Serve(listener)
	}
	return servers, nil
}

// handler serves the probes of a port, its metrics, gRPC health checks, /status, and any other request.
func (a *Application) handler(port Port) http.Handler {
	readiness := map[string]bool{"/status/ready": true}
	for _, probe := range a.config.Probes {
		if probe.Port == port.Number {
			path, _, _ := strings.Cut(probe.Path, "?")
			readiness[path] = readiness[path] || probe.Ready
		}
	}
	readiness["/status/live"] = false
	other := a.metrics.counting(http.HandlerFunc(a.answer))
	return http.HandlerFunc(func(response http.ResponseWriter, request *http.Request) {
		if a.stopping.Load() {
			// The client's next request opens a new connection. Closing idle connections here, as SetKeepAlivesEnabled
			// does, would reset a request that a client is sending at that moment.
			response.Header().Set("Connection", "close")
		}
		asksReady, isProbe := readiness[request.URL.Path]
		switch {
		case isProbe:
			a.probed(response, asksReady)
		case request.URL.Path == "/status":
			say(response, http.StatusOK, a.status())
		case port.Name == "metrics" && request.URL.Path == "/metrics":
			a.metrics.ServeHTTP(response, request)
		case strings.HasPrefix(request.URL.Path, "/grpc.health.v1.Health/"):
			a.health(response)
		default:
			other.ServeHTTP(response, request)
		}
	})
}

func (a *Application) ready() bool { return !a.stopping.Load() && a.backends.ready() }

func (a *Application) probed(response http.ResponseWriter, asksReady bool) {
	code := http.StatusOK
	if asksReady && !a.ready() {
		code = http.StatusServiceUnavailable
	}
	say(response, code, a.status())
}

func (a *Application) status() map[string]any {
	return map[string]any{
		"placeholder": a.config.Image,
		"ready":       a.ready(),
		"stopping":    a.stopping.Load(),
		"backends":    a.backends.status(),
		"writer":      a.writer.status(),
	}
}

// answer responds to any request without another handler.
func (a *Application) answer(response http.ResponseWriter, request *http.Request) {
	io.Copy(io.Discard, io.LimitReader(request.Body, 1<<20))
	say(response, http.StatusOK, map[string]any{"placeholder": a.config.Image, "path": request.URL.Path})
}

// health implements grpc.health.v1.Health/Check: status 1 is SERVING, 2 is NOT_SERVING.
func (a *Application) health(response http.ResponseWriter) {
	serving := byte(2)
	if a.ready() {
		serving = 1
	}
	response.Header().Set("Content-Type", "application/grpc")
	response.Header().Set("Trailer", "Grpc-Status")
	response.Write([]byte{0, 0, 0, 0, 2, 0x08, serving})
	response.Header().Set("Grpc-Status", strconv.Itoa(0))
}

func say(response http.ResponseWriter, code int, what any) {
	response.Header().Set("Content-Type", "application/json")
	response.WriteHeader(code)
	json.NewEncoder(response).Encode(what)
}
