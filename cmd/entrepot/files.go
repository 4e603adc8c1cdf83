package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// Limits of what is read into memory [bytes]. The server's own are smaller or equal.
const (
	maxDocument = 4 << 20
	maxSQL      = 64 << 10
)

// readFile reads a file whole, if it is not longer than limit. Pipes and devices are read, too.
func readFile(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	b, err := readAll(f, path, limit)
	return b, errors.Join(err, f.Close())
}

func readAll(in io.Reader, name string, limit int64) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(in, limit+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	if int64(len(b)) > limit {
		return nil, fmt.Errorf("%s is longer than %s", name, bytesText(limit))
	}
	return b, nil
}

// readInput reads a file, or stdin for "-".
func (s *session) readInput(path string, limit int64) ([]byte, error) {
	if path == "-" {
		return readAll(s.in, "standard input", limit)
	}
	return readFile(path, limit)
}

// document reads a JSON or YAML document and says which of them it is, by its name or else by how it
// begins. What is in it is for the server to judge.
func (s *session) document(path string) (text []byte, contentType string, err error) {
	text, err = s.readInput(path, maxDocument)
	if err != nil {
		return nil, "", err
	}
	switch strings.ToLower(filepath.Ext(path)) {
	case ".json":
		return text, "application/json", nil
	case ".yaml", ".yml":
		return text, "application/yaml", nil
	}
	if strings.HasPrefix(strings.TrimSpace(string(text)), "{") {
		return text, "application/json", nil
	}
	return text, "application/yaml", nil
}

// save streams to a file that appears whole or not at all, "-" for out.
func (s *session) save(path string, write func(w io.Writer) error) (err error) {
	if path == "-" {
		return write(s.out)
	}
	temp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(temp.Name()))
		}
	}()
	if err := write(temp); err != nil {
		return errors.Join(err, temp.Close())
	}
	if err := errors.Join(temp.Sync(), temp.Close()); err != nil {
		return err
	}
	return os.Rename(temp.Name(), path)
}

// download makes a request and saves what comes.
func (s *session) download(r call, path string) (size int64, err error) {
	response, err := s.client.do(s.ctx, r)
	if err != nil {
		return 0, err
	}
	defer closeBody(response)
	p := newProgress(s.err, "received", response.ContentLength)
	defer p.done()
	err = s.save(path, func(w io.Writer) error {
		var err error
		if size, err = io.Copy(w, p.reader(response.Body)); err != nil {
			return fmt.Errorf("the transfer broke off after %s: %w", bytesText(size), err)
		}
		return nil
	})
	return size, err
}

// validID says whether s is a name of an organisation, project, dataset or unit space.
func validID(s string) bool {
	return s != "" && len(s) <= 63 && s[0] >= 'a' && s[0] <= 'z' && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789_") == ""
}

const idForm = "a lower-case letter, then lower-case letters, digits and _"

// oneID checks an argument that names one thing.
func oneID(what, s string) error {
	if !validID(s) {
		return usage("%q is not the name of %s: write %s", printable(s), what, idForm)
	}
	return nil
}

// pair splits org.dataset or org/space.
func pair(what, separator, s string) (org, name string, err error) {
	org, name, _ = strings.Cut(s, separator)
	if !validID(org) || !validID(name) {
		return "", "", usage("%q is not the name of %s: write organisation%sname, each %s", printable(s), what, separator, idForm)
	}
	return org, name, nil
}
