package inventory_test

import "os"

// thorough is set by .ci/run: slow tests then do all of their work.
var thorough = os.Getenv("THOROUGH") != ""
