package privacy

import (
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	// The noise library's logger starts this goroutine when it is linked in and never ends it.
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("github.com/golang/glog.(*fileSink).flushDaemon"))
}
