package main

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/knadh/koanf/parsers/yaml"
	"github.com/knadh/koanf/providers/env/v2"
	"github.com/knadh/koanf/providers/file"
	"github.com/knadh/koanf/providers/posflag"
	"github.com/knadh/koanf/v2"
	"github.com/spf13/pflag"
)

// Config is what an operator may set: by flag, environment (ENTREPOT_SERVE_…) or file, the first of
// them winning.
type Config struct {
	Data        string        // folder of keys, ledger, log and tables
	Witness     string        // file of the witness; "" for the one in Data
	Addr        string        // host:port to listen on
	TLSCert     string        // PEM files; both or none
	TLSKey      string        //
	PlainHTTP   bool          // serve without TLS beyond this machine: something in front does it
	Audience    string        // of tokens: this deployment's name
	Deadline    time.Duration // for an admitted question
	MemoryMB    int64         // the engine's limit, shared equally by the questions under way [MiB]
	Threads     int           // the engine's, for a question
	Parallel    int           // questions under way at a time
	UploadLimit int64         // bytes of one table upload
	Rate        float64       // requests per second and principal
	Burst       int           // requests at once and principal
}

// serveFlags declares the flags of serve with their defaults; their names are the configuration's keys.
func serveFlags(f *pflag.FlagSet) {
	f.String("data", "entrepot-data", "folder of keys, ledger, log and tables")
	f.String("witness", "", witnessUsage)
	f.String("addr", "127.0.0.1:8080", "address to listen on")
	f.String("tls-cert", "", "PEM certificate chain (with --tls-key)")
	f.String("tls-key", "", "PEM private key (with --tls-cert)")
	f.Bool("plain-http", false, "serve beyond this machine without TLS, behind a proxy that does it")
	f.String("audience", "entrepot", "audience that tokens must name")
	f.Duration("deadline", 30*time.Second, "for an admitted question, whatever its data")
	f.Int64("memory-mb", 4096, "the engine's memory limit in MiB; each question under way has an equal share")
	f.Int("threads", 2, "the engine's threads for a question")
	f.Int("parallel", 4, "questions under way at a time; others wait, uncharged")
	f.Int64("upload-limit", 2<<30, "bytes of one table upload")
	f.Float64("rate", 50, "requests per second and principal")
	f.Int("burst", 200, "requests at once and principal")
}

// loadConfig reads file, environment and flags. An unknown key is an error: a misspelt limit must
// not be a missing one.
func loadConfig(path string, flags *pflag.FlagSet) (Config, error) {
	k := koanf.New("\x00")
	if path != "" {
		if err := k.Load(file.Provider(path), yaml.Parser()); err != nil {
			return Config{}, fmt.Errorf("configuration %s: %w", path, err)
		}
	}
	fromEnv := env.Provider("\x00", env.Opt{Prefix: "ENTREPOT_SERVE_", TransformFunc: func(key, value string) (string, any) {
		return strings.ReplaceAll(strings.ToLower(strings.TrimPrefix(key, "ENTREPOT_SERVE_")), "_", "-"), value
	}})
	if err := k.Load(fromEnv, nil); err != nil {
		return Config{}, fmt.Errorf("environment: %w", err)
	}
	known := []string{}
	flags.VisitAll(func(f *pflag.Flag) { known = append(known, f.Name) })
	for _, key := range k.Keys() {
		if !slices.Contains(known, key) || key == "config" {
			return Config{}, fmt.Errorf("unknown configuration key %q; the keys are the flags of `entrepot serve`: %s", key, strings.Join(known, ", "))
		}
	}
	if err := k.Load(posflag.Provider(flags, "\x00", k), nil); err != nil {
		return Config{}, err
	}
	c := Config{Data: k.String("data"), Witness: k.String("witness"), Addr: k.String("addr"), TLSCert: k.String("tls-cert"), TLSKey: k.String("tls-key"),
		PlainHTTP: k.Bool("plain-http"), Audience: k.String("audience"), Deadline: k.Duration("deadline"), MemoryMB: k.Int64("memory-mb"), Threads: k.Int("threads"),
		Parallel: k.Int("parallel"), UploadLimit: k.Int64("upload-limit"), Rate: k.Float64("rate"), Burst: k.Int("burst")}
	return c, c.validate()
}

func (c Config) validate() error {
	switch {
	case c.Data == "":
		return errors.New("--data names no folder")
	case (c.TLSCert == "") != (c.TLSKey == ""):
		return errors.New("--tls-cert and --tls-key go together")
	case c.TLSCert == "" && !c.PlainHTTP && beyondThisMachine(c.Addr):
		return fmt.Errorf("%s can be reached from other machines, and tokens would travel in the clear: give --tls-cert and --tls-key, or --plain-http behind a proxy that does TLS", c.Addr)
	case c.Audience == "":
		return errors.New("--audience is empty: tokens must name this deployment")
	case c.Deadline <= 0:
		return errors.New("--deadline must be positive, e.g. 30s")
	case c.Threads < 1, c.Parallel < 1:
		return errors.New("--threads and --parallel must be at least 1")
	case c.MemoryMB/int64(c.Parallel) < 64:
		return fmt.Errorf("--memory-mb must be at least 64 for each question under way, %d for --parallel %d", 64*int64(c.Parallel), c.Parallel)
	case c.UploadLimit < 1:
		return errors.New("--upload-limit must be positive")
	case !(c.Rate > 0) || c.Burst < 1:
		return errors.New("--rate and --burst must be positive")
	}
	return nil
}

// beyondThisMachine reports whether others may reach an address.
func beyondThisMachine(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	return err != nil || !loopback(host)
}
