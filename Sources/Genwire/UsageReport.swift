internal import JSON

extension UsageAnalytics {
    /// The sums as a JSON object, a member a provider.
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
