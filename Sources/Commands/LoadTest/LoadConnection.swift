internal import NIOCore
internal import NIOHTTP1

/// One connection of a load test: sends the request, reads the answer, says what came of it.
///
/// It lives on the event loop of its ``LoadDriver``, as everything that it calls does.
final class LoadConnection: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundOut = HTTPClientRequestPart

    /// The request that it works on.
    private struct Work {
        var due: LoadSchedule.Due
        var sentAt: LoadTime
        var reader: AnswerReader?
        /// Whether the connection can be used again afterwards.
        var isKept = true
    }

    private let request: LoadRequest
    private let driver: LoadDriver
    private var context: ChannelHandlerContext?
    private var work: Work?

    init(_ request: LoadRequest, of driver: LoadDriver) {
        self.request = request
        self.driver = driver
    }

    /// When the request under way was sent; nil: there is none.
    var busySince: LoadTime? { self.work?.sentAt }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
    }

    /// Sends the request; whatever comes of it is told to the driver.
    func send(_ due: LoadSchedule.Due, at now: LoadTime) {
        self.work = Work(due: due, sentAt: now)
        guard let context = self.context else { return self.fail("connection_closed") }
        context.write(self.wrapOutboundOut(.head(self.request.head)), promise: nil)
        if self.request.body.readableBytes > 0 {
            context.write(self.wrapOutboundOut(.body(.byteBuffer(self.request.body))), promise: nil)
        }
        context.writeAndFlush(self.wrapOutboundOut(.end(nil)), promise: nil)
    }

    /// Gives the request under way up, and the connection with it.
    func fail(_ word: String) {
        if let work = self.work {
            self.work = nil
            self.driver.note(
                LoadTally.Outcome(
                    due: work.due,
                    end: self.driver.now,
                    failure: LoadTally.Failure(status: nil, code: word),
                    bytes: work.reader?.bytes ?? 0
                )
            )
        }
        self.close()
    }

    func close() {
        self.context?.close(promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch self.unwrapInboundIn(data) {
        case .head(let head):
            self.work?.isKept = head.isKeepAlive
            self.work?.reader = AnswerReader(
                status: Int(head.status.code),
                isEventStream: head.headers.first(name: "content-type")?.hasPrefix("text/event-stream") ?? false,
                tokens: head.headers.first(name: "x-martlet-completion-tokens").flatMap { Int($0) },
                countsTokens: self.request.countsTokens
            )
        case .body(let piece):
            self.work?.reader?.take(piece.readableBytesView, at: self.driver.now)
        case .end:
            self.finish()
        }
    }

    private func finish() {
        guard let work = self.work, var reader = work.reader else { return }
        self.work = nil
        let failure = reader.finish()
        let outcome = LoadTally.Outcome(
            due: work.due,
            end: self.driver.now,
            failure: failure,
            message: reader.message,
            tokens: reader.tokens,
            texts: reader.texts,
            bytes: reader.bytes
        )
        self.driver.note(outcome)
        if work.isKept { self.driver.isFree(self) } else { self.close() }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        self.fail(LoadFailure.word(for: error))
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.fail("connection_closed")
        self.driver.isClosed(self)
    }
}
