package main

import (
	"encoding/json"
	"os"
)

// Config is what the image's maker knows of the container, of every pod that runs the image.
type Config struct {
	// Image is the reference that the placeholder stands for.
	Image string `json:"image"`
	Ports []Port `json:"ports"`
	// Probes are the paths that the kubelet asks.
	Probes []Probe `json:"probes"`
	// Commands are those that pods give in place of the image's own.
	Commands []Command         `json:"commands"`
	Metrics  map[string]Metric `json:"metrics"`
	// Services are those of the cluster by host name; nothing else is asked when there are any.
	Services map[string]Service `json:"services"`
}

// Port is one that the container listens on; the one named "metrics" is scraped.
type Port struct {
	Name   string `json:"name"`
	Number int    `json:"number"`
}

// Probe is an HTTP probe; Ready when it asks for readiness.
type Probe struct {
	Port  int    `json:"port"`
	Path  string `json:"path"`
	Ready bool   `json:"ready"`
}

// Command is a command line of the application's own, and what the placeholder does for it: serve, task (end once
// everything has answered), ready, live (probes) or nothing (hooks).
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

// Service is one of the cluster: port number to name, and why nothing answers behind it, if so.
type Service struct {
	Ports     map[string]string `json:"ports"`
	Simulated string            `json:"simulated"`
}

// readConfig reads the file; without one the placeholder listens on nothing and asks whatever its environment names.
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
