package sandbox

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"entrepot/access"
	"entrepot/datasets"
	"entrepot/sandbox/audit"
)

// Register makes an upload the next version of a dataset, whole or not at all. What ingest had to
// change is reported to the owner and nobody else; in strict mode any change refuses the upload.
func (s *Service) Register(ctx context.Context, p access.Principal, id string, upload datasets.Upload, strict bool) (Version, error) {
	org, _, _ := strings.Cut(id, ".")
	if err := ownerOf(p, org); err != nil {
		return Version{}, err
	}
	defer s.uploads.lock(id)()
	d, _, err := s.dataset(ctx, id)
	if err != nil {
		return Version{}, loaded(err, "dataset")
	}
	var key []byte // public facts have no privacy IDs to hash
	var space string
	if !d.Declaration.Public {
		merged, _, err := s.merges(ctx, mergesID)
		if err != nil {
			return Version{}, err
		}
		space = merged.group(d.Declaration.UnitSpace)[0]
		key = s.Keys.UnitSpace(space)
	}
	path := s.tableFile(id, d.Version+1)
	report, err := datasets.Ingest(ctx, d.Declaration, upload, path, key, datasets.Options{Strict: strict, TempDir: s.Temp})
	if err != nil {
		return Version{}, rejected(err)
	}
	v := Version{Dataset: id, Space: space, Version: d.Version + 1, Registered: s.now(),
		Report: report, ContentHash: hex.EncodeToString(report.ContentHash[:])}
	// Should the catalogue refuse, the file stays behind unnamed; the next upload replaces it.
	_, err = s.save(ctx, p, audit.KindVersion, id, d.Version, v, s.commitment(v), d.concerns()...)
	return v, err
}

// tableFile is where a version's canonical rows are.
func (s *Service) tableFile(id string, version int64) string {
	return filepath.Join(s.Tables, fmt.Sprintf("%s.%d.parquet", id, version))
}

// commitment binds the log to a version's rows without telling anything about them: the hash of the
// rows is an exact release, so it is keyed; and two versions that are equal must not look so.
func (s *Service) commitment(v Version) string {
	mac := hmac.New(sha256.New, s.Keys.Commitment())
	fmt.Fprintf(mac, "entrepot/version/v1\n%s\n%d\n%s\n", v.Dataset, v.Version, v.ContentHash)
	return hex.EncodeToString(mac.Sum(nil))
}

// rejected turns an ingest error into what the owner may read. Ingest's own errors quote no cell.
func rejected(err error) error {
	var strict *datasets.StrictError
	switch {
	case errors.As(err, &strict):
		return &Error{Code: CodeRejected, Public: "Strict mode: the table does not fit its declaration, and nothing was registered.",
			Hint: "The report says what would have been changed. Mend the table, widen the declaration, or upload without strict mode.", Detail: strict.Report, Err: err}
	case errors.Is(err, datasets.ErrFormat):
		return &Error{Code: CodeUnsupportedType, Public: "Tables are read as Parquet, Arrow IPC (file or stream) or CSV.", Err: err}
	case errors.Is(err, datasets.ErrTooLarge):
		return &Error{Code: CodeTooLarge, Public: err.Error(), Err: err}
	case errors.Is(err, datasets.ErrMalformed):
		return invalid("%s", err)
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return &Error{Code: CodeUnavailable, Public: "The upload was interrupted; nothing was registered.", Err: err}
	default:
		return err
	}
}

// Version returns the newest version's report to the dataset's owner.
func (s *Service) Version(ctx context.Context, p access.Principal, id string) (Version, error) {
	org, _, _ := strings.Cut(id, ".")
	if err := ownerOf(p, org); err != nil {
		return Version{}, err
	}
	var v Version
	_, err := s.load(ctx, kindVersion, id, &v)
	return v, loaded(err, "version")
}
