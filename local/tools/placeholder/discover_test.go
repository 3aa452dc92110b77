package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestDiscover(t *testing.T) {
	config := Config{Services: map[string]Service{
		"redis.shop.svc.cluster.local": {Ports: map[string]string{"7000": "redis", "16000": "metrics"}},
		"db.shop.svc.cluster.local":    {Ports: map[string]string{"26257": "sql"}, Simulated: "no image"},
		"web.shop.svc.cluster.local":   {Ports: map[string]string{"9000": ""}},
	}}
	found := discover(config, []string{
		"REDIS_HOST=redis.shop.svc.cluster.local", "REDIS_PORT=7000",
		"SENTINEL_HOST=redis.shop.svc.cluster.local",
		"DB_HOST=db.shop.svc.cluster.local", "DB_PORT=26257",
		"WEB_HOST=web.shop.svc.cluster.local", "WEB_PORT=9000",
		"KAFKA_HOST=b1.example.com:9096,b2.example.com:9096",
		"KUBERNETES_SERVICE_HOST=10.96.0.1", "EMPTY_HOST=",
		"OTEL_EXPORTER_OTLP_ENDPOINT=http://web.shop.svc.cluster.local:4317",
	})
	expected := []Backend{
		{Name: "db", Port: "26257", Protocol: "postgres", NotAsked: "simulated: no image"},
		{Name: "kafka", Port: "9096", Protocol: "tcp", NotAsked: "outside the cluster"},
		{Name: "otel", Port: "4317", Protocol: "otlp"},
		{Name: "redis", Port: "7000", Protocol: "redis"},
		{Name: "sentinel", Port: "7000", Protocol: "redis"},
		{Name: "web", Port: "9000", Protocol: "tcp"},
	}
	if len(found) != len(expected) {
		t.Fatalf("found %d backends, expected %d: %v", len(found), len(expected), found)
	}
	for index, each := range expected {
		got := found[index]
		if got.Name != each.Name || got.Port != each.Port || got.Protocol != each.Protocol || got.NotAsked != each.NotAsked {
			t.Errorf("found %s %s %s %q, expected %+v", got.Name, got.Port, got.Protocol, got.NotAsked, each)
		}
	}
}

func TestCredential(t *testing.T) {
	file := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(file, []byte("from a file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, each := range []struct {
		variables map[string]string
		prefix    string
		expected  string
	}{
		{map[string]string{"REDIS_PASSWORD": "plain"}, "REDIS", "plain"},
		{map[string]string{"REDIS_PASSWORD_FILE": file}, "REDIS", "from a file"},
		{map[string]string{"REDIS_PASSWORD": "plain"}, "REDIS_SENTINEL", "plain"},
		{map[string]string{"REDIS_PASSWORD": "plain"}, "REDISES", ""},
	} {
		backend := Backend{variables: each.variables, prefix: each.prefix}
		if got := backend.credential("PASSWORD"); got != each.expected {
			t.Errorf("%s of %v is %q, expected %q", each.prefix, each.variables, got, each.expected)
		}
	}
}

func TestAsked(t *testing.T) {
	config := Config{Commands: []Command{{Program: "/usr/bin/npm", Arguments: []string{"run", "migrate"}, Does: "task"}}}
	for _, each := range []struct {
		arguments []string
		expected  string
	}{
		{[]string{"/placeholder"}, "serve"},
		{[]string{"npm", "run", "migrate"}, "task"},
		{[]string{"npm", "run", "start"}, ""},
		{[]string{"/bin/sh"}, ""},
	} {
		if got := asked(config, each.arguments); got != each.expected {
			t.Errorf("%v asks for %q, expected %q", each.arguments, got, each.expected)
		}
	}
}
