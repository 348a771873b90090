package lambdatest

import (
	"io"
	"net"
	"net/http"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// process is one process of a function, with a Runtime API of its own.
type process struct {
	f      *Function
	cmd    *exec.Cmd
	server *http.Server
	work   chan *invocation
	polled atomic.Bool   // it has asked for work: its initialisation is over
	exited chan struct{} // closed when it has ended

	mu       sync.Mutex
	handed   map[string]*invocation // by request id
	waiting  int                    // polls that wait for an invocation
	frozen   bool
	ending   bool
	extended bool // an extension is registered, so SIGTERM comes before SIGKILL
}

// invocation is one on its way.
type invocation struct {
	Invocation
	refused  chan struct{}  // the process that was to have it did not want it any more
	deadline chan time.Time // set when it is handed to the process
	answered chan Result
}

func newInvocation(in Invocation) *invocation {
	return &invocation{in, make(chan struct{}, 1), make(chan time.Time, 1), make(chan Result, 1)}
}

// last returns the answer if it has come at the last moment, or else that there is none.
func (inv *invocation) last(outcome Outcome) Result {
	select {
	case result := <-inv.answered:
		return result
	default:
		return Result{Outcome: outcome}
	}
}

func start(f *Function) *process {
	p := &process{f: f, work: make(chan *invocation), exited: make(chan struct{}), handed: map[string]*invocation{}}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		f.t.Error(err)
		close(p.exited)
		return p
	}
	p.server = &http.Server{Handler: p.api()}
	go p.server.Serve(listener)
	p.mu.Lock() // polls that come at once freeze it
	p.cmd = exec.Command(f.config.Program)
	p.cmd.Env = f.environment(listener.Addr().String())
	p.cmd.Stdout, p.cmd.Stderr = f.stdout, f.stderr
	err = p.cmd.Start()
	p.mu.Unlock()
	if err != nil {
		f.t.Error(err)
		p.server.Close()
		close(p.exited)
		return p
	}
	go func() {
		_ = p.cmd.Wait()
		p.server.Close()
		close(p.exited)
	}()
	return p
}

// api is the Runtime API and as much of the Extensions API as aws-lambda-go asks for.
func (p *process) api() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", p.next)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/response", func(w http.ResponseWriter, r *http.Request) {
		p.answer(w, r, Responded)
	})
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/error", func(w http.ResponseWriter, r *http.Request) {
		p.answer(w, r, Failed)
	})
	mux.HandleFunc("POST /2020-01-01/extension/register", func(w http.ResponseWriter, _ *http.Request) {
		p.mu.Lock()
		p.extended = true
		p.mu.Unlock()
		w.Header().Set("Lambda-Extension-Identifier", "extension")
	})
	mux.HandleFunc("GET /2020-01-01/extension/event/next", func(_ http.ResponseWriter, r *http.Request) {
		<-r.Context().Done() // there are no events for an extension that has asked for none
	})
	return mux
}

func (p *process) next(w http.ResponseWriter, r *http.Request) {
	p.polled.Store(true)
	p.poll(+1)
	var inv *invocation
	select {
	case inv = <-p.work:
	case <-r.Context().Done():
	}
	p.poll(-1)
	if r.Context().Err() != nil { // the process has given up asking
		if inv != nil {
			inv.refused <- struct{}{}
		}
		return
	}
	deadline := time.Now().Add(p.f.config.Timeout)
	p.mu.Lock()
	p.handed[inv.RequestID] = inv
	p.mu.Unlock()
	inv.deadline <- deadline
	h := w.Header()
	h.Set("Lambda-Runtime-Aws-Request-Id", inv.RequestID)
	h.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(deadline.UnixMilli(), 10))
	h.Set("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:eu-central-1:123456789012:function:shop")
	h.Set("Content-Type", "application/json")
	if inv.TraceID != "" {
		h.Set("Lambda-Runtime-Trace-Id", inv.TraceID)
	}
	if inv.TenantID != "" {
		h.Set("Lambda-Runtime-Aws-Tenant-Id", inv.TenantID)
	}
	_, _ = io.WriteString(w, inv.Payload)
}

// poll counts the polls that wait, and freezes the process when none of its loops has work.
func (p *process) poll(change int) {
	if !p.f.config.Freeze {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waiting += change
	idle := p.waiting == p.f.config.Concurrency && !p.ending
	switch {
	case idle && !p.frozen:
		p.signal(syscall.SIGSTOP)
	case !idle && p.frozen:
		p.signal(syscall.SIGCONT)
	}
	p.frozen = idle
}

func (p *process) answer(w http.ResponseWriter, r *http.Request, outcome Outcome) {
	var logged int64
	if info, err := p.f.stdout.Stat(); err == nil {
		logged = info.Size()
	}
	body, err := io.ReadAll(r.Body)
	id := r.PathValue("id")
	p.mu.Lock()
	inv := p.handed[id]
	delete(p.handed, id)
	p.mu.Unlock()
	if inv == nil || err != nil {
		http.Error(w, "no such invocation", http.StatusForbidden)
		return
	}
	inv.answered <- Result{
		Outcome:     outcome,
		Payload:     string(body),
		ContentType: r.Header.Get("Content-Type"),
		StreamError: strings.TrimSpace(r.Trailer.Get("Lambda-Runtime-Function-Error-Type")),
		Logged:      logged,
	}
	w.WriteHeader(http.StatusAccepted)
}

func (p *process) signal(s syscall.Signal) { _ = p.cmd.Process.Signal(s) }

// end ends the process by the rules of Lambda's shutdown phase, and waits for that.
func (p *process) end() {
	p.mu.Lock()
	extended := p.extended
	p.ending = true // a poll that comes now does not freeze it: it is to handle the signal
	if p.frozen {
		p.signal(syscall.SIGCONT)
		p.frozen = false
	}
	p.mu.Unlock()
	if extended {
		p.signal(syscall.SIGTERM)
		select {
		case <-p.exited:
		case <-time.After(p.f.config.Shutdown):
		}
	}
	p.kill()
}

func (p *process) kill() {
	if p.cmd != nil && p.cmd.Process != nil {
		p.signal(syscall.SIGKILL)
	}
	<-p.exited
}
