package middleware

// all are the three-digit statuses, each where it can be cut out.
var all = func() string {
	digits := make([]byte, 0, 3*900)
	for s := 100; s < 1000; s++ {
		digits = append(digits, byte('0'+s/100), byte('0'+s/10%10), byte('0'+s%10))
	}
	return string(digits)
}()

const classes = "1xx2xx3xx4xx5xx6xx7xx8xx9xx"

// other stands for values that must not become one of a dimension's.
const other = "OTHER"

func statusText(status int) string {
	switch {
	case status == 0:
		return ""
	case status < 100 || status > 999:
		return other
	}
	return all[3*(status-100) : 3*(status-99)]
}

func statusClass(status int) string {
	switch {
	case status == 0:
		return ""
	case status < 100 || status > 999:
		return other
	}
	class := status / 100
	return classes[3*(class-1) : 3*class]
}
