// Package audit makes the JSON of pkio audit of what package inventory finds. To write
// it, or the part of one machine:
//
//	c := audit.NewCollector(audit.Run{Machine: "web01", Tool: "mine", Start: now, At: now})
//	for r := range inventory.Scan(ctx, cfg, "/etc") {
//		c.Take(r)
//	}
//	data, err := json.Marshal(c.Finish(seconds, false, nil))
//
// A certificate is one row with all its places. Parts that were collected apart are put
// together with [Collector.Add]. The same results give the same JSON in any order, and
// texts of others in it are printable and bounded.
package audit
