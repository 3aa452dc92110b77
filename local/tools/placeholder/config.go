package main

import (
	"encoding/json"
	"os"
)

// Config describes the containers that use the image; local/images/placeholder.py writes it when the image is built.
type Config struct {
	// Image is the reference of the application's image.
	Image string `json:"image"`
	Ports []Port `json:"ports"`
	// Probes are the kubelet's HTTP probes.
	Probes []Probe `json:"probes"`
	// Commands are the commands of containers, exec probes and hooks.
	Commands []Command         `json:"commands"`
	Metrics  map[string]Metric `json:"metrics"`
	// Services are the cluster's Services by host name. Unless it is empty, the placeholder connects to these hosts only.
	Services map[string]Service `json:"services"`
}

// Port is a TCP port of the container; Prometheus scrapes the port named "metrics".
type Port struct {
	Name   string `json:"name"`
	Number int    `json:"number"`
}

// Probe is an HTTP probe; Ready is true for a readiness probe.
type Probe struct {
	Port  int    `json:"port"`
	Path  string `json:"path"`
	Ready bool   `json:"ready"`
}

// Command is a command line of the application and the action of the placeholder: serve, task (end once all backends have
// responded), ready or live (probes), or nothing (hooks).
type Command struct {
	Program   string   `json:"program"`
	Arguments []string `json:"arguments"`
	Does      string   `json:"does"`
}

// Metric is a declared metric.
type Metric struct {
	Type string `json:"type"`
	Help string `json:"help"`
}

// Service is a Service of the cluster: its ports, number to name, and the reason if all its pods are simulated.
type Service struct {
	Ports     map[string]string `json:"ports"`
	Simulated string            `json:"simulated"`
}

// readConfig reads the file. Without a file the placeholder listens on no port and connects to all backends that its
// environment names.
func readConfig(file string) (Config, error) {
	var config Config
	content, err := os.ReadFile(file)
	if os.IsNotExist(err) {
		return config, nil
	}
	if err != nil {
		return config, err
	}
	return config, json.Unmarshal(content, &config)
}
