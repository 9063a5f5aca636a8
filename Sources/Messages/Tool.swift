internal import CGenwireProto
internal import CProtobufC
internal import Generation

extension Tool: MappedValue {
    static var empty: Tool { Tool(name: "") }

    static func initialise(_ wire: UnsafeMutablePointer<Gw__Tool>) { gw__tool__init(wire) }

    static func map<P: FieldPass>(
        _ pass: P, _ wire: UnsafeMutablePointer<Gw__Tool>, _ value: inout Tool
    ) throws(P.Failure) {
        try pass.text(&wire.pointee.name, &value.name, "tools.name", atMost: RequestBounds.name)
        try pass.text(&wire.pointee.description, &value.description, "tools.description")
        try pass.text(&wire.pointee.parameters_json, &value.parametersJSON, "tools.parameters_json")
        pass.optional(
            &wire.pointee.strict_opt_case, GW__TOOL__STRICT_OPT_STRICT, &wire.pointee.strict, &value.strict)
        try pass.message(&wire.pointee.builtin, &value.builtin)
        try pass.message(&wire.pointee.cache_breakpoint, &value.cacheBreakpoint)
    }
}

extension BuiltinTool: MappedValue {
    static var empty: BuiltinTool { BuiltinTool(type: "") }

    static func initialise(_ wire: UnsafeMutablePointer<Gw__BuiltinTool>) { gw__builtin_tool__init(wire) }

    static func map<P: FieldPass>(
        _ pass: P, _ wire: UnsafeMutablePointer<Gw__BuiltinTool>, _ value: inout BuiltinTool
    ) throws(P.Failure) {
        try pass.text(&wire.pointee.type, &value.type, "tools.builtin.type", atMost: RequestBounds.name)
        try pass.text(&wire.pointee.config_json, &value.configJSON, "tools.builtin.config_json")
    }
}

extension FieldPass {
    /// Maps the tools of a request; their number is checked before any of them is decoded.
    func tools(
        _ count: inout Int, _ wire: inout UnsafeMutablePointer<UnsafeMutablePointer<Gw__Tool>?>?,
        _ tools: inout [Tool]
    ) throws(Failure) {
        try check { () throws(MessageError) in
            try RequestBounds.check(count, of: "tools", atMost: RequestBounds.tools)
        }
        try list(&count, &wire, &tools)
    }
}

extension ToolChoice: WireValue {
    static func initialise(_ wire: UnsafeMutablePointer<Gw__ToolChoice>) { gw__tool_choice__init(wire) }

    static func read(_ wire: UnsafeMutablePointer<Gw__ToolChoice>, _ reader: Reader) throws(MessageError) -> ToolChoice
    {
        switch wire.pointee.mode {
        case GW__TOOL_CHOICE__MODE__AUTO: .auto
        case GW__TOOL_CHOICE__MODE__NONE: .none
        case GW__TOOL_CHOICE__MODE__REQUIRED: .required
        case GW__TOOL_CHOICE__MODE__NAMED:
            .named(try wire.pointee.name.text("tool_choice.name", atMost: RequestBounds.name))
        default: throw MessageError("tool_choice.mode \(wire.pointee.mode.rawValue) is unknown")
        }
    }

    func write(_ wire: UnsafeMutablePointer<Gw__ToolChoice>, _ writer: Writer) {
        switch self {
        case .auto: wire.pointee.mode = GW__TOOL_CHOICE__MODE__AUTO
        case .none: wire.pointee.mode = GW__TOOL_CHOICE__MODE__NONE
        case .required: wire.pointee.mode = GW__TOOL_CHOICE__MODE__REQUIRED
        case .named(let name):
            wire.pointee.mode = GW__TOOL_CHOICE__MODE__NAMED
            wire.pointee.name = writer.arena.bytes(name)
        }
    }
}
