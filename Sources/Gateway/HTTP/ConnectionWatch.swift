internal import HTTPTypes
internal import Logging
internal import NIOCore
internal import NIOHTTPTypes

/// Cuts off a client that takes too long: to send the head of a request, to send its body, or to read its answer. Refuses
/// a connection that is one too many.
///
/// It stands between the HTTP codec and the server. Silence between requests is the server's own affair.
final class ConnectionWatch: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    /// What the client sends at the moment.
    private enum Receiving {
        /// Nothing, as far as is known.
        case nothing
        /// A head, of which only a part is there.
        case head
        case body
    }

    private let limits: ConnectionLimits
    private let connections: OpenConnections
    private let log: SparseLog
    /// Whether this connection is one too many.
    private var isRefused = false
    private var isCounted = false
    private var receiving = Receiving.nothing
    /// Whether what is being read now has a part of a request.
    private var hasReadPart = false
    /// Requests whose answers are not complete.
    private var unanswered = 0
    private var isAnswering = false
    private var receiveTimer: Scheduled<Void>?
    private var stallTimer: Scheduled<Void>?

    init(_ limits: ConnectionLimits, connections: OpenConnections, log: SparseLog) {
        self.limits = limits
        self.connections = connections
        self.log = log
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.isCounted = true
        self.isRefused = !self.connections.open()
        // Who is refused is told so when it asks, and does not get long to do so.
        if self.isRefused { self.expectHead(context) }
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.leave()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.leave()
    }

    private func leave() {
        self.receiveTimer?.cancel()
        self.stallTimer?.cancel()
        guard self.isCounted else { return }
        self.isCounted = false
        self.connections.close()
    }

    // MARK: What the client sends

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        self.hasReadPart = true
        switch self.unwrapInboundIn(data) {
        case .head:
            if self.isRefused { return self.refuse(context) }
            self.unanswered += 1
            self.receiving = .body
            self.stopReceiveTimer()
        case .body: break
        case .end:
            self.receiving = .nothing
            self.stopReceiveTimer()
        }
        if !self.isRefused { context.fireChannelRead(data) }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        // Most requests come in one piece, and need no timer. What is read without a part of a request begins the next
        // one; the end of a body may come when its answer is long given.
        switch self.receiving {
        case .nothing: if self.unanswered == 0, !self.hasReadPart { self.expectHead(context) }
        case .head: break
        case .body:
            if self.receiveTimer == nil {
                self.start(context, self.limits.bodyTime, "a request took too long to arrive")
            }
        }
        self.hasReadPart = false
        context.fireChannelReadComplete()
    }

    private func stopReceiveTimer() {
        self.receiveTimer?.cancel()
        self.receiveTimer = nil
    }

    private func expectHead(_ context: ChannelHandlerContext) {
        self.receiving = .head
        self.start(context, self.limits.headTime, "the head of a request took too long to arrive")
    }

    private func start(_ context: ChannelHandlerContext, _ time: Duration, _ reason: String) {
        self.receiveTimer?.cancel()
        let (me, bound) = (
            NIOLoopBound(self, eventLoop: context.eventLoop), NIOLoopBound(context, eventLoop: context.eventLoop)
        )
        self.receiveTimer = context.eventLoop.scheduleTask(in: TimeAmount(time)) {
            me.value.cutOff(bound.value, reason)
        }
    }

    /// Tells the client why, unless it is reading an answer or has had it already, and closes the connection.
    private func cutOff(_ context: ChannelHandlerContext, _ reason: String) {
        let now = context.eventLoop.now
        self.log.log(.info, "a client was cut off: \(reason)", metadata: self.metadata(context), at: now)
        let isAnswered = self.receiving == .body && self.unanswered == 0
        if !self.isAnswering, !isAnswered { self.answer(context, .requestTimeout, "\(reason).\n") }
        context.close(promise: nil)
    }

    private func refuse(_ context: ChannelHandlerContext) {
        guard self.unanswered == 0 else { return }
        self.unanswered = 1
        self.answer(context, .serviceUnavailable, "Too many connections are open here; try again later.\n")
        context.close(promise: nil)
    }

    private func answer(_ context: ChannelHandlerContext, _ status: HTTPResponse.Status, _ text: String) {
        var headers: HTTPFields = [
            .connection: "close", .contentType: "text/plain; charset=utf-8", .contentLength: String(text.utf8.count),
        ]
        if status == .serviceUnavailable { headers[.retryAfter] = "1" }
        let head = HTTPResponse(status: status, headerFields: headers)
        context.write(self.wrapOutboundOut(.head(head)), promise: nil)
        context.write(self.wrapOutboundOut(.body(ByteBuffer(string: text))), promise: nil)
        context.writeAndFlush(self.wrapOutboundOut(.end(nil)), promise: nil)
    }

    // MARK: What the client reads

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch self.unwrapOutboundIn(data) {
        case .head: self.isAnswering = true
        case .body: break
        case .end:
            self.isAnswering = false
            self.unanswered -= 1
            // What the answer was given without is not waited for long.
            if self.receiving == .body {
                self.start(context, self.limits.headTime, "the rest of a request is not wanted any more")
            }
        }
        context.write(data, promise: promise)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        self.stallTimer?.cancel()
        self.stallTimer = nil
        if !context.channel.isWritable { self.startStall(context) }
        context.fireChannelWritabilityChanged()
    }

    private func startStall(_ context: ChannelHandlerContext) {
        let (me, bound) = (
            NIOLoopBound(self, eventLoop: context.eventLoop), NIOLoopBound(context, eventLoop: context.eventLoop)
        )
        let unread = Self.unread(context)
        self.stallTimer = context.eventLoop.scheduleTask(in: TimeAmount(self.limits.stallTime)) {
            // A large answer takes a slow client longer: only who reads nothing has stalled.
            if let unread, let left = Self.unread(bound.value), left < unread {
                return me.value.startStall(bound.value)
            }
            me.value.log.log(
                .warning,
                "a client does not read its answer: the connection was closed",
                metadata: me.value.metadata(bound.value),
                at: bound.value.eventLoop.now
            )
            bound.value.close(promise: nil)
        }
    }

    /// Bytes of answers that the client has not taken yet; nil where the channel does not tell.
    private static func unread(_ context: ChannelHandlerContext) -> Int? {
        try? context.channel.syncOptions?.getOption(.bufferedWritableBytes)
    }

    private func metadata(_ context: ChannelHandlerContext) -> Logger.Metadata {
        ["client": "\(context.channel.remoteAddress?.description ?? "unknown")"]
    }
}
