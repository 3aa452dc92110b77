package main

import (
	"net"
	"net/url"
	"os"
	"slices"
	"strings"
)

// Backend is a server that the application uses: its address, protocol and credentials.
type Backend struct {
	Name     string
	Host     string
	Port     string
	Protocol string
	// NotAsked is the reason why the placeholder does not connect to it; empty when it does.
	NotAsked string

	variables map[string]string
	prefix    string
}

// discover returns the backends that the environment names: <NAME>_HOST with <NAME>_PORT, and the endpoint for traces.
func discover(config Config, environment []string) []Backend {
	variables := map[string]string{}
	for _, line := range environment {
		name, value, _ := strings.Cut(line, "=")
		variables[name] = value
	}
	var found []Backend
	for name, value := range variables {
		if prefix, ok := strings.CutSuffix(name, "_HOST"); ok && value != "" && !kubernetesOwn(prefix) {
			host, port := address(value)
			if port == "" {
				port = variables[prefix+"_PORT"]
			}
			found = append(found, backend(config, variables, prefix, host, port, ""))
		}
	}
	if endpoint, err := url.Parse(variables["OTEL_EXPORTER_OTLP_ENDPOINT"]); err == nil && endpoint.Host != "" {
		found = append(found, backend(config, variables, "OTEL", endpoint.Hostname(), endpoint.Port(), "otlp"))
	}
	slices.SortFunc(found, func(a, b Backend) int { return strings.Compare(a.Name, b.Name) })
	return found
}

// kubernetesOwn reports whether the prefix is that of Kubernetes' service links, which every container has.
func kubernetesOwn(prefix string) bool {
	return strings.HasSuffix(prefix, "_SERVICE") && strings.HasPrefix(prefix, "KUBERNETES")
}

// address splits the first "host:port" of a comma-separated list; the port is empty when the list has none.
func address(value string) (string, string) {
	first, _, _ := strings.Cut(value, ",")
	if host, port, err := net.SplitHostPort(first); err == nil {
		return host, port
	}
	return first, ""
}

func backend(config Config, variables map[string]string, prefix, host, port, protocol string) Backend {
	service, inCluster := config.Services[host]
	if port == "" {
		port = firstPort(service)
	}
	if protocol == "" {
		protocol = protocolOf(service.Ports[port], port)
	}
	found := Backend{
		Name: strings.ToLower(strings.ReplaceAll(prefix, "_", "-")), Host: host, Port: port, Protocol: protocol,
		variables: variables, prefix: prefix,
	}
	switch {
	case service.Simulated != "":
		found.NotAsked = "simulated: " + service.Simulated
	case len(config.Services) > 0 && !inCluster:
		found.NotAsked = "outside the cluster"
	case port == "":
		found.NotAsked = "no port is known"
	}
	return found
}

func firstPort(service Service) string {
	first := ""
	for port := range service.Ports {
		if first == "" || len(port) < len(first) || (len(port) == len(first) && port < first) {
			first = port
		}
	}
	return first
}

// protocolOf returns the protocol of a port, by its name in the Service, else by its well-known number; default: tcp.
func protocolOf(name, port string) string {
	for protocol, known := range map[string][]string{
		"redis":    {"redis", "sentinel", "6379", "26379"},
		"postgres": {"postgres", "postgresql", "sql", "5432", "26257"},
		"otlp":     {"otlp-grpc", "4317"},
		"https":    {"https", "443", "8443"},
		"http":     {"http", "80", "8080"},
	} {
		if slices.Contains(known, name) || (name == "" && slices.Contains(known, port)) {
			return protocol
		}
	}
	return "tcp"
}

// credential returns <NAME>_<suffix>, or the content of the file that <NAME>_<suffix>_FILE names. It also looks for shorter
// prefixes, such as REDIS for REDIS_SENTINEL.
func (b Backend) credential(suffixes ...string) string {
	for prefix := b.prefix; prefix != ""; {
		for _, suffix := range suffixes {
			if value := b.variables[prefix+"_"+suffix]; value != "" {
				return value
			}
			if file := b.variables[prefix+"_"+suffix+"_FILE"]; file != "" {
				if content, err := os.ReadFile(file); err == nil {
					return strings.TrimSpace(string(content))
				}
			}
		}
		cut := strings.LastIndex(prefix, "_")
		prefix = prefix[:max(cut, 0)]
	}
	return ""
}
