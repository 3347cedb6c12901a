package safetext

import (
	"log/slog"
	"time"
)

// Group is what a LogValue returns: a group of those attributes that are not empty, with
// each text on one line of at most MostError bytes.
func Group(attrs ...slog.Attr) slog.Value {
	some := make([]slog.Attr, 0, len(attrs))
	for _, a := range attrs {
		switch v := a.Value; v.Kind() {
		case slog.KindString:
			if v.String() == "" {
				continue
			}
			a.Value = slog.StringValue(Shorten(Printable(v.String(), MostError), MostError))
		case slog.KindTime:
			if v.Time().IsZero() {
				continue
			}
			a.Value = slog.StringValue(v.Time().UTC().Format(time.RFC3339))
		case slog.KindBool:
			if !v.Bool() {
				continue
			}
		}
		some = append(some, a)
	}
	return slog.GroupValue(some...)
}
