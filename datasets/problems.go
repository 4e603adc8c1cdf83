package datasets

import (
	"errors"
	"fmt"
	"strings"
)

// ErrDeclaration means that a declaration is not acceptable; nothing was registered. The message
// says which column, what is wrong with it and what to write instead. It quotes the declaration,
// which is public, and never rows.
var ErrDeclaration = errors.New("declaration")

// DeclarationError lists what is wrong with a declaration. It wraps ErrDeclaration.
type DeclarationError struct{ Problems []string }

// Error joins the problems into one line.
func (e *DeclarationError) Error() string { return "declaration: " + strings.Join(e.Problems, "; ") }

// Is makes the error match ErrDeclaration.
func (e *DeclarationError) Is(target error) bool { return target == ErrDeclaration }

func declarationError(format string, args ...any) error {
	return &DeclarationError{Problems: []string{fmt.Errorf(format, args...).Error()}}
}

// maxProblems is how many problems are listed; a file that is wrong altogether has thousands.
const maxProblems = 20

// problems collects messages. The zero value has none.
type problems struct {
	messages []string
	more     bool
}

func (p *problems) add(format string, args ...any) {
	if len(p.messages) == maxProblems {
		p.more = true
		return
	}
	p.messages = append(p.messages, fmt.Errorf(format, args...).Error())
}

// err is nil when there is no problem.
func (p *problems) err() error {
	if len(p.messages) == 0 {
		return nil
	}
	m := p.messages
	if p.more {
		m = append(m[:len(m):len(m)], "and more")
	}
	return &DeclarationError{Problems: m}
}
