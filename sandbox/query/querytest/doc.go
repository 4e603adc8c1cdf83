// Package querytest makes random tables and random questions over the whole grammar, and says by loops
// over rows what the exact, contribution-bounded answer is.
//
// Evaluate is written from the words of package query alone: it shares the meaning of expressions
// (query.Eval) and the encoding of keys with engines, and nothing else. It is slow and obvious, and what
// an engine must agree with, bit for bit.
//
// Worlds puts many small tables into one, so that one statement answers a question about each of them.
//
// Only tests may import it.
package querytest
