// Package api is the REST interface to sandbox.Service. openapi.yaml is its source: types and the
// server interface are generated from it, it is served at /openapi.yaml, and tests hold routes,
// examples and error codes to it.
//
// It promises:
//
//   - Identity comes from one place: a bearer token that Options.Verify accepts. Every route below
//     /v1/ needs one, and no header, address or parameter stands in for it.
//   - A request reaches a handler only along a path that the specification writes, letter by letter:
//     encoded, doubled or trailing slashes, dots, unknown query parameters and other methods are
//     refused before anything is read.
//   - Bodies are read within limits and strictly: what is unknown, written twice or ambiguous is an
//     error with its path, never a guess.
//   - An error is problem+json made of sandbox.Error's public half. Everything else about it goes to the
//     operator's log, which never holds bodies, SQL, tokens, query strings or values that panicked.
//   - The same answer is written as the same bytes, whole and with its length, never compressed.
//
// It does not decide who may do what, beyond asking for a token: the Service does. It does not hide how
// long a question ran, nor does it terminate TLS; NewServer has the timeouts that New relies on.
//
// Only the program that wires the server calls it. It is the only importer of Echo, and imports neither
// engine, query nor store, so that no handler can reach a row.
package api
