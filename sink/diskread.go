package sink

import (
	"fmt"

	"github.com/liftemf/liftemf/emf"
)

func (d *disk) next() ([]emf.Document, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for d.progress.cursor.Documents < d.head.Documents {
		s := d.unsettled()
		if s == nil || s.start.Documents > d.progress.cursor.Documents {
			to := d.head
			if s != nil {
				to = s.start
			}
			d.damaged(d.progress.cursor, to)
			continue
		}
		view := *s
		d.mu.Unlock()
		parcels, buf, more, err := view.readParcels(d.read)
		d.mu.Lock()
		if d.read = buf; err != nil {
			return nil, fmt.Errorf("sink: Spool: %w", err)
		}
		if d.choose(s, parcels, view.end, more); len(d.flight) > 0 {
			break
		}
	}
	docs := make([]emf.Document, len(d.flight))
	for i := range docs {
		docs[i] = d.flight[i].doc
	}
	return docs, nil
}

// unsettled returns the oldest segment with documents that are not settled.
func (d *disk) unsettled() *segment {
	for _, s := range d.segments {
		if s.end.Documents > d.progress.cursor.Documents {
			return s
		}
	}
	return nil
}

// choose puts those into flight that are not settled, of parcels read from s, and counts what is
// missing between them; unless there is more, also what is missing up to end.
func (d *disk) choose(s *segment, parcels []parcel, end Amount, more bool) {
	expected := d.progress.skip(d.progress.cursor)
	for _, p := range parcels {
		if p.at.Documents > expected.Documents {
			d.damaged(expected, p.at)
		}
		if after := d.progress.skip(p.at); after.Documents > p.at.Documents {
			if p.at.Documents < d.progress.cursor.Documents && len(d.flight) == 0 {
				s.delivered = max(s.delivered, p.end)
			}
			continue
		}
		p.segment = s
		d.flight = append(d.flight, p)
		expected = d.progress.skip(p.at.plus(amountOf(&p.doc)))
	}
	if !more {
		d.damaged(expected, end)
	}
}

// damaged settles documents that cannot be read.
func (d *disk) damaged(from, to Amount) {
	if to.Documents > from.Documents {
		d.ledger.drop(DropDamaged, d.progress.settle(from, to))
	}
}

func (d *disk) settle(fates []fate) {
	d.mu.Lock()
	var took, rejected, evicted Amount
	for i, p := range d.flight {
		amount := amountOf(&p.doc)
		gone := p.at.Documents < d.progress.cursor.Documents // with its segment
		switch {
		case fates == nil || fates[i] == delivered:
			took = took.plus(amount)
		case fates[i] == refused:
			rejected = rejected.plus(amount)
		case gone:
			evicted = evicted.plus(amount)
			continue
		default:
			continue
		}
		if !gone {
			d.progress.settle(p.at, p.at.plus(amount))
		}
	}
	for _, p := range d.flight {
		if p.at.Documents < d.progress.cursor.Documents {
			p.segment.delivered = max(p.segment.delivered, p.end)
		}
	}
	d.flight = nil
	d.ledger.deliver(took)
	d.ledger.drop(DropRejected, rejected)
	d.ledger.drop(DropOverflow, evicted)
	d.mu.Unlock()
	d.sweep()
}
