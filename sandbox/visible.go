package sandbox

import (
	"context"
	"errors"

	"entrepot/access"
	"entrepot/sandbox/query"
)

// visibleTables is the catalogue as the asker may see it: a table that is absent and one that is
// hidden are the same to the planner.
type visibleTables struct {
	ctx       context.Context
	service   *Service
	principal access.Principal
	project   access.Project
	merges    merges
	found     map[string]foundTable // by id; each is looked up once, so that a plan sees one declaration of it
	err       error                 // a failure of the store
}

type foundTable struct {
	Dataset
	revision int64 // of its declaration
}

// Table implements query.Catalogue.
func (v *visibleTables) Table(org, name string) (query.Table, bool) {
	id := org + "." + name
	if t, ok := v.found[id]; ok {
		return query.Table{ID: id, Declaration: t.Declaration}, true
	}
	d, revision, err := v.service.dataset(v.ctx, id)
	if errors.Is(err, ErrNotFound) {
		return query.Table{}, false
	}
	if err != nil {
		v.err = unavailable(err)
		return query.Table{}, false
	}
	ok, err := v.service.visibleIn(v.ctx, v.principal, id, v.project)
	if err != nil {
		v.err = err
		return query.Table{}, false
	}
	if !ok && ownerOf(v.principal, org) != nil {
		return query.Table{}, false
	}
	if d, err = v.merges.apply(d); err != nil {
		v.err = v.moved(id, revision, err)
		return query.Table{}, false
	}
	v.found[id] = foundTable{d, revision}
	return query.Table{ID: id, Declaration: d.Declaration}, true
}

// moved returns errMoved where a declaration changed after it was read: then what does not fit it may be the
// rows registered under the next one.
func (v *visibleTables) moved(id string, revision int64, otherwise error) error {
	if _, now, err := v.service.dataset(v.ctx, id); err == nil && now != revision {
		return errMoved
	}
	return otherwise
}
