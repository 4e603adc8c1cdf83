package privacy

import "os"

// soak reports whether statistical tests run at their full size.
func soak() bool { return os.Getenv("ENTREPOT_SOAK") != "" }
