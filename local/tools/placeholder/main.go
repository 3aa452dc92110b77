// The placeholder runs instead of an application whose image is not available. It implements the probes and exposes the
// metrics that the application declares. It connects to all backends that the container's environment names, with the
// container's credentials, and is ready only when all of them respond.
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

// run executes the action for the container's command and returns the exit code.
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

// asked returns the action for the command line: that of the configuration, else "serve" for the program's own name, else "".
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

// task replaces the command of a Job: it returns 0 once all backends have responded, and 1 after two minutes.
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

// probe implements an exec probe: it sends a request to the placeholder that runs in the same container.
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
