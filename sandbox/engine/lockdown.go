package engine

import (
	"context"
	"database/sql/driver"
	"fmt"
	"strconv"
)

// lockDown fixes every setting of the instance, in the one order that works: folders must be named
// while the outside is reachable, and the lock comes last.
func lockDown(c driver.Conn, o Options) error {
	execer, ok := c.(driver.ExecerContext)
	if !ok {
		return fmt.Errorf("lock duckdb: the driver cannot execute")
	}
	for _, setting := range settings(o) {
		if _, err := execer.ExecContext(context.Background(), "SET "+setting, nil); err != nil {
			return fmt.Errorf("lock duckdb: %s: %w", setting, err)
		}
	}
	return nil
}

// settings lists what lockDown sets.
func settings(o Options) []string {
	return []string{
		"temp_directory = " + quote(o.TempDir),
		"temp_file_encryption = true",
		"allow_persistent_secrets = false",
		"allowed_directories = [" + quote(o.Dir) + "]",
		"enable_external_access = false",
		"autoload_known_extensions = false",
		"autoinstall_known_extensions = false",
		"allow_community_extensions = false",
		"allow_unsigned_extensions = false",
		"threads = " + strconv.Itoa(o.Threads),
		"memory_limit = " + quote(strconv.FormatInt(o.MemoryLimit, 10)+"B"),
		"enable_progress_bar = false",
		// What an answer could depend on is fixed, whatever the machine's locale.
		"TimeZone = 'UTC'",
		"Calendar = 'gregorian'",
		"default_collation = ''",
		"ieee_floating_point_ops = true",
		// Canonical files never change, so their footers are read once.
		"parquet_metadata_cache = true",
		"lock_configuration = true",
	}
}
