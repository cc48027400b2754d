package projections

// Allow bounds the documents that a read of the past goes through.
func (p *Past) Allow(documents int) { p.most = documents }
