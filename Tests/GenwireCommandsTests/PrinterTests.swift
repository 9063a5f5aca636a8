import Foundation
import Generation
import Testing

@testable import GenwireCommands
@testable import Messages

/// The output for people: responses and reports.
@Suite struct PrinterTests {
    /// Collects what a printer writes. Confined to one test.
    private final class Page {
        var output = ""
        var errors = ""

        func printer(json: Bool = false) -> AnswerPrinter {
            AnswerPrinter(json: json, output: { self.output += $0 }, errors: { self.errors += $0 })
        }
    }

    private static func chunks(_ events: [ChunkEvent], _ completion: AnswerTrailer = AnswerTrailer()) -> [StreamedChunk]
    {
        events.enumerated().map { StreamedChunk(seq: UInt64($0), content: .event($1)) }
            + [
                StreamedChunk(
                    seq: UInt64(events.count), content: .completed(completion, chunkCount: UInt64(events.count)))
            ]
    }

    private static func call(_ index: Int, _ name: String, _ arguments: String) -> ChunkEvent {
        .toolCall(
            ToolCallDelta(index: index, id: name.isEmpty ? "" : "i\(index)", name: name, argumentsJSONDelta: arguments))
    }

    @Test func aStreamedTextEndsWithOneLineFeed() {
        for pieces in [["Hel", "lo"], ["Hello", "\n"]] {
            let page = Page()
            var printer = page.printer()
            for chunk in Self.chunks(pieces.map { .text($0) }) { printer.piece(chunk) }
            #expect(page.output == "Hello\n")
            #expect(page.errors == "")
            #expect(printer.message.content == pieces.joined())
        }
    }

    @Test func toolCallsStandOnLinesOfTheirOwn() {
        let page = Page()
        var printer = page.printer()
        let events = [
            .text("I look."), Self.call(0, "f", "{\"a\""), Self.call(0, "", ":1}"), Self.call(1, "g", "{}"),
        ]
        for chunk in Self.chunks(events) { printer.piece(chunk) }
        #expect(page.output == "I look.\n-> f({\"a\":1})\n-> g({})\n")
    }

    @Test func thoughtsAndNotesGoToStandardError() {
        let page = Page()
        var printer = page.printer()
        var completion = AnswerTrailer()
        completion.warnings = ["top_k was dropped"]
        for chunk in Self.chunks([.reasoning("hm"), .reasoning("m"), .text("Yes")], completion) { printer.piece(chunk) }
        #expect(page.output == "Yes\n")
        #expect(page.errors.contains("hm"))
        #expect(page.errors.hasSuffix("\nnote: top_k was dropped\n"))
    }

    /// What the model made and what it refers to stands below the text; each source once.
    @Test func partsAndSourcesFollowTheText() {
        var completion = AnswerTrailer()
        completion.citations = [
            Citation(url: "https://a", title: "A", start: 0, end: 2), Citation(url: "https://a", title: "A"),
            Citation(documentID: "doc 2"), Citation(quote: "so it is"), Citation(),
        ]
        let image = Part.image(Image(mimeType: "image/png", source: .data([1, 2, 3])))
        let sources = "[1] A https://a\n[2] doc 2\n[3] so it is\n"
        let streamed = Page()
        var printer = streamed.printer()
        for chunk in Self.chunks([.text("Look"), .part(image), .text("!")], completion) { printer.piece(chunk) }
        #expect(streamed.output == "Look\n[image image/png, 3 bytes; --json prints them]\n!\n" + sources)
        #expect(printer.message.parts == [image] && printer.message.content == "Look!")
        let whole = Page()
        let message = Message(
            role: .assistant, content: "Look", parts: [.image(Image(mimeType: "", source: .url("https://i")))])
        whole.printer().chat(ChatResponse(message: message, completion: completion))
        #expect(whole.output == "Look\n[image https://i]\n" + sources)
    }

    @Test func aBrokenLineIsEnded() {
        let page = Page()
        var printer = page.printer()
        printer.piece(StreamedChunk(seq: 0, content: .event(.text("half"))))
        printer.finishLine()
        printer.finishLine()
        #expect(page.output == "half\n")
    }

