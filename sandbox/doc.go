// Package sandbox holds Entrepot's use cases: registering organisations, projects, tables,
// policies and budgets, and the one path from a question to a release (submit.go).
//
// It promises that no answer leaves without a durable charge and log entry made before a row was
// read, that a charge is never taken back, and that after admission a caller learns nothing but the
// answer or one constant error. It does not parse SQL, draw noise, decide access or store bytes
// itself: it makes the packages that do so meet. Every method takes the principal who asks and
// checks its role here, whatever the transport did before.
package sandbox
