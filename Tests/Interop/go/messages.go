// The few messages that the interop programs need, declared with the struct tags that Debian's Protobuf
// runtime for Go reads: no generator is needed. Field numbers are those of Proto/genwire/v1/generation.proto.
package main

import "fmt"

type HealthRequest struct {
	Deep bool `protobuf:"varint,1,opt,name=deep,proto3"`
}

type HealthResponse struct {
	Status        string  `protobuf:"bytes,1,opt,name=status,proto3"`
	Version       string  `protobuf:"bytes,2,opt,name=version,proto3"`
	UptimeSeconds float64 `protobuf:"fixed64,3,opt,name=uptime_seconds,proto3"`
}

type PingRequest struct {
	Payload []byte `protobuf:"bytes,1,opt,name=payload,proto3"`
}

type PingResponse struct {
	Payload []byte `protobuf:"bytes,1,opt,name=payload,proto3"`
}

const (
	roleUser      = 2
	roleAssistant = 3
	finishStop    = 1
)

type Message struct {
	Role    int32  `protobuf:"varint,1,opt,name=role,proto3"`
	Content string `protobuf:"bytes,2,opt,name=content,proto3"`
}

type ChatRequest struct {
	Model      string     `protobuf:"bytes,1,opt,name=model,proto3"`
	Messages   []*Message `protobuf:"bytes,2,rep,name=messages,proto3"`
	CallId     string     `protobuf:"bytes,6,opt,name=call_id,proto3"`
	DeadlineMs uint64     `protobuf:"varint,7,opt,name=deadline_ms,proto3"`
}

type ChatResponse struct {
	Id           string   `protobuf:"bytes,1,opt,name=id,proto3"`
	Model        string   `protobuf:"bytes,2,opt,name=model,proto3"`
	Provider     string   `protobuf:"bytes,3,opt,name=provider,proto3"`
	Message      *Message `protobuf:"bytes,4,opt,name=message,proto3"`
	FinishReason int32    `protobuf:"varint,5,opt,name=finish_reason,proto3"`
}

type CancelRequest struct {
	CallId string `protobuf:"bytes,1,opt,name=call_id,proto3"`
}

type CancelResponse struct {
	Found bool `protobuf:"varint,1,opt,name=found,proto3"`
}

type ErrorDetail struct {
	Kind string `protobuf:"bytes,1,opt,name=kind,proto3"`
}

func (m *HealthRequest) Reset()          { *m = HealthRequest{} }
func (m *HealthRequest) String() string  { return fmt.Sprintf("%+v", *m) }
func (m *HealthRequest) ProtoMessage()   {}
func (m *HealthResponse) Reset()         { *m = HealthResponse{} }
func (m *HealthResponse) String() string { return fmt.Sprintf("%+v", *m) }
func (m *HealthResponse) ProtoMessage()  {}
func (m *PingRequest) Reset()            { *m = PingRequest{} }
func (m *PingRequest) String() string    { return fmt.Sprintf("%+v", *m) }
func (m *PingRequest) ProtoMessage()     {}
func (m *PingResponse) Reset()           { *m = PingResponse{} }
func (m *PingResponse) String() string   { return fmt.Sprintf("%+v", *m) }
func (m *PingResponse) ProtoMessage()    {}
func (m *Message) Reset()                { *m = Message{} }
func (m *Message) String() string        { return fmt.Sprintf("%+v", *m) }
func (m *Message) ProtoMessage()         {}
func (m *ChatRequest) Reset()            { *m = ChatRequest{} }
func (m *ChatRequest) String() string    { return fmt.Sprintf("%+v", *m) }
func (m *ChatRequest) ProtoMessage()     {}
func (m *ChatResponse) Reset()           { *m = ChatResponse{} }
func (m *ChatResponse) String() string   { return fmt.Sprintf("%+v", *m) }
func (m *ChatResponse) ProtoMessage()    {}
func (m *CancelRequest) Reset()          { *m = CancelRequest{} }
func (m *CancelRequest) String() string  { return fmt.Sprintf("%+v", *m) }
func (m *CancelRequest) ProtoMessage()   {}
func (m *CancelResponse) Reset()         { *m = CancelResponse{} }
func (m *CancelResponse) String() string { return fmt.Sprintf("%+v", *m) }
func (m *CancelResponse) ProtoMessage()  {}
func (m *ErrorDetail) Reset()            { *m = ErrorDetail{} }
func (m *ErrorDetail) String() string    { return fmt.Sprintf("%+v", *m) }
func (m *ErrorDetail) ProtoMessage()     {}
