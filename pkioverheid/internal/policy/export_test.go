package policy

// Below returns what the table has below each hierarchy, by kind.
func Below() map[string][]Kind {
	all := map[string][]Kind{}
	for below, rows := range rows() {
		for _, r := range rows {
			all[below] = append(all[below], r.kind)
		}
	}
	return all
}

// Numbers returns the numbers in the table.
func Numbers() (all []string) {
	for _, t := range table {
		all = append(all, t.number)
	}
	return all
}
