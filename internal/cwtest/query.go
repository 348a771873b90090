package cwtest

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"
)

func queryAction(body []byte) string {
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return ""
	}
	return form.Get("Action")
}

// form is a body of the query protocol: members of lists are called Name.member.1 and so on.
type form map[string]string

func (queryMetrics) metricData(body []byte) (*metricDataInput, *failure) {
	values, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, malformed(err)
	}
	f := make(form, len(values))
	lists := make(map[string]bool)
	for name, v := range values {
		f[name] = v[0]
		for at := strings.Index(name, ".member."); at >= 0; {
			end := at + len(".member.")
			for end < len(name) && name[end] != '.' {
				end++
			}
			lists[name[:end]] = true
			next := strings.Index(name[end:], ".member.")
			if next < 0 {
				break
			}
			at = end + next
		}
	}
	r := queryReader{form: f, lists: lists}
	in := &metricDataInput{Namespace: r.text("Namespace")}
	r.each("MetricData", func(at string) { in.MetricData = append(in.MetricData, r.datum(at)) })
	if strict := r.text("StrictEntityValidation"); strict != nil {
		yes := *strict == "true"
		in.StrictEntityValidation = &yes
	}
	if r.err != nil {
		return nil, malformed(r.err)
	}
	return in, nil
}

// queryReader reads a form. Its first error stays.
type queryReader struct {
	form  form
	lists map[string]bool // the members of lists that there are
	err   error
}

func (r *queryReader) each(list string, member func(at string)) {
	for i := 1; ; i++ {
		at := fmt.Sprintf("%s.member.%d", list, i)
		if !r.lists[at] {
			return
		}
		member(at)
	}
}

func (r *queryReader) text(name string) *string {
	if v, ok := r.form[name]; ok {
		return &v
	}
	return nil
}

func (r *queryReader) number(name string) *number {
	text, ok := r.form[name]
	if !ok {
		return nil
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil && r.err == nil {
		r.err = fmt.Errorf("%s: %w", name, err)
	}
	n := number(v)
	return &n
}

func (r *queryReader) numbers(list string) (ns []number) {
	r.each(list, func(at string) { ns = append(ns, *r.number(at)) })
	return ns
}

func (r *queryReader) datum(at string) datum {
	d := datum{
		MetricName: r.text(at + ".MetricName"), Unit: r.text(at + ".Unit"), Value: r.number(at + ".Value"),
		Values: r.numbers(at + ".Values"), Counts: r.numbers(at + ".Counts"),
	}
	r.each(at+".Dimensions", func(at string) {
		d.Dimensions = append(d.Dimensions, dimension{r.text(at + ".Name"), r.text(at + ".Value")})
	})
	if text := r.text(at + ".Timestamp"); text != nil {
		t, err := time.Parse(time.RFC3339Nano, *text)
		if err != nil && r.err == nil {
			r.err = err
		}
		d.Timestamp = &timestamp{t}
	}
	if n := r.number(at + ".StorageResolution"); n != nil {
		resolution := int(*n)
		d.StorageResolution = &resolution
	}
	set := statisticSet{
		r.number(at + ".StatisticValues.SampleCount"), r.number(at + ".StatisticValues.Sum"),
		r.number(at + ".StatisticValues.Minimum"), r.number(at + ".StatisticValues.Maximum"),
	}
	if set != (statisticSet{}) {
		d.StatisticValues = &set
	}
	return d
}
