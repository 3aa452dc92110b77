// The placeholder runs in the place of an application whose image cannot be had. It answers the probes and exposes the
// metrics that the application declares, opens a connection to everything that the container's environment says the
// application uses, with the credentials that the container was given, and is ready only when all of them answer.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"
	"time"
)

const (
	configFile  = "/etc/placeholder/config.json"
	taskTimeout = 2 * time.Minute
)

func main() {
	file := configFile
	if named := os.Getenv("PLACEHOLDER_CONFIG"); named != "" {
		file = named
	}
	config, err := readConfig(file)
	if err != nil {
		fmt.Fprintln(os.Stderr, "placeholder:", err)
		os.Exit(2)
	}
	slog.SetDefault(slog.New(slog.NewJSONHandler(os.Stdout, nil)).With(
		"service", os.Getenv("OTEL_SERVICE_NAME"), "placeholder", config.Image))
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	os.Exit(run(ctx, config))
}

// run does what the container's command asks for; the exit code.
func run(ctx context.Context, config Config) int {
	switch does := asked(config, os.Args); does {
	case "serve":
		return serve(ctx, config)
	case "task":
		return task(ctx, config)
	case "ready":
		return probe(config, "/status/ready")
	case "live":
		return probe(config, "/status/live")
	case "nothing":
		return 0
	default:
		fmt.Fprintf(os.Stderr, "placeholder: %q is a command of the application's own\n", os.Args)
		return 127
	}
}

// asked is what the command line means: the program's own name serves, any other has to be one of the configuration's.
func asked(config Config, arguments []string) string {
	name := filepath.Base(arguments[0])
	for _, command := range config.Commands {
		if filepath.Base(command.Program) == name && slices.Equal(command.Arguments, arguments[1:]) {
			return command.Does
		}
	}
	if name == "placeholder" {
		return "serve"
	}
	return ""
}

// task stands for a Job: it ends well once everything that the application uses has answered.
func task(ctx context.Context, config Config) int {
	ctx, stop := context.WithTimeout(ctx, taskTimeout)
	defer stop()
	backends := newBackends(config, os.Environ())
	backends.watch(ctx)
	for !backends.ready() {
		select {
		case <-ctx.Done():
			slog.Error("not everything that the task uses has answered", "backends", backends.status())
			return 1
		case <-time.After(100 * time.Millisecond):
		}
	}
	slog.Info("everything that the task uses has answered; its command is the application's own and was not run",
		"command", os.Args, "backends", backends.status())
	return 0
}

// probe asks the placeholder that runs in the same container, for a probe that is a command.
func probe(config Config, path string) int {
	if len(config.Ports) == 0 {
		return 0
	}
	client := http.Client{Timeout: 2 * time.Second}
	answer, err := client.Get(fmt.Sprintf("http://127.0.0.1:%d%s", config.Ports[0].Number, path))
	if err != nil {
		return 1
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return 1
	}
	return 0
}
