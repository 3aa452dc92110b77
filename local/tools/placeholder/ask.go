package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/redis/go-redis/v9"
)

const patience = 3 * time.Second

// asker checks a backend over a connection that it keeps open, as an application does. It replaces a failed connection.
type asker interface {
	ask(ctx context.Context) error
}

func newAsker(b Backend) asker {
	switch b.Protocol {
	case "redis":
		return &redisAsker{backend: b}
	case "postgres":
		return &postgresAsker{backend: b}
	case "http", "https":
		return &httpAsker{backend: b, client: &http.Client{Timeout: patience}}
	case "otlp":
		return newTraceAsker(b)
	default:
		return &tcpAsker{backend: b}
	}
}

// trust returns the TLS configuration; nil when the environment names no certificate authority for the backend.
func (b Backend) trust() (*tls.Config, error) {
	file := b.variables[b.prefix+"_CA_FILE"]
	if file == "" {
		return nil, nil
	}
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(content) {
		return nil, fmt.Errorf("%s holds no certificate", file)
	}
	return &tls.Config{RootCAs: pool, ServerName: b.Host, MinVersion: tls.VersionTLS12}, nil
}

type redisAsker struct {
	backend Backend
	client  *redis.Client
}

// redisClient returns a client with one connection and no automatic retries.
func redisClient(b Backend) (*redis.Client, error) {
	trust, err := b.trust()
	if err != nil {
		return nil, err
	}
	return redis.NewClient(&redis.Options{
		Addr:            net.JoinHostPort(b.Host, b.Port),
		Username:        b.credential("USERNAME", "USER"),
		Password:        b.credential("PASSWORD"),
		TLSConfig:       trust,
		PoolSize:        1,
		MaxRetries:      -1,
		DialTimeout:     patience,
		ReadTimeout:     patience,
		WriteTimeout:    patience,
		DisableIdentity: true,
		Protocol:        2,
	}), nil
}

func (a *redisAsker) ask(ctx context.Context) (err error) {
	if a.client == nil {
		if a.client, err = redisClient(a.backend); err != nil {
			return err
		}
	}
	return a.client.Ping(ctx).Err()
}

type postgresAsker struct {
	backend    Backend
	connection *pgx.Conn
}

func (a *postgresAsker) ask(ctx context.Context) error {
	if a.connection == nil || a.connection.IsClosed() {
		if err := a.connect(ctx); err != nil {
			return err
		}
	}
	var one int
	err := a.connection.QueryRow(ctx, "SELECT 1").Scan(&one)
	if err != nil {
		a.connection.Close(context.WithoutCancel(ctx))
		a.connection = nil
	}
	return err
}

func (a *postgresAsker) connect(ctx context.Context) (err error) {
	b := a.backend
	options := url.Values{"sslmode": {"prefer"}}
	if file := b.variables[b.prefix+"_CA_FILE"]; file != "" {
		options = url.Values{"sslmode": {"verify-full"}, "sslrootcert": {file}}
	}
	where := url.URL{
		Scheme:   "postgres",
		User:     url.UserPassword(b.credential("USERNAME", "USER"), b.credential("PASSWORD")),
		Host:     net.JoinHostPort(b.Host, b.Port),
		Path:     "/" + b.credential("DATABASE"),
		RawQuery: options.Encode(),
	}
	a.connection, err = pgx.Connect(ctx, where.String())
	return err
}

type httpAsker struct {
	backend Backend
	client  *http.Client
}

func (a *httpAsker) ask(ctx context.Context) error {
	b := a.backend
	if b.Protocol == "https" && a.client.Transport == nil {
		trust, err := b.trust()
		if err != nil {
			return err
		}
		a.client.Transport = &http.Transport{TLSClientConfig: trust}
	}
	where := fmt.Sprintf("%s://%s/", b.Protocol, net.JoinHostPort(b.Host, b.Port))
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, where, nil)
	if err != nil {
		return err
	}
	if password := b.credential("PASSWORD"); password != "" {
		request.SetBasicAuth(b.credential("USERNAME", "USER"), password)
	}
	answer, err := a.client.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	io.Copy(io.Discard, io.LimitReader(answer.Body, 1<<20))
	if answer.StatusCode >= 500 || answer.StatusCode == http.StatusUnauthorized {
		return errors.New(answer.Status)
	}
	return nil
}

// traceAsker sends an export request without spans over gRPC; an empty request is valid.
type traceAsker struct {
	url    string
	client *http.Client
}

func newTraceAsker(b Backend) *traceAsker {
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	return &traceAsker{
		url: fmt.Sprintf("http://%s/opentelemetry.proto.collector.trace.v1.TraceService/Export",
			net.JoinHostPort(b.Host, b.Port)),
		client: &http.Client{Timeout: patience, Transport: &http.Transport{Protocols: protocols}},
	}
}

func (a *traceAsker) ask(ctx context.Context) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, a.url, bytes.NewReader(make([]byte, 5)))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/grpc")
	request.Header.Set("TE", "trailers")
	answer, err := a.client.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		return err
	}
	status := answer.Trailer.Get("Grpc-Status")
	if status == "" {
		status = answer.Header.Get("Grpc-Status")
	}
	if status != "0" {
		return fmt.Errorf("%s, gRPC status %q", answer.Status, status)
	}
	return nil
}

// tcpAsker opens and closes a connection, with TLS when the environment names an authority.
type tcpAsker struct{ backend Backend }

func (a *tcpAsker) ask(ctx context.Context) error {
	b := a.backend
	trust, err := b.trust()
	if err != nil {
		return err
	}
	dialer := &net.Dialer{Timeout: patience}
	where := net.JoinHostPort(b.Host, b.Port)
	var connection net.Conn
	if trust != nil {
		connection, err = (&tls.Dialer{NetDialer: dialer, Config: trust}).DialContext(ctx, "tcp", where)
	} else {
		connection, err = dialer.DialContext(ctx, "tcp", where)
	}
	if err != nil {
		return err
	}
	return connection.Close()
}
