// containerd's own ttrpc server, as Debian ships it, with Genwire's Health and Ping: the reference of the
// benchmark, and a test of client.go.
//
//	ttrpc-server SOCKET
//
// Prints one line to standard error when it serves; ends on SIGTERM or SIGINT.
package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/containerd/ttrpc"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: ttrpc-server SOCKET")
		os.Exit(64)
	}
	if err := serve(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serve(socket string) error {
	server, err := ttrpc.NewServer()
	if err != nil {
		return err
	}
	started := time.Now()
	server.Register("genwire.v1.Generation", map[string]ttrpc.Method{
		"Health": func(_ context.Context, read func(interface{}) error) (interface{}, error) {
			if err := read(&HealthRequest{}); err != nil {
				return nil, err
			}
			uptime := time.Since(started).Seconds()
			return &HealthResponse{Status: "serving", Version: "ttrpc-go", UptimeSeconds: uptime}, nil
		},
	})
	server.Register("genwire.v1.Control", map[string]ttrpc.Method{
		"Ping": func(_ context.Context, read func(interface{}) error) (interface{}, error) {
			request := &PingRequest{}
			if err := read(request); err != nil {
				return nil, err
			}
			return &PingResponse{Payload: request.Payload}, nil
		},
	})
	listener, err := net.Listen("unix", socket)
	if err != nil {
		return err
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	go func() {
		<-signals
		server.Close()
	}()
	fmt.Fprintf(os.Stderr, "ttrpc-server ready on unix:%s\n", socket)
	if err := server.Serve(context.Background(), listener); err != ttrpc.ErrServerClosed {
		return err
	}
	return nil
}
