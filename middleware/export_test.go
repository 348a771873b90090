package middleware

// ForgetInvocations makes the next invocation the first of the process.
func ForgetInvocations() { invoked.Store(false) }
