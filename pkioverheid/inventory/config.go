package inventory

import (
	"context"
	"io/fs"
	"iter"
	"net"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/go-pkioverheid/trust/chain"
	"github.com/go-pkioverheid/trust/pkioverheid/advice"
)

// Config says how to scan. The zero value works.
type Config struct {
	// Passwords yields what may be the password of a key store, the likeliest first.
	// It is asked after the key store was tried without a password, from several
	// goroutines at once. nil means that none is known. Each try can take seconds,
	// since key stores make guessing slow.
	Passwords func(path string) iter.Seq[string]

	// Parallel is how many files are read at the same time; zero or less means
	// GOMAXPROCS.
	Parallel int

	// ParallelHosts is how many hosts are asked at the same time; zero or less means 64.
	ParallelHosts int

	// Time is the time to verify at; zero means that at which the scan begins.
	Time time.Time

	// Verifier verifies the chains; nil means that of pkioverheid.NewVerifier for a zero
	// pkioverheid.Trust.
	Verifier *chain.Verifier

	// Use is what the certificates are used for, on which the advice depends; zero
	// means that it goes by what each certificate allows.
	Use advice.Use

	// JudgeAhead verifies each certificate before its Result is delivered, in the
	// goroutines that read. It is for those who want to know of all; otherwise
	// a Result is verified when it is asked, by the goroutine that asks.
	JudgeAhead bool

	// MaxFileSize is how many bytes of a file are in memory at most; zero or less means
	// 64 MiB. A larger file is a Result with an Err, unless it is text, which is read in
	// parts.
	MaxFileSize int64

	// Timeout bounds the time for one host, from dialling to its certificates; zero
	// or less means 10 seconds. Connecting may take 3 seconds of it, unless Dial says
	// otherwise.
	Timeout time.Duration

	// ServerName is the name that hosts are asked for (SNI), and that what they present
	// must be for; empty means that of the target.
	ServerName string

	// Dial connects to hosts; nil means a net.Dialer with a timeout of 3 seconds.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)

	// FS is where files and folders are, with the targets as its paths; nil means the
	// operating system's. In an FS, symbolic links to files are opened, and those
	// to folders are skipped.
	FS fs.FS

	// Exclude, if not nil, reports whether a file or folder is left out, with all that is
	// below it. It is asked for each that is found in a folder, by one goroutine at a time.
	Exclude func(path string) bool

	// OneFileSystem leaves out folders of other file systems than that of the target.
	// Those that hold no files, such as proc and sysfs, are left out in any case, unless
	// they are a target or below one. Linux only.
	OneFileSystem bool

	// SkipArchives leaves out what is in zip, tar and gzip, unless it is a target itself:
	// unpacking takes most of the time where there are many. Each counts as
	// [Progress].Unread.
	SkipArchives bool

	// Progress, if not nil, is counted up during the scan.
	Progress *Progress
}

// Progress counts what a scan has seen so far. Any goroutine may read it at any
// time.
type Progress struct {
	Folders, Files, Hosts, Certificates, Bytes atomic.Int64

	// Unread counts archives, images, databases and key stores of kinds that are not read.
	// Each is a Result with [ErrSkipped], too.
	Unread atomic.Int64
}

const (
	defaultMaxFileSize = 64 << 20
	defaultTimeout     = 10 * time.Second

	defaultParallelHosts = 64

	// connectTimeout is how long a host that does not exist is waited for.
	connectTimeout = 3 * time.Second
)

func (cfg Config) withDefaults() Config {
	if cfg.Parallel <= 0 {
		cfg.Parallel = runtime.GOMAXPROCS(0)
	}
	if cfg.ParallelHosts <= 0 {
		cfg.ParallelHosts = defaultParallelHosts
	}
	if cfg.Time.IsZero() {
		cfg.Time = time.Now()
	}
	if cfg.MaxFileSize <= 0 {
		cfg.MaxFileSize = defaultMaxFileSize
	}
	if cfg.Timeout <= 0 {
		cfg.Timeout = defaultTimeout
	}
	if cfg.Dial == nil {
		cfg.Dial = (&net.Dialer{Timeout: connectTimeout}).DialContext
	}
	if cfg.Progress == nil {
		cfg.Progress = new(Progress)
	}
	return cfg
}
