package access

// Limits of the documents.
const (
	maxSmallDocument = 64 << 10 // bytes of an organisation or a project
	maxList          = 256      // values in a list: every jurisdiction fits
	maxTitle         = 200      // bytes
)

// ParseOrganisation reads an organisation from JSON or YAML, strictly. The document may leave out
// its id where id gives it, and must not name another; with an empty id it must give its own.
// Errors wrap ErrDocument.
func ParseOrganisation(id string, text []byte) (Organisation, error) {
	var o Organisation
	if err := decodeStrict(text, maxSmallDocument, &o); err != nil {
		return Organisation{}, err
	}
	if err := sameID(id, &o.ID); err != nil {
		return Organisation{}, err
	}
	if err := o.Validate(); err != nil {
		return Organisation{}, err
	}
	return o, nil
}

// Validate returns an error that wraps ErrDocument and lists what is wrong with o, if anything is.
func (o Organisation) Validate() error {
	var p problems
	p.add("id", idProblem(o.ID))
	p.add("title", textProblem(o.Title, maxTitle))
	p.add("jurisdiction", jurisdictionProblem(o.Jurisdiction))
	return p.err()
}

// sameID sets *inside, the id that a document gives, to id, the one of the place where it was put.
// Two that differ are an error: one of them is a mistake, and we cannot know which.
func sameID(id string, inside *string) error {
	if id != "" && *inside == "" {
		*inside = id
	}
	if id == "" || *inside == id {
		return nil
	}
	var p problems
	p.add("id", "the document is of "+quote(*inside)+", the address of "+quote(id))
	return p.err()
}