    @Test func aWholeAnswer() {
        let message = Message(
            role: .assistant, content: "Hi", toolCalls: [ToolCall(id: "i", name: "f", argumentsJSON: "{}")])
        let page = Page()
        page.printer().chat(ChatResponse(message: message, completion: AnswerTrailer()))
        #expect(page.output == "Hi\n-> f({})\n")
        let generated = Page()
        generated.printer().generated(ChatResponse(message: message, completion: AnswerTrailer()))
        #expect(generated.output == page.output)
    }

    @Test func programsGetOneObjectPerLine() throws {
        let page = Page()
        var printer = page.printer(json: true)
        for chunk in Self.chunks([.text("a\nb"), .reasoning("r")]) { printer.piece(chunk) }
        printer.finishLine()
        let lines = page.output.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.count == 4 && lines.last == "")
        for line in lines.dropLast() {
            #expect(try JSONSerialization.jsonObject(with: Data(line.utf8)) is [String: Any])
        }
        #expect(page.errors == "")
        #expect(printer.message.content == "a\nb")
        let whole = Page()
        whole.printer(json: true).chat(ChatResponse(message: Message(role: .assistant), completion: AnswerTrailer()))
        #expect(whole.output.hasSuffix("}\n"))
    }

    // MARK: - Reports

    @Test func healthInWords() {
        var report = HealthReport(status: .serving, version: "1.2", uptimeSeconds: 61.9)
        #expect(Health.text(report) == "serving, version 1.2, up 61 s")
        report.providers = [.init(provider: "openai", model: "default", status: .failed, detail: "no key")]
        #expect(
            Health.text(report) == """
                serving, version 1.2, up 61 s
                MODEL    PROVIDER  STATUS  DETAIL
                default  openai    failed  no key
                """)
    }

    @Test func credentialsInWords() {
        let good = AuthReport(
            model: "m", provider: "p", isValid: true, status: .healthy, detail: "", expiresInSeconds: 90)
        let lines = Auth.text([good]).split(separator: "\n")
        #expect(lines.count == 2)
        #expect(lines.last == "m      p         yes    healthy  90 s     ")
    }

    @Test func whichCredentialIsAFailure() {
        func report(_ status: CredentialStatus, isOptional: Bool, isValid: Bool = false) -> AuthReport {
            AuthReport(
                model: "m", provider: "p", isValid: isValid, status: status, detail: "", isOptional: isOptional)
        }
        #expect(!Auth.isFailure(report(.healthy, isOptional: false, isValid: true), isNamed: true))
        #expect(Auth.isFailure(report(.failed, isOptional: false), isNamed: false))
        #expect(Auth.isFailure(report(.failed, isOptional: true), isNamed: false))
        #expect(!Auth.isFailure(report(.unconfigured, isOptional: true), isNamed: false))
        #expect(Auth.isFailure(report(.unconfigured, isOptional: true), isNamed: true))
        #expect(Auth.isFailure(report(.unconfigured, isOptional: false), isNamed: false))
    }

    @Test func modelsAndUsageInWords() {
        var list = ModelList()
        list.models = [
            .init(name: "m", provider: "p", modelName: "v", capabilities: ["chat", "tools"], isDefault: true)
        ]
        list.models[0].contextWindow = 1000
        list.models[0].inputPrice = 2
        list.models[0].outputPrice = 0.5
        list.models[0].retiresOn = "2027-01-31"
        list.routes = [.init(name: "r", strategy: "fallback", targets: ["m", "n"])]
        let lines = Models.text(list).split(separator: "\n")
        #expect(
            lines == [
                "NAME  PROVIDER  MODEL     CONTEXT  OUTPUT  $IN  $CACHED  $OUT  RETIRES     CAN",
                "m     p         v         1000             2             0.5   2027-01-31  chat tools",
                "r     route     fallback                                                   m n",
            ])
        var row = UsageReport()
        row.provider = "p"
        row.model = "m"
        row.requests = 3
        row.averageLatencySeconds = 0.0125
        #expect(UsageCommand.text([row]).hasSuffix("3         0       0          0      0       12"))
    }
}
