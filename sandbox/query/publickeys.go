package query

// publicKeys lists every combination of the keys' public values, if all of them have some.
func (p *planner) publicKeys() error {
	combinations := 1
	for _, k := range p.parts.Keys {
		if k.Domain == nil {
			return nil
		}
	}
	for _, k := range p.parts.Keys {
		if combinations *= len(k.Domain); combinations > MaxGroups {
			return p.refuse(nowhere, "group by fewer columns, or by wider ranges", "the GROUP BY keys have more than %d combinations of public values", MaxGroups)
		}
	}
	bytes := 0
	for _, k := range p.parts.Keys {
		if len(k.Domain) > 0 {
			bytes += len(EncodeKey(k.Domain)) * (combinations / len(k.Domain))
		}
	}
	if bytes > MaxKeyBytes {
		return p.refuse(nowhere, "group by fewer columns, or by shorter texts", "the public groups take %d bytes to list; at most %d fit", bytes, MaxKeyBytes)
	}
	values := make([]any, len(p.parts.Keys))
	p.parts.PublicKeys = make([]string, 0, combinations)
	p.combine(values, 0)
	return nil
}

// combine appends the groups that begin with values[:i], the last key changing fastest.
func (p *planner) combine(values []any, i int) {
	if i == len(values) {
		p.parts.PublicKeys = append(p.parts.PublicKeys, EncodeKey(values))
		return
	}
	for _, v := range p.parts.Keys[i].Domain {
		values[i] = v
		p.combine(values, i+1)
	}
}
