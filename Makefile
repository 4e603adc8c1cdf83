# Entrepot. Two commands do all set-up on a machine with Go, gcc and g++: make demo, make test.
.DEFAULT_GOAL := help
SHELL := /bin/bash
ADDR ?= 127.0.0.1:8080
TOOLS := -modfile=.ci/tools.mod

.PHONY: help demo build test soak lint gen bench

help: ## what there is to make
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-7s %s\n", $$1, $$2}'

demo: build ## the main job: a server, three organisations, one question across a border
	./bin/entrepot demo --addr $(ADDR)

build: ## the binary, bin/entrepot
	go build -o bin/entrepot ./cmd/entrepot

test: lint ## everything that must pass, at CI size
	@test -d ../shared/data || echo 'skipped: the tests on real tables, since ../shared/data is not here'
	go test -race -timeout 30m ./...

soak: ## the same tests at their full sizes
	ENTREPOT_SOAK=1 go test -race -timeout 120m ./...

lint: ## gofmt, go vet, golangci-lint with the import rules
	@test -z "$$(gofmt -l cmd sandbox privacy datasets access)" || { gofmt -l cmd sandbox privacy datasets access; echo 'run gofmt -w'; exit 1; }
	go vet ./...
	go tool $(TOOLS) golangci-lint run

gen: ## generated code: the API's types and routes from openapi.yaml
	cd sandbox/api && go tool -modfile=../../.ci/tools.mod oapi-codegen -config codegen.yaml openapi.yaml

bench: ## speed and memory, as ratios to a reference in the same run
	go test -run '^$$' -bench New -benchtime 2000x ./sandbox/query
	go test -run '^$$' -bench . -benchtime 1x -timeout 60m ./privacy ./sandbox/engine ./cmd/entrepot
