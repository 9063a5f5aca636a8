// containerd's own ttrpc client, as Debian ships it, against a running daemon.
//
//	ttrpc-client SOCKET MODEL [SLOW_MODEL]
//
// This version of ttrpc supports only unary calls. With MODEL "-" no check needs a model, so that the program also
// runs against server.go. The slow model takes at least five seconds per response.
package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"sync"
	"time"

	"github.com/containerd/ttrpc"
	"github.com/gogo/protobuf/proto"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

const (
	generation = "genwire.v1.Generation"
	control    = "genwire.v1.Control"
)

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: ttrpc-client SOCKET MODEL [SLOW_MODEL]")
		os.Exit(64)
	}
	socket, model := os.Args[1], os.Args[2]
	connection, err := net.Dial("unix", socket)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(69)
	}
	client := ttrpc.NewClient(connection)
	defer client.Close()

	checks := checks{}
	checks.run("health", func() error { return health(client) })
	checks.run("ping", func() error { return ping(client, "Hello") })
	checks.run("large_ping", func() error { return ping(client, string(bytes.Repeat([]byte{0, 0xFF}, 1<<20))) })
	checks.run("side_by_side", func() error { return sideBySide(client) })
	checks.run("unknown_method", func() error {
		err := client.Call(withTimeout(), generation, "NoSuchMethod", &HealthRequest{}, &HealthResponse{})
		return want(err, codes.Unimplemented, "")
	})
	checks.run("unknown_service", func() error {
		err := client.Call(withTimeout(), "genwire.v1.NoSuchService", "Health", &HealthRequest{}, &HealthResponse{})
		return want(err, codes.Unimplemented, "")
	})
	if model != "-" {
		checks.run("chat", func() error { return chat(client, model) })
		checks.run("unknown_model", func() error {
			return want(ask(client, withTimeout(), request("no-such-model"), nil), codes.NotFound, "UNKNOWN_MODEL")
		})
		checks.run("chat_without_messages", func() error {
			err := ask(client, withTimeout(), &ChatRequest{Model: model}, nil)
			return want(err, codes.InvalidArgument, "INVALID_REQUEST")
		})
	}
	if len(os.Args) > 3 {
		checks.run("deadline", func() error { return deadline(client, os.Args[3]) })
		checks.run("cancel", func() error { return cancel(client, os.Args[3]) })
	}
	// The connection survives every failed call above.
	checks.run("health_again", func() error { return health(client) })
	checks.finish()
}

func health(client *ttrpc.Client) error {
	answer := &HealthResponse{}
	if err := client.Call(withTimeout(), generation, "Health", &HealthRequest{}, answer); err != nil {
		return err
	}
	if answer.Status != "serving" || answer.Version == "" {
		return fmt.Errorf("answered %v", answer)
	}
	return nil
}

func ping(client *ttrpc.Client, payload string) error {
	answer := &PingResponse{}
	if err := client.Call(withTimeout(), control, "Ping", &PingRequest{Payload: []byte(payload)}, answer); err != nil {
		return err
	}
	if string(answer.Payload) != payload {
		return fmt.Errorf("%d bytes came back for %d", len(answer.Payload), len(payload))
	}
	return nil
}

// Many callers share one connection; each must get the response to its own request.
func sideBySide(client *ttrpc.Client) error {
	const callers, calls = 16, 50
	failures := make(chan error, callers)
	var group sync.WaitGroup
	for caller := 0; caller < callers; caller++ {
		group.Add(1)
		go func(caller int) {
			defer group.Done()
			for call := 0; call < calls; call++ {
				if err := ping(client, fmt.Sprintf("caller %d call %d", caller, call)); err != nil {
					failures <- err
					return
				}
			}
		}(caller)
	}
	group.Wait()
	close(failures)
	return <-failures // nil where none came
}

func chat(client *ttrpc.Client, model string) error {
	answer := &ChatResponse{}
	if err := ask(client, withTimeout(), request(model), answer); err != nil {
		return err
	}
	if answer.Message == nil || answer.Message.Role != roleAssistant || answer.Message.Content == "" {
		return fmt.Errorf("answered %v", answer)
	}
	if answer.FinishReason != finishStop || answer.Id == "" || answer.Provider == "" {
		return fmt.Errorf("answered %v", answer)
	}
	return nil
}

// The deadline in the message: the transport's deadline would end the wait in the client, whatever the server does.
func deadline(client *ttrpc.Client, model string) error {
	slow := request(model)
	slow.DeadlineMs = 300
	return want(ask(client, withTimeout(), slow, nil), codes.DeadlineExceeded, "TIMEOUT")
}

func cancel(client *ttrpc.Client, model string) error {
	slow := request(model)
	slow.CallId = "go-cancel"
	ended := make(chan error, 1)
	go func() { ended <- ask(client, withTimeout(), slow, nil) }()
	for {
		answer := &CancelResponse{}
		if err := client.Call(withTimeout(), control, "Cancel", &CancelRequest{CallId: slow.CallId}, answer); err != nil {
			return err
		}
		if answer.Found {
			return want(<-ended, codes.Canceled, "CANCELLED")
		}
		select {
		case err := <-ended:
			return fmt.Errorf("the call ended before it could be cancelled: %v", err)
		case <-time.After(time.Millisecond):
		}
	}
}

func request(model string) *ChatRequest {
	return &ChatRequest{Model: model, Messages: []*Message{{Role: roleUser, Content: "Hello there"}}}
}

func ask(client *ttrpc.Client, limit context.Context, request *ChatRequest, answer *ChatResponse) error {
	if answer == nil {
		answer = &ChatResponse{}
	}
	return client.Call(limit, generation, "Chat", request, answer)
}

func withTimeout() context.Context {
	limit, release := context.WithTimeout(context.Background(), 30*time.Second)
	time.AfterFunc(30*time.Second, release)
	return limit
}

// want checks the code of an error, and the kind in its details if one is given.
func want(err error, code codes.Code, kind string) error {
	if status.Code(err) != code {
		return fmt.Errorf("code %v instead of %v: %v", status.Code(err), code, err)
	}
	if kind == "" {
		return nil
	}
	answer, _ := status.FromError(err)
	for _, detail := range answer.Proto().Details {
		if detail.TypeUrl != "type.googleapis.com/genwire.v1.ErrorDetail" {
			continue
		}
		found := &ErrorDetail{}
		if err := proto.Unmarshal(detail.Value, found); err != nil {
			return err
		}
		if found.Kind != kind {
			return fmt.Errorf("kind %s instead of %s", found.Kind, kind)
		}
		return nil
	}
	return fmt.Errorf("no ErrorDetail in %v", err)
}

type checks struct{ passed, failed int }

func (c *checks) run(name string, check func() error) {
	if err := check(); err != nil {
		c.failed++
		fmt.Printf("not ok %s: %v\n", name, err)
		return
	}
	c.passed++
	fmt.Printf("ok %s\n", name)
}

func (c *checks) finish() {
	fmt.Printf("%d passed, %d failed\n", c.passed, c.failed)
	if c.failed > 0 {
		os.Exit(1)
	}
}
