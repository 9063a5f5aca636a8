internal import JSON

extension UsageAnalytics {
    /// Returns the statistics as a JSON object with one member per provider. Each has `requests`, `tokens_used`,
    /// `average_response_time` (seconds) and `error_rate` (0 to 1).
    public func usageReport() -> String {
        var writer = JSONWriter()
        writer.beginObject()
        for (provider, sums) in usage.sorted(by: { $0.key < $1.key }) {
            writer.key(provider)
            writer.beginObject()
            writer.key("requests")
            writer.int(sums.requests)
            writer.key("tokens_used")
            writer.int(sums.tokensUsed)
            writer.key("average_response_time")
            writer.double(sums.averageResponseTime)
            writer.key("error_rate")
            writer.double(sums.errorRate)
            writer.endObject()
        }
        writer.endObject()
        return String(decoding: writer.bytes, as: UTF8.self)
    }
}
